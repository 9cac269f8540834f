"""generateContent replies, whole.

https://ai.google.dev/api/generate-content#generatecontentresponse
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from gateway.chat.blocks import (
    Block,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from gateway.chat.reply import ChatReply, Choice
from gateway.chat.seals import uncarried
from gateway.dialects.forms import Asked, Identity, Written
from gateway.dialects.gemini.asides import (
    aside,
    beside_candidates,
    beside_content,
    beside_reason,
)
from gateway.dialects.gemini.check import check_reply
from gateway.dialects.gemini.citations import Cited, read_citations, span, write_grounding
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.logprobs import read_logprobs, write_logprobs
from gateway.dialects.gemini.parts import PartReader, sealed
from gateway.dialects.gemini.places import Places
from gateway.dialects.gemini.request import TIERS, TIERS_OUT
from gateway.dialects.gemini.seals import ISSUER
from gateway.dialects.gemini.stops import MALFORMED, STOP_REASONS_OUT, refuse_spoilt, stop_reason
from gateway.dialects.gemini.told import malformed, told_part
from gateway.dialects.gemini.usage import read_usage, write_usage
from gateway.errors import BadRequest, UpstreamBroke
from gateway.usage import Usage
from gateway.wire.json import Json


def read_reply(body: Json, identity: Identity) -> ChatReply:
    """Raises UpstreamBroke when the reply is not what this API answers."""
    check_reply(body)
    try:
        return _read(ProtoFields(body), identity)
    except BadRequest as error:
        raise UpstreamBroke(f"the provider's answer is malformed: {error}") from error


def _read(fields: ProtoFields, identity: Identity) -> ChatReply:
    usage = read_usage(fields.rest) or Usage()
    tier = tier_in(fields.rest)
    others = dict(beside_candidates(fields.rest))
    candidates = [ProtoFields(*one) for one in fields.each("candidates")]
    choices = {
        (index_of(candidate, nth), nth): _read_candidate(candidate, identity, nth)
        for nth, candidate in enumerate(candidates)
    }
    if not choices:
        choices[0, 0] = _read_feedback(fields)
    name, model, created = envelope(fields, identity)
    ordered = [choices[key] for key in sorted(choices)]
    ordered[0].content += map(aside, others.items())
    return ChatReply(name, model, created, ordered, usage, tier)


def index_of(candidate: ProtoFields, nth: int) -> int:
    index = candidate.whole("index")
    return nth if index is None else index


def envelope(fields: ProtoFields, identity: Identity) -> tuple[str, str, int]:
    """Id, model and date: of the provider's telling, as far as it tells."""
    created = identity.created
    if when := fields.may("createTime", str):
        try:
            created = int(datetime.fromisoformat(when).timestamp())
        except (ValueError, OverflowError) as error:
            raise BadRequest("createTime", f"is no date: {when!r}") from error
    name, model = fields.may("responseId", str), fields.may("modelVersion", str)
    return name or identity.id, model or "", created


def tier_in(body: Json) -> str | None:
    """Which service tier served, in OpenAI's words."""
    counts = body.get("usageMetadata")
    tier = counts.get("serviceTier") if isinstance(counts, dict) else None
    return TIERS.get(tier.lower(), tier.lower()) if isinstance(tier, str) else None


def part_reader(identity: Identity) -> PartReader:
    def called(given: str | None, name: str, place: str) -> str:
        del name
        return given or f"call_{identity.id}_{place}"

    def seal(word: str | None) -> Seal | None:
        """Whatever it is, it is for this provider; but for the mark on what nobody has sealed,
        where the provider is another gateway such as this."""
        return Seal(ISSUER, word) if word and uncarried(word, ISSUER) else None

    return PartReader(seal, called, called)


def _read_candidate(candidate: ProtoFields, identity: Identity, nth: int) -> Choice:
    others = dict(beside_content(candidate.rest))
    blocks = _read_parts(candidate, part_reader(identity), nth, others)
    _cite(candidate.rest, blocks, others)
    said = sealed(blocks.values())
    calls = any(isinstance(block, ToolUse) for block in said)
    finish, words = candidate.may("finishReason", str), candidate.may("finishMessage", str)
    refuse_spoilt(finish, words, said=any(_answers(block) for block in said))
    others |= beside_reason(finish, words)
    said += map(aside, others.items())
    return Choice(said, stop_reason(finish, calls=calls), logprobs=read_logprobs(candidate))


def _read_parts(
    candidate: ProtoFields, reader: PartReader, nth: int, others: Json
) -> dict[int, Block]:
    content, blocks = candidate.inner("content"), dict[int, Block]()
    for at, (raw, path) in enumerate(content.each("parts") if content else ()):
        block = reader.read(raw, path, f"{nth}_{at}")
        if isinstance(block, ToolResult):  # those are the caller's to give
            others["functionResponse"] = raw
        elif block:
            blocks[at] = block
    others |= reader.unread
    return blocks


def _answers(block: Block) -> bool:
    """Thoughts are no answer, and neither is a seal alone."""
    return not isinstance(block, Thinking) and not (isinstance(block, Text) and not block.text)


def _cite(candidate: Json, blocks: dict[int, Block], others: Json) -> None:
    """Google leaves the part's number out even where thoughts stand before the text
    (https://github.com/googleapis/python-genai/issues/961)."""
    texts = {at: block for at, block in blocks.items() if isinstance(block, Text)}

    def text_of(part: int) -> Text | None:
        return texts.get(part) or (next(iter(texts.values()), None) if part == 0 else None)

    @cache
    def places(part: int) -> Places | None:
        text = text_of(part)
        return Places(text.text) if text else None

    def character(part: int, byte: int) -> int | None:
        if found := places(part):
            return found.character(byte)
        others["citations"] = part
        return None

    for part, citation in read_citations(candidate, character):
        if cited := text_of(part) or next(reversed(texts.values()), None):
            cited.citations.append(citation)
        else:
            others["citations"] = part


def _read_feedback(fields: ProtoFields) -> Choice:
    """A prompt that was refused; or no answer at all, and no reason for it."""
    feedback = fields.inner("promptFeedback")
    reason = feedback.may("blockReason", str) if feedback else None
    if feedback is None or reason is None:
        raise UpstreamBroke("the provider's answer has no candidates, and does not say why")
    words = feedback.may("blockReasonMessage", str)
    return Choice([Refusal(words)] if words else [], "refusal")


def write_reply(reply: ChatReply, asked: Asked) -> Written:
    del asked  # the reply is told whole, whatever was asked
    dropped: set[str] = set()
    body: Json = {
        "candidates": [
            _write_choice(choice, nth, dropped) for nth, choice in enumerate(reply.choices)
        ],
        "usageMetadata": write_usage(reply.usage),
        "modelVersion": reply.model,
        "responseId": reply.id,
    }
    if reply.service_tier:
        tier = TIERS_OUT.get(reply.service_tier, reply.service_tier)
        body["usageMetadata"]["serviceTier"] = tier
    return Written(body, frozenset(dropped))


def _write_choice(choice: Choice, nth: int, dropped: set[str]) -> Json:
    told = [
        (block, part) for block in choice.content if (part := told_part(block, dropped)) is not None
    ]
    candidate: Json = {"content": {"role": "model"}, "index": nth}
    if told:
        candidate["content"] = {"parts": [part for _, part in told], "role": "model"}
    candidate["finishReason"] = STOP_REASONS_OUT[choice.stop_reason]
    broken = next((block for block in choice.content if malformed(block)), None)
    if broken and choice.stop_reason == "tool_use":
        candidate["finishReason"] = MALFORMED
    if choice.stop_sequence is not None:
        dropped.add("stop_sequence")
    if choice.logprobs:
        candidate["avgLogprobs"] = sum(one.logprob for one in choice.logprobs) / len(
            choice.logprobs
        )
        candidate["logprobsResult"] = write_logprobs(choice.logprobs)
    return candidate | write_grounding(_placed([block for block, _ in told]))


def _placed(blocks: list[Block]) -> Iterator[Cited]:
    for at, block in enumerate(blocks):
        if isinstance(block, Text) and block.citations:
            places = Places(block.text)
            for one in block.citations:
                yield one, at, *span(one, places)
