"""What `make lambda` built, unpacked as Lambda has it, to be looked into and to be started."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from deploy.contents import EXECUTABLE, shipped
from deploy.packing import digest_of

ROOT = Path(__file__).parent.parent.parent
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
ARCHIVE = ROOT / os.environ.get("LAMBDA_ARTEFACT", f"build/lambda-{ARCHITECTURE}.zip")


@dataclass(frozen=True)
class Artefact:
    """``root`` is what /var/task is on Lambda; ``python`` is a 3.13 that has the standard library alone."""

    root: Path
    python: Path

    def start(
        self, handler: str, env: Mapping[str, str] | None = None, **popen: Any
    ) -> subprocess.Popen[bytes]:
        """As Lambda's own bootstrap starts a function that has AWS_LAMBDA_EXEC_WRAPPER."""
        wrapper = self.root / EXECUTABLE
        return subprocess.Popen(  # noqa: S603
            [wrapper, self.python, "/var/runtime/bootstrap.py"],
            cwd=self.root,
            env=self.environment(handler) | dict(env or {}),
            **popen,
        )

    def environment(self, handler: str) -> dict[str, str]:
        return {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_EXEC_WRAPPER": str(self.root / EXECUTABLE),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_LAMBDA_FUNCTION_NAME": "gateway",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/gateway",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0123456789abcdef",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": str(self.root),
            "LANG": "en_US.UTF-8",
            "PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONNOUSERSITE": "1",
            "TZ": ":UTC",
            "_HANDLER": handler,
        }


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Artefact]:
    """One for each of xdist's workers. Whatever is started must have left it as it was."""
    if sys.platform != "linux":
        pytest.skip("Lambda's binaries need Linux")
    _is_there()
    directory = tmp_path_factory.mktemp("lambda")
    python = _bare_python(directory / "python")
    root = unpacked(ARCHIVE, directory / "task")
    _is_of_today(root)
    before = digest_of(root)
    for path in [root, *root.rglob("*")]:
        path.chmod(path.stat().st_mode & 0o555)
    yield Artefact(root, python)
    for path in [root, *root.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    # root may write what is read-only, and a container's tests are often root's.
    assert digest_of(root) == before, "something wrote into the artefact"
    shutil.rmtree(directory)


def unpacked(archive: Path, root: Path) -> Path:
    with ZipFile(archive) as zipped:
        zipped.extractall(root)
        for entry in zipped.infolist():
            (root / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    return root


@cache
def python313() -> Path:
    """Skips where there is none."""
    found = subprocess.run(  # noqa: S603
        ["/bin/sh", ROOT / "deploy" / "python313.sh"], check=False, capture_output=True, text=True
    )
    if found.returncode:
        pytest.skip(found.stderr.strip())
    return Path(found.stdout.strip())


def _bare_python(directory: Path) -> Path:
    """Nothing that is installed beside the interpreter is to stand in for what is not shipped."""
    subprocess.run([python313(), "-m", "venv", "--without-pip", directory], check=True)  # noqa: S603
    return directory / "bin" / "python3.13"


def _is_there() -> None:
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE} is not there: make lambda ARCHITECTURE={ARCHITECTURE}")


def _is_of_today(root: Path) -> None:
    sources = ROOT / "src"
    changed = [
        str(name)
        for name in shipped(sources)
        if not (root / name).exists() or (root / name).read_bytes() != (sources / name).read_bytes()
    ]
    if changed:
        pytest.fail(f"{ARCHIVE} is older than {changed}: make lambda ARCHITECTURE={ARCHITECTURE}")
