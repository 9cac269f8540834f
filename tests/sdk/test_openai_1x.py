"""The last 1.x of OpenAI's SDK, in a Python of its own (`make test` makes it)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.live import Act, LiveGateway, Reply, ScriptedProvider, answer, sse
from tests.sdk.said import BEGIN, part

pytestmark = pytest.mark.sdk

SCRIPT = Path(__file__).with_name("openai_1x_script.py")
ECHOED = "This is an echo, not a model. You said: Hi, Zoë 👋"


def refusal(status: int, **headers: str) -> Reply:
    said = {"message": "as told", "type": "t", "param": None, "code": f"code_{status}"}
    return answer(
        {"error": said}, status, {name.replace("_", "-"): v for name, v in headers.items()}
    )


def seen_by_1x(url: str) -> Any:
    python = os.environ.get("OPENAI1_PYTHON")
    if not python:
        pytest.skip("OPENAI1_PYTHON names no Python with openai 1.x: `make test` sets it")
    command = [python, "-W", "error", str(SCRIPT), url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


def test_the_last_1x_works_without_a_key(provider: ScriptedProvider, gateway: LiveGateway) -> None:
    one_api = (
        refusal(400),
        refusal(429, retry_after="7"),
        refusal(500),
        sse(BEGIN, part(content="Hello"), 0.05, Act.HANG_UP),
    )
    provider.will(*one_api, *one_api)
    seen = seen_by_1x(gateway.url)
    assert seen.pop("version").startswith("1.")
    expected = {
        "chat": {"text": ECHOED, "key": None},
        "stream": {"text": ECHOED, "usages": 0},
        "embeddings": [8, 8],
        "errors": [
            ["NotFoundError", 404, "endpoint_not_found", None],
            ["BadRequestError", 400, "code_400", None],
            ["RateLimitError", 429, "code_429", "7"],
            ["InternalServerError", 500, "code_500", None],
        ],
        "cut": ["Hello", "APIError"],
    }
    assert seen == {"openai": expected, "mlflow": expected, "async": [ECHOED] * 3}
