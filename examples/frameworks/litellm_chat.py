"""LiteLLM (`pip install litellm`): OpenAI's API, then the same gateway in two other dialects.

Not 1.82.7 or 1.82.8, which stole credentials; pin what you install.
"""

import os

import litellm

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"

# The prefix names the API that LiteLLM speaks to the gateway, not who serves the endpoint.
OPENAI = {"model": f"openai/{ENDPOINT}", "base_url": f"{URL}/gateway/openai/v1", "api_key": KEY}
ANTHROPIC = {
    "model": f"anthropic/{ENDPOINT}",
    "base_url": f"{URL}/gateway/anthropic",
    "api_key": KEY,
}
GEMINI = {"model": f"gemini/{ENDPOINT}", "base_url": f"{URL}/gateway/gemini", "api_key": KEY}
litellm.suppress_debug_info = True  # else it prints of each model whose name it does not know
HELLO = [{"role": "user", "content": "Hello!"}]

reply = litellm.completion(**OPENAI, messages=HELLO)
print("chat:", reply.choices[0].message.content)

print("stream: ", end="")
for chunk in litellm.completion(**OPENAI, messages=HELLO, stream=True):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

vectors = litellm.embedding(
    model=OPENAI["model"], api_base=OPENAI["base_url"], api_key=KEY, input=["a cat", "a dog"]
)
print("embeddings:", len(vectors.data), "of", len(vectors.data[0]["embedding"]))

for dialect in (ANTHROPIC, GEMINI):
    reply = litellm.completion(**dialect, messages=HELLO)
    print(f"{dialect['model']}:", reply.choices[0].message.content)
