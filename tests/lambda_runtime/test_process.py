"""The function as the process that Lambda starts."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from examples.local_lambda.function import SOURCE, WRAPPER, Function, FunctionFailed, running
from examples.local_lambda.runtime_api import RuntimeApi as Aws
from tests.fakes import run
from tests.lambda_runtime.looping import asked

CALLERS_KEY = "sk-callers-canary-1"
PROVIDERS_KEY = "sk-providers-canary-2"
PROMPT = "prompt-canary-3"
CANARIES = (CALLERS_KEY, PROVIDERS_KEY, PROMPT)
CHAT = "/gateway/openai/v1/chat/completions"


def chat(model: str = "demo", **more: Any) -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], **more}
    headers = [
        ("Authorization", f"Bearer {CALLERS_KEY}"),
        ("X-Api-Key", CALLERS_KEY),
        ("Content-Type", "application/json"),
    ]
    return asked("POST", CHAT, headers, json.dumps(body).encode())


@asynccontextmanager
async def started(
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[tuple[Aws, Function]]:
    async with Aws() as aws, running(aws, environment=environment) as function:
        yield aws, function
        assert aws.faults == []


def wrapper(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [SOURCE / WRAPPER, *command],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )


def test_the_wrapper_goes_back_to_aws_own_loop_when_it_is_told() -> None:
    command = ("/bin/sh", "-c", 'echo "$@" "$PYTHONPATH"', "sh", "a b", "/var/runtime/bootstrap.py")
    told = wrapper(*command, GATEWAY_RUNTIME="stock", PYTHONPATH="as it was")
    assert told.stdout == "a b /var/runtime/bootstrap.py as it was\n"


@pytest.mark.parametrize("runtime", ["", "ours", "Stock"])
def test_the_wrapper_starts_our_loop_with_the_interpreter_that_it_is_given(
    runtime: str, tmp_path: Path
) -> None:
    """And finds the function's own packages before those of AWS' loop."""
    interpreter = tmp_path / "python with a space"
    interpreter.write_text('#!/bin/sh\nprintf "%s|" "$@" "$PYTHONPATH"')
    interpreter.chmod(0o755)
    told = wrapper(
        str(interpreter),
        "/var/runtime/bootstrap.py",
        GATEWAY_RUNTIME=runtime,
        LAMBDA_TASK_ROOT="/task",
        LAMBDA_RUNTIME_DIR="/runtime",
        PYTHONPATH="/mine",
    )
    assert told.stdout == "-m|handler.lambda_runtime|/task:/mine:/opt/python:/runtime|"


def test_the_wrapper_needs_no_variable() -> None:
    told = wrapper("/bin/echo")
    assert told.stdout == "-m handler.lambda_runtime\n"


def test_the_wrapper_can_be_executed_and_has_the_newlines_of_a_script() -> None:
    assert os.access(SOURCE / WRAPPER, os.X_OK)
    assert b"\r" not in (SOURCE / WRAPPER).read_bytes()


async def _asked(aws: Aws, event: Any) -> int | None:
    posted = await (await aws.invoke(event)).finished()
    await aws.idle()
    return posted.status


def test_each_line_of_the_log_is_json_that_names_the_invocation_and_holds_no_secret() -> None:
    events = [
        chat(),
        chat(stream=True),
        chat("nobody"),
        chat("openai/gpt-test"),
        chat(messages=PROMPT),
        asked("POST", CHAT, [("Authorization", f"Bearer {CALLERS_KEY}")], PROMPT.encode()),
        asked("GET", f"/nowhere/{CALLERS_KEY}"),
        {"prompt": PROMPT},
        PROMPT,
        chat() | {"isBase64Encoded": True},
    ]
    environment = {
        "OPENAI_API_KEY": PROVIDERS_KEY,
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",  # where nobody listens
        "SLUICEGATE_LOG_LEVEL": "DEBUG",
    }

    async def work() -> tuple[list[int | None], str, set[str]]:
        async with started(environment) as (aws, function):
            statuses = [await _asked(aws, event) for event in events]
            ids = {one.id for one in aws._invocations}
            text = function.log.read_text()
        return statuses, text, ids

    statuses, text, ids = run(work())
    assert statuses == [200, 200, 404, 502, 400, 400, 404, 400, 400, 400]
    told = [json.loads(line) for line in text.splitlines()]
    assert len(told) >= 3
    assert {one.get("requestId") for one in told} <= ids
    assert {"level", "message", "timestamp", "requestId"} <= set.intersection(*map(set, told))
    assert [canary for canary in CANARIES if canary in text] == []


def test_a_function_that_is_told_to_end_does_so_at_once_and_in_good_order() -> None:
    async def work() -> None:
        async with started() as (aws, function):
            assert await _asked(aws, chat()) == 200
            before = asyncio.get_running_loop().time()
            function.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(function.process.wait(), 5) == 0
            assert asyncio.get_running_loop().time() - before < 2

    run(work())


def test_a_function_that_is_told_to_end_while_it_answers_does_so_too() -> None:
    async def work() -> None:
        async with Aws() as aws, running(aws) as function:
            await function.idle()
            await aws.invoke(chat(stream=True))
            function.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(function.process.wait(), 5) == 0

    run(work())


BROKEN = {
    "a module that is not there": ("nothing_of_this_name.handler", {}, "ModuleNotFoundError"),
    "a setting that is none": (
        "handler.lambda_function.handler",
        {"SLUICEGATE_PROXY": f"ftp://user:{PROVIDERS_KEY}@proxy"},
        "ValidationError",
    ),
}


@pytest.mark.parametrize(("handler", "environment", "error"), BROKEN.values(), ids=BROKEN)
def test_a_function_that_cannot_start_tells_aws_and_ends_with_1(
    handler: str, environment: Mapping[str, str], error: str
) -> None:
    """What the log has of it is one JSON object a line as well."""

    async def work() -> None:
        async with Aws() as aws:
            with pytest.raises(FunctionFailed) as failed:
                async with running(aws, handler=handler, environment=environment):
                    raise AssertionError
            (told,) = aws.init_errors
            assert told.error["errorType"] == error
            assert PROVIDERS_KEY not in str(told) + str(failed.value)
            for line in str(failed.value).splitlines()[1:]:
                assert json.loads(line)["level"] in ("ERROR", "CRITICAL")

    run(work())


def test_a_function_that_is_given_no_more_work_ends_with_1() -> None:
    async def work() -> None:
        async with started() as (aws, function):
            await function.idle()
            aws.refuse(500)
            assert await asyncio.wait_for(function.process.wait(), 5) == 1
            last = json.loads(function.last_lines().splitlines()[-1])
            assert last["level"] == "CRITICAL"
            assert "answered 500" in last["message"]

    run(work())
