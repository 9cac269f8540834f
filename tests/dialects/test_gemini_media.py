"""Images, recordings, documents and videos in requests, both ways; and what the system shows."""

import pytest

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Message
from gateway.wire.json import Json
from tests.dialects.gemini import CHAT, IDENTITY

GOOGLES = "https://generativelanguage.googleapis.com/v1beta/files/abc"
YOUTUBE = "https://www.youtube.com/watch?v=abc"
PNG = Media("image", "image/png", base64="AA==")
SHOWN: Json = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}


def said(*parts: Json) -> list[Block]:
    (message,) = CHAT.read_request({"contents": [{"parts": list(parts)}]}).messages
    return message.content


def written(*messages: Message, model: str = "gemini-3-pro") -> tuple[Json, set[str]]:
    told = CHAT.write_request(ChatRequest(model, list(messages)))
    return told.body, set(told.dropped)


def shown(media: Media, model: str = "gemini-3-pro") -> tuple[Json | None, set[str]]:
    """The only part of the only turn, and what could not be said."""
    body, dropped = written(Message("user", [media]), model=model)
    parts = [part for content in body["contents"] for part in content["parts"]]
    return (parts[0] if parts else None), dropped


@pytest.mark.parametrize(
    ("media", "part", "dropped"),
    [
        (Media("image", "image/png", base64="AA==", detail="auto"), SHOWN, set()),
        (
            Media("document", text="hi", name="a.txt"),
            {"inlineData": {"mimeType": "text/plain", "data": "aGk="}},
            {"document.name"},
        ),
        (
            Media("image", url="https://x.example/a.PNG?b=c.pdf", detail="high", cache_ttl="5m"),
            {"fileData": {"fileUri": "https://x.example/a.PNG?b=c.pdf", "mimeType": "image/png"}},
            {"detail", "cache_control"},
        ),
        (
            Media("video", url="https://x.example/watch"),
            {"fileData": {"fileUri": "https://x.example/watch"}},
            set(),
        ),
        (
            Media("audio", "audio/wav", file_id="files/abc", transcript="hi"),
            {"fileData": {"fileUri": "files/abc", "mimeType": "audio/wav"}},
            {"transcript"},
        ),
        (Media("document", file_id="file-123"), None, {"document"}),
        (Media("image", base64="AA=="), None, {"image"}),
        (
            Media("document", base64="AA==", name="A.PDF"),
            {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}},
            {"document.name"},
        ),
    ],
)
def test_media_go_inline_or_by_address(media: Media, part: Json | None, dropped: set[str]) -> None:
    assert shown(media) == (part, dropped)


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("image/jpg", "image/jpeg"),
        ("IMAGE/PNG; charset=utf-8", "image/png"),
        ("application/pdf;name=a.pdf", "application/pdf"),
        ("text/csv", "text/csv"),
        ("application/json", "text/plain"),
        ("application/x-yaml", "text/plain"),
        ("application/vnd.api+json; charset=utf-8", "text/plain"),
        ("application/msword", "application/msword"),
        ("audio/L16;codec=pcm;rate=24000", "audio/L16;codec=pcm;rate=24000"),
    ],
)
def test_a_type_is_told_as_the_api_takes_it(told: str, sent: str) -> None:
    inline = {"inlineData": {"mimeType": sent, "data": "AA=="}}
    assert shown(Media("document", told, base64="AA==")) == (inline, set())
    url = "https://x.example/a"
    file = {"fileData": {"fileUri": url, "mimeType": sent}}
    assert shown(Media("document", told, url=url)) == (file, set())


def test_a_type_is_read_by_its_usual_name() -> None:
    assert said(
        {"inlineData": {"mimeType": "IMAGE/JPG;q=1", "data": "AA=="}},
        {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AA=="}},
        {"inlineData": {"mimeType": "", "data": "AA=="}},
        {"fileData": {"mimeType": "video/MP4; codecs=x", "fileUri": "https://x.example/a"}},
    ) == [
        Media("image", "image/jpeg", base64="AA=="),
        Media("audio", "audio/L16;codec=pcm;rate=24000", base64="AA=="),
        Media("document", base64="AA=="),
        Media("video", "video/mp4", url="https://x.example/a"),
    ]


def test_older_models_read_no_public_addresses() -> None:
    image = Media("image", "image/png", url="https://x.example/a.png")
    assert shown(image, "gemini-2.0-flash") == (None, {"image"})
    assert shown(image, "gemini-2.5-flash")[1] == set()


@pytest.mark.parametrize("model", ["gemini-2.0-flash", "gemini-3-pro"])
def test_a_video_on_youtube_has_an_address_alone(model: str) -> None:
    for media in (Media("video", "video/mp4", url=YOUTUBE), Media("document", url=YOUTUBE)):
        assert shown(media, model) == ({"fileData": {"fileUri": YOUTUBE}}, set())


@pytest.mark.parametrize(
    ("uri", "media"),
    [
        (YOUTUBE, Media("video", url=YOUTUBE)),
        ("https://youtu.be/abc", Media("video", url="https://youtu.be/abc")),
        ("https://youtube.com.x.example/", Media("document", url="https://youtube.com.x.example/")),
        ("https://x.example/a", Media("document", url="https://x.example/a")),
        ("https://x.example/a.webp?b", Media("image", url="https://x.example/a.webp?b")),
        (GOOGLES, Media("document", file_id=GOOGLES)),
        ("files/abc", Media("document", file_id="files/abc")),
        ("gs://b/a.wav", Media("audio", file_id="gs://b/a.wav")),
    ],
)
def test_a_file_is_one_of_google_s_or_at_an_address(uri: str, media: Media) -> None:
    assert said({"fileData": {"fileUri": uri}}) == [media]


def test_base64_is_the_common_one() -> None:
    (audio,) = said({"inlineData": {"mimeType": "audio/mp3", "data": "_-A"}})
    assert audio == Media("audio", "audio/mp3", base64="/+A=")


def test_an_image_that_is_a_thought_is_none_of_the_answer() -> None:
    reply: Json = {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {**SHOWN, "thought": True},
                        {"inline_data": SHOWN["inlineData"], "thought": False},
                    ]
                },
                "finishReason": "STOP",
            }
        ]
    }
    (choice,) = CHAT.read_reply(reply, IDENTITY).choices
    assert choice.content == [Foreign("gemini", {**SHOWN, "thought": True}), PNG]


CALL = Message("assistant", [ToolUse("c", "f", "{}")])
SOUND = Media("audio", "audio/wav", base64="AA==")
HEARD: Json = {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}
RESULT: Json = {"id": "c", "name": "f", "response": {"result": "a"}}


@pytest.mark.parametrize(
    ("model", "within", "beside", "dropped"),
    [
        ("gemini-3-pro", {"parts": [SHOWN]}, [HEARD], {"tool_result.audio"}),
        ("gemini-2.5-pro", {}, [SHOWN, HEARD], {"tool_result.audio", "tool_result.image"}),
    ],
)
def test_what_a_result_cannot_hold_the_user_shows(
    model: str, within: Json, beside: list[Json], dropped: set[str]
) -> None:
    lost = (Foreign("other", {"type": "odd"}), Media("document", file_id="file-1"))
    result = Message("user", [ToolResult("c", (Text("a"), PNG, SOUND, *lost)), Text("go on")])
    body, names = written(Message("user", [Text("hi")]), CALL, result, model=model)
    assert body["contents"][2:] == [
        {"role": "user", "parts": [{"functionResponse": {**RESULT, **within}}]},
        {"role": "user", "parts": [*beside, {"text": "go on"}]},
    ]
    assert names == {*dropped, "tool_result.odd", "tool_result.document"}


def test_what_the_system_shows_in_the_middle_the_user_shows() -> None:
    body, dropped = written(
        Message("user", [Text("hi")]),
        CALL,
        Message("system", [Text("the screen:"), PNG, Refusal("no")], "Ann"),
        Message("user", [ToolResult("c", (Text("a"),)), Text("go on")]),
        model="gemini-2.5-pro",
    )
    assert body == {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": RESULT}]},
            {"role": "user", "parts": [SHOWN, {"text": "go on"}]},
        ],
        "systemInstruction": {"parts": [{"text": "the screen:"}, {"text": "no"}]},
    }
    assert dropped == {"system.position", "refusal", "name"}


def test_what_has_no_place_in_the_system_s_words_is_named() -> None:
    blocks: list[Block] = [
        Foreign("other", {"type": "odd"}),
        Thinking("hm"),
        ToolUse("c", "f", "{}"),
        ToolResult("c", ()),
        Media("document", file_id="file-1"),
    ]
    body, dropped = written(Message("system", blocks), Message("user", [Text("hi")]))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    named = {"odd", "thinking", "tool_use", "tool_result", "document"}
    assert dropped == named | {"system.position"}


def test_the_system_s_words_before_all_else_are_in_their_place() -> None:
    body, dropped = written(Message("system", [Text("s")]), Message("user", [Text("hi")]))
    assert body["systemInstruction"] == {"parts": [{"text": "s"}]}
    assert dropped == set()
    body, dropped = written(Message("system", [Text("s")]))
    assert body == {"contents": [], "systemInstruction": {"parts": [{"text": "s"}]}}
    assert dropped == set()


def test_the_system_s_last_words_do_not_leave_the_last_to_the_model() -> None:
    body, dropped = written(
        Message("user", [Text("hi")]),
        Message("assistant", [Text("ho")]),
        Message("system", [Text("be brief")]),
        Message("system", [Text("in French")]),
    )
    assert body == {
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "ho"}]},
            {"role": "user", "parts": [{"text": "be brief"}, {"text": "in French"}]},
        ]
    }
    assert dropped == {"system.position"}
