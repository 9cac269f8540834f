"""Two real models on loopback, and the gateway's endpoints that lead to them.

What `make demo-model` runs (`python -m examples.demo_model.start`, from the root of the project).
"""

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from examples.demo_model.children import HOST, Child, Started, StartFailed, choose_port, running

HERE = Path(__file__).parent
GATEWAY = "http://127.0.0.1:8000/gateway/openai/v1"
USUAL_CHAT_PORT, USUAL_EMBEDDINGS_PORT = 8091, 8093
SECONDS_TO_REGISTER = 60.0

ANNOUNCEMENT = """
Two real models answer now:

  gemma    Gemma 3 270M, a base model in 4 bits: its answers are short and often wrong
  minilm   all-MiniLM-L6-v2 in 8 bits, a 23 MB sentence embedding model
"""
REGISTERED = f"""
Call them through the gateway (`make run`, in another terminal):

  curl {GATEWAY}/chat/completions -H 'content-type: application/json' \\
    -d '{{"model": "gemma", "temperature": 0,
         "messages": [{{"role": "user", "content": "What is the capital of France?"}}]}}'

  curl {GATEWAY}/embeddings -H 'content-type: application/json' \\
    -d '{{"model": "minilm", "input": "A cat sat on the mat."}}'

The endpoints stay in the gateway's store when the models have stopped.
"""


@dataclass(frozen=True, slots=True)
class DemoModel:
    """One model: the endpoint it gets, its own name, and the program that serves it."""

    endpoint: str
    model: str
    script: str

    def server(self, port: int, *, python: str = sys.executable, threads: int = 1) -> Child:
        options = ["--port", str(port), "--threads", str(threads)]
        return Child(self.model, [python, str(HERE / self.script), *options], port)


GEMMA = DemoModel("gemma", "gemma-3-270m", "serve_chat.py")
MINILM = DemoModel("minilm", "all-MiniLM-L6-v2", "serve_embeddings.py")


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 1 when a model cannot start or dies."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # ends as Ctrl-C does
    try:
        _serve(options)
    except StartFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped both models.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    either = "default: {}, or any free port when that is taken"
    parser.add_argument("--chat-port", type=int, help=either.format(USUAL_CHAT_PORT))
    parser.add_argument("--embeddings-port", type=int, help=either.format(USUAL_EMBEDDINGS_PORT))
    parser.add_argument("--threads", type=int, default=1, help="for each model")
    parser.add_argument("--wait", type=float, default=120, help="seconds a model may take to start")
    parser.add_argument("--sluicegate", default="sluicegate", help="the command to register with")
    parser.add_argument("--no-register", action="store_true", help="start the models only")
    return parser.parse_args()


def _serve(options: argparse.Namespace) -> None:
    chat_port = choose_port(options.chat_port, USUAL_CHAT_PORT)
    embeddings_port = choose_port(options.embeddings_port, USUAL_EMBEDDINGS_PORT)
    children = [
        GEMMA.server(chat_port, threads=options.threads),
        MINILM.server(embeddings_port, threads=options.threads),
    ]
    print("Starting two models (the first start also unpacks 250 MB of weights):", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="demo-model-") as logs,
        running(children, logs=Path(logs), patience=options.wait) as started,
    ):
        if not options.no_register:
            _register(options.sluicegate, GEMMA, chat_port)
            _register(options.sluicegate, MINILM, embeddings_port)
        print(ANNOUNCEMENT + ("" if options.no_register else REGISTERED))
        print("Ctrl-C stops both.", flush=True)
        _watch(started)


def _register(sluicegate: str, demo: DemoModel, port: int) -> None:
    command = [*shlex.split(sluicegate), "endpoints", "create", demo.endpoint, "--replace"]
    command += ["--provider", "openai_compatible", "--base-url", f"http://{HOST}:{port}/v1"]
    command += ["--model", demo.model, "--allow-private"]
    way_out = "Name the command with --sluicegate, or leave this out with --no-register."
    try:
        done = subprocess.run(  # noqa: S603 - the command is the caller's own
            command, capture_output=True, text=True, timeout=SECONDS_TO_REGISTER, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StartFailed(f"could not add endpoint {demo.endpoint}: {error}\n{way_out}") from error
    if done.returncode:
        said = f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}"
        raise StartFailed(f"could not add endpoint {demo.endpoint}: {said}\n{way_out}")
    print(f"  {demo.endpoint}: endpoint added", flush=True)


def _watch(started: list[Started]) -> NoReturn:
    """A model that dies ends the whole, and says so."""
    while True:
        for one in started:
            if one.popen.poll() is not None:
                raise one.failure(f"ended with status {one.popen.returncode}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
