"""What an answer of Gemini's rests on, in bytes of it; and what is told of whole ones beside."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chat.blocks import Citation, Foreign, Text, Thinking
from gateway.chat.reply import (
    BlockEnded,
    CitationDelta,
    Ended,
    ReplyEvent,
    Started,
    Stopped,
    TextDelta,
)
from gateway.dialects.gemini.places import STEP, Places
from gateway.usage import Usage
from gateway.wire.json import Json, dumps
from tests.dialects.gemini import CHAT, IDENTITY, asked, chunk, read, sse, write

ODD = "aé€😀"
LONG = ODD * STEP
STARTED = Started("r1", "gemini-3-pro", 1_700_000_000)
SOURCE = "https://x.example"
GERMAN = "In Köln sind es heute 20 °C. Morgen auch."
WORDS = "heute 20 °C"
AT = GERMAN.index(WORDS)
SPAN = (AT, AT + len(WORDS))


def in_bytes(text: str, words: str) -> Json:
    start = len(text[: text.index(words)].encode())
    return {"startIndex": start, "endIndex": start + len(words.encode()), "text": words}


def grounded(last: Json, *segments: Json) -> Json:
    last["candidates"][0]["groundingMetadata"] = {
        "groundingChunks": [{"web": {"uri": SOURCE}}],
        "groundingSupports": [
            {"segment": segment, "groundingChunkIndices": [0]} for segment in segments
        ],
    }
    return last


def heard(*chunks: Json) -> tuple[list[ReplyEvent], set[str]]:
    reader = CHAT.reader(IDENTITY)
    events = [event for one in chunks for event in reader.feed(dumps(one))]
    return events + reader.finish(), reader.dropped


def cited_in(events: list[ReplyEvent]) -> list[CitationDelta]:
    return [event for event in events if isinstance(event, CitationDelta)]


def supports_in(last: Json) -> list[tuple[int, int]]:
    told = last["candidates"][0]["groundingMetadata"].get("groundingSupports", [])
    return [(one["segment"]["startIndex"], one["segment"]["endIndex"]) for one in told]


@given(st.text(alphabet=ODD, max_size=40), st.integers(0, 200))
def test_places_are_counted_as_if_from_the_beginning(text: str, place: int) -> None:
    places = Places(text)
    assert places.byte(place) == len(text[:place].encode())
    assert places.character(place) == len(text.encode()[:place].decode(errors="ignore"))
    assert (places.size, places.length) == (len(text.encode()), len(text))


@given(st.lists(st.text(alphabet=ODD + "bc", max_size=5)), st.integers(0, 200))
def test_places_are_the_same_in_whatever_pieces_a_text_comes(pieces: list[str], at: int) -> None:
    places, whole = Places(), Places("".join(pieces))
    for piece in pieces:
        places.add(piece)
    assert (places.byte(at), places.character(at)) == (whole.byte(at), whole.character(at))
    assert (places.size, places.length) == (whole.size, whole.length)


@pytest.mark.parametrize("place", [*range(STEP - 6, STEP + 6), *range(2 * STEP - 6, 2 * STEP + 6)])
def test_they_are_in_long_texts_too(place: int) -> None:
    assert Places(LONG).byte(place) == len(LONG[:place].encode())
    assert Places(LONG).character(place) == len(LONG.encode()[:place].decode(errors="ignore"))


def test_places_out_of_the_text_are_its_ends() -> None:
    assert [Places("é€").byte(place) for place in (-3, 9)] == [0, 5]
    assert [Places("é€").character(place) for place in (-3, 9)] == [0, 2]
    assert [Places("ab").byte(place) for place in (-3, 9)] == [0, 2]
    assert [Places("").character(place) for place in (0, 9)] == [0, 0]


def test_a_long_text_is_read_through_once_however_often_it_is_cited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places, read = Places(LONG), list[int]()
    places.byte(0)

    class Watched(str):
        """Tells how many of its characters are read."""

        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            part = str.__getitem__(self, key)  # type: ignore[index]
            read.append(len(part))
            return part

    monkeypatch.setattr(places, "_pieces", [Watched(piece) for piece in places._pieces])
    for place in range(0, len(LONG), 7):
        assert places.byte(place) == len(LONG[:place].encode())
    assert 0 < len(read) <= len(range(0, len(LONG), 7))
    assert 0 < max(read) < STEP


@pytest.mark.parametrize("thoughts", [0, 1, 2])
def test_words_are_cited_whether_or_not_thoughts_stand_before_them(thoughts: int) -> None:
    parts: list[Json] = [{"text": "hm", "thought": True, "thoughtSignature": "QQ=="}] * thoughts
    body = grounded(chunk(*parts, {"text": GERMAN}, finish="STOP"), in_bytes(GERMAN, WORDS))
    (choice,) = CHAT.read_reply(body, IDENTITY).choices
    assert choice.content[thoughts:] == [
        Text(GERMAN, citations=[Citation(SOURCE, None, None, *SPAN)])
    ]
    events, dropped = heard(body)
    assert cited_in(events) == [CitationDelta(thoughts, Citation(SOURCE, None, None, *SPAN))]
    assert dropped == set()


def test_words_are_cited_wherever_their_stream_is_cut() -> None:
    last = grounded(chunk({"text": ""}, finish="STOP"), in_bytes(GERMAN, WORDS))
    for cut in range(len(GERMAN)):
        pieces = [chunk({"text": one}) for one in (GERMAN[:cut], GERMAN[cut:]) if one]
        events, dropped = heard(chunk({"text": "hm", "thought": True}), *pieces, last)
        assert cited_in(events) == [CitationDelta(1, Citation(SOURCE, None, None, *SPAN))]
        assert dropped == set()


def test_a_stream_s_second_text_is_cited_from_where_the_first_began() -> None:
    code: Json = {"executableCode": {"language": "PYTHON", "code": "1"}}
    said = [chunk({"text": "Würde: "}), chunk(code), chunk({"text": GERMAN})]
    whole = in_bytes(f"Würde: {GERMAN}", WORDS)
    cited = [CitationDelta(2, Citation(SOURCE, None, None, *SPAN))]
    events, dropped = heard(*said, grounded(chunk({"text": ""}, finish="STOP"), whole))
    assert (cited_in(events), dropped) == (cited, set())
    # A part that is numbered is counted from by itself.
    numbered = {**in_bytes(GERMAN, WORDS), "partIndex": 2}
    events, dropped = heard(*said, grounded(chunk({"text": ""}, finish="STOP"), numbered))
    assert (cited_in(events), dropped) == (cited, set())


@pytest.mark.parametrize("segment", [{"endIndex": 2}, {"partIndex": 7, "endIndex": 2}])
def test_what_cannot_be_cited_where_it_stands_is_reported(segment: Json) -> None:
    code: Json = {"executableCode": {"language": "PYTHON", "code": "1"}}
    last = grounded(chunk({"text": "there"}, finish="STOP"), segment)
    events, dropped = heard(chunk({"text": "hi"}), chunk(code), last)
    assert cited_in(events) == [CitationDelta(2, Citation(SOURCE))]
    assert dropped == {"citations"}


def test_what_an_earlier_text_rests_on_is_not_told_again_of_a_later_one() -> None:
    code: Json = {"executableCode": {"language": "PYTHON", "code": "1"}}
    first = grounded(chunk({"text": "hi"}), {"endIndex": 2})
    last = grounded(chunk({"text": "there"}, finish="STOP"), {"endIndex": 2})
    events, dropped = heard(first, chunk(code), last)
    assert cited_in(events) == [CitationDelta(0, Citation(SOURCE, None, None, 0, 2))]
    assert dropped == set()


def test_what_is_cited_when_its_text_has_ended_is_reported() -> None:
    code: Json = {"executableCode": {"language": "PYTHON", "code": "1"}}
    late = grounded(chunk(finish="STOP"), {"endIndex": 2})
    assert heard(chunk({"text": "hi"}), chunk(code), late)[1] == {"citations"}
    assert heard(chunk(code), late)[1] == {"citations"}
    assert heard(chunk({"text": "hi"}), chunk(code), grounded(chunk(finish="STOP")))[1] == set()
    (choice,) = CHAT.read_reply(grounded(chunk(code, finish="STOP")), IDENTITY).choices
    assert [one.kind for one in choice.content if isinstance(one, Foreign)] == [
        "executableCode",
        "citations",
    ]


def test_a_stream_is_cited_from_where_all_its_text_begins() -> None:
    texts = ["Ich sühe. ", "Im ", "Öl", " ist's."]
    events: list[ReplyEvent] = [STARTED]
    for nth, text in enumerate(texts):
        events.append(TextDelta(nth, text))
        if nth in (0, 2):
            events.append(CitationDelta(nth, Citation(SOURCE, None, None, 0, 2)))
        events.append(BlockEnded(nth))
    # An answer of its own is counted by itself.
    events += [TextDelta(4, "é", 1), CitationDelta(4, Citation(SOURCE, start=0, end=1), 1)]
    events += [BlockEnded(4, 1), Stopped("end"), Stopped("end", choice=1), Ended(Usage())]
    last = write(*events)[-1]
    whole = "".join(texts).encode()
    assert [whole[slice(*place)].decode() for place in supports_in(last)] == ["Ic", "Öl"]
    other = {"candidates": last["candidates"][1:]}
    assert supports_in(other) == [(0, 2)]


def test_a_citation_may_come_before_its_words_and_beside_refusals_and_probabilities() -> None:
    last = write(
        STARTED,
        TextDelta(0, "é"),
        BlockEnded(0),
        CitationDelta(1, Citation(SOURCE, None, None, 1, 3)),
        TextDelta(1, "aé"),
        TextDelta(1, "€b"),
        CitationDelta(1, Citation(SOURCE)),
        BlockEnded(1),
        Stopped("end"),
        Ended(Usage()),
    )[-1]
    assert supports_in(last) == [(3, 8)]
    assert len(last["candidates"][0]["groundingMetadata"]["groundingChunks"]) == 2


@given(st.lists(st.text(alphabet=ODD, min_size=1, max_size=6), min_size=1, max_size=5), st.data())
def test_what_a_stream_cites_it_cites_when_read_again(
    texts: list[str], data: st.DataObject
) -> None:
    """Blocks of text become one, for Gemini's streams do not tell them apart."""
    text = "".join(texts)
    nth = data.draw(st.integers(0, len(texts) - 1))
    start, end = sorted(data.draw(st.integers(0, len(texts[nth]))) for _ in range(2))
    events: list[ReplyEvent] = [STARTED]
    for block, one in enumerate(texts):
        events.append(TextDelta(block, one))
        if block == nth:
            events.append(CitationDelta(block, Citation(SOURCE, None, None, start, end)))
        events.append(BlockEnded(block))
    told = write(*events, Stopped("end"), Ended(Usage()))
    before = sum(len(one) for one in texts[:nth])
    (cited,) = cited_in(read(sse(*told)))
    assert cited.citation == Citation(SOURCE, None, None, before + start, before + end)
    assert text[before + start : before + end] == texts[nth][start:end]


def test_a_whole_reply_cites_what_a_stream_of_it_does() -> None:
    body = grounded(chunk({"text": GERMAN}, finish="STOP"), in_bytes(GERMAN, WORDS))
    reply = CHAT.read_reply(body, IDENTITY)
    reply.choices[0].content.insert(0, Thinking("hm"))
    told = CHAT.write_reply(reply, asked()).body
    (place,) = supports_in(told)
    assert GERMAN.encode()[slice(*place)].decode() == WORDS
    assert [b - a for a, b in pairwise(place)] == [len(WORDS.encode())]
