"""What each dialect must hold to, and how a request that was read again is compared."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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
        adds=frozenset({"max_tokens", STRICT[0]}),
        implied=(STRICT, NO_THOUGHTS),
    ),
    "gemini": Bounds(
        "gemini",
        objects=True,
        named=False,
        adds=frozenset({STRICT[0]}),
        implied=(STRICT,),
        guesses=True,
    ),
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
    asked = [request, *([ended_by_user(request)] if "system.position" in dropped else [])]
    found = min((list(essentials(bounds, one, dropped, again)) for one in asked), key=len)
    before, after = facets(request), facets(again)
    if bounds.guesses:
        after = guessed(after, before)
    after = as_files(after, before)
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


def ended_by_user(request: ChatRequest) -> ChatRequest:
    """Where the system has the last word, the user may say it, and that be told."""
    spoken = (nth for nth, message in enumerate(request.messages) if message.role != "system")
    last = max(spoken, default=-1)
    closing = [replace(message, role="user") for message in request.messages[last + 1 :]]
    return replace(request, messages=[*request.messages[: last + 1], *closing])


def guessed(after: Facets, before: Facets) -> Facets:
    """Where the kind of a file at an address is not told, it is what it was; and what a tool showed
    as a document, the user may show as what it is."""
    after = dict(after)
    for kind in ("image", "audio", "video"):
        more = surplus(after.get("document"), before.get("document"))
        moved = [one for one in before.get(kind, ()) if repr(one) in more]
        if moved:
            after[kind] = after.get(kind, []) + moved
            after["document"] = list(after["document"])
            for one in moved:
                after["document"].remove(one)
        shown = {repr(one) for one in before.get("tool_result.document", ())}
        for strange in surplus(after.get(kind), before.get(kind)):
            if strange in shown:
                kept = list(after[kind])
                kept.remove(next(one for one in kept if repr(one) == strange))
                after[kind] = kept
    return {name: value for name, value in after.items() if value != []}


def as_files(after: Facets, before: Facets) -> Facets:
    """A picture or a recording that was sent as a file may be told as what it is, by the one of its
    names that is taken; also by the user where a tool showed it."""
    after = dict(after)
    for kind in ("image", "audio"):
        strange = surplus(after.get(kind), before.get(kind))
        told = [one for one in after.get(kind, ()) if repr(one) in strange]
        contents = {one[-1] for one in told}
        files = [one for one in before.get("document", ()) if one[-1] in contents]
        shown = [one for one in before.get("tool_result.document", ()) if one[-1] in contents]
        if files or shown:
            known = {one[-1] for one in files + shown}
            after[kind] = [one for one in after[kind] if one[-1] not in known] or None
            after["document"] = [*after.get("document", ()), *files]
    return {name: value for name, value in after.items() if value is not None}


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
    "reasoning.budget": ("reasoning.effort",),  # a budget of nothing is one of none
    "response_format": (
        "response_format.schema",
        "response_format.name",
        "response_format.description",
        "response_format.strict",
    ),
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


ANY_OBJECT = "AnswerwithexactlyoneJSONobject."
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
    """What cannot be asked for otherwise may be asked in words, where that is told; and OpenAI wants
    it in words too, where any object will do."""
    asked, words = told.system_of(request), told.system_of(again)
    form = request.response_format
    if "response_format" not in dropped and (form is None or form.schema is not None):
        return [asked]
    if [rest for one in words if (rest := one.replace(ANY_OBJECT, ""))] == asked:
        return [words]
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
