"""Requests, replies and streams in Gemini's dialect, for its tests."""

from itertools import pairwise

from gateway.chat.reply import ReplyEvent
from gateway.chat.request import ChatRequest, Message
from gateway.dialects.forms import Asked, Identity
from gateway.dialects.gemini import GEMINI
from gateway.wire.json import Json, dumps, loads
from gateway.wire.sse import SseReader

assert GEMINI.chat
CHAT = GEMINI.chat
IDENTITY = Identity("gw1", 1_700_000_000)
SEAL = "c2lnbmF0dXJl"  # a signature as Google writes it: base64

# Something of everything that a caller may say.
REQUEST: Json = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "What is this?"},
                {"inlineData": {"mimeType": "image/png", "data": "AAAA", "displayName": "a"}},
                {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.example/a.pdf"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": SEAL},
                {"text": "Let me see.", "thoughtSignature": SEAL},
                {
                    "functionCall": {"id": "c1", "name": "look", "args": {"at": "it"}},
                    "thoughtSignature": SEAL,
                },
                {"executableCode": {"language": "PYTHON", "code": "1"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c1",
                        "name": "look",
                        "response": {"result": "a cat"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "BBBB"}}],
                    }
                }
            ],
        },
    ],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "look",
                    "description": "looks",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {"at": {"type": "STRING", "nullable": True}},
                        "required": ["at"],
                    },
                },
                {"name": "stop", "parametersJsonSchema": {"type": "object", "$defs": {}}},
            ]
        },
        {"googleSearch": {}},
    ],
    "toolConfig": {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]},
    },
    "generationConfig": {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": ["END"],
        "seed": 3,
        "candidateCount": 2,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 4,
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}},
        "responseModalities": ["TEXT", "IMAGE"],
        "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
    },
    "serviceTier": "flex",
}

# Something of everything that a provider may answer.
REPLY: Json = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "It is a càt.", "thoughtSignature": SEAL},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"functionCall": {"name": "look", "args": {"at": "it"}}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            "finishReason": "STOP",
            "index": 0,
            "groundingMetadata": {
                "groundingChunks": [{"web": {"uri": "https://x.example", "title": "X"}}],
                "groundingSupports": [
                    {
                        "segment": {"partIndex": 1, "startIndex": 6, "endIndex": 13},
                        "groundingChunkIndices": [0],
                    }
                ],
            },
            "citationMetadata": {"citationSources": [{"uri": "https://y.example"}]},
            "logprobsResult": {
                "chosenCandidates": [{"token": "It", "tokenId": 5, "logProbability": -0.5}],
                "topCandidates": [
                    {"candidates": [{"token": "It", "logProbability": -0.5}, {"token": "A"}]}
                ],
            },
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 3,
        "toolUsePromptTokenCount": 2,
        "totalTokenCount": 20,
        "serviceTier": "standard",
    },
    "modelVersion": "gemini-3-pro",
    "responseId": "r1",
    "createTime": "2026-08-19T14:38:15.449058Z",
}


def chunk(
    *parts: Json, finish: str | None = None, index: int | None = None, **more: object
) -> Json:
    """One event of a stream."""
    candidate: Json = {"content": {"parts": list(parts), "role": "model"}}
    if finish:
        candidate["finishReason"] = finish
    if index is not None:
        candidate["index"] = index
    return {"candidates": [candidate], "modelVersion": "gemini-3-pro", "responseId": "r1", **more}


def sse(*chunks: Json) -> bytes:
    """A stream, framed as Google does it."""
    return b"".join(b"data: " + dumps(one) + b"\r\n\r\n" for one in chunks)


def read(stream: bytes, *cuts: int) -> list[ReplyEvent]:
    """What a stream says that arrives cut in these places, its clean end included."""
    reader, splitter = CHAT.reader(IDENTITY), SseReader()
    events: list[ReplyEvent] = []
    places = [0, *cuts, len(stream)]
    for start, end in pairwise(places):
        for data in splitter.feed(stream[start:end]):
            events += reader.feed(data)
    return events + reader.finish()


def asked(body: Json | None = None) -> Asked:
    return Asked(body or {}, ChatRequest("m", [Message("user", [])]))


def write(*events: ReplyEvent) -> list[Json]:
    """The chunks that a caller gets for these events."""
    writer = CHAT.writer(asked())
    return chunks_of(b"".join(writer.feed(event) for event in events))


def chunks_of(stream: bytes) -> list[Json]:
    return [loads(data) for data in SseReader().feed(stream)]
