"""The environment of the frameworks: nothing in it runs unasked, nothing of it is shipped."""

import re
import site
from importlib.metadata import version
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def test_nothing_runs_when_python_starts() -> None:
    """LiteLLM 1.82.7 and 1.82.8 came with a `.pth` file that did. Setuptools' is known."""
    started = {
        file.name
        for folder in site.getsitepackages()
        for pattern in ("*.pth", "sitecustomize.py", "usercustomize.py")
        for file in Path(folder).glob(pattern)
    }
    assert started <= {"distutils-precedence.pth"}


def test_litellm_is_not_one_of_those_that_were_tampered_with() -> None:
    assert version("litellm") not in {"1.82.7", "1.82.8", "1.107.0"}


def test_no_framework_is_needed_to_run_the_gateway() -> None:
    asked = re.findall(r"^[a-z][a-z-]+", (REQUIREMENTS / "frameworks.in").read_text(), re.MULTILINE)
    assert {"litellm", "langgraph", "mlflow-skinny"} <= set(asked)
    for needed in ("runtime.txt", "local.txt"):
        pinned = re.findall(r"^[a-z0-9-]+(?===)", (REQUIREMENTS / needed).read_text(), re.MULTILINE)
        assert set(asked) & set(pinned) == set()
