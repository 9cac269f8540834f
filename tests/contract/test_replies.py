"""What a provider says, every caller is told, or told by name what it was not."""

from typing import Any

import pytest
from hypothesis import given

from gateway.chat.reply import ChatReply, ReplyEvent, StopReason
from gateway.dialects import CHAT_DIALECTS, GEMINI, Dialect
from tests.contract.drawing import drawn
from tests.contract.holding import BOUNDS, IDENTITY, IDS, form_of, over_the_wire, surplus
from tests.contract.replies import replies, streams
from tests.contract.told import facets, gathered
from tests.contract.wires import plain_asked, read_stream

dialects = pytest.mark.parametrize("dialect", CHAT_DIALECTS, ids=IDS)
# Where a dialect has fewer words for why an answer ends: what each becomes.
REASONS: dict[str, dict[StopReason, StopReason]] = {
    "openai_chat": {"stop_sequence": "end", "pause": "end"},
    "openai_responses": {"stop_sequence": "end", "pause": "end"},
    "anthropic_messages": {},
    "gemini": {"stop_sequence": "end", "pause": "end"},
}


def faults(
    dialect: Dialect, before: ChatReply, dropped: frozenset[str], after: ChatReply
) -> list[Any]:
    as_values = BOUNDS[dialect.name].objects
    was, now = facets(before, as_values=as_values), facets(after, as_values=as_values)
    was = expected(dialect, was, dropped)
    if dialect is GEMINI:  # its word for a pause has another meaning too, which is told aside
        now = {name: now[name] for name in now if not name.startswith("finishReason/")}
    found: list[Any] = []
    for name in was.keys() | now.keys():
        bare, value, kept = name.partition("/")[0], was.get(name), now.get(name)
        if bare in dropped:
            if isinstance(kept, list) and bare != "citations" and surplus(kept, value):
                found.append(("changed", name, value, kept))
        elif value != kept:
            found.append(("lost", name, value, kept))
    found += [("usage", before.usage, after.usage)] if counts(before) != counts(after) else []
    found += [
        ("cried wolf", one) for one in dropped - {n.partition("/")[0] for n in mentioned(before)}
    ]
    return found


def expected(dialect: Dialect, was: dict[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    """With what goes along with what is reported."""
    if "n" in dropped:
        was = {name: value for name, value in was.items() if not name.endswith("/1")} | {"n": 1}
    for name in [one for one in was if one.startswith("stop_reason")]:
        was[name] = REASONS[dialect.name].get(was[name], was[name])
        if was[name] != "stop_sequence" and "refusal" in dropped:
            words = name.replace("stop_reason", "refusal")
            text = name.replace("stop_reason", "text")
            if words in was:
                was[text] = was.get(text, "") + was.pop(words)
    return was


def counts(reply: ChatReply) -> tuple[int, int, int, int]:
    """What was written to a cache is read as input where there is no word for it."""
    used = reply.usage
    return used.prompt_tokens, used.cache_read_tokens, used.output_tokens, used.reasoning_tokens


def mentioned(reply: ChatReply) -> set[str]:
    return {n for n, value in facets(reply, as_values=False).items() if (n, value) != ("n", 1)}


@dialects
@given(replies())
@drawn(60)
def test_a_whole_reply_is_told(dialect: Dialect, reply: ChatReply) -> None:
    written = form_of(dialect).write_reply(reply, plain_asked(dialect))
    body = over_the_wire(written.body)
    dialect.check_reply(body)
    again = form_of(dialect).read_reply(body, IDENTITY)
    assert faults(dialect, reply, written.dropped, again) == []


@dialects
@given(streams())
@drawn(60)
def test_a_streamed_reply_is_told(dialect: Dialect, events: list[ReplyEvent]) -> None:
    writer = form_of(dialect).writer(plain_asked(dialect))
    stream = b"".join(writer.feed(event) for event in events)
    again = gathered(read_stream(dialect, [stream]))
    assert faults(dialect, gathered(events), frozenset(writer.dropped), again) == []
