"""``sluicegate serve``: once as a process of its own, as a person starts it."""

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import pytest
from fastapi import FastAPI

from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.settings import Settings
from gateway.wire.json import loads
from handler.cli import serve as serving_module
from handler.cli.configuration import settings_for
from handler.cli.serve import build, serve
from tests.handler.cli.terminal import run, words
from tests.serving import serving as serving_process

ROOT = Path(__file__).parents[3]
ECHO = "This is an echo, not a model. You said: Hi"


class Serving:
    """The started command; ``banner``: all it printed before it was ready."""

    def __init__(self, folder: Path) -> None:
        self.log, self._out = folder / "log", folder / "out"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "src"),
            "SLUICEGATE_HOME": str(folder / "home"),
            "GROQ_API_KEY": "very-secret",
        }
        command = [sys.executable, "-m", "handler.cli", "serve", "--port", "0"]
        with self.log.open("wb") as log, self._out.open("wb") as out:
            self.process = subprocess.Popen(  # noqa: S603 -- our own command
                command, env=environment, cwd=folder, stdout=out, stderr=log
            )
        self.banner = self._banner()
        self.url = self.banner.split()[2]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def _banner(self) -> str:
        deadline = time.monotonic() + 20
        while not (text := self._out.read_text()).endswith("\n'\n\n"):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, text
            time.sleep(0.02)
        return text


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    started = Serving(tmp_path_factory.mktemp("serving"))
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def command_in(banner: str, first_word: str) -> list[str]:
    """The words that a shell would make of the pasted command."""
    command = banner[banner.index(f"\n{first_word} ") :].split("\n\n", maxsplit=1)[0]
    return shlex.split(command.replace("\\\n", ""))


def test_says_what_can_be_called_and_no_key(serving: Serving) -> None:
    lines = [line.rstrip() for line in serving.banner.splitlines()]
    assert "keys       GROQ_API_KEY" in lines
    assert "endpoints  demo          built in: an echo, no model; needs no key" in lines
    assert max(map(len, lines)) <= 80
    assert "very-secret" not in serving.banner + serving.log.read_text()


def test_is_up(serving: Serving) -> None:
    with httpx.Client(base_url=serving.url) as client:
        health = client.get("/health")
        assert (health.json(), "server" in health.headers) == ({"status": "ok"}, False)
        assert client.get("/openapi.json").json()["openapi"] == "3.1.0"


def test_the_printed_curl_line_streams(serving: Serving) -> None:
    _curl, _unbuffered, url, _header, kind, _data, body = command_in(serving.banner, "curl")
    headers = dict([kind.split(": ")])
    response = httpx.post(url, headers=headers, content=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("data: [DONE]\n\n")


def test_the_printed_python_line_streams(serving: Serving) -> None:
    _, option, code = command_in(serving.banner, "python")
    done = subprocess.run(  # noqa: S603 -- what the banner says
        [sys.executable, option, code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == ECHO


def test_is_called_from_the_command_line(serving: Serving) -> None:
    result = run("call", "demo", "Hi", "--stream", "--url", serving.url)
    assert (result.exit_code, result.stdout) == (0, ECHO + "\n")
    assert result.stderr.startswith("echo/echo, tokens 1 in, 13 out, first token ")
    assert result.stderr.endswith("cost unknown\n")


def test_another_one_cannot_have_its_port(serving: Serving) -> None:
    port = int(serving.url.rpartition(":")[2])
    result = run("serve", "--port", str(port))
    expected = (
        f"error: port {port} of 127.0.0.1 is already in use; "
        f"choose another: sluicegate serve --port {port + 1}\n"
    )
    assert (result.exit_code, result.stderr) == (1, expected)


def test_stops_when_told_and_has_logged_each_exchange(serving: Serving) -> None:
    assert run("call", "demo", "Hi", "--url", serving.url).exit_code == 0
    assert serving.stop() == 0
    log = serving.log.read_text().splitlines()
    assert "demo -> echo/echo, 200, " in log[0]
    assert log[-1] == "stopped"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com"])
def test_is_open_to_its_own_machine_only(host: str) -> None:
    result = run("serve", "--host", host)
    assert (result.exit_code, f"error: --host {host} is refused" in result.stderr) == (1, True)
    assert "sluicegate keys create NAME" in result.stderr


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_a_shell_set_up_for_callers_is_no_place_to_start_it(
    monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    variable = f"{api.upper()}_BASE_URL"
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    monkeypatch.setenv(variable, f"http://localhost:{port}/gateway/{api}")
    result = run("serve", "--port", str(port))
    assert result.exit_code == 1
    assert f"{variable} points at this gateway itself" in result.stderr


def test_a_base_url_that_is_none_does_not_keep_it_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://[")
    with socket.create_server(("127.0.0.1", 0)) as held:
        result = run("serve", "--port", str(held.getsockname()[1]))
    assert "is already in use" in result.stderr


def test_an_unknown_log_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICEGATE_LOG_LEVEL", "chatty")
    assert "SLUICEGATE_LOG_LEVEL: Input should be 'DEBUG'" in run("serve").stderr


def test_serves_until_it_is_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """The same in this process, where the tests can see which lines ran."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    caller = Thread(target=call_then_interrupt, args=(port,))
    caller.start()
    serve(settings_for(), "127.0.0.1", port)
    caller.join()
    said = capsys.readouterr()
    assert f"http://127.0.0.1:{port}\n" in said.out
    assert "waiting up to 10 s for 1 call under way" in said.err
    assert said.err.endswith("stopped\n")


def call_then_interrupt(port: int) -> None:
    """Interrupts while a stream is under way, and reads on to its end all the same."""
    ask = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    url = f"http://127.0.0.1:{port}/gateway/openai/v1/chat/completions"
    try:
        with httpx.stream("POST", url, json=ask, timeout=10) as response:
            parts = response.iter_text()
            next(parts)
            os.kill(os.getpid(), signal.SIGINT)
            assert "".join(parts).endswith("data: [DONE]\n\n")
    except httpx.ConnectError:
        time.sleep(0.02)
        call_then_interrupt(port)


def test_the_app_serves_under_another_server_too(tmp_path: Path) -> None:
    app = build(Settings.model_validate({"home": tmp_path}), {})
    assert get(app, "/health").json() == {"status": "ok"}


MODELS = "/gateway/openai/v1/models"


def get(app: FastAPI, path: str, host: str = "127.0.0.1", key: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FastAPI]]:
    """The apps that would serve now: nothing listens, whatever the host."""
    apps: list[FastAPI] = []
    with socket.create_server(("127.0.0.1", 0)) as held:
        monkeypatch.setattr(serving_module, "listen", lambda *_: [held])
        monkeypatch.setattr(serving_module, "_run", lambda app, _: apps.append(app))
        yield apps


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])
def test_other_machines_need_a_key(started: list[FastAPI], host: str) -> None:
    key = run("keys", "create", "ci").stdout.strip()
    result = run("serve", "--host", host)
    assert (result.exit_code, f"warning: {host} is served as plain HTTP" in result.stderr) == (
        0,
        True,
    )
    assert "callers    those with a gateway key" in result.stdout
    (app,) = started
    found = [get(app, MODELS, "gateway.test", one).status_code for one in (None, "sgk_x", key)]
    assert found == [401, 401, 200]
    assert key not in result.output


@pytest.mark.parametrize("made", [["ci", "--expires", "2001-01-31"], ["ci"]])
def test_a_key_that_is_good_no_more_opens_nothing(started: list[FastAPI], made: list[str]) -> None:
    run("keys", "create", *made)
    run("keys", "disable", "ci")
    result = run("serve", "--host", "0.0.0.0")
    assert (result.exit_code, "is refused" in result.stderr, started) == (1, True, [])


def test_on_loopback_it_is_open_unless_told_otherwise(started: list[FastAPI]) -> None:
    said = [run("serve"), run("serve", "--require-keys")]
    assert "callers    every program on this machine; no gateway key is asked" in said[0].stdout
    assert "callers    those with a gateway key" in said[1].stdout
    assert "warning: no gateway key is good now, so nobody can call" in said[1].stderr
    assert [get(app, MODELS).status_code for app in started] == [200, 401]
    assert get(started[0], MODELS, "gateway.test").status_code == 403


def test_keys_may_be_asked_for_by_a_variable(
    started: list[FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_REQUIRE_KEYS", "true")
    run("serve")
    assert [get(app, MODELS).status_code for app in started] == [401]


def test_private_addresses_are_allowed_besides_those_of_the_variable(
    started: list[FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_ALLOW_PRIVATE", "10.0.0.0/8")
    run("serve", "--allow-private", "127.0.0.1:8080", "--allow-private", "localhost:1")
    told = get(started[0], "/api/settings").json()["always_allowed"]
    assert told == ["10.0.0.0/8", "127.0.0.1:8080", "localhost:1", "127.0.0.1:11434"]


def test_a_private_address_that_is_none_is_refused(started: list[FastAPI]) -> None:
    result = run("serve", "--allow-private", "http://127.0.0.1:1")
    assert (result.exit_code, started) == (1, [])
    assert result.stderr.startswith("error: --allow-private: 'http://127.0.0.1:1': leave out")


def test_the_log_may_be_for_programs(tmp_path: Path) -> None:
    with serving_process(tmp_path, "--log-format", "json", "--log-level", "debug") as url:
        assert run("call", "demo", "Hi", "--url", url).exit_code == 0
    lines = (tmp_path / "serve.log").read_text().splitlines()
    told = [loads(line) for line in lines if line.startswith("{")]
    assert [one["endpoint"] for one in told if one.get("message") == "exchange"] == ["demo"]


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    def store_of_aws(settings: Settings) -> Wired:
        return local(settings, environment={})

    class Safe:
        def __init__(self, settings: Settings) -> None:
            self._file = settings.home / "admin-key"

        async def put(self, key: str) -> None:
            self._file.write_text(key)

        async def close(self) -> None:
            self._file.with_suffix(".closed").touch()

    monkeypatch.setattr("gateway.bootstrap.aws.aws", store_of_aws)
    monkeypatch.setattr("gateway.bootstrap.aws.AdminKeySafe", Safe)
    monkeypatch.setenv("SLUICEGATE_STORE", "aws")


@pytest.mark.usefixtures("on_aws")
def test_on_aws_keys_are_always_asked_for(started: list[FastAPI]) -> None:
    result = run("serve")
    told = "store DynamoDB, sluicegate-config endpoints none yet sluicegate endpoints create NAME …"
    assert told in words(result.stdout)
    assert "nobody can call: sluicegate keys create NAME --aws\n" in result.stderr
    assert [get(app, MODELS, "gateway.test").status_code for app in started] == [401]


@pytest.mark.usefixtures("on_aws")
def test_on_aws_the_first_admin_key_is_made_at_the_start(
    started: list[FastAPI], home: Path
) -> None:
    run("serve")
    (app,) = started

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    asyncio.run(start())
    assert (home / "admin-key.closed").exists()
    key = (home / "admin-key").read_text()
    assert [get(app, "/api/keys", key=one).status_code for one in (None, key)] == [401, 200]


@pytest.mark.usefixtures("on_aws")
def test_on_aws_no_file_is_served(started: list[FastAPI], tmp_path: Path) -> None:
    file = tmp_path / "endpoints.yaml"
    file.write_text("endpoints: {a: {targets: [{provider: echo, model: echo}]}}")
    result = run("serve", "--config", str(file))
    assert (result.exit_code, f"sluicegate apply {file} --aws" in result.stderr) == (1, True)
    assert started == []
