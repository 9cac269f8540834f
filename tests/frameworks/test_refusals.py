"""What each framework raises when the gateway, or the provider behind it, refuses; and keys."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.frameworks.callers import CALLERS
from tests.live import LiveGateway, ScriptedProvider, answer
from tests.serving import SOURCE, serving

EACH = pytest.mark.parametrize("name", CALLERS)

# Of a 401, a 404 and a 429: the classes that a user of each framework would catch.
OPENAI = ("openai.AuthenticationError", "openai.NotFoundError", "openai.RateLimitError")
ANTHROPIC = tuple(name.replace("openai", "anthropic") for name in OPENAI)
GEMINI = ("google.genai.errors.ClientError",) * 3
LANGCHAIN = tuple(
    f"langchain_core.exceptions.Model{kind}Error"
    for kind in ("Authentication", "NotFound", "RateLimit")
)
LITELLM = tuple(name.replace("openai", "litellm.exceptions") for name in OPENAI)
DSPY = tuple(
    f"dspy.utils.exceptions.LM{kind}Error" for kind in ("Auth", "UnsupportedModel", "RateLimit")
)
RAISED = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "langchain-openai": LANGCHAIN,
    "langchain-anthropic": LANGCHAIN,
    "langchain-gemini": LANGCHAIN,
    "litellm-openai": LITELLM,
    "litellm-anthropic": LITELLM,
    "litellm-gemini": LITELLM,
    "dspy-lm15": DSPY,
    "dspy-litellm": DSPY,
    "agents-chat": OPENAI,
    "agents-responses": OPENAI,
    "mlflow-judge": ("mlflow.exceptions.MlflowException",) * 3,
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A gateway that asks for keys, and a key to its `demo`."""
    home = tmp_path_factory.mktemp("guarded")
    environment = {"SLUICEGATE_HOME": str(home / ".gateway"), "PYTHONPATH": str(SOURCE)}
    created = subprocess.run(
        [sys.executable, "-m", "handler.cli", "keys", "create", "app", "--endpoint", "demo"],
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    with serving(home, "--require-keys") as url:
        yield url, created.stdout.strip()


@EACH
def test_a_gateway_key_opens(name: str, guarded: tuple[str, str]) -> None:
    """Each shows it in its own way: a bearer's, `x-api-key`, `x-goog-api-key`, Basic."""
    url, key = guarded
    heard = CALLERS[name](url, key, "demo")
    assert heard.startswith("This is an echo, not a model. You said:")
    assert "Hello!" in heard


@EACH
def test_a_wrong_key(name: str, guarded: tuple[str, str]) -> None:
    url, _ = guarded
    error = raised(name, url, "sgk_wrong", "demo")
    assert RAISED[name][0] in classes(error)
    assert "no valid gateway key" in str(error)
    assert "sgk_wrong" not in str(error)


@EACH
def test_an_endpoint_that_there_is_not(name: str, gateway: LiveGateway) -> None:
    error = raised(name, gateway.url, "not-needed", "nope")
    assert RAISED[name][1] in classes(error)
    assert "endpoint 'nope' not found" in str(error)


@pytest.mark.parametrize("name", sorted(CALLERS.keys() - {"mlflow-judge"}))  # it tries again
@pytest.mark.parametrize("endpoint", ["model", "claude"])
def test_a_provider_that_is_busy(
    endpoint: str, name: str, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    """`model` is served in OpenAI's dialect and `claude` in Anthropic's, whatever is spoken here."""
    said: dict[str, Any] = {"message": "as told, slow down", "type": "rate_limit_error"}
    body: dict[str, Any] = {"error": said | {"code": "slow"}}
    if endpoint == "claude":
        body = {"type": "error", "error": said}
    provider.will(answer(body, 429, {"retry-after": "7"}))
    error = raised(name, gateway.url, "not-needed", endpoint)
    assert RAISED[name][2] in classes(error)
    assert "as told, slow down" in str(error)
    assert len(provider.requests) == 1


def raised(name: str, url: str, key: str, endpoint: str) -> Exception:
    with pytest.raises(Exception) as caught:
        CALLERS[name](url, key, endpoint)
    return caught.value


def classes(error: Exception) -> list[str]:
    """What it may be caught as."""
    return [f"{kind.__module__}.{kind.__name__}" for kind in type(error).__mro__]
