"""LangChain (`pip install langchain-openai`): chat, tools, structured output, embeddings."""

import os

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"

model = ChatOpenAI(model=ENDPOINT, base_url=f"{URL}/gateway/openai/v1", api_key=KEY)

print("chat:", model.invoke("Hello!").content)

print("stream: ", end="")
for chunk in model.stream("Hello!"):
    print(chunk.content, end="", flush=True)
print()


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


asked = model.bind_tools([get_weather]).invoke("Ask get_weather about Paris.")
for call in asked.tool_calls:
    print("tool:", call["name"], call["args"])


class City(BaseModel):
    """A city and what is known of it."""

    name: str
    inhabitants: int


print("structured:", model.with_structured_output(City).invoke("Paris"))

embeddings = OpenAIEmbeddings(
    model=ENDPOINT,
    base_url=f"{URL}/gateway/openai/v1",
    api_key=KEY,
    # Else LangChain fetches OpenAI's tokenizer and sends numbers, which suit OpenAI's models alone.
    check_embedding_ctx_length=False,
)
vectors = embeddings.embed_documents(["a cat", "a dog"])
print("embeddings:", len(vectors), "of", len(vectors[0]))
