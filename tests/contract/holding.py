"""What each dialect must hold to, and how a request that was read again is compared."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Tool
from gateway.dialects import CHAT_DIALECTS, Dialect
from gateway.dialects.forms import ChatForm, Identity, Written
from gateway.wire.json import Json, dumps, loads
from tests.contract import facets as told
from tests.contract.facets import Facets, Rank, facets

IDENTITY = Identity("req_1", 1_700_000_000)


@dataclass(frozen=True)
class Bounds:
    """What is true of one dialect by what it is.

    ``issuer``: whose seals have a place in it. ``objects``: arguments are objects, not text.
    ``named``: its bodies name the model. ``ranks``: the order in which a turn must say its pieces.
    ``adds``: what the API asks for even of those who did not say it. ``implied``: what it does for
    everybody, so that it has no words for it. ``guesses``: it need not be told what is at an address.
    """

    issuer: str | None
    objects: bool = False
    named: bool = True
    ranks: Rank = field(default_factory=dict)
    adds: frozenset[str] = frozenset()
    implied: tuple[tuple[str, Any], ...] = ()
    guesses: bool = False


RESULTS_FIRST: Rank = dict.fromkeys((Text, Refusal, Media, Foreign), 1)
AS_MESSAGES: Rank = {**RESULTS_FIRST, ToolUse: 2, ToolResult: 0}
STRICT = ("response_format.strict", True)
NO_THOUGHTS = ("reasoning.effort", "none")  # some models think only where they are asked to
NAMED = frozenset({"response_format.name", "document.name"})
BOUNDS = {
    "openai_chat": Bounds(None, ranks=AS_MESSAGES, adds=NAMED),
    "openai_responses": Bounds("openai", adds=NAMED),
    "anthropic_messages": Bounds(
        "anthropic",
        objects=True,
        ranks=RESULTS_FIRST,
        adds=frozenset({"max_tokens"}),
        implied=(STRICT, NO_THOUGHTS),
    ),
    "gemini": Bounds("gemini", objects=True, named=False, implied=(STRICT,), guesses=True),
}
IDS = [dialect.name for dialect in CHAT_DIALECTS]


def form_of(dialect: Dialect) -> ChatForm:
    assert dialect.chat is not None
    return dialect.chat


def over_the_wire(body: Json) -> Json:
    sent: Json = loads(dumps(body))
    return sent


def read_back(dialect: Dialect, written: Written) -> ChatRequest:
    return form_of(dialect).read_request(over_the_wire(written.body))


def faults(
    dialect: Dialect, request: ChatRequest, written: Written, again: ChatRequest
) -> list[Any]:
    """What was lost, changed, invented, or reported without need; each with both sides."""
    bounds, dropped = BOUNDS[dialect.name], written.dropped
    gone = dropped | {name for whole in dropped for name in GOES_WITH.get(whole, ())}
    found: list[Any] = list(essentials(bounds, request, dropped, again))
    before, after = facets(request), facets(again)
    if bounds.guesses:
        after = guessed(after, before)
    for name, value in before.items():
        kept = after.get(name)
        missing = surplus(value, kept) if name in LISTS | {"document.name"} else kept != value
        if missing and name not in gone and (name, value) not in bounds.implied:
            found.append(("lost", name, value, kept))
        if name in LISTS and (
            invented := surplus(kept, [*value, *before.get(f"tool_result.{name}", ())])
        ):
            found.append(("changed", name, value, invented))
    for name in (
        after.keys() - before.keys() - bounds.adds - {STANDS_FOR.get(one) for one in dropped}
    ):
        if name not in LISTS or surplus(after[name], before.get(f"tool_result.{name}", ())):
            found += [("invented", name, after[name])]
    found += [("cried wolf", name) for name in dropped - mentioned(request)]
    found += [("unread", again.unread)] if again.unread else []
    return found


def guessed(after: Facets, before: Facets) -> Facets:
    """Where the kind of a file at an address is not told, it is what it was."""
    after = dict(after)
    for kind in ("image", "audio", "video"):
        more = surplus(after.get("document"), before.get("document"))
        moved = [one for one in before.get(kind, ()) if repr(one) in more]
        if moved:
            after[kind] = after.get(kind, []) + moved
            after["document"] = list(after["document"])
            for one in moved:
                after["document"].remove(one)
    return {name: value for name, value in after.items() if value != []}


# What goes with a thing that cannot be told at all; and by words in its place the system's position
# is told otherwise.
GOES_WITH = {
    "image": ("detail", "cache_control"),
    "audio": ("transcript", "cache_control", "system.position"),
    "video": ("cache_control",),
    "document": ("document.name", "cache_control", "system.position"),
    "tool_result.image": ("detail", "cache_control"),
    "tool_result.document": ("document.name", "cache_control", "system.position"),
    "reasoning.summary": ("reasoning.shown",),
}
# Of these some may stay and others go, but those that stay are as they were.
LISTS = frozenset(
    {"thinking", "refusal", "signature", "name", "cache_control", "tool_result.is_error"}
    | {"image", "audio", "video", "document", "detail", "transcript"}
    | {f"tool_result.{kind}" for kind in ("image", "audio", "video", "document")}
)
# An effort may stand for a budget, and the reverse, where that is told.
STANDS_FOR = {"reasoning.effort": "reasoning.budget", "reasoning.budget": "reasoning.effort"}


def surplus(after: Iterable[Any] | None, before: Iterable[Any] | None) -> list[str]:
    """What has come to be there, or is there more often."""
    return list(Counter(map(repr, after or ())) - Counter(map(repr, before or ())))


MAY_BE_TOLD_BY_WORDS = ("audio", "document", "tool_result.document")


def essentials(
    bounds: Bounds, request: ChatRequest, dropped: frozenset[str], again: ChatRequest
) -> Iterator[Any]:
    """What no dialect may lose, whatever it reports."""
    lost = [kind for kind in MAY_BE_TOLD_BY_WORDS if kind in dropped]
    ways = [frozenset(some) for n in range(len(lost) + 1) for some in combinations(lost, n)]
    pairs: list[tuple[str, list[Any], Any]] = [
        ("said", [told.said(request, way) for way in ways], told.said(again)),
        ("system", systems(request, dropped, again), told.system_of(again)),
        (
            "calls",
            [told.calls(request, as_values=bounds.objects)],
            told.calls(again, as_values=bounds.objects),
        ),
        ("results", [told.results(request, way) for way in ways], told.results(again)),
        ("stream", [request.stream if bounds.named else False], again.stream),
        ("model", [request.model if bounds.named else ""], again.model),
    ]
    if not lost:
        ranks = bounds.ranks
        pairs.append(("order", [told.order(request, ranks)], told.order(again, ranks)))
    for name, before, after in pairs:
        if after not in before:
            yield name, before, after


def systems(request: ChatRequest, dropped: frozenset[str], again: ChatRequest) -> list[list[str]]:
    """What cannot be asked for otherwise may be asked in words, where that is told."""
    asked, words = told.system_of(request), told.system_of(again)
    if "response_format" not in dropped:
        return [asked]
    return [asked, *(words for nth in range(len(words)) if words[:nth] + words[nth + 1 :] == asked)]


def mentioned(request: ChatRequest) -> set[str]:
    """All names that may be reported of it: of what it has, even where that says nothing."""
    names = set(facets(request))
    if any(message.role == "system" for message in request.messages):
        names.add("system.position")
    names |= {n for n in request.sampling.__slots__ if getattr(request.sampling, n) is not None}
    names |= {n for n in told.OPTIONS if getattr(request, n) is not None}
    if asked := request.reasoning:
        names |= {f"reasoning.{n}" for n in asked.__slots__ if getattr(asked, n) is not None}
    if form := request.response_format:
        names |= {
            "response_format",
            *(f"response_format.{n}" for n in form.__slots__ if getattr(form, n) is not None),
        }
    if any(getattr(b, "seal", None) for b in told.blocks(request)):
        names.add("signature")
    if request.tool_choice:
        names.add("tool_choice")
    if request.parallel_tools is not None:
        names.add("parallel_tool_calls")
    if any(isinstance(tool, Tool) and tool.strict is not None for tool in request.tools):
        names.add("tools.strict")
    if any(isinstance(b, Media) and b.detail for b in told.blocks(request)):
        names.add("detail")
    return names


__all__ = ["BOUNDS", "CHAT_DIALECTS", "IDENTITY", "IDS", "Block", "faults", "form_of", "read_back"]
