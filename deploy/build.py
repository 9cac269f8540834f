"""Build what the functions run: our code, what it imports, and bytecode of both.

    python3.13 -m deploy.build --architecture arm64 --output DIR [--zip FILE]

`make lambda` calls it, and `sam build` does once for each function: all of them run the same. The
same sources give the same bytes, with one release of Python 3.13.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import contents, packing
from deploy.contents import EXECUTABLE, shipped
from deploy.packing import compile_all, copy, digest, digest_of, files_of, run, write_zip

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "runtime.txt"
SOURCES = ROOT / "src"
# What was built before. `sam sync --watch` builds when a file changes, except below .aws-sam.
CACHE = ROOT / ".aws-sam" / "lambda"

PYTHON = (3, 13)  # the functions'
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
GLIBC = range(34, 4, -1)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="deploy.build", description="Build what the functions run"
    )
    parser.add_argument("--architecture", choices=MACHINES, required=True)
    parser.add_argument("--output", type=Path, required=True, help="a directory, which is replaced")
    parser.add_argument("--zip", type=Path, help="the same as an archive")
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    if sys.version_info[:2] != PYTHON:
        sys.exit("It takes Python 3.13 to make bytecode for Python 3.13: `make lambda` finds one")

    with alone(options.cache):
        built = Built(options.cache, options.architecture)
        tree = built.tree()
        replace(options.output, tree)
        say(options.output, told(tree))
        if options.zip:
            archive = built.archive()
            options.zip.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(archive, options.zip)
            sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
            say(options.zip, f"{megabytes(archive.stat().st_size)}; sha256 {sha256}")


class Built:
    """What is built once, and found again by all that it was built of."""

    def __init__(self, cache: Path, architecture: str) -> None:
        self._cache = cache
        self._architecture = architecture
        self._names = list(shipped(SOURCES))
        how = [
            Path(module).read_bytes() for module in (__file__, contents.__file__, packing.__file__)
        ]
        wanted = [architecture.encode(), sys.version.encode(), LOCK.read_bytes()]
        self._lock_key = digest([*wanted, *how])
        own = (
            part for name in self._names for part in (bytes(name), (SOURCES / name).read_bytes())
        )
        self._key = digest([self._lock_key.encode(), *own])

    def tree(self) -> Path:
        return self._once("lambda", self._key, self._build)

    def archive(self) -> Path:
        tree = self.tree()
        return self._once("zip", self._key, lambda path: write_zip(path, tree))

    def _build(self, tree: Path) -> None:
        shutil.copytree(self._once("dependencies", self._lock_key, self._install), tree)
        copy(SOURCES, self._names, tree, EXECUTABLE)
        compile_all(tree, {name.parts[0] for name in self._names})

    def _install(self, tree: Path) -> None:
        wheels = tree.with_name(f"{tree.name}-wheels")
        pip_install(pip(self._cache), MACHINES[self._architecture], wheels)
        copy(wheels, shipped(wheels), tree, EXECUTABLE)
        shutil.rmtree(wheels)
        compile_all(tree, {path.name for path in tree.iterdir() if path.suffix != ".dist-info"})

    def _once(self, what: str, key: str, make: Callable[[Path], None]) -> Path:
        kind = f"{what}-{self._architecture}"
        made = self._cache / f"{kind}-{key[:16]}"
        if not made.exists():
            for old in self._cache.glob(f"{kind}-*"):
                remove(old)
            unfinished = self._cache / f"{kind}-unfinished"
            make(unfinished)
            unfinished.rename(made)
        return made


def pip_install(pip: list[str], machine: str, target: Path) -> None:
    platforms = [*(f"manylinux_2_{minor}" for minor in GLIBC), "manylinux2014"]
    install = [
        *("install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"),
        *("--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"),
        *("--implementation=cp", "--python-version=3.13"),
        *(f"--platform={platform}_{machine}" for platform in platforms),
        *("--target", str(target), "--requirement", str(LOCK)),
    ]
    # What people set for every install of theirs, and what does not go with --target.
    unset = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}
    run([*pip, *install], os.environ | unset)


def pip(cache: Path) -> list[str]:
    """This Python's, or a private one: nothing is installed into this Python."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], check=False, capture_output=True).returncode == 0:  # noqa: S603
        return own
    private = cache / "pip"
    run([sys.executable, "-m", "venv", "--clear", str(private)], dict(os.environ))
    return [str(private / "bin" / "python"), "-m", "pip"]


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """`sam build --parallel` builds all functions at once: one does the work."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for unfinished in cache.glob("*-unfinished*"):  # somebody lost patience
            remove(unfinished)
        yield


def replace(output: Path, tree: Path) -> None:
    if output.is_dir() and any(output.iterdir()) and not (output / EXECUTABLE).exists():
        sys.exit(f"{output} holds something else, which would be lost")
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(tree, output)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def told(tree: Path) -> str:
    files = files_of(tree)
    bytecode = sum(file.suffix == ".pyc" for file in files)
    size = megabytes(sum(file.stat().st_size for file in files))
    return f"{size}; {len(files)} files, {bytecode} of them .pyc; digest {digest_of(tree)}"


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def say(path: Path, what: str) -> None:
    sys.stdout.write(f"{path}: {what}\n")


if __name__ == "__main__":
    main()
