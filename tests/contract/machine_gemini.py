"""What a stream of generateContent replies may look like.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from typing import Any

from google.genai import types

from gateway.wire.json import Json
from tests.contract.heard import Heard, Listener, an_object, only, said_in

CANDIDATE = (
    *("content", "index", "finishReason", "groundingMetadata", "citationMetadata"),
    *("avgLogprobs", "logprobsResult", "finishMessage"),
)
REASONS = {"STOP", "MAX_TOKENS", "SAFETY", "OTHER", "MALFORMED_FUNCTION_CALL"}


class GeminiMachine(Listener):
    def __init__(self, asked: Json) -> None:
        del asked
        self.choices: dict[int, Heard] = {}
        self._same: tuple[Any, ...] | None = None

    def hear(self, stream: bytes) -> list[Heard]:
        events = said_in(stream)
        assert not any(name for name, _ in events), "this API names no events"
        chunks = [an_object(data) for _, data in events]
        for chunk in chunks:
            only(chunk, "candidates", "usageMetadata", "modelVersion", "responseId")
            if not self.lenient:
                self._as_the_sdk_has_it(chunk)
            told = (chunk.get("modelVersion"), chunk.get("responseId"))
            self._same = self._same or told
            assert told == self._same
            assert told[1]
            for candidate in chunk["candidates"]:
                self._candidate(candidate)
        used = chunks[-1]["usageMetadata"]
        said = used["candidatesTokenCount"] + used.get("thoughtsTokenCount", 0)
        assert used["totalTokenCount"] == used["promptTokenCount"] + said
        assert all(choice.stop for choice in self.choices.values()), "a candidate never finishes"
        return [self.choices[nth] for nth in sorted(self.choices)]

    def _as_the_sdk_has_it(self, chunk: dict[str, Any]) -> None:
        """Google sends the tier here, which its SDK takes away before it looks closely."""
        used = {k: v for k, v in chunk.get("usageMetadata", {}).items() if k != "serviceTier"}
        types.GenerateContentResponse.model_validate({**chunk, "usageMetadata": used})

    def _candidate(self, candidate: dict[str, Any]) -> None:
        only(candidate, *CANDIDATE)
        heard = self.choices.setdefault(candidate["index"], Heard())
        assert heard.stop is None, f"after the end: {candidate}"
        content = candidate["content"]
        assert content["role"] == "model"
        assert content["parts"], "google-genai's chats forget an answer with an empty content"
        for part in content["parts"]:
            self._part(heard, part)
        heard.stop = candidate.get("finishReason")
        assert heard.stop is None or heard.stop in REASONS

    def _part(self, heard: Heard, part: dict[str, Any]) -> None:
        data = part.keys() - {"thought", "thoughtSignature"}
        assert len(data) == 1, f"a part says one thing: {part}"
        if call := part.get("functionCall"):
            only(call, "id", "name", "args")
            assert isinstance(call["args"], dict)
            self.own(call["id"], heard)
            heard.calls.append((call["id"], call["name"], call["args"]))
        elif part.get("thought"):
            heard.thinking += part["text"]
        else:
            heard.text += part.get("text", "")
