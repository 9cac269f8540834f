"""The secrets file while others write it too, and where it cannot be written."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.adapters.local_vault import LocalVault
from gateway.errors import Unavailable
from gateway.wire.json import loads
from tests.fakes import run
from tests.serving import SOURCE

XAI = "https://api.x.ai"
PROCESSES, PUTS = 4, 25
PUTTING = f"""
import asyncio, sys
from pathlib import Path
from gateway.adapters.local_vault import LocalVault

async def put(process, file):
    vault = LocalVault({{}}, Path(file))
    for nth in range({PUTS}):
        await vault.put(f"s{{process}}-{{nth}}", f"v{{process}}-{{nth}}", "{XAI}")

asyncio.run(put(*sys.argv[1:]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "secrets.json"


def test_processes_that_put_at_the_same_time_lose_nothing(file: Path) -> None:
    command = [sys.executable, "-c", PUTTING]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    putting = [
        subprocess.Popen([*command, str(nth), str(file)], env=environment)  # noqa: S603
        for nth in range(PROCESSES)
    ]
    assert [one.wait(60) for one in putting] == [0] * PROCESSES
    assert loads(file.read_bytes()) == {
        f"s{process}-{nth}": {"value": f"v{process}-{nth}", "origin": XAI}
        for process in range(PROCESSES)
        for nth in range(PUTS)
    }
    assert names(file) == ["secrets.json", "secrets.lock"]


def test_a_full_disk_is_told_and_leaves_the_file_as_it_was_and_no_draft(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = LocalVault({}, file)
    run(vault.put("a", "sk-old", XAI))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable) as refused:
        run(vault.put("a", "sk-new", XAI))
    problem = f"the secrets file {file} cannot be written: No space left on device"
    assert refused.value.message == problem
    assert run(vault.secret("vault:a", XAI)) == "sk-old"
    assert names(file) == ["secrets.json", "secrets.lock"]


def test_a_lock_that_cannot_be_had_is_told(file: Path) -> None:
    file.with_suffix(".lock").mkdir(parents=True)
    vault = LocalVault({}, file)
    for work in (vault.put("a", "sk", XAI), vault.delete("a")):
        with pytest.raises(Unavailable, match="cannot be written: Is a directory"):
            run(work)
    assert names(file) == ["secrets.lock"]


def test_a_file_that_is_a_directory_is_told(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(Unavailable, match=f"the secrets file {file} cannot be read"):
        run(LocalVault({}, file).put("a", "sk", XAI))
    assert names(file) == ["secrets.json", "secrets.lock"]


def test_a_home_that_is_no_directory_is_told(file: Path) -> None:
    file.parent.touch()
    with pytest.raises(Unavailable, match="cannot be written: File exists"):
        run(LocalVault({}, file).put("a", "sk", XAI))


def names(file: Path) -> list[str]:
    return sorted(one.name for one in file.parent.iterdir())
