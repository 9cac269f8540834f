"""A chat that a translation answered goes on at a provider of the caller's own dialect."""

from gateway.chat.blocks import Block, Seal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, Choice
from gateway.chat.request import ChatRequest
from gateway.dialects.forms import Asked
from gateway.dialects.openai_chat import CHAT_FORM, OPENAI_CHAT
from gateway.wire.json import Json

HI: Json = {"role": "user", "content": "hi"}
FUNCTION: Json = {"name": "f", "arguments": "{}"}
CALL: Json = {"id": "c", "type": "function", "function": FUNCTION}
SEALED = Thinking("hm", Seal("anthropic", "S"))
LITELLMS: Json = {"type": "thinking", "thinking": "hm", "signature": "S"}


def told(*blocks: Block) -> Json:
    """The message that a caller is told, and tells back."""
    reply = ChatReply("c", "m", 5, [Choice(list(blocks), "end")])
    message: Json = CHAT_FORM.write_reply(reply, Asked({}, ChatRequest("m", []))).body["choices"][0]
    return {"role": "assistant", **message["message"]}


def unsealed(message: Json, model: str = "gpt-5") -> tuple[Json, set[str]]:
    body, lost = OPENAI_CHAT.unseal({"model": "m", "messages": [HI, message]}, model)
    first, left = body.pop("messages")
    assert (first, body) == (HI, {"model": "m"})
    return left, set(lost)


def test_our_thoughts_go_with_all_that_told_them() -> None:
    plain = {"role": "assistant", "content": "a", "refusal": None}
    assert unsealed(told(SEALED, Text("a"))) == (plain, {"thinking"})
    assert unsealed(told(Thinking("hm"), Text("a"))) == (plain, {"thinking"})
    hidden = Thinking("", Seal("openai", "S"), redacted=True)
    assert unsealed(told(SEALED, hidden, Text("a"))) == (plain, {"thinking"})


def test_the_words_stay_for_those_who_want_them_again() -> None:
    message = told(SEALED, ToolUse("c", "f", "{}"))
    said: Json = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]}
    kept = said | {"reasoning_content": "hm"}
    assert unsealed(message, "deepseek-chat") == (kept, set())
    assert unsealed(message, "kimi-k3") == (kept, set())
    assert unsealed(message, "mistral-large") == (said, {"thinking"})


def test_what_is_not_ours_stays() -> None:
    for message in (
        {"role": "assistant", "content": "a", "reasoning_content": "hm"},
        {"role": "assistant", "reasoning_content": "hm", "thinking_blocks": [LITELLMS]},
        {"role": "assistant", "reasoning_content": "hm", "thinking_blocks": []},
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
    ):
        assert unsealed(message) == (message, set())


def test_a_body_of_another_shape_is_left_to_the_provider() -> None:
    bodies: list[Json] = [
        {"messages": "a"},
        {},
        {"messages": [None, 1, [], {"thinking_blocks": 1}]},
    ]
    for body in bodies:
        assert OPENAI_CHAT.unseal(body, "m") == (body, frozenset())
