"""A caller gives back what it was given: thoughts, calls and seals come home as they left."""

from itertools import pairwise

import pytest
from hypothesis import given

from gateway.chat.blocks import Block, Foreign, Media, Thinking, ToolResult
from gateway.chat.reply import ChatReply, Choice
from gateway.chat.request import Reasoning
from gateway.dialects import ANTHROPIC_MESSAGES, CHAT_DIALECTS, OPENAI_RESPONSES, Dialect
from tests.contract.drawing import drawn
from tests.contract.histories import next_request
from tests.contract.holding import BOUNDS, IDS, form_of, over_the_wire
from tests.contract.replies import replies
from tests.contract.told import of_choice
from tests.contract.wires import plain_asked

dialects = pytest.mark.parametrize("dialect", CHAT_DIALECTS, ids=IDS)
MODELS = {"gemini": "gemini-3-pro-preview", "anthropic_messages": "claude-opus-4-8"}
COMES_HOME = ("thinking", "calls", "signature")


@dialects
@given(replies())
@drawn(60)
def test_what_was_answered_comes_home(dialect: Dialect, reply: ChatReply) -> None:
    told = form_of(dialect).write_reply(reply, plain_asked(dialect))
    body = over_the_wire(next_request(dialect, over_the_wire(told.body)))
    request = form_of(dialect).read_request(body)
    said = [b for m in request.messages if m.role == "assistant" for b in m.content]
    answered = [b for m in request.messages for b in m.content if isinstance(b, ToolResult)]
    bounds = BOUNDS[dialect.name]
    before = of_choice(reply.choices[0], as_values=bounds.objects)
    after = of_choice(Choice(said, "end"), as_values=bounds.objects)
    for name in COMES_HOME:
        if name not in told.dropped:
            assert after[name] == before[name], name
    assert [result.tool_use_id for result in answered] == [one[0] for one in before["calls"]]


@dialects
@given(replies())
@drawn(40)
def test_its_provider_gets_its_own_seals_back(dialect: Dialect, reply: ChatReply) -> None:
    """Whoever asked, in whatever dialect: byte-exact, each on what it was on."""
    told = form_of(dialect).write_reply(reply, plain_asked(dialect))
    request = form_of(dialect).read_request(
        over_the_wire(next_request(dialect, over_the_wire(told.body)))
    )
    said = [b for m in request.messages if m.role == "assistant" for b in m.content]
    request.reasoning = Reasoning(budget=-1)  # who does not think on, is not told its thoughts
    for provider in CHAT_DIALECTS:
        issuer = BOUNDS[provider.name].issuer
        request.model = MODELS.get(provider.name, "gpt-5.2")
        written = form_of(provider).write_request(request)
        text = str(written.body)
        for block in reply.choices[0].content:
            seal = getattr(block, "seal", None)
            kind = "thinking" if isinstance(block, Thinking) else "signature"
            if seal is None or kind in told.dropped:
                continue
            own = seal.issuer == issuer
            if seal.value not in text:  # another's, or a thought that would be refused
                assert kind in written.dropped, (provider.name, seal)
                assert not own or would_refuse(provider, said), (provider.name, seal)
            else:
                assert own, (provider.name, seal)


def would_refuse(provider: Dialect, said: list[Block]) -> bool:
    """Whether it wants a thought to be followed by what came of it; or wants each in its place,
    where they came home all at once."""
    pairs = list(pairwise(said))
    if provider is OPENAI_RESPONSES:
        return isinstance(said[-1], Thinking) or any(
            isinstance(one, Thinking) and isinstance(other, Foreign | Media) for one, other in pairs
        )
    return provider is ANTHROPIC_MESSAGES and any(
        isinstance(one, Thinking) and isinstance(other, Thinking) for one, other in pairs
    )
