"""One cell of the matrix: a caller of one dialect, a provider of another, one feature, played through
the gateway itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal

from gateway.chat.blocks import Seal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, ReplyEvent
from gateway.dialects import (
    ANTHROPIC_MESSAGES,
    CHAT_DIALECTS,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    Dialect,
)
from gateway.dialects.forms import Asked, ChatForm, Identity
from gateway.errors import GatewayError, UpstreamBroke
from gateway.exchange.exchange import Call
from gateway.providers.catalog import PROVIDERS
from gateway.providers.provider import Provider
from gateway.routing.endpoint import Endpoint, Target
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader
from handler.errors import answer_for
from tests.compatibility.clients import GOES_ON, SPELLED, uses_of
from tests.compatibility.features import Feature
from tests.compatibility.streams import events_of, gathered
from tests.fakes import CALLER, FakeUpstream, World

ISSUERS: Mapping[Dialect, str] = {
    ANTHROPIC_MESSAGES: "anthropic",
    GEMINI: "gemini",
    OPENAI_RESPONSES: "openai",
}
ME = Identity("0" * 32, 1_700_000_000)
Verdict = Literal["same", "lost", "refused", "unsaid", "silent"]


@dataclass(frozen=True)
class Cell:
    """``same``: it came through whole. ``lost``: not, and it was said (``names``). ``unsaid``: the
    caller's dialect cannot ask for it, or the provider's never answers so. ``refused``: the caller
    was told so. ``silent``: it was lost, and nobody said so: a fault."""

    verdict: Verdict
    names: tuple[str, ...] = ()
    why: str = ""


@contextmanager
def providers_of_one_dialect() -> Iterator[None]:
    """One provider for each dialect, that speaks nothing else."""
    known = PROVIDERS
    assert isinstance(known, dict)
    for dialect in CHAT_DIALECTS:
        speaks = {dialect: "/ask"}
        known[f"only_{dialect.name}"] = Provider(
            f"only_{dialect.name}", "https://provider.example", speaks
        )
    try:
        yield
    finally:
        for dialect in CHAT_DIALECTS:
            del known[f"only_{dialect.name}"]


def form_of(dialect: Dialect) -> ChatForm:
    assert dialect.chat is not None
    return dialect.chat


@dataclass
class Played:
    """What the provider was sent, and what the caller got."""

    sent: list[Json]
    reply: ChatReply | None = None
    answer: Json | None = None
    dropped: frozenset[str] = frozenset()
    error: str | None = None
    status: int = 200
    body: bytes = b""


async def cell(caller: Dialect, provider: Dialect, feature: Feature) -> Cell:
    body = body_of(caller, feature)
    if body is None:
        return Cell("unsaid", why="the caller's dialect has no word for it")
    reply = sealed(feature.reply, provider) if feature.turns == 2 else feature.reply
    said = form_of(provider).write_reply(reply, Asked({}, feature.request))
    if said.dropped.intersection(feature.about):
        return Cell("unsaid", why="the provider's dialect has no word for it")
    if feature.fails:
        return await _failing(caller, provider, feature, body, reply)
    if feature.turns == 2:
        return await _second_turn(caller, provider, feature, body, reply)
    played = await play(caller, provider, feature, body, reply)
    if played.error is not None:
        return Cell("refused", why=played.error)
    return _compared(caller, provider, feature, played, reply)


def body_of(caller: Dialect, feature: Feature) -> Json | None:
    """As a client of this dialect asks; None where there is no way to."""
    request = replace(feature.request, stream=feature.stream)
    written = form_of(caller).write_request(request)
    body: Json = loads(dumps(written.body))
    if spelled := SPELLED.get((caller.name, feature.name)):
        return spelled(body)
    return None if written.dropped.intersection(feature.about) else body


def _compared(
    caller: Dialect, provider: Dialect, feature: Feature, played: Played, reply: ChatReply
) -> Cell:
    assert played.reply is not None
    read = form_of(provider).read_request(played.sent[-1])
    read.stream = feature.stream
    through = form_of(caller).read_request(body_of(caller, feature) or {})
    through.stream = feature.stream
    asked_alike = same(feature.seen(read), feature.seen(through))
    heard_alike = same(feature.heard(played.reply), feature.heard(reply))
    if asked_alike and heard_alike:
        return Cell("same") if not _told(played, feature) else Cell("lost", _told(played, feature))
    if names := tuple(sorted(played.dropped)):
        return Cell("lost", names)
    if not asked_alike:
        return Cell("silent", why=f"asked {feature.seen(through)!r}, sent {feature.seen(read)!r}")
    return Cell(
        "silent", why=f"said {feature.heard(reply)!r}, heard {feature.heard(played.reply)!r}"
    )


def _told(played: Played, feature: Feature) -> tuple[str, ...]:
    return tuple(sorted(played.dropped.intersection(feature.about)))


def same(one: object, other: object) -> bool:
    """Arguments are JSON texts: equal in meaning is enough where a dialect has objects."""
    return bool(meant(one) == meant(other))


def meant(value: object) -> object:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return loads(value)
        except ValueError:
            return value
    if isinstance(value, list | tuple):
        return [meant(one) for one in value]
    return value


async def play(
    caller: Dialect, provider: Dialect, feature: Feature, body: Json, reply: ChatReply
) -> Played:
    upstream = FakeUpstream(*_said(provider, feature, reply), headers=_kind(feature))
    return await _asked(caller, provider, feature, body, upstream)


async def _asked(
    caller: Dialect, provider: Dialect, feature: Feature, body: Json, upstream: FakeUpstream
) -> Played:
    world = World(Endpoint("e", (Target(f"only_{provider.name}", "the-model", "key"),)), upstream)
    body = {**body, "model": "e"} if caller is not GEMINI else body
    call = Call(
        "req1",
        CALLER,
        caller,
        "e",
        dumps(body),
        body,
        arrived=1_700_000_000,
        streamed=feature.stream,
    )
    played = Played([])
    try:
        caller.check(body)
        answer = await world.gateway.answer(call)
        if isinstance(answer.body, bytes):
            played.body = answer.body
        else:
            while part := await answer.body.next():
                played.body += part
            await answer.body.close()
        played.dropped = frozenset(world.record.dropped)
    except GatewayError as error:
        told = answer_for(error, detail=False, dialect=caller)
        assert isinstance(told.body, bytes)
        played.error, played.status, played.body = error.message, told.status, told.body
    else:
        try:
            played.reply, played.answer = _heard(caller, feature, played.body)
        except UpstreamBroke as broken:  # as its SDK would find
            played.error = broken.message
    played.sent = [loads(sent.body) for sent in world.transport.sent]
    return played


def _kind(feature: Feature) -> Mapping[str, str]:
    return {"content-type": "text/event-stream" if feature.stream else "application/json"}


def _said(provider: Dialect, feature: Feature, reply: ChatReply) -> list[bytes]:
    form, asked = (
        form_of(provider),
        Asked({"stream_options": {"include_usage": True}}, feature.request),
    )
    if not feature.stream:
        said = form.write_reply(reply, asked).body
        for choice in said.get("choices", ()):
            choice["message"].pop("thinking_blocks", None)  # ours: no provider tells its own so
        return [dumps(said)]
    writer = form.writer(asked)
    return [part for event in events_of(reply) if (part := writer.feed(event))]


def _heard(caller: Dialect, feature: Feature, body: bytes) -> tuple[ChatReply, Json | None]:
    form = form_of(caller)
    if not feature.stream:
        answer: Json = loads(body)
        caller.check_reply(answer)
        return form.read_reply(answer, ME), answer
    reader, told = form.reader(ME), list[ReplyEvent]()
    for data in SseReader().feed(body):
        told += reader.feed(data)
    told += reader.finish()
    assert reader.ended, body
    return gathered(told), None


async def _second_turn(
    caller: Dialect, provider: Dialect, feature: Feature, body: Json, reply: ChatReply
) -> Cell:
    played = await play(caller, provider, feature, body, reply)
    if played.error is not None:
        return Cell("refused", why=played.error)
    assert played.reply is not None
    assert played.answer is not None
    calls = uses_of(played.reply)
    following = GOES_ON[caller](body, played.answer, calls_as_told(caller, played.answer, calls))
    second = await play(caller, provider, feature, following, feature.reply)
    if second.error is not None:
        return Cell("refused", why=second.error)
    read = form_of(provider).read_request(second.sent[-1])
    seals = {
        block.seal.value
        for message in read.messages
        for block in message.content
        if isinstance(block, Thinking | ToolUse | Text) and block.seal
    }
    names = tuple(sorted((played.dropped | second.dropped) & {*feature.about, "signature"}))
    wanted = _seals_in(reply)
    if wanted <= seals and not names:
        return Cell("same")
    return Cell("lost", names) if names else Cell("silent", why=f"{wanted} became {seals}")


def calls_as_told(caller: Dialect, answer: Json, calls: list[ToolUse]) -> list[ToolUse]:
    """With the ids that the client saw, which may carry a seal."""
    if caller is OPENAI_CHAT:
        ids = [one["id"] for one in answer["choices"][0]["message"]["tool_calls"]]
    elif caller is OPENAI_RESPONSES:
        ids = [one["call_id"] for one in answer["output"] if one["type"] == "function_call"]
    elif caller is ANTHROPIC_MESSAGES:
        ids = [one["id"] for one in answer["content"] if one["type"] == "tool_use"]
    else:
        parts = answer["candidates"][0]["content"]["parts"]
        ids = [one["functionCall"]["id"] for one in parts if "functionCall" in one]
    return [replace(call, id=told) for call, told in zip(calls, ids, strict=True)]


def _seals_in(reply: ChatReply) -> set[str]:
    return {
        block.seal.value
        for block in reply.choices[0].content
        if isinstance(block, Thinking | ToolUse | Text) and block.seal
    }


def sealed(reply: ChatReply, provider: Dialect) -> ChatReply:
    """As this provider's models seal: Gemini the call, the others the thought; some nothing."""
    issuer = ISSUERS.get(provider)
    if issuer is None:
        return reply
    copy = deepcopy(reply)
    for block in copy.choices[0].content:
        if isinstance(block, ToolUse if provider is GEMINI else Thinking):
            block.seal = Seal(issuer, "c2VhbGVk+/8=")
    return copy


async def _failing(
    caller: Dialect, provider: Dialect, feature: Feature, body: Json, reply: ChatReply
) -> Cell:
    failure = UpstreamBroke("too many of you")
    failure.status, failure.kind = 429, "rate_limit"
    if feature.fails == "before":
        upstream = FakeUpstream(
            dumps(provider.write_error(failure, None)),
            status=429,
            headers={"content-type": "application/json", "retry-after": "7"},
        )
        played = await _asked(caller, provider, feature, body, upstream)
        told = loads(played.body)
        right = played.status == 429 and caller.is_error(told)
        words = caller.read_error(told) or ""
        return Cell("same") if right and "too many" in words else Cell("silent", why=str(told))
    cut = [*_said(provider, feature, reply)[:2], provider.write_stream_error(failure)]
    upstream = FakeUpstream(*cut, headers=_kind(feature))
    played = await _asked(caller, provider, feature, body, upstream)
    whole = played.error is None or b"too many" not in played.body
    return Cell("silent", why=str(played.body)) if whole else Cell("same")
