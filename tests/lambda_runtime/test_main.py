"""A process from its start to its end, without the process."""

import asyncio
import gc
import random
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from examples.local_lambda.runtime_api import RuntimeApi as Aws
from handler.lambda_runtime.__main__ import main
from tests.fakes import run
from tests.lambda_runtime.looping import asked

APP = """
    from mangum import Mangum

    said = []

    class App:
        async def __call__(self, scope, receive, send):
            if scope["type"] == "lifespan":
                await self.live(scope, receive, send)
                return
            said.append("call")
            body = " ".join(said + [scope["state"].get("pool", "")]).encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

        async def live(self, scope, receive, send):
            await receive()
            said.append("start")
            scope["state"]["pool"] = "pool"
            await send({"type": "lifespan.startup.complete"})
            await receive()
            said.append("stop")
            await send({"type": "lifespan.shutdown.complete"})
"""
HANDLER = "    handler = Mangum(App(), lifespan='off')\n"
CANARY = "sk-canary-1234567890"

Written = Callable[[str], str]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Writes a handler's module, and has the environment name it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("GATEWAY_INVOKE_MODE", "RESPONSE_STREAM")
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    monkeypatch.delenv("AWS_LAMBDA_MAX_CONCURRENCY", raising=False)
    name = f"written_{tmp_path.name}".replace("-", "_")

    def write(code: str) -> str:
        (tmp_path / f"{name}.py").write_text(dedent(code))
        monkeypatch.setenv("_HANDLER", f"{name}.handler")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


async def served(environment: pytest.MonkeyPatch, times: int = 2) -> list[str]:
    """What is answered to so many calls, until AWS refuses a poll: then it must end with 1."""
    async with Aws() as aws:
        environment.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
        running = asyncio.ensure_future(main())
        told = []
        for _ in range(times):
            await aws.idle()
            told.append((await (await aws.invoke(asked())).finished()).body.decode())
        await aws.idle()
        aws.refuse()
        assert await running == 1
        assert aws.faults == []
    return told


def test_an_app_starts_once_and_what_it_left_reaches_every_call(
    written: Written, environment: pytest.MonkeyPatch
) -> None:
    written(APP + HANDLER)
    told = run(served(environment))
    assert told == ["start call pool", "start call call pool"]


def test_what_starts_is_not_looked_over_for_rubbish_and_what_is_called_is(
    written: Written, environment: pytest.MonkeyPatch
) -> None:
    looked = "    import gc\n    looked = [gc.isenabled()]\n"
    app = APP.replace('said.append("start")', "looked.append(gc.isenabled())")
    app = app.replace('said.append("call")', "said.append(str([*looked, gc.isenabled()]))")
    written(looked + app + HANDLER)
    assert run(served(environment, times=1)) == ["[False, False, True] pool"]
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


BROKEN = {
    "no module": (None, "Runtime.ImportModuleError", "ModuleNotFoundError"),
    "an import of nothing": (
        "import nothing_of_this_name\n",
        "Runtime.ImportModuleError",
        "ModuleNotFoundError",
    ),
    "no code": ("handler = = 1\n", "Runtime.InitError", "SyntaxError"),
    "no handler": ("", "Runtime.InitError", "AttributeError"),
    "another handler": ("def handler(event, context): ...\n", "Runtime.InitError", "TypeError"),
    "an error": ("raise ValueError('no')\n", "Runtime.InitError", "ValueError"),
    "an error in its start": (
        APP.replace('said.append("start")', 'raise ValueError("no")') + HANDLER,
        "Runtime.InitError",
        "ValueError",
    ),
    "a start that failed": (
        APP.replace("startup.complete", "startup.failed") + HANDLER,
        "Runtime.InitError",
        "RuntimeError",
    ),
    "a start without an end": (
        APP.replace('await send({"type": "lifespan.startup.complete"})', "return") + HANDLER,
        "Runtime.InitError",
        "RuntimeError",
    ),
    "an exit": ("raise SystemExit(0)\n", "Runtime.InitError", "SystemExit"),
}


@pytest.mark.parametrize(("code", "kind", "error"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_start_is_told_and_ends_with_1(
    code: str | None, kind: str, error: str, written: Written, environment: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with Aws() as aws:
            environment.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
            assert await main() == 1
            (told,) = aws.init_errors
            assert (told.error_type, told.error["errorType"]) == (kind, error)
            assert told.error["stackTrace"] == []
            assert aws.faults == []

    if code is None:
        environment.setenv("_HANDLER", "nothing_of_this_name.handler")
    else:
        written(code)
    run(work())


def test_a_wrong_setting_is_told_without_its_value(environment: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with Aws() as aws:
            environment.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
            assert await main() == 1
            (told,) = aws.init_errors
            assert "proxy" in told.error["errorMessage"]
            assert CANARY not in str(told)

    environment.setenv("_HANDLER", "handler.lambda_function.handler")
    environment.setenv("SLUICEGATE_PROXY", f"ftp://user:{CANARY}@proxy")
    environment.delitem(sys.modules, "handler.lambda_function", raising=False)
    run(work())


HOOKS = """
        async def before_snapshot(self):
            said.append("before")

        async def after_restore(self):
            said.append("after")
"""


@pytest.fixture
def snapshotted(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    return environment


async def restored(environment: pytest.MonkeyPatch) -> tuple[list[str], bool]:
    """The answers of one that was restored; whether its randomness is of after that."""
    async with Aws() as aws:
        environment.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
        running = asyncio.ensure_future(main())
        await aws.snapshot()
        assert aws.polls == 0
        random.seed(1)
        expected = random.Random(1).getstate()
        aws.restore()
        await aws.idle()
        anew = random.getstate() != expected
        told = [(await (await aws.invoke(asked())).finished()).body.decode()]
        await aws.idle()
        aws.refuse()
        assert await running == 1
        assert aws.faults == []
    return told, anew


def test_a_snapshot_is_taken_between_the_hooks_and_randomness_is_of_after_it(
    written: Written, snapshotted: pytest.MonkeyPatch
) -> None:
    written(APP + HOOKS + HANDLER)
    assert run(restored(snapshotted)) == (["start before after call pool"], True)


def test_an_app_without_hooks_is_restored_too(
    written: Written, snapshotted: pytest.MonkeyPatch
) -> None:
    written(APP + HANDLER)
    assert run(restored(snapshotted)) == (["start call pool"], True)


def test_elsewhere_no_hook_runs(written: Written, environment: pytest.MonkeyPatch) -> None:
    written(APP + HOOKS + HANDLER)
    assert run(served(environment, 1)) == ["start call pool"]


def test_what_fails_before_the_snapshot_is_an_error_of_the_start_and_ends_with_64(
    written: Written, snapshotted: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with Aws() as aws:
            snapshotted.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
            assert await main() == 64
            (told,) = aws.init_errors
            assert told.error_type == "Runtime.BeforeSnapshotError"
            assert (aws.restore_errors, aws.faults) == ([], [])

    written(APP + HOOKS.replace('said.append("before")', "raise ValueError") + HANDLER)
    run(work())


def test_what_fails_after_the_restore_is_an_error_of_it_and_ends_with_65(
    written: Written, snapshotted: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with Aws() as aws:
            snapshotted.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
            running = asyncio.ensure_future(main())
            await aws.snapshot()
            aws.restore()
            assert await running == 65
            (told,) = aws.restore_errors
            assert told.error_type == "Runtime.AfterRestoreError"
            assert (aws.init_errors, aws.faults) == ([], [])

    written(APP + HOOKS.replace('said.append("after")', "raise ValueError") + HANDLER)
    run(work())


def test_who_is_never_restored_ends_with_1(
    written: Written, snapshotted: pytest.MonkeyPatch
) -> None:
    async def work() -> int:
        async with Aws() as aws:
            snapshotted.setenv("AWS_LAMBDA_RUNTIME_API", aws.address)
            running = asyncio.ensure_future(main())
            await aws.snapshot()
        return await running

    written(APP + HANDLER)
    assert run(work()) == 1
