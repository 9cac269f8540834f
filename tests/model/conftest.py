"""The gateway in front of two real models, each a program of its own on loopback."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from examples.demo_model.children import HOST, Child, any_ports, running
from examples.demo_model.start import GEMMA, MINILM

SOURCE = Path(__file__).parents[2] / "src"
ENDPOINTS = """
endpoints:
  gemma:
    targets:
      - {{provider: openai_compatible, base_url: "http://{host}:{chat}/v1", model: {gemma}}}
  minilm:
    targets:
      - {{provider: openai_compatible, base_url: "http://{host}:{embeddings}/v1", model: {minilm}}}
"""


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running gateway with the endpoints `gemma` and `minilm`."""
    python = os.environ.get("DEMO_MODEL_PYTHON")
    if not python:
        pytest.skip("DEMO_MODEL_PYTHON names no Python with the models: run `make test-model`")
    home = tmp_path_factory.mktemp("gateway")
    chat, embeddings, port = any_ports(3)
    names = {"gemma": GEMMA.model, "minilm": MINILM.model}
    config = home / "endpoints.yaml"
    config.write_text(ENDPOINTS.format(host=HOST, chat=chat, embeddings=embeddings, **names))
    children = [
        GEMMA.server(chat, python=python),
        MINILM.server(embeddings, python=python),
        _gateway(port, config, home),
    ]
    with running(children, logs=home):
        yield f"http://{HOST}:{port}"


def _gateway(port: int, config: Path, home: Path) -> Child:
    serve = [sys.executable, "-m", "handler.cli", "serve", "--port", str(port)]
    env = {**os.environ, "SLUICEGATE_HOME": str(home), "PYTHONPATH": str(SOURCE)}
    return Child("gateway", [*serve, "--config", str(config)], port, "/ready", env)


@pytest.fixture(params=["openai", "mlflow"])
def base_url(gateway: str, request: pytest.FixtureRequest) -> str:
    """Where an OpenAI SDK points: each of the two routes that speak its dialect."""
    return f"{gateway}/gateway/{request.param}/v1"


@pytest.fixture
def client(base_url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=base_url, api_key="not-needed", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def openai_client(gateway: str) -> Iterator[OpenAI]:
    """For what only OpenAI's own route has."""
    url = f"{gateway}/gateway/openai/v1"
    with OpenAI(base_url=url, api_key="not-needed", max_retries=0, timeout=60) as client:
        yield client
