"""Two functions, each with a plane of its own; and AWS' own loop in place of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.local_lambda.function import SOURCE, running
from examples.local_lambda.runtime_api import RuntimeApi as Aws
from tests.fakes import run
from tests.lambda_runtime.looping import asked

QUERY, CONTROL = "handler.lambda_function.handler", "handler.control.lambda_function.handler"
MODELS, KEYS = "/gateway/openai/v1/models", "/api/keys"


async def statuses(handler: str) -> dict[str, int | None]:
    async with Aws() as aws, running(aws, handler=handler) as function:
        told = {}
        for path in (MODELS, KEYS, "/health"):
            await function.idle()
            told[path] = (await (await aws.invoke(asked("GET", path))).finished()).status
        await function.idle()
        assert aws.faults == []
    return told


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (QUERY, {MODELS: 200, KEYS: 404, "/health": 200}),
        (CONTROL, {MODELS: 404, KEYS: 200, "/health": 200}),
    ],
    ids=["query", "control"],
)
def test_a_function_serves_its_own_plane(handler: str, expected: dict[str, int]) -> None:
    assert run(statuses(handler)) == expected


STOCK = """
import json, sys
from importlib import import_module
from types import SimpleNamespace
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(import_module(module), name)
context = SimpleNamespace(
    aws_request_id="id-1", get_remaining_time_in_millis=lambda: 30_000, function_name="f"
)
answers = [handler(event, context) for event in json.load(sys.stdin)]
print(json.dumps(answers), file=sys.stderr)
"""


def stock(events: list[Any], home: Path) -> list[Any]:
    """What AWS' own loop does: import the handler and call it, again and again."""
    told = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", STOCK, QUERY],
        input=json.dumps(events),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "SLUICEGATE_STORE": "local",
            "SLUICEGATE_REQUIRE_KEYS": "false",
            "SLUICEGATE_HOME": str(home),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    answers: list[Any] = json.loads(told.stderr)
    return answers


@pytest.mark.parametrize("door", ["http_api_v2", "http_api_v1", "rest_api", "alb"])
def test_aws_own_loop_can_call_it_too(tmp_path: Path, door: str) -> None:
    chat = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}
    headers = [("Content-Type", "application/json")]
    path = "/gateway/openai/v1/chat/completions"
    event = asked("POST", path, headers, json.dumps(chat).encode(), door=door)
    answers = stock([event, event, asked("GET", MODELS, door=door)], tmp_path)
    assert [answer["statusCode"] for answer in answers] == [200] * 3
    assert json.loads(answers[1]["body"])["object"] == "chat.completion"
