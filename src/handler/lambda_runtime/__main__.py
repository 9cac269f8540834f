"""``python -m handler.lambda_runtime``: what the wrapper script starts in place of AWS' loop."""

import asyncio
import gc
import json
import logging
import os
import random
import signal
import sys
from collections.abc import Awaitable
from importlib import import_module
from typing import Protocol, runtime_checkable

from mangum import Mangum

from handler.lambda_runtime.api import RuntimeApi, RuntimeLost
from handler.lambda_runtime.lifespan import Lifespan
from handler.lambda_runtime.loop import Loop

SNAP_START = "snap-start"
FAILED = 1
FAILED_BEFORE_SNAPSHOT, FAILED_AFTER_RESTORE = 64, 65  # as AWS' own runtime exits

logger = logging.getLogger("sluicegate.lambda")


@runtime_checkable
class Snapshotted(Protocol):
    """An app that minds being put to sleep and woken elsewhere."""

    def before_snapshot(self) -> Awaitable[None]:
        """Do what is slow, and open nothing."""
        ...

    def after_restore(self) -> Awaitable[None]:
        """Trust nothing that was open, read or drawn before."""
        ...


class StartFailed(Exception):
    def __init__(self, kind: str, phase: str, code: int, error: BaseException) -> None:
        super().__init__(kind)
        self.kind, self.phase, self.code, self.error = kind, phase, code, error


class JsonLine(logging.Formatter):
    """For what goes wrong before the function has set up a log of its own."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"level": record.levelname, "timestamp": self.formatTime(record)}
        return json.dumps({**told, "message": super().format(record)})


async def main() -> int:
    first_log = logging.StreamHandler(sys.stdout)
    first_log.setFormatter(JsonLine())
    logging.lastResort = first_log
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        mangum, lifespan = await _started()
        await _snapshot(api, mangum)
    except StartFailed as failed:
        logger.exception(failed.kind)
        await api.failed_to_start(failed.error, failed.kind, failed.phase)
        return failed.code
    except RuntimeLost as lost:
        logger.critical("the process ends: %s", lost)
        return FAILED
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _stop, lifespan)
    concurrency = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
    loop = Loop(api, mangum, lifespan.state, environment=os.environ, concurrency=concurrency)
    try:
        await loop.run()
    except* RuntimeLost as lost:
        logger.critical("the process ends: %s", lost.exceptions[0])
    return FAILED


async def _started() -> tuple[Mangum, Lifespan]:
    """What is made here stays: to look it over for what does not, again and again while it is made
    and then with every call, would cost a tenth of the start and more later."""
    gc.disable()
    try:
        return await _made()
    finally:
        gc.enable()
        gc.freeze()


async def _made() -> tuple[Mangum, Lifespan]:
    try:
        mangum = _handler(os.environ["_HANDLER"])
        lifespan = Lifespan(mangum.app)
        await lifespan.start()
    except ImportError as error:
        raise StartFailed("Runtime.ImportModuleError", "init", FAILED, error) from error
    except (Exception, SystemExit) as error:
        raise StartFailed("Runtime.InitError", "init", FAILED, error) from error
    return mangum, lifespan


def _handler(name: str) -> Mangum:
    """``name``: MODULE.ATTRIBUTE, as the function's Handler property has it."""
    module, _, attribute = name.rpartition(".")
    found = getattr(import_module(module.replace("/", ".")), attribute)
    if not isinstance(found, Mangum):
        raise TypeError(f"{name} must be a Mangum handler, not {type(found).__name__}")
    return found


async def _snapshot(api: RuntimeApi, mangum: Mangum) -> None:
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != SNAP_START:
        return
    app = mangum.app
    minds = app if isinstance(app, Snapshotted) else None
    try:
        if minds:
            await minds.before_snapshot()
    except Exception as error:
        kind, code = "Runtime.BeforeSnapshotError", FAILED_BEFORE_SNAPSHOT
        raise StartFailed(kind, "init", code, error) from error
    await api.restored()
    try:
        random.seed()
        if minds:
            await minds.after_restore()
    except Exception as error:
        kind, code = "Runtime.AfterRestoreError", FAILED_AFTER_RESTORE
        raise StartFailed(kind, "restore", code, error) from error


def _stop(lifespan: Lifespan) -> None:
    """Sent only where an extension is registered; nothing depends on it."""

    async def stop() -> None:
        try:
            await lifespan.stop()
        finally:
            os._exit(0)

    asyncio.ensure_future(stop())  # noqa: RUF006 - the process ends with it


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
