"""A server under measure: started as its own process, pinned, read from /proc, stopped."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STOP_SECONDS = 10.0


class Server:
    """Counts the processes that the started one has started in turn as part of it."""

    def __init__(self, started: subprocess.Popen[bytes], log: Path) -> None:
        self._started = started
        self._log = log

    @classmethod
    def start(cls, command: list[str], *, env: dict[str, str], log: Path, cwd: Path) -> Self:
        with log.open("wb") as written:
            started = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        return cls(started, log)

    @property
    def running(self) -> bool:
        return self._started.poll() is None

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-400:].strip()

    def cpu_seconds(self) -> float:
        return sum(_cpu_ticks(pid) for pid in self._pids()) / _TICKS

    def rss_bytes(self) -> int:
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE for pid in self._pids()
        )

    def pin(self, cores: set[int]) -> None:
        """Every thread: a thread that is already there does not follow the first one."""
        for pid in self._pids():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), cores)

    def ask_to_stop(self) -> None:
        self._started.terminate()

    def stop(self) -> None:
        self.ask_to_stop()
        try:
            self._started.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._started.kill()
            self._started.wait()

    def _pids(self) -> list[int]:
        parents = dict(_parents())
        pids = [self._started.pid]
        for pid in pids:  # grows as it goes, generation by generation
            pids += [child for child, parent in parents.items() if parent == pid]
        return pids


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                pid = int(entry.name)
                yield pid, int(_stat(pid)[1])


def _cpu_ticks(pid: int) -> int:
    user, system = _stat(pid)[11:13]
    return int(user) + int(system)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: the second may itself hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
