"""What a text rests on: the annotations of an ``output_text``.

https://platform.openai.com/docs/api-reference/responses/object#responses-object-output
"""

from gateway.chat.blocks import Citation
from gateway.dialects.base import Fields
from gateway.wire.json import Json


def read_citations(part: Fields, unread: Json) -> list[Citation]:
    return [read_annotation(Fields(*one), unread) for one in part.each("annotations")]


def read_annotation(annotation: Fields, unread: Json) -> Citation:
    """A file is cited by its name, else by its id: the API gives it no address. ``index`` is not
    read: for a citation it is a place in the text, for a path a number in a list."""
    annotation.may("type", str)
    title = annotation.may("title", str) or annotation.may("filename", str)
    citation = Citation(
        url=annotation.may("url", str),
        title=title or annotation.may("file_id", str),
        start=annotation.may("start_index", int),
        end=annotation.may("end_index", int),
    )
    annotation.leave(unread)
    return citation


def write_annotation(citation: Citation, start: int, end: int, dropped: set[str]) -> Json | None:
    """``start``, ``end``: where the cited text stands. A citation that does not say which of its
    characters rest on the source is of the whole text. None without an address: the API's other
    annotations name files of its own."""
    if citation.url is None:
        dropped.add("citations")
        return None
    if citation.quote is not None:
        dropped.add("citations")  # told, but for the source's own words
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title or "",
        "start_index": start if citation.start is None else start + citation.start,
        "end_index": end if citation.end is None else start + citation.end,
    }
