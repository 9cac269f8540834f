"""What was built, unpacked as Lambda has it, with the floor beside it and a Python of its own."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from deploy.contents import EXECUTABLE, shipped
from deploy.packing import INVALIDATION, files_of

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
ARCHIVE = ROOT / os.environ.get("LAMBDA_ARTEFACT", f"build/lambda-{ARCHITECTURE}.zip")
FLOOR = Path(__file__).with_name("bare.py")
COMPILE = ("-m", "compileall", "-q", "--invalidation-mode", INVALIDATION)


class NotBuilt(Exception):
    """The message says what to do."""


@dataclass(frozen=True, slots=True)
class Task:
    """``root`` is what /var/task is on Lambda, ``floor`` a directory with the bare app. ``python``
    has the standard library alone."""

    root: Path
    floor: Path
    python: Path
    home: Path

    @property
    def wrapper(self) -> Path:
        return self.root / EXECUTABLE

    @property
    def unzipped(self) -> int:
        return sum(file.stat().st_size for file in files_of(self.root))


@contextmanager
def unpacked(home: Path) -> Iterator[Task]:
    """Raises NotBuilt; also at the end, if a process wrote what it then was faster by."""
    if not ARCHIVE.exists():
        raise NotBuilt(f"{ARCHIVE} is not there: make lambda ARCHITECTURE={ARCHITECTURE}")
    root = _extracted(home / "task")
    _is_of_today(root)
    python = _python(home / "python")
    floor = home / "floor"
    floor.mkdir()
    shutil.copy(FLOOR, floor)
    subprocess.run([python, *COMPILE, floor], check=True)
    for path in [root, *root.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    before = files_of(root)
    try:
        yield Task(root, floor, python, home)
        if files_of(root) != before:  # root may write where nobody may
            raise NotBuilt("bytecode was missing: it was written by the first start")
    finally:
        for path in [root, *root.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)


def _extracted(root: Path) -> Path:
    with ZipFile(ARCHIVE) as zipped:
        zipped.extractall(root)
    (root / EXECUTABLE).chmod(0o755)
    return root


def _is_of_today(root: Path) -> None:
    sources = ROOT / "src"
    changed = [
        str(name)
        for name in shipped(sources)
        if not (root / name).exists() or (root / name).read_bytes() != (sources / name).read_bytes()
    ]
    if changed:
        told = ", ".join(changed[:5])
        raise NotBuilt(f"{ARCHIVE} is older than {told}: make lambda ARCHITECTURE={ARCHITECTURE}")


def _python(directory: Path) -> Path:
    found = subprocess.run(
        ["/bin/sh", ROOT / "deploy" / "python313.sh"], check=False, capture_output=True, text=True
    )
    if found.returncode:
        raise NotBuilt(found.stderr.strip())
    subprocess.run([found.stdout.strip(), "-m", "venv", "--without-pip", directory], check=True)
    return directory / "bin" / "python3.13"
