"""What the functions carry, and what of it stays at home, with the reasons."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

# botocore's clients are all that is used of the SDK (decision 11).
UNUSED = ("boto3", "s3transfer")
# Patterns of paths; * crosses slashes.
LEFT_OUT = (
    "bin/*",  # commands for a terminal
    # The command line needs typer, rich, uvicorn and yaml, which are not shipped.
    "handler/cli/*",
    "aws_lambda_powertools/event_handler/*",  # a router, with its pages; ours is FastAPI
    # For people, type checkers and compilers.
    "*.md",
    "*.pxd",
    "*.pyi",
    "*.pyx",
    "*/py.typed",
    "*/tests/*",
    # Of the machine that builds.
    "*/.*",
    "*/__pycache__/*",
    "*~",
)
# What stays of a package's *.dist-info: its version, which scanners for vulnerabilities read; its
# entry points, which pydantic and opentelemetry look through; the terms it comes under.
METADATA = ("METADATA", "entry_points.txt")
TERMS = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
# botocore describes 400 services in 25 MB. Credentials may come by way of sts.
SERVICES = ("dynamodb", "secretsmanager", "sts")
EXAMPLES = "examples-1.json"  # of a service's use, for the SDK's own documentation
# Powertools' Logger and Metrics need these. The others are for other functions, or need boto3.
UTILITIES = ("jmespath_utils", "typing")

# What Lambda starts in place of its own loop. All else is read, not run.
EXECUTABLE = PurePosixPath("handler/bootstrap_wrapper")


def shipped(root: Path) -> Iterator[PurePosixPath]:
    """The files below ``root`` that are shipped, as paths below it, in order."""
    descriptions = _newest_descriptions(root / "botocore" / "data")
    for name in sorted(
        PurePosixPath(path.relative_to(root)) for path in root.rglob("*") if path.is_file()
    ):
        match name.parts:
            case [package, *_, file] if package.endswith(".dist-info"):
                kept = file in METADATA or file.upper().startswith(TERMS)
                kept = kept and package.partition("-")[0] not in UNUSED
            case ["botocore", "data", service, version, file]:
                kept = (service, version) in descriptions and file != EXAMPLES
            case ["aws_lambda_powertools", "utilities", utility, _, *_]:
                kept = utility in UTILITIES and not _left_out(str(name))
            case [package, *_]:
                kept = package not in UNUSED and not _left_out(str(name))
        if kept:
            yield name


def _newest_descriptions(data: Path) -> set[tuple[str, str]]:
    if not data.is_dir():
        return set()
    return {(name, max(path.name for path in (data / name).iterdir())) for name in SERVICES}


def _left_out(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in LEFT_OUT)
