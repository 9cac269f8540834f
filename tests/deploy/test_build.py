"""What `make lambda` built: what it holds, and that it runs as it is."""

import ast
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from deploy.contents import EXECUTABLE, SERVICES, TERMS
from deploy.packing import digest_of
from tests.deploy.artefact import ARCHITECTURE, ARCHIVE, ROOT, Artefact, python313, unpacked
from tests.deploy.stack import SAM_BIN, tool

pytestmark = pytest.mark.deploy

LARGEST = 12_000_000
ELF = {"x86_64": 62, "arm64": 183}  # e_machine
# Imported only where Python has it, from 3.14 on.
NEWER = {"compression"}


@pytest.fixture
def names(artefact: Artefact) -> set[str]:
    return {str(path.relative_to(artefact.root)) for path in files(artefact)}


def files(artefact: Artefact) -> list[Path]:
    return [path for path in artefact.root.rglob("*") if path.is_file()]


def run(artefact: Artefact, script: str, **env: str) -> Any:
    """What a script says, in JSON, where Lambda's Python would run it."""
    done = subprocess.run(  # noqa: S603
        [artefact.python, "-c", script],
        cwd=artefact.root,
        env=artefact.environment("") | {"PYTHONPATH": str(artefact.root)} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# --- what it holds --------------------------------------------------------------------------------


def test_is_small(artefact: Artefact) -> None:
    assert ARCHIVE.stat().st_size < LARGEST
    assert sum(path.stat().st_size for path in files(artefact)) < 3 * LARGEST


def test_holds_what_runs_and_nothing_for_people(names: set[str]) -> None:
    assert {"gateway/__init__.py", "handler/lambda_function.py", str(EXECUTABLE)} <= names
    for_people = {
        name
        for name in names
        if name.startswith(("bin/", "boto3", "s3transfer", "handler/cli"))
        or "/tests/" in name
        or Path(name).name in ("RECORD", "WHEEL", "INSTALLER", "py.typed")
        or Path(name).suffix in (".pyi", ".pyx", ".rst")
    }
    assert for_people == set()


def test_holds_the_terms_and_the_version_of_every_package(names: set[str]) -> None:
    packages = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    licensed = {
        name.partition("/")[0]
        for name in names
        if ".dist-info/" in name and Path(name).name.upper().startswith(TERMS)
    }
    assert len(packages) > 20
    assert licensed == packages
    assert {f"{package}/METADATA" for package in packages} <= names


def test_holds_the_newest_description_of_the_services_asked(names: set[str]) -> None:
    described = [name.split("/") for name in names if name.startswith("botocore/data/")]
    versions = [(parts[2], parts[3]) for parts in described if parts[-1] == "service-2.json.gz"]
    assert sorted(service for service, _ in versions) == sorted(SERVICES)
    assert {
        "_retry.json",
        "endpoints.json",
        "partitions.json",
        "sdk-default-configuration.json",
    } == {parts[2] for parts in described if len(parts) == 3}


def test_one_file_is_executable() -> None:
    entries = ZipFile(ARCHIVE).infolist()
    modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in entries}
    assert {name for name, mode in modes.items() if mode != 0o644} == {str(EXECUTABLE)}
    assert modes[str(EXECUTABLE)] == 0o755


def test_libraries_are_for_the_processor(artefact: Artefact) -> None:
    libraries = [path for path in files(artefact) if ".so" in path.suffixes]
    machines = {path.name: struct.unpack_from("<H", path.read_bytes(), 18)[0] for path in libraries}
    assert len(machines) >= 4
    assert set(machines.values()) == {ELF[ARCHITECTURE]}


BYTECODE = """
import importlib.util, json, marshal, pathlib
root = pathlib.Path()
wrong = []
known = set()
for source in root.rglob("*.py"):
    compiled = pathlib.Path(importlib.util.cache_from_source(source))
    known.add(compiled)
    content = compiled.read_bytes() if compiled.exists() else bytes(16)
    expected = (
        importlib.util.MAGIC_NUMBER,
        1,  # by the source's hash, which nobody checks
        importlib.util.source_hash(source.read_bytes()),
        "/var/task/" + str(source),
    )
    found = content[:4], int.from_bytes(content[4:8], "little"), content[8:16]
    name = marshal.loads(content[16:]).co_filename if any(content) else ""
    if (*found, name) != expected:
        wrong.append(str(source))
stray = sorted(str(path) for path in set(root.rglob("*.py[co]")) - known)
print(json.dumps([len(known) > 500, wrong, stray]))
"""


def test_every_module_has_bytecode_that_is_valid_whatever_its_date(artefact: Artefact) -> None:
    assert run(artefact, BYTECODE) == [True, [], []]


# --- that it runs ---------------------------------------------------------------------------------

EVERY_MODULE = """
import importlib, json, pathlib, pkgutil, sys
root = str(pathlib.Path().resolve()) + "/"
library = str(pathlib.Path(json.__file__).parent.parent) + "/"
imported = []
for package in ("gateway", "handler"):
    found = pkgutil.walk_packages(importlib.import_module(package).__path__, package + ".")
    imported += [importlib.import_module(module.name).__name__ for module in found]
files = {
    name: module.__file__
    for name, module in sys.modules.items()
    if getattr(module, "__file__", None) and not module.__file__.startswith(library)
}
foreign = {name: file for name, file in files.items() if not file.startswith(root)}
compiled = {
    name
    for name, module in sys.modules.items()
    if name in files and module.__file__.endswith(".py") and not pathlib.Path(module.__cached__).exists()
}
print(json.dumps([len(imported), foreign, sorted(compiled)]))
"""


def test_every_module_imports_with_nothing_of_this_machine(artefact: Artefact) -> None:
    count, foreign, compiled_anew = run(artefact, EVERY_MODULE)
    assert count > 100
    assert foreign == {}
    assert compiled_anew == []


def test_what_waits_to_be_imported_is_there_too(artefact: Artefact, names: set[str]) -> None:
    modules = {module_of(name) for name in names if name.endswith(".py")}
    wanted = {
        (str(path.relative_to(artefact.root)), name)
        for package in ("gateway", "handler")
        for path in (artefact.root / package).rglob("*.py")
        for name in imports(ast.parse(path.read_text()))
    }
    there = sys.stdlib_module_names | NEWER
    there |= {name.split("/")[0].removesuffix(".py") for name in names} - {"gateway", "handler"}
    missing = {
        (path, name)
        for path, name in wanted
        if name.partition(".")[0] not in there and not {name, name.rpartition(".")[0]} & modules
    }
    assert missing == set()


def imports(tree: ast.AST) -> Iterator[str]:
    match tree:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.Import():
            yield from (alias.name for alias in tree.names)
        case ast.ImportFrom(module=str(module)):
            yield from (f"{module}.{alias.name}" for alias in tree.names)
    for inner in ast.iter_child_nodes(tree):
        yield from imports(inner)


def module_of(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"GATEWAY_RUNTIME": "stock"}, "can't open file '/var/runtime/bootstrap.py'"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}, '"level":"CRITICAL"'),
    ],
)
def test_starts_our_loop_or_on_request_that_of_aws(
    artefact: Artefact, env: dict[str, str], told: str
) -> None:
    """As far as each comes here, where there is neither Lambda's own loop nor a Runtime API."""
    process = artefact.start(
        "handler.lambda_function.handler", env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert told in said.decode()


PLACES = """
import botocore.session, json
session = botocore.session.get_session()
names = ("dynamodb", "secretsmanager", "sts")
print(json.dumps([session.create_client(name).meta.endpoint_url for name in names]))
"""


def test_the_trimmed_sdk_knows_where_aws_is(artefact: Artefact) -> None:
    assert run(artefact, PLACES, AWS_DEFAULT_REGION="eu-west-1") == [
        "https://dynamodb.eu-west-1.amazonaws.com",
        "https://secretsmanager.eu-west-1.amazonaws.com",
        "https://sts.eu-west-1.amazonaws.com",
    ]


CALLS = """
import asyncio, json
import botocore.session
from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.use import Use

async def ask():
    clients = Clients()
    use = Use("tests:Ask", "it")
    tables = await clients.dynamodb(use, lambda client: client.list_tables())
    pages = await clients.secrets(
        use, lambda client: list(client.get_paginator("list_secrets").paginate())
    )
    await clients.close()
    return tables["TableNames"], [secret["Name"] for page in pages for secret in page["SecretList"]]

sts = botocore.session.get_session().create_client("sts")
print(json.dumps([*asyncio.run(ask()), sts.get_caller_identity()["Arn"]]))
"""


class ScriptedAws(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        match self.headers.get("x-amz-target"):
            case "DynamoDB_20120810.ListTables":
                body = b'{"TableNames": ["config"]}'
            case "secretsmanager.ListSecrets":
                body = b'{"SecretList": [{"Name": "openai"}]}'
            case _:
                body = (
                    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                    b"<GetCallerIdentityResult><Arn>arn:aws:iam::1:user/me</Arn>"
                    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
                )
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def scripted_aws() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ScriptedAws) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_trimmed_sdk_speaks_to_aws(artefact: Artefact) -> None:
    with scripted_aws() as url:
        told = run(artefact, CALLS, AWS_ENDPOINT_URL=url)
    assert told == [["config"], ["openai"], "arn:aws:iam::1:user/me"]


# --- that it is the same again --------------------------------------------------------------------


@pytest.mark.usefixtures("artefact")
def test_is_built_alike_elsewhere_later_and_by_others(tmp_path: Path) -> None:
    elsewhere = tmp_path / "another checkout"
    for name in ("deploy", "src", "requirements"):
        shutil.copytree(
            ROOT / name,
            elsewhere / name,
            copy_function=shutil.copyfile,  # not the dates
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    subprocess.run(  # noqa: S603
        [
            *(python313(), "-m", "deploy.build", "--architecture", ARCHITECTURE),
            *("--output", "tree", "--zip", "built.zip", "--cache", "cache"),
        ],
        cwd=elsewhere,
        env=os.environ | {"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1", "PYTHONOPTIMIZE": "2"},
        umask=0o077,
        check=True,
    )
    built = (elsewhere / "built.zip").read_bytes()
    assert hashlib.sha256(built).digest() == hashlib.sha256(ARCHIVE.read_bytes()).digest()
    unzipped = unpacked(elsewhere / "built.zip", tmp_path / "unzipped")
    assert digest_of(elsewhere / "tree") == digest_of(unzipped)
    shutil.rmtree(tmp_path)  # 150 MB


@pytest.mark.usefixtures("artefact")
def test_sam_builds_the_same(tmp_path: Path) -> None:
    arguments = ("--build-in-source", "--parallel", "--build-dir", tmp_path / "build")
    parameters = ("--parameter-overrides", f"Architecture={ARCHITECTURE}")
    done = tool(SAM_BIN, "sam", "build", *arguments, *parameters)
    assert done.returncode == 0, done.stderr
    unzipped = digest_of(unpacked(ARCHIVE, tmp_path / "unzipped"))
    built = {path.name: digest_of(path) for path in (tmp_path / "build").iterdir() if path.is_dir()}
    assert len(built) == 3
    assert set(built.values()) == {unzipped}
