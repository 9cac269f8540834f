"""Programs that we start, wait for, and end by their own process id."""

import http.client
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
LINES_OF_LOG = 15  # what a failure shows
SECONDS_TO_END = 10.0
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_BETWEEN_LINES = 5.0


class StartFailed(Exception):
    """A program died or kept silent; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A server to start on loopback."""

    name: str
    command: Sequence[str]
    port: int
    ready_path: str = "/health"
    env: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Started:
    child: Child
    popen: subprocess.Popen[bytes]
    log: Path
    at: float

    def wait_until_ready(self, patience: float) -> None:
        """Return when it answers; StartFailed when it dies, or keeps silent for `patience`."""
        next_line = SECONDS_BETWEEN_LINES
        while not self.answers():
            waited = time.monotonic() - self.at
            if self.popen.poll() is not None:
                raise self.failure(f"ended with status {self.popen.returncode}")
            if waited > patience:
                raise self.failure(f"did not answer within {patience:g} s")
            if waited > next_line:
                print(f"  {self.child.name}: still starting ({waited:.0f} s)", flush=True)
                next_line += SECONDS_BETWEEN_LINES
            time.sleep(SECONDS_BETWEEN_LOOKS)
        taken = time.monotonic() - self.at
        print(f"  {self.child.name}: answers on port {self.child.port} ({taken:.1f} s)", flush=True)

    def answers(self) -> bool:
        with closing(http.client.HTTPConnection(HOST, self.child.port, timeout=1)) as connection:
            try:
                connection.request("GET", self.child.ready_path)
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    def failure(self, what: str) -> StartFailed:
        last = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES_OF_LOG:]
        return StartFailed("\n    ".join([f"{self.child.name} {what}. The end of its log:", *last]))


@contextmanager
def running(
    children: Sequence[Child], *, logs: Path, patience: float = 120
) -> Iterator[list[Started]]:
    """All of them at once, each answering; every one is ended on the way out."""
    with ExitStack() as stack:
        started = [stack.enter_context(_started(child, logs)) for child in children]
        for one in started:
            one.wait_until_ready(patience)
        yield started


@contextmanager
def _started(child: Child, logs: Path) -> Iterator[Started]:
    log = logs / f"{child.name}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(  # noqa: S603 - the command is the caller's own
            child.command,
            env=child.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the child
        )
    try:
        yield Started(child, popen, log, time.monotonic())
    finally:
        _end(popen)


def _end(popen: subprocess.Popen[bytes]) -> None:
    popen.terminate()
    try:
        popen.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


def choose_port(wanted: int | None, usual: int) -> int:
    """The port that was asked for, or the usual one, or when another program has that, any."""
    if wanted is not None:
        if not _is_free(wanted):
            raise StartFailed(f"port {wanted} is in use: give another one, or none for any")
        return wanted
    return usual if _is_free(usual) else any_ports(1)[0]


def any_ports(count: int) -> list[int]:
    """Different ones: all are held until the last is found."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in held]


def _is_free(number: int) -> bool:
    try:
        with socket.create_server((HOST, number)):
            return True
    except OSError:
        return False
