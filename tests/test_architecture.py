"""The house rules, checked: who may import whom, and how long things may grow."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"

LAYERS = (  # top to bottom
    {"handler"},
    {"gateway.bootstrap"},
    {"gateway.adapters"},
    {"gateway.exchange", "gateway.admin"},
    {"gateway.ports"},
    {"gateway.admission", "gateway.metering"},
    {"gateway.providers", "gateway.routing"},
    {"gateway.dialects"},
    {"gateway.chat", "gateway.embeddings"},
    {"gateway.wire"},
    {"gateway", "gateway.errors", "gateway.usage", "gateway.settings"},
)
RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}

# Who may know a library that reaches out of the process, or that is slow to import.
KNOWN_ONLY_TO = {
    "fastapi": {"handler"},
    "starlette": {"handler"},
    "mangum": {"handler"},
    "uvicorn": {"handler"},
    "typer": {"handler"},
    "rich": {"handler"},
    "yaml": {"handler"},
    "boto3": {"gateway.adapters"},
    "botocore": {"gateway.adapters"},
    "aws_lambda_powertools": {"gateway.adapters"},
    "httpx": {"gateway.adapters", "handler"},
    "httptools": {"gateway.adapters"},
    "sqlite3": {"gateway.adapters"},
    "orjson": {"gateway.wire"},
    "pydantic": {"gateway.admin", "gateway.settings", "handler"},
    "pydantic_settings": {"gateway.settings"},
}
# Of handler, only the command line may know httpx (as a client) and pydantic (for its errors).
OFF_THE_QUERY_PATH = ("handler.cli",)

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
LONGEST_MATCH = 60  # a `match` over events has an arm for each
MOST_ARGUMENTS = 6
# bootstrap wires, and Typer wants one parameter for each option.
MANY_ARGUMENTS_IN = ("gateway/bootstrap/", "handler/cli/")
# Imports may wait inside a function only here, and never to dodge a cycle:
# each command loads what it needs when it runs, so that `--help` and completion answer at once;
# what only some settings need (a proxy, AWS) is imported when they ask for it; and AWS' SDK by the
# threads that use it, since a process that starts is not kept waiting by what it may not need; and
# all by what must tell CloudFormation that nothing can be imported.
WAITING_IMPORTS_IN = (
    "handler.cli",
    "gateway.bootstrap",
    "gateway.adapters.aws.clients",
    "gateway.adapters.aws.signing",
    "handler.control.setup_function",
)


@cache
def modules() -> list[tuple[str, Path, ast.Module]]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append((name, path, ast.parse(path.read_text())))
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if is_module(inner) else node.module), node


@cache
def is_module(name: str) -> bool:
    path = SOURCE.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def package_of(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "gateway" else parts[0]


def test_imports_point_downwards() -> None:
    upward = [
        f"{module} imports {name}"
        for module, _, tree in modules()
        for name, _ in imports(tree)
        if name.split(".")[0] in ("gateway", "handler")
        and RANK[package_of(name)] < RANK[package_of(module)]
    ]
    assert upward == []


def test_every_package_has_its_layer() -> None:
    homeless = {package_of(module) for module, _, _ in modules()} - RANK.keys() - {"gateway"}
    assert homeless == set()


def test_dialects_do_not_know_each_other() -> None:
    def dialect_of(module: str) -> str | None:
        parts = module.split(".")
        inside = parts[:2] == ["gateway", "dialects"] and len(parts) > 2
        return parts[2] if inside and (SOURCE.joinpath(*parts[:3])).is_dir() else None

    crossings = [
        f"{module} imports {name}"
        for module, _, tree in modules()
        for name, _ in imports(tree)
        if dialect_of(module) and dialect_of(name) and dialect_of(module) != dialect_of(name)
    ]
    assert crossings == []


def test_libraries_stay_where_they_belong() -> None:
    leaks = [
        f"{module} imports {name}"
        for module, _, tree in modules()
        for name, _ in imports(tree)
        if (allowed := KNOWN_ONLY_TO.get(name.split(".")[0])) is not None
        and package_of(module) not in allowed
    ]
    assert leaks == []


def test_no_pydantic_and_no_httpx_on_the_query_path() -> None:
    leaks = [
        f"{module} imports {name}"
        for module, _, tree in modules()
        for name, _ in imports(tree)
        if package_of(module) == "handler"
        and name.split(".")[0] in ("httpx", "pydantic")
        and not module.startswith(OFF_THE_QUERY_PATH)
    ]
    assert leaks == []


def test_no_import_cycles() -> None:
    found = {
        module: {name for name, _ in imports(tree) if name.split(".")[0] in ("gateway", "handler")}
        for module, _, tree in modules()
    }
    while free := {module for module, names in found.items() if not names & found.keys()}:
        for module in free:
            del found[module]
    assert found == {}


def test_no_import_waits_inside_a_function() -> None:
    waiting = [
        f"{module}: {name}"
        for module, _, tree in modules()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name, _ in imports(function)
        if not module.startswith(WAITING_IMPORTS_IN)
    ]
    assert waiting == []


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for _, path, _ in modules()
        if (lines := path.read_text().count("\n")) > LONGEST_FILE
    }
    assert long == {}


def functions() -> Iterator[tuple[str, Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module, path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{module}.{node.name}", path, node


def test_no_function_is_too_long() -> None:
    long = {}
    for name, _, node in functions():
        matches = any(isinstance(inner, ast.Match) for inner in ast.walk(node))
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > (LONGEST_MATCH if matches else LONGEST_FUNCTION):
            long[name] = lines
    assert long == {}


def test_no_function_takes_too_many_arguments() -> None:
    many = {}
    for name, path, node in functions():
        arguments = node.args
        count = len([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs])
        count -= bool(arguments.args and arguments.args[0].arg in ("self", "cls"))
        wiring = str(path.relative_to(SOURCE)).startswith(MANY_ARGUMENTS_IN)
        if count > MOST_ARGUMENTS and not wiring:
            many[name] = count
    assert many == {}
