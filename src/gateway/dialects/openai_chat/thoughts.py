"""Thoughts, and the seals on them and on tool calls, in the places that the imitators gave them.

OpenAI's own API tells none. ``reasoning_content`` (DeepSeek) or ``reasoning`` (Groq, OpenRouter)
is their text; ``thinking_blocks`` (LiteLLM) are Anthropic's blocks, sealed; ``reasoning_details``
(https://openrouter.ai/docs/guides/best-practices/reasoning-tokens) are blocks of several issuers;
``extra_content`` (https://ai.google.dev/gemini-api/docs/thought-signatures#openai) seals Gemini's
tool calls and texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.chat.blocks import Block, Seal, Thinking
from gateway.chat.seals import carried, uncarried
from gateway.dialects.base import Fields
from gateway.wire.json import Json

ISSUER = "anthropic"  # whose the seals in `thinking_blocks` are
GOOGLES = "gemini"


@dataclass(slots=True)
class Placed:
    """``before``: how many of the turn's other blocks stand before the thought, as a message is
    read. A message has one place for all thoughts, but Claude wants each where it was
    (https://platform.claude.com/docs/en/build-with-claude/extended-thinking#interleaved-thinking):
    so it goes along with the block, as ``at``. From a client that loses it, thoughts come first."""

    thought: Thinking
    before: int = 0


def in_order(thoughts: list[Placed], others: list[Block]) -> list[Block]:
    """Something always follows a thought: what stood behind it may have been joined to a text
    before it, and a turn that ends in a thought is refused by those who seal them."""
    ordered: list[Block] = []
    told, last = 0, max(len(others) - 1, 0)
    for placed in thoughts:
        before = min(placed.before, last)
        ordered += others[told:before]
        told = max(told, before)
        ordered.append(placed.thought)
    return ordered + others[told:]


def read_thoughts(message: Fields, unread: Json, seals: dict[str, Seal]) -> list[Placed]:
    """Pop what a message tells of its thoughts; where it tells them twice, once. ``seals`` gets
    those that are on tool calls, by the call's id."""
    text = message.may("reasoning_content", str)
    text = message.may("reasoning", str) or text
    details = [read_detail(Fields(*one)) for one in message.each("reasoning_details")]
    blocks: list[Placed] = []
    for given, place in message.each("thinking_blocks"):
        block = Fields(given, place)
        before = max(block.may("at", int) or 0, 0)
        blocks.append(Placed(read_thought(block, block.may("type", str), unread), before))
        block.leave(unread)
    if blocks:
        return _of_blocks(blocks, text or "")
    if details:
        seals |= {one.id: one.seal for one in details if one.id and one.seal and one.on_a_call}
        thoughts = _of_details([one for one in details if not one.on_a_call], text or "")
        return [Placed(thought) for thought in thoughts]
    return [Placed(Thinking(text))] if text else []


def _of_blocks(blocks: list[Placed], text: str) -> list[Placed]:
    """Ours that nobody sealed are marks only: what they stand for is in ``text``, all of it."""
    rest = text
    for placed in blocks:
        rest = rest.replace(placed.thought.text, "", 1)
    for placed in blocks:
        thought = placed.thought
        if not thought.text and thought.seal is None:
            thought.text, rest = rest, ""
    return [placed for placed in blocks if placed.thought.text or placed.thought.seal is not None]


def read_thought(thought: Fields, kind: str | None, unread: Json) -> Thinking:
    """A block of Anthropic's, or Mistral's part, whose thought is a list of parts itself."""
    for known in ("index", "closed"):  # of a stream's pieces
        thought.rest.pop(known, None)
    name = thought.may("id", str)
    if kind == "redacted_thinking":
        return Thinking("", uncarried(thought.need("data", str), ISSUER), redacted=True, id=name)
    told = thought.need("thinking", (str, list))
    if isinstance(told, list):
        place = thought.path("thinking")
        parts = [Fields(part, f"{place}[{nth}]") for nth, part in enumerate(told)]
        told = "".join(part.may("text", str) or "" for part in parts)
        for part in parts:
            part.may("type", str)
            part.leave(unread)
    signature = thought.may("signature", str)
    return Thinking(told, uncarried(signature, ISSUER) if signature else None, id=name)


@dataclass(slots=True)
class Detail:
    """One of OpenRouter's: a text, a seal, or both. ``id``: of the thought, or of the tool call
    that the seal is on."""

    text: str
    seal: Seal | None
    id: str | None

    @property
    def on_a_call(self) -> bool:
        return bool(self.id and self.seal and self.seal.issuer == GOOGLES and not self.text)


def read_detail(detail: Fields) -> Detail:
    kind, form = detail.may("type", str), detail.may("format", str)
    issuer = _ISSUERS.get(form or "", ISSUER)
    text = detail.may("text", str) or detail.may("summary", str) or ""
    value = detail.may("data", str) if kind == "reasoning.encrypted" else None
    value = value or detail.may("signature", str)
    return Detail(text, Seal(issuer, value) if value else None, detail.may("id", str))


_ISSUERS: Mapping[str, str] = {
    "anthropic-claude-v1": ISSUER,
    "google-gemini-v1": GOOGLES,
    "openai-responses-v1": "openai",
    "azure-openai-responses-v1": "openai",
    "xai-responses-v1": "xai",
}


def _of_details(details: list[Detail], text: str) -> list[Thinking]:
    """A seal is on the text before it, if any; ``text``: all of it, told once more."""
    thoughts: list[Thinking] = []
    for detail in details:
        last = thoughts[-1] if thoughts else None
        if last and not last.seal and not (detail.text and detail.seal):
            last.text, last.seal = last.text + detail.text, detail.seal
        elif detail.text or detail.seal:
            thoughts.append(Thinking(detail.text, detail.seal, id=detail.id))
    if text and not any(thought.text for thought in thoughts):
        thoughts.insert(0, Thinking(text))
    for thought in thoughts:
        thought.redacted = not thought.text
    return thoughts


def read_google_seal(holder: Fields) -> Seal | None:
    """Pop the seal on a tool call, or on a message's text. Vertex AI puts it under its own name."""
    extra = holder.rest.get("extra_content")
    for vendor in ("google", "vertex"):
        held = extra.get(vendor) if isinstance(extra, dict) else None
        value = held.get("thought_signature") if isinstance(held, dict) else None
        if isinstance(value, str) and value:
            del holder.rest["extra_content"]
            return Seal(GOOGLES, value)
    return None


def write_thoughts(thoughts: list[Placed]) -> Json:
    """The members of a caller's message that hold them: all texts, and a block for each."""
    said: Json = {}
    if text := "".join(placed.thought.text for placed in thoughts):
        said["reasoning_content"] = text
    told = [placed for placed in thoughts if placed.thought.text or placed.thought.seal]
    blocks = [write_thought(placed) for placed in told]
    return said | ({"thinking_blocks": blocks} if blocks else {})


def write_thought(placed: Placed) -> Json:
    """Every seal is wrapped, also Anthropic's own: few who speak this dialect take such a block, so
    that a relay must know which ones are ours. One that nobody sealed is no more than a mark, as
    its text is told beside it; see ``unsealing``."""
    thought, value = placed.thought, carried(placed.thought.seal)
    more: Json = {} if thought.id is None else {"id": thought.id}
    if placed.before:
        more["at"] = placed.before
    if thought.redacted:
        return {"type": "redacted_thinking", "data": value, **more}
    text = "" if thought.seal is None else thought.text
    return {"type": "thinking", "thinking": text, "signature": value, **more}
