"""Starts the function as Lambda does: our wrapper, which becomes our loop, in a bare environment.

What it finds is the built-in endpoint `demo` in an empty store; no gateway key is asked for.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.local_lambda.runtime_api import RuntimeApi

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
HANDLER = "handler.lambda_function.handler"
WRAPPER = "handler/bootstrap_wrapper"
SECONDS_TO_END = 10.0
LINES_OF_LOG = 15  # what a failure shows
# Lambda's own reserved variables; those of a developer's AWS account stay outside.
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "sluicegate",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/sluicegate",
    "AWS_LAMBDA_LOG_STREAM_NAME": "local",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
}
OURS = {
    "GATEWAY_INVOKE_MODE": "RESPONSE_STREAM",
    "SLUICEGATE_STORE": "local",
    "SLUICEGATE_REQUIRE_KEYS": "false",
}


class FunctionFailed(Exception):
    """It ended, or told of an error, instead of asking for work. The message has its last words."""


@dataclass(slots=True)
class Function:
    """A function that runs. `init` is how many seconds passed until it first asked for work."""

    api: RuntimeApi
    process: asyncio.subprocess.Process
    log: Path
    init: float = 0.0

    async def idle(self, count: int = 1) -> None:
        """Wait until so many of its polls wait; FunctionFailed when it ends before."""
        await self._before_its_end(self.api.idle(count))

    async def started(self) -> None:
        """Wait for its first request to the Runtime API."""
        await self._before_its_end(self.api.started())
        if self.api.init_errors:
            with suppress(TimeoutError):  # its log is whole when it has ended
                await asyncio.wait_for(self.process.wait(), SECONDS_TO_END)
            raise FunctionFailed(f"the function did not start:\n{self.last_lines()}")

    async def _before_its_end(self, waiting: Coroutine[Any, Any, None]) -> None:
        ended = asyncio.ensure_future(self.process.wait())
        wanted = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait((ended, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            wanted.cancel()
        if not wanted.done():
            status = self.process.returncode
            raise FunctionFailed(f"the function ended with {status}:\n{self.last_lines()}")
        wanted.result()

    def last_lines(self) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LINES_OF_LOG:])


@asynccontextmanager
async def running(
    api: RuntimeApi,
    *,
    handler: str = HANDLER,
    code: Path = SOURCE,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> AsyncIterator[Function]:
    """The function behind `api`, once it polls; it is ended on the way out.

    ``code``: the sources, or a built artefact. ``environment``: more variables, over all others.
    """
    with tempfile.TemporaryDirectory(prefix="local-lambda-") as home:
        log, started = Path(home) / "function.log", time.monotonic()
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                str(code / WRAPPER),
                python,
                "/var/runtime/bootstrap.py",  # what AWS' own loop would be
                env={**_environment(api, code, Path(home), handler), **(environment or {})},
                cwd=code,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we end it
            )
        function = Function(api, process, log)
        watching = asyncio.ensure_future(_watch(api, process))
        try:
            await function.started()
            function.init = time.monotonic() - started
            yield function
        finally:
            await _end(process)
            await watching


def _environment(api: RuntimeApi, code: Path, home: Path, handler: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "_X_AMZN_", "SLUICEGATE_", "GATEWAY_", "PYTHON"))
    }
    return {
        **kept,
        **LAMBDA,
        **OURS,
        "_HANDLER": handler,
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "LAMBDA_TASK_ROOT": str(code),
        "PYTHONPATH": str(code),
        "SLUICEGATE_HOME": str(home / ".gateway"),
    }


async def _watch(api: RuntimeApi, process: asyncio.subprocess.Process) -> None:
    await process.wait()
    api.exited()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), SECONDS_TO_END)
            return
        process.kill()
    await process.wait()
