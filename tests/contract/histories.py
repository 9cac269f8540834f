"""What callers send back of an answer in their next request, as their SDKs and examples do."""

from gateway.dialects import Dialect
from gateway.wire.json import Json

RESULT = "done"


def chat(answer: Json) -> Json:
    message = answer["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": RESULT}
        for call in message.get("tool_calls", ())
        if call["type"] == "function"
    ]
    said = {name: value for name, value in message.items() if value is not None}
    messages = [{"role": "user", "content": "hi"}, said, *results]
    return {"model": "e", "messages": [*messages, {"role": "user", "content": "go on"}]}


def responses(answer: Json) -> Json:
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": RESULT}
        for item in answer["output"]
        if item["type"] == "function_call"
    ]
    hi, more = {"role": "user", "content": "hi"}, {"role": "user", "content": "go on"}
    return {"model": "e", "input": [hi, *answer["output"], *results, more]}


def messages(answer: Json) -> Json:
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": RESULT}
        for block in answer["content"]
        if block["type"] == "tool_use"
    ]
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": answer["content"]},
        {"role": "user", "content": [*results, {"type": "text", "text": "go on"}]},
    ]
    return {"model": "e", "max_tokens": 9, "messages": turns}


def gemini(answer: Json) -> Json:
    content = answer["candidates"][0]["content"]
    results = [
        {
            "functionResponse": {
                "id": part["functionCall"]["id"],
                "name": part["functionCall"]["name"],
                "response": {"output": RESULT},
            }
        }
        for part in content.get("parts", ())
        if "functionCall" in part
    ]
    go_on = {"role": "user", "parts": [*results, {"text": "go on"}]}
    said = [content] if content.get("parts") else []
    return {"contents": [{"role": "user", "parts": [{"text": "hi"}]}, *said, go_on]}


NEXT = {
    "openai_chat": chat,
    "openai_responses": responses,
    "anthropic_messages": messages,
    "gemini": gemini,
}


def next_request(dialect: Dialect, answer: Json) -> Json:
    return NEXT[dialect.name](answer)
