"""Settings, and files of endpoints."""

import traceback
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from gateway.admin.specs import endpoints_from
from gateway.routing.endpoint import Price, Retries, Target, Timeouts
from gateway.settings import Settings
from handler.cli.configuration import settings_for
from handler.cli.trouble import Trouble
from tests.handler.cli.terminal import run

EXAMPLE = Path(__file__).parents[3] / "endpoints.example.yaml"


def test_the_documented_example_means_what_it_says() -> None:
    found = {e.name: e for e in endpoints_from(yaml.safe_load(EXAMPLE.read_text()))}
    assert list(found) == ["mini", "fast", "house", "claude-like", "llama", "azure-mini"]
    fast = found["fast"]
    assert fast.targets == (
        Target(
            "openai",
            "gpt-4.1-mini",
            "env:OPENAI_API_KEY",
            weight=3,
            price=Price(0.4, 1.6, cache_read=0.1, cache_write=0.4),
        ),
        Target("groq", "llama-3.3-70b-versatile", "env:GROQ_API_KEY"),
    )
    assert [target.provider for target in fast.fallbacks] == ["mistral", "ollama"]
    assert fast.retries == Retries(times=2)
    assert fast.timeouts == Timeouts(first_content=60, idle=60)
    assert found["house"].targets == (
        Target("openai_compatible", "Qwen/Qwen3-8B", base_url="http://127.0.0.1:8080/v1"),
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"endpoints: [", "line 1, column 13: is not YAML"),
        (b"endpoints:\n  a: {}\n  a: {}\n", "line 3, column 3: is not YAML: 'a' is given twice"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"", "must begin with `endpoints:`"),
        (b"fast: {targets: []}", "must begin with `endpoints:`"),
        (b"endpoints: {a: {targets: []}}", "endpoints.a.targets: "),
        (
            b"endpoints: {a: {targets: [{provider: opnai, model: m}]}}",
            "endpoints.a.targets[0].provider: unknown provider 'opnai'; did you mean 'openai'?",
        ),
        (
            b"endpoints: {a: {targets: [{provider: openai, model: m, secret: sk-very-secret}]}}",
            "endpoints.a.targets[0].secret: ",
        ),
    ],
)
def test_a_file_that_is_wrong_is_told_with_the_place(
    tmp_path: Path, written: bytes, said: str
) -> None:
    file = tmp_path / "endpoints.yaml"
    file.write_bytes(written)
    result = run("serve", "--config", str(file))
    assert (result.exit_code, f"error: {file}: " in result.stderr) == (1, True)
    assert said in result.stderr
    assert "very-secret" not in result.stderr


def test_json_is_as_good_as_yaml(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text('{"endpoints": {"a": {"targets": [{"provider": "echo", "model": "echo"}]}}}')
    assert run("call", "a", "Hi", "--config", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("path", "said"),
    [("nowhere.yaml", "there is no such file; check the path"), (".", "cannot be read: Is a dir")],
)
def test_a_file_that_cannot_be_read_is_told(path: str, said: str) -> None:
    result = run("endpoints", "list", "--config", path)
    assert (result.exit_code, f"error: {path}: {said}" in result.stderr) == (1, True)


def test_a_setting_that_is_wrong_is_told_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUICEGATE_CONNECT_TIMEOUT", "soon")
    result = run("call", "demo", "Hi")
    said = "error: SLUICEGATE_CONNECT_TIMEOUT: Input should be a valid number"
    assert (result.exit_code, result.stderr.startswith(said)) == (1, True)


NO_PROXIES = [
    "proxy.example:3128",
    "ann:hunter2@proxy.example:3128",
    "//ann:hunter2@proxy.example:3128",
    "socks5://127.0.0.1:1080",
    "socks5://ann:hunter2@127.0.0.1:1080",
    "http:///proxy.example",
    "http://ann:hunter2@",
    "http://ann:hunter2@proxy.example:0",
    "http://ann:hunter2@proxy.example:http",
    "http://ann:hunter2@[::1",
]


@pytest.mark.parametrize("url", NO_PROXIES)
def test_a_proxy_that_is_none_is_told_by_its_variable_and_not_said_back(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SLUICEGATE_PROXY", url)
    result = run("call", "demo", "Hi")
    problem = "must be http://HOST:PORT or https://HOST:PORT; set it right or unset it"
    assert (result.exit_code, result.output) == (
        1,
        f"error: SLUICEGATE_PROXY: Value error, {problem}\n",
    )
    for read in (settings_for, Settings):
        with pytest.raises((Trouble, ValidationError)) as refused:
            read()
        trail = "".join(traceback.format_exception(refused.value))
        assert [word for word in (url, "hunter2") if word in trail] == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:3128", "https://ann:hunter2@proxy.example:443"])
def test_a_proxy_is_taken_as_it_is_written(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SLUICEGATE_PROXY", url)
    assert settings_for().proxy == url
