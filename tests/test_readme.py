"""What the README shows works as it stands there, but for the port."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import serving

README = (Path(__file__).parent.parent / "README.md").read_text()
ECHO = "This is an echo, not a model. You said: Hello!"


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("home")) as url:
        yield url


def printed(command: list[str], url: str) -> str:
    command = [word.replace("http://127.0.0.1:8000", url) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    return done.stdout


def test_the_curl_line_streams(url: str) -> None:
    out = printed(["bash", "-c", snippets("bash")[0]], url)
    words = re.findall(r'"content":"([^"]*)"', out)
    assert "".join(words) == ECHO
    assert out.endswith("data: [DONE]\n\n")


@pytest.mark.sdk
@pytest.mark.parametrize("nth", range(3), ids=["OpenAI's", "Anthropic's", "Google's"])
def test_the_python_lines_stream(nth: int, url: str) -> None:
    assert printed([sys.executable, "-c", snippets("python")[nth]], url) == ECHO


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(link: str) -> None:
    assert (Path(__file__).parent.parent / link).exists()
