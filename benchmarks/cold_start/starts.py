"""One start of one process, watched from outside: until it polls, or until it has answered."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import orjson

from benchmarks.cold_start.task import ROOT, Task
from benchmarks.fake_runtime import FakeRuntime

QUERY, CONTROL = "handler.lambda_function.handler", "handler.control.lambda_function.handler"
EVENT = (ROOT / "events" / "function_url" / "chat.json").read_bytes()
SAID: str = orjson.loads(orjson.loads(EVENT)["body"])["messages"][-1]["content"]
PATIENCE = 60.0  # seconds for a start and all that is asked of it
_LOOK = 0.2
# Lambda's own reserved variables, and nothing of whoever measures.
LAMBDA = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_LAMBDA_FUNCTION_NAME": "gateway",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/gateway",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0123456789abcdef",
    "AWS_REGION": "us-east-1",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LANG": "en_US.UTF-8",
    "PYTHONNOUSERSITE": "1",
    "TZ": ":UTC",
}
STREAMS = {"GATEWAY_INVOKE_MODE": "RESPONSE_STREAM"}
ON_AWS = STREAMS | {"SLUICEGATE_STORE": "aws"}
ON_ITS_OWN = STREAMS | {"SLUICEGATE_STORE": "local", "SLUICEGATE_REQUIRE_KEYS": "false"}
AHEAD = ON_AWS | {"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}


class StartFailed(Exception):
    """With the last words of its log."""


@dataclass(frozen=True, slots=True)
class Subject:
    """``handler``: of ours; None for the floor. ``asked``: how often before it is over."""

    name: str
    title: str
    handler: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """From its spawn on, in ms: ``wall`` until it first polled or, if it was asked, until the last
    byte of its first answer; ``cpu``: all that it used until it was over. ``peak``: MB."""

    wall: float
    cpu: float
    peak: float


async def start(subject: Subject, task: Task, more: dict[str, str] | None = None) -> Start:
    """Raises StartFailed. ``more``: variables."""
    wanted = SAID.encode() if subject.asked else b""
    runtime = FakeRuntime(EVENT, subject.asked, wanted=wanted)
    async with runtime.listening() as address:
        with _home(task) as home:
            env = _environment(subject, task, address, home) | (more or {})
            spawned = perf_counter()
            process = _spawn(_command(subject, task), task, env)
            try:
                await _through(process, runtime, subject, task)
                peak = _peak(process.pid)
            finally:
                cpu = _end(process)
    if runtime.wrong:
        raise StartFailed(f"{subject.name} answered {runtime.wrong[0]!r}")
    reached = (runtime.answers or runtime.polls)[0]
    return Start((reached - spawned) * 1e3, cpu * 1e3, peak)


def interpreter(task: Task) -> Start:
    """The interpreter alone, until it has told that it is there."""
    alone = "import os; os.write(1, b'.'); os.read(0, 1)"
    spawned = perf_counter()
    process = subprocess.Popen(
        [task.python, "-c", alone],
        env=LAMBDA,
        cwd=task.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    try:
        process.stdout.read(1)
        wall, peak = perf_counter() - spawned, _peak(process.pid)
    finally:
        cpu = _end(process)
        process.stdin.close()
        process.stdout.close()
    return Start(wall * 1e3, cpu * 1e3, peak)


def log_of(task: Task) -> Path:
    return task.home / "function.log"


def _command(subject: Subject, task: Task) -> list[str | Path]:
    if subject.handler is None:
        return [task.python, "-m", "bare"]
    return [task.wrapper, task.python, "/var/runtime/bootstrap.py"]


def _environment(subject: Subject, task: Task, address: str, home: Path) -> dict[str, str]:
    env = LAMBDA | {
        "AWS_LAMBDA_RUNTIME_API": address,
        "LAMBDA_TASK_ROOT": str(task.root),
        "PATH": f"{task.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "SLUICEGATE_HOME": str(home),
    }
    if subject.handler is None:
        return env | {"PYTHONPATH": f"{task.root}:{task.floor}"}
    return env | {"_HANDLER": subject.handler} | subject.settings


def _spawn(command: list[str | Path], task: Task, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    with log_of(task).open("wb") as log:
        return subprocess.Popen(
            command,
            env=env,
            cwd=task.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


async def _through(
    process: "subprocess.Popen[bytes]", runtime: FakeRuntime, subject: Subject, task: Task
) -> None:
    """Until it polls in vain."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not runtime.through.is_set():
                if _ended(process.pid):
                    raise StartFailed(f"{subject.name} ended: {_last_words(task)}")
                with suppress(TimeoutError):
                    await asyncio.wait_for(runtime.through.wait(), _LOOK)
    except TimeoutError:
        raise StartFailed(f"{subject.name} took too long: {_last_words(task)}") from None


def _ended(pid: int) -> bool:
    """It is still there to be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _last_words(task: Task) -> str:
    return log_of(task).read_text(errors="replace")[-600:].strip()


def _peak(pid: int) -> float:
    """MB. What wait4 tells is also of the process that started it."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) * 1024 / 1e6


def _end(process: "subprocess.Popen[bytes]") -> float:
    """Its CPU seconds, to the microsecond. Killed: saying farewell is no part of a start."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


@contextmanager
def _home(task: Task) -> Iterator[Path]:
    """A new one for each start: an environment that starts cold finds nothing."""
    home = task.home / "gateway"
    try:
        yield home
    finally:
        for file in home.glob("*"):
            file.unlink()
