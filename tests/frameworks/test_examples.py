"""Each file of examples/frameworks, run as a user runs it against `sluicegate serve`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frameworks import loopback

EXAMPLES = Path(__file__).parents[2] / "examples" / "frameworks"
ECHO = "This is an echo, not a model. You said:"
HELLO = f"{ECHO} Hello!"
SEVERAL_TOOLS = "get_weather and get_time, please"
SEVERAL_ANSWERS = f"sunny ({SEVERAL_TOOLS}); noon ({SEVERAL_TOOLS})"
ANSWERED = "This is an echo, not a model. The tools answered:"

PRINTED = {
    "openai_sdk": f"""\
chat: {HELLO}
stream: {HELLO}
embeddings: 2 of 256
response: {HELLO}
""",
    "anthropic_sdk": f"""\
message: {HELLO}
stream: {HELLO}
tool: get_weather {{'city': 'Ask get_weather about Paris.'}}
""",
    "gemini_sdk": f"""\
answer: {HELLO}
stream: {HELLO}
structured: name='{ECHO} Paris' inhabitants=1
""",
    "litellm_chat": f"""\
chat: {HELLO}
stream: {HELLO}
embeddings: 2 of 256
anthropic/demo: {HELLO}
gemini/demo: {HELLO}
""",
    "langchain_chat": f"""\
chat: {HELLO}
stream: {HELLO}
tool: get_weather {{'city': 'Ask get_weather about Paris.'}}
structured: name='{ECHO} Paris' inhabitants=1
embeddings: 2 of 256
""",
    "langgraph_agent": f"""\
human: {SEVERAL_TOOLS}
ai: ['get_weather', 'get_time']
tool: sunny ({SEVERAL_TOOLS})
tool: noon ({SEVERAL_TOOLS})
ai: {ANSWERED} {SEVERAL_ANSWERS}
stream: {HELLO}
""",
    "dspy_program": f"""\
fits: True
reason: {ECHO} [[ ## question ## ]]
""",
    "agents_sdk": "".join(
        f"""\
{api}: {HELLO}
{api} called: get_weather
{api} tool said: sunny (get_weather, please)
{api} said: {ANSWERED} sunny (get_weather, please)
"""
        for api in ("OpenAIChatCompletionsModel", "OpenAIResponsesModel")
    ),
    "mlflow_judge": f"""\
correctness: unknown
because: {ECHO} Consider the following question, claim and document. You must determine whether \
the claim is supported by the document in the context of the question. Do not focus on the \
correctness or completeness of the claim. Do not make assumptions, approximations, or bring in \
external knowledge.
coherence: coherent
""",
}


def ran(script: Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process that has nothing but what it is given, and stays on this machine."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUTF8": "1", **loopback.QUIET}
    return subprocess.run(  # noqa: S603
        [sys.executable, str(Path(loopback.__file__)), str(script)],
        env=env | environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_script_that_leaves_this_machine_is_told_of(tmp_path: Path) -> None:
    script = tmp_path / "leaves.py"
    script.write_text("""
import socket
from contextlib import suppress
for where in ("127.0.0.1", "192.0.2.1", "example.invalid"):
    with suppress(OSError):
        socket.create_connection((where, 9), timeout=1)
""")
    left = ran(script, tmp_path)
    tried = [f"socket.getaddrinfo {name!r}" for name in ("192.0.2.1", "example.invalid")]
    assert (left.returncode, left.stderr) == (loopback.STRAYED, f"left this machine: {tried}\n")


def test_each_example_is_run_here() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == PRINTED.keys()


@pytest.mark.parametrize("example", PRINTED)
def test_an_example_prints_what_it_got(example: str, demo: str, tmp_path: Path) -> None:
    told = ran(EXAMPLES / f"{example}.py", tmp_path, SLUICEGATE_URL=demo)
    assert told.returncode == 0, told.stderr
    assert told.stdout == PRINTED[example]
