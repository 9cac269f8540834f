"""What an answer rests on: grounding, and passages that it took from elsewhere.

https://ai.google.dev/api/generate-content#GroundingMetadata, #CitationMetadata
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gateway.chat.blocks import Citation
from gateway.dialects.gemini.places import Places
from gateway.wire.json import Json

# What kinds of sources a chunk of grounding may be.
SOURCES = ("web", "retrievedContext", "maps", "image")

# With the number of its part, and where in its bytes it begins and ends.
Cited = tuple[Citation, int, int | None, int | None]
# Google counts bytes. From a part's number and a place in it: the character, None if unknown.
Characters = Callable[[int, int], int | None]


def read_citations(candidate: Json, characters: Characters) -> Iterator[tuple[int, Citation]]:
    """Each citation with the number of the part that it belongs to (-1: none in particular).

    What is malformed is passed over: the answer does not depend on it.
    """
    grounding = _object(candidate.get("groundingMetadata"))
    sources = [_source(chunk) for chunk in _objects(grounding.get("groundingChunks"))]
    cited = set()
    for support in _objects(grounding.get("groundingSupports")):
        segment = _object(support.get("segment"))
        part = _number(segment.get("partIndex")) or 0
        span = _span(segment, part, characters)
        for nth in _list(support.get("groundingChunkIndices")):
            if isinstance(nth, int) and 0 <= nth < len(sources):
                cited.add(nth)
                yield part, Citation(*sources[nth], *span)
    for nth, source in enumerate(sources):
        if nth not in cited:
            yield -1, Citation(*source)
    passages = _object(candidate.get("citationMetadata"))
    for one in _objects(passages.get("citationSources") or passages.get("citations")):
        span = _span(one, 0, characters)
        yield 0, Citation(_text(one.get("uri")), _text(one.get("title")), None, *span)


def _source(chunk: Json) -> tuple[str | None, str | None, str | None]:
    kind = next((name for name in SOURCES if isinstance(chunk.get(name), dict)), None)
    told = chunk[kind] if kind else {}
    url = told.get("uri") or told.get("sourceUri")
    return _text(url), _text(told.get("title")), _text(told.get("text"))


def _span(place: Json, part: int, characters: Characters) -> tuple[int | None, int | None]:
    """A start that is not told is 0, as in all of protocol buffers."""
    end = _number(place.get("endIndex"))
    if end is None:
        return None, None
    span = characters(part, _number(place.get("startIndex")) or 0), characters(part, end)
    return (None, None) if None in span else span


def write_grounding(citations: Iterable[Cited]) -> Json:
    chunks, supports = [], []
    for nth, (citation, part, start, end) in enumerate(citations):
        chunks.append(_write_source(citation))
        if start is not None and end is not None:
            segment = {"startIndex": start, "endIndex": end}
            if part:
                segment["partIndex"] = part
            supports.append({"segment": segment, "groundingChunkIndices": [nth]})
    if not chunks:
        return {}
    grounding: Json = {"groundingChunks": chunks}
    if supports:
        grounding["groundingSupports"] = supports
    return {"groundingMetadata": grounding}


def span(citation: Citation, places: Places, start: int = 0) -> tuple[int | None, int | None]:
    """Where in the bytes of a text that begins at ``start`` it begins and ends."""
    if citation.start is None or citation.end is None:
        return None, None
    return start + places.byte(citation.start), start + places.byte(citation.end)


def _write_source(citation: Citation) -> Json:
    told = {"uri": citation.url, "title": citation.title, "text": citation.quote}
    source = {name: value for name, value in told.items() if value is not None}
    return {"web" if citation.url and citation.quote is None else "retrievedContext": source}


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Json]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
