"""Google's SDK for Gemini (`pip install google-genai`): an answer, a stream, a schema."""

import os

from google import genai
from google.genai import types
from pydantic import BaseModel

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"

client = genai.Client(
    api_key=KEY,
    vertexai=False,  # or GOOGLE_GENAI_USE_VERTEXAI in your environment would send it elsewhere
    http_options=types.HttpOptions(base_url=f"{URL}/gateway/gemini"),  # the SDK adds a version
)

answer = client.models.generate_content(model=ENDPOINT, contents="Hello!")
print("answer:", answer.text)

print("stream: ", end="")
for chunk in client.models.generate_content_stream(model=ENDPOINT, contents="Hello!"):
    print(chunk.text or "", end="", flush=True)
print()


class City(BaseModel):
    name: str
    inhabitants: int


structured = client.models.generate_content(
    model=ENDPOINT,
    contents="Paris",
    config=types.GenerateContentConfig(response_mime_type="application/json", response_schema=City),
)
print("structured:", structured.parsed)
