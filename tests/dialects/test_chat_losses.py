"""Nothing of a conversation is lost in silence between reading and writing."""

import pytest

from gateway.dialects.openai_chat import read_request, write_request
from gateway.errors import BadRequest
from gateway.wire.json import Json

A: Json = {"type": "text", "text": "a"}
HI: Json = {"role": "user", "content": [A]}
MARKED: Json = A | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def rewritten(*messages: Json) -> list[Json]:
    body = {"model": "m", "messages": list(messages)}
    written: list[Json] = write_request(read_request(body))["messages"]
    return written


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": [MARKED]},
        {"role": "tool", "tool_call_id": "c", "content": [A], "name": "weather"},
        {"role": "tool", "tool_call_id": "c", "content": [MARKED]},
        {"role": "user", "content": [MARKED]},
    ],
    ids=["a system's cache mark", "a tool's name", "a result's cache mark", "a part's cache mark"],
)
def test_a_message_comes_back_as_it_was(message: Json) -> None:
    assert rewritten(message) == [message]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://x/a.png"}},
        {"type": "video_url", "video_url": {"url": "v"}},
    ],
)
def test_a_part_of_a_system_message_that_is_no_text_is_kept_or_refused(part: Json) -> None:
    system = {"role": "system", "content": [A, part]}
    try:
        assert rewritten(system) == [system]
    except BadRequest as refused:
        assert refused.field == "messages[0].content[1]"  # noqa: PT017 - either is right


def test_speakers_of_different_names_are_not_joined() -> None:
    ann, ben = HI | {"name": "ann"}, HI | {"name": "ben"}
    assert rewritten(ann, ben, ben) == [ann, ben | {"content": [A, A]}]
