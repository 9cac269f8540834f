"""Where below its base URL a provider is asked."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_EMBEDDINGS
from gateway.providers.catalog import PROVIDERS, Provider

NAMED = Provider(
    "named",
    "https://host/v1",
    {
        OPENAI_CHAT: "/models/{model}:generate",
        OPENAI_EMBEDDINGS: "/models/{model}:embed",
        ANTHROPIC_MESSAGES: "/messages",
    },
    streams_at={OPENAI_CHAT: "/models/{model}:stream?alt=sse"},
)


def asked(model: str) -> str:
    return NAMED.path_to(OPENAI_CHAT, model, stream=False)


def test_a_stream_may_have_a_path_of_its_own() -> None:
    assert asked("m") == "/models/m:generate"
    assert NAMED.path_to(OPENAI_CHAT, "m", stream=True) == "/models/m:stream?alt=sse"


@pytest.mark.parametrize("stream", [False, True])
def test_elsewhere_streams_are_where_the_rest_is(stream: bool) -> None:
    assert NAMED.path_to(OPENAI_EMBEDDINGS, "m", stream=stream) == "/models/m:embed"
    assert NAMED.path_to(ANTHROPIC_MESSAGES, "m", stream=stream) == "/messages"
    openai = PROVIDERS["openai"]
    assert openai.path_to(OPENAI_CHAT, "a/../b", stream=stream) == "/chat/completions"


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-2.5-flash", "/models/gemini-2.5-flash:generate"),
        ("tuned/my_model~1", "/models/tuned/my_model~1:generate"),
        ("us.anthropic.claude-v1:0", "/models/us.anthropic.claude-v1:0:generate"),
        ("claude@20250101", "/models/claude@20250101:generate"),
        ("a b", "/models/a%20b:generate"),
        ("a?key=x#y", "/models/a%3Fkey%3Dx%23y:generate"),
        ("a%2Fb", "/models/a%252Fb:generate"),
        ("a\\..\\b", "/models/a%5C..%5Cb:generate"),
        ("ä", "/models/%C3%A4:generate"),
        ("a\r\nhost: x", "/models/a%0D%0Ahost:%20x:generate"),
        ("{model}", "/models/%7Bmodel%7D:generate"),
        ("..", "/models/%252E%252E:generate"),
        ("../../v2/x", "/models/%252E%252E/%252E%252E/v2/x:generate"),
        ("a/./b", "/models/a/%252E/b:generate"),
        ("a/...", "/models/a/...:generate"),
        ("%2e%2e/x", "/models/%252e%252e/x:generate"),
    ],
)
def test_a_models_name_is_quoted_and_cannot_leave_its_place(model: str, path: str) -> None:
    assert asked(model) == path


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_model_is_called_it_stays_where_it_is_put(model: str) -> None:
    path = asked(model)
    assert path.isascii()
    assert path.startswith("/models/")
    assert path.endswith(":generate")
    parts = urlsplit("https://host" + path)
    assert (parts.netloc, parts.path, parts.query, parts.fragment) == ("host", path, "", "")
    assert not {".", ".."} & set(unquote(path).split("/"))
