"""OpenAI's SDK (`pip install openai`): a chat, a stream, embeddings, a response."""

import os

from openai import OpenAI

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")  # on your own machine any text will do
ENDPOINT = "demo"

client = OpenAI(base_url=f"{URL}/gateway/openai/v1", api_key=KEY)

reply = client.chat.completions.create(
    model=ENDPOINT, messages=[{"role": "user", "content": "Hello!"}]
)
print("chat:", reply.choices[0].message.content)

print("stream: ", end="")
for chunk in client.chat.completions.create(
    model=ENDPOINT, messages=[{"role": "user", "content": "Hello!"}], stream=True
):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

vectors = client.embeddings.create(model=ENDPOINT, input=["a cat", "a dog"]).data
print("embeddings:", len(vectors), "of", len(vectors[0].embedding))

response = client.responses.create(model=ENDPOINT, input="Hello!")
print("response:", response.output_text)
