"""What both messages and their streamed pieces hold: citations, images, a recording, odds."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from gateway.chat.blocks import Block, Citation, Foreign, Media, Text
from gateway.chat.reply import TokenLogprob
from gateway.dialects.base import Fields
from gateway.dialects.openai_chat.parts import NAME, Part, read_part, write_url
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json

URL_CITATION = "url_citation"


def read_annotations(message: Fields, unread: Json) -> list[Citation]:
    """Pop a message's citations: their places are characters of its whole content."""
    found: list[Citation] = []
    for given, place in message.each("annotations"):
        annotation = Fields(given, place)
        annotation.may("index", int)
        if annotation.rest.get("type") != URL_CITATION:
            annotation.leave(unread)
            continue
        cited = Fields(annotation.need(URL_CITATION, dict), annotation.path(URL_CITATION))
        found.append(
            Citation(
                cited.may("url", str),
                cited.may("title", str) or None,
                cited.may("content", str),  # OpenRouter's
                cited.may("start_index", int),
                cited.may("end_index", int),
            )
        )
        cited.leave(unread)
    return found


SOURCES = ("search_results", "citations")


def read_sources(body: Fields) -> list[Citation]:
    """Pop what a whole answer rests on: Perplexity and xAI say so beside the choices, in any chunk
    anew (https://docs.perplexity.ai/api-reference/chat-completions-post), best first here."""
    for name in SOURCES:
        listed = body.rest.get(name)
        sources = [_source(one) for one in listed] if isinstance(listed, list) else []
        found = [source for source in sources if source is not None]
        if found and len(found) == len(sources):
            for told in SOURCES:
                body.rest.pop(told, None)
            return found
    return []


def _source(told: Any) -> Citation | None:
    said = {"url": told} if isinstance(told, str) else told
    if not isinstance(said, dict) or not isinstance(said.get("url"), str):
        return None
    title, quote = said.get("title"), said.get("snippet")
    return Citation(
        said["url"],
        title if isinstance(title, str) and title else None,
        quote if isinstance(quote, str) and quote else None,
    )


def other_annotations(message: Fields) -> list[Foreign]:
    """What else a provider's message is annotated with, such as the files that OpenRouter has read
    for it: nobody else has the like."""
    given = message.rest.get("annotations")
    return [
        Foreign(NAME, one)
        for one in (given if isinstance(given, list) else ())
        if isinstance(one, dict) and one.get("type") != URL_CITATION
    ]


def attach(citations: Iterable[Citation], content: list[Block]) -> None:
    """Give each citation to the text that it is in, its place counted from that text's start."""
    for citation in citations:
        texts = [block for block in content if isinstance(block, Text)] or [Text("")]
        if texts[0] not in content:
            content.append(texts[0])
        at, start = 0, 0
        while at + 1 < len(texts) and (citation.start or 0) >= start + len(texts[at].text):
            start += len(texts[at].text)
            at += 1
        texts[at].citations.append(shifted(citation, -start))


def shifted(citation: Citation, by: int) -> Citation:
    start, end = citation.start, citation.end
    return Citation(
        citation.url,
        citation.title,
        citation.quote,
        None if start is None else start + by,
        None if end is None else end + by,
    )


def write_annotation(citation: Citation, start: int, end: int) -> Json | None:
    """None where there is no address. ``start``, ``end``: where the text is, in the whole content:
    they stand in where the citation has no place of its own, since SDKs rely on one."""
    if citation.url is None:
        return None
    placed = shifted(citation, start)
    cited: Json = {
        "url": citation.url,
        "title": citation.title or "",
        "start_index": start if placed.start is None else placed.start,
        "end_index": end if placed.end is None else placed.end,
    }
    if citation.quote is not None:
        cited["content"] = citation.quote
    return {"type": URL_CITATION, URL_CITATION: cited}


def read_images(message: Fields, unread: Json) -> list[Part]:
    """Pop the pictures that a model made, in the member that OpenRouter and LiteLLM give them."""
    found: list[Part] = []
    for given, place in message.each("images"):
        image = Fields(given, place)
        image.may("index", int)
        found.append(read_part(image, unread))
    return found


def write_image(media: Media) -> Json | None:
    url = write_url(media)
    return None if url is None else {"type": "image_url", "image_url": {"url": url}}


def read_audio(message: Fields, unread: Json) -> Media | None:
    """Pop a recording: its format is the one that was asked for, and is not told."""
    given = message.may("audio", dict)
    if given is None:
        return None
    audio = Fields(given, message.path("audio"))
    audio.may("expires_at", int)
    media = Media(
        "audio",
        base64=audio.may("data", str),
        file_id=audio.may("id", str),
        transcript=audio.may("transcript", str),
    )
    audio.leave(unread)
    return media


def joined(pieces: list[Media]) -> Media:
    """A recording out of its pieces: each has its own base64."""
    try:
        raw = b"".join(b64decode(piece.base64 or "", validate=True) for piece in pieces)
    except ValueError as error:
        raise UpstreamBroke(f"the provider sent a malformed event: {error} in audio") from error
    return Media(
        "audio",
        base64=b64encode(raw).decode() or None,
        file_id=next((piece.file_id for piece in pieces if piece.file_id), None),
        transcript="".join(piece.transcript or "" for piece in pieces) or None,
    )


def write_audio(media: Media, id: str, created: int) -> Json | None:
    """``id``: for one that its provider does not keep; then it has expired when it was made."""
    if media.base64 is None:
        return None
    return {
        "id": media.file_id or id,
        "data": media.base64,
        "expires_at": created,
        "transcript": media.transcript or "",
    }


UNLIKELY = -9999.0  # OpenAI's word for a token that is not among the likeliest


def read_logprobs(choice: Fields) -> list[TokenLogprob]:
    given = choice.may("logprobs", dict)
    if not given:
        return []
    said = Fields(given, choice.path("logprobs"))
    return [_read_token(Fields(*row)) for row in said.each("content") or said.each("refusal")]


def _read_token(row: Fields) -> TokenLogprob:
    logprob = row.may("logprob", (int, float))
    numbers: list[Any] | None = row.may("bytes", list)
    if not all(isinstance(number, int) for number in numbers or ()):
        raise BadRequest(row.path("bytes"), "must hold integers only")
    return TokenLogprob(
        row.need("token", str),
        UNLIKELY if logprob is None else float(logprob),
        numbers,
        tuple(_read_token(Fields(*top)) for top in row.each("top_logprobs")),
    )


def write_logprobs(tokens: Sequence[TokenLogprob]) -> Json:
    return {"content": [_write_token(token) for token in tokens], "refusal": None}


def _write_token(token: TokenLogprob) -> Json:
    return {**_token(token), "top_logprobs": [_token(top) for top in token.top]}


def _token(token: TokenLogprob) -> Json:
    return {"token": token.token, "logprob": token.logprob, "bytes": token.bytes}
