"""The same bytes of the same files, whoever packs them, wherever and whenever."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

TASK = "/var/task"  # where Lambda puts it; tracebacks say so
# Nobody can write there, and SAM dates every file to 1980: bytecode that asked for its source's
# date would be made anew at every cold start.
INVALIDATION = "unchecked-hash"
# Nothing of the builder's environment may show in the bytecode.
PLAIN = {"PATH": os.defpath, "PYTHONHASHSEED": "0"}


def copy(
    source: Path, names: Iterable[PurePosixPath], tree: Path, executable: PurePosixPath
) -> None:
    """Contents and names; not the dates that a checkout has, nor the modes of somebody's umask."""
    for name in names:
        content = (source / name).read_bytes()
        if name == executable:
            content = content.replace(b"\r\n", b"\n")  # Git on Windows writes it so
        _make_directory(tree / name.parent)
        path = tree / name
        path.write_bytes(content)
        path.chmod(0o755 if name == executable else 0o644)


def compile_all(tree: Path, names: Iterable[str]) -> None:
    """A process for each name: what it compiled before would show in the bytecode."""
    compiler = [
        *(sys.executable, "-P", "-s", "-S", "-W", "ignore", "-m", "compileall", "-q", "-o", "0"),
        *("--invalidation-mode", INVALIDATION, "-s", str(tree), "-p", TASK),
    ]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(lambda name: run([*compiler, str(tree / name)], PLAIN), sorted(names)))
    for directory in tree.rglob("__pycache__"):
        directory.chmod(0o755)
        for file in directory.iterdir():
            file.chmod(0o644)


def write_zip(path: Path, tree: Path) -> None:
    with ZipFile(path, "w") as archive:
        for file in files_of(tree):
            entry = ZipInfo(file.relative_to(tree).as_posix())  # of 1980-01-01
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # whose modes these are: Unix
            entry.external_attr = file.stat().st_mode << 16
            archive.writestr(entry, file.read_bytes(), compresslevel=9)


def digest_of(tree: Path) -> str:
    """Names, modes and contents, as one."""
    return digest(
        part
        for file in files_of(tree)
        for part in (
            file.relative_to(tree).as_posix().encode(),
            f"{file.stat().st_mode:o}".encode(),
            file.read_bytes(),
        )
    )


def files_of(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8) + part)  # where one ends matters too
    return whole.hexdigest()


def run(command: list[str], environment: dict[str, str]) -> None:
    """Says what the command said only if it failed."""
    done = subprocess.run(  # noqa: S603
        command, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _make_directory(path: Path) -> None:
    if not path.exists():
        _make_directory(path.parent)
        path.mkdir()
        path.chmod(0o755)
