"""What is shipped, and that it is the same bytes each time. Nothing here needs a Python 3.13."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.contents import EXECUTABLE, shipped
from deploy.packing import TASK, copy, digest_of, write_zip

ROOT = Path(__file__).parent.parent.parent


def tree_of(root: Path, names: Iterable[str]) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    return root


def test_leaves_at_home_what_only_weighs(tmp_path: Path) -> None:
    kept = [
        "anyio-4.0.dist-info/METADATA",
        "anyio-4.0.dist-info/entry_points.txt",
        "anyio-4.0.dist-info/licenses/LICENSE",
        "anyio/__init__.py",
        "aws_lambda_powertools/utilities/__init__.py",
        "aws_lambda_powertools/utilities/typing/lambda_context.py",
        "botocore-1.0.dist-info/NOTICE",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/endpoints.json",
        "botocore/data/secretsmanager/2017-10-17/service-2.json.gz",
        "botocore/data/sts/2011-06-15/service-2.json.gz",
        "gateway/__init__.py",
        "handler/app.py",
        "httptools/parser/parser.so",
    ]
    left = [
        "anyio-4.0.dist-info/RECORD",
        "anyio-4.0.dist-info/WHEEL",
        "anyio/py.typed",
        "aws_lambda_powertools/event_handler/api_gateway.py",
        "aws_lambda_powertools/utilities/parameters/ssm.py",
        "bin/httpx",
        "boto3-1.0.dist-info/METADATA",
        "boto3/session.py",
        "botocore/data/dynamodb/2011-12-05/service-2.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "certifi/tests/test_certify.py",
        "gateway/__pycache__/__init__.cpython-311.pyc",
        "gateway/py.typed",
        "handler/.DS_Store",
        "handler/app.py~",
        "handler/cli/main.py",
        "httptools/parser/parser.pyi",
        "httptools/parser/parser.pyx",
        "s3transfer/manager.py",
    ]
    root = tree_of(tmp_path, [*kept, *left])
    assert sorted(map(str, shipped(root))) == kept


def test_packs_the_same_bytes_whoever_packs(tmp_path: Path) -> None:
    archives = []
    for umask, day in ((0o022, 1), (0o077, 86_400)):
        before = os.umask(umask)
        source = tree_of(tmp_path / f"{umask}", ["gateway/__init__.py", str(EXECUTABLE)])
        os.utime(source / "gateway/__init__.py", (day, day))
        copy(source, shipped(source), tmp_path / f"tree-{umask}", EXECUTABLE)
        write_zip(tmp_path / f"{umask}.zip", tmp_path / f"tree-{umask}")
        os.umask(before)
        archives.append((tmp_path / f"{umask}.zip").read_bytes())
        modes = {
            entry.filename: f"{entry.external_attr >> 16:o}"
            for entry in ZipFile(tmp_path / f"{umask}.zip").infolist()
        }
        assert modes == {"gateway/__init__.py": "100644", str(EXECUTABLE): "100755"}
    assert archives[0] == archives[1]


def test_starts_what_a_checkout_on_windows_has(tmp_path: Path) -> None:
    wrapper = tree_of(tmp_path, [str(EXECUTABLE)]) / EXECUTABLE
    wrapper.write_bytes(b"#!/bin/sh\r\nexec true\r\n")
    copy(tmp_path, [EXECUTABLE], tmp_path / "tree", EXECUTABLE)
    assert (tmp_path / "tree" / EXECUTABLE).read_bytes() == b"#!/bin/sh\nexec true\n"


def test_a_tree_differs_by_name_mode_and_content(tmp_path: Path) -> None:
    path = tree_of(tmp_path, ["a"]) / "a"
    seen = {digest_of(tmp_path)}
    path.chmod(0o755)
    seen.add(digest_of(tmp_path))
    path.write_bytes(b"other")
    seen.add(digest_of(tmp_path))
    path.rename(tmp_path / "b")
    seen.add(digest_of(tmp_path))
    assert len(seen) == 4


def test_the_executable_is_where_the_template_says() -> None:
    assert f"AWS_LAMBDA_EXEC_WRAPPER: {TASK}/{EXECUTABLE}\n" in (ROOT / "template.yaml").read_text()


@pytest.mark.parametrize("python", ["/nowhere/python3.13", "false", "true"])
def test_says_how_to_get_a_python_when_the_one_named_does_not_work(python: str) -> None:
    found = subprocess.run(  # noqa: S603
        ["/bin/sh", ROOT / "deploy" / "python313.sh"],
        env={"PYTHON313": python, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith(f"No Python 3.13 that works among: {python}\nInstall one")


def test_sam_is_told_for_which_processor() -> None:
    """Where make is not told, it names the line of template.yaml that tells it."""
    told = subprocess.run(
        ["make", "build-QueryFunction", "ARTIFACTS_DIR=/nowhere"],  # noqa: S607
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0
    assert 'ContextPath: !Sub "deploy/${Architecture}"' in told.stderr
