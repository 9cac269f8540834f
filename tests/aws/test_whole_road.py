"""From an empty AWS to an answered call, and what changes on the way takes effect: over real
sockets, with the official SDK."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from openai import OpenAI

from gateway.adapters.aws.provision import create_tables
from gateway.admin.first_key import make_first_key
from gateway.bootstrap.aws import AdminKeySafe, aws
from gateway.settings import Settings
from handler.app import create_app, query_routes
from handler.control.routes import control_routes, means_of
from tests.aws.emulators import Raw, Servers
from tests.fakes import run
from tests.live import (
    PATIENCE,
    Complaints,
    ScriptedProvider,
    Server,
    Settlements,
    answer,
    in_thread,
    scripted_provider,
)

pytestmark = pytest.mark.sdk

TTL = 1.0
HI: Any = [{"role": "user", "content": "hi"}]
REPLY = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "hello"},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
REFUSED = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}


@dataclass(frozen=True)
class Deployed:
    """A gateway on AWS, an administrator's client, and the provider behind it."""

    url: str
    admin: httpx.Client
    provider: ScriptedProvider
    ledger: Settlements
    raw: Raw
    prefix: str

    def told(self, method: str, path: str, body: Any = None) -> Any:
        response = self.admin.request(method, path, json=body)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def sdk(self, key: str) -> OpenAI:
        base_url = f"{self.url}/gateway/openai/v1"
        return OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=PATIENCE)

    def set_up(self) -> OpenAI:
        """An endpoint ``chat``, its secret, and a caller's key."""
        self.told(
            "PUT", "/api/secrets/first", {"value": "sk-first-0123456789", "base_url": self.base}
        )
        self.told("POST", "/api/endpoints", {"name": "chat", "targets": [self.target("m")]})
        made = self.told("POST", "/api/keys", {"name": "app", "endpoints": ["chat"]})
        return self.sdk(made["key"])

    @property
    def base(self) -> str:
        return self.provider.url

    def target(self, model: str) -> dict[str, str]:
        told = {"provider": "openai_compatible", "model": model, "secret": "vault:first"}
        return told | {"base_url": self.base}


@pytest.fixture
def deployed(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    emulated = servers.aws("ministack", monkeypatch)
    create_tables(emulated.raw.dynamodb, emulated.config, emulated.ledger)
    with scripted_provider() as provider:
        port = provider.origin.rpartition(":")[2]
        settings = Settings.model_validate(
            {
                "home": Path("unused"),
                "store": "aws",
                "config_table": emulated.config,
                "ledger_table": emulated.ledger,
                "secret_prefix": emulated.prefix.removesuffix("providers/"),
                "config_ttl": TTL,
                "allow_private": (f"127.0.0.1:{port}",),
            }
        )
        with gateway_on(settings) as (url, ledger):
            key = run(AdminKeySafe(settings).read())
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, headers=headers, trust_env=False) as admin:
                yield Deployed(url, admin, provider, ledger, emulated.raw, emulated.prefix)


@contextmanager
def gateway_on(settings: Settings) -> Iterator[tuple[str, Settlements]]:
    ledger = Settlements()
    wired = aws(settings, environment={}, ledger=ledger)
    app = create_app(
        wired,
        [*query_routes(wired), *control_routes(wired)],
        start=partial(make_first_key, means_of(wired), AdminKeySafe(settings)),
    )
    listener = uvicorn.Config(app, log_config=None, ws="none", port=0, timeout_graceful_shutdown=2)
    server = Server(listener)
    socket = listener.bind_socket()
    with Complaints() as complaints, in_thread(partial(server.run, sockets=[socket])):
        try:
            assert server.ready.wait(PATIENCE), complaints
            yield f"http://127.0.0.1:{socket.getsockname()[1]}", ledger
        finally:
            server.should_exit = True
    assert complaints == []


def ask(client: OpenAI, model: str = "chat") -> str | None:
    return client.chat.completions.create(model=model, messages=HI).choices[0].message.content


def within_the_ttl(claim: Any) -> None:
    """What every process must have seen after so many seconds is seen, by calls that go on."""
    deadline = time.monotonic() + TTL + PATIENCE
    while not claim():
        assert time.monotonic() < deadline, "not seen"
        time.sleep(0.05)


def test_from_an_empty_aws_to_an_answered_call(deployed: Deployed) -> None:
    client = deployed.set_up()
    deployed.provider.will(answer(REPLY))
    assert ask(client) == "hello"
    (sent,) = deployed.provider.requests
    assert sent.headers["authorization"] == "Bearer sk-first-0123456789"
    record = deployed.ledger.one(lambda record: record.endpoint == "chat")
    assert (record.caller, record.status) == ("app", 200)
    assert [model.id for model in client.models.list()] == ["chat"]


def test_a_caller_with_a_revoked_key_is_refused_within_the_ttl(deployed: Deployed) -> None:
    client = deployed.set_up()
    deployed.provider.will(*[answer(REPLY)] * 1000)
    assert ask(client) == "hello"
    deployed.told("DELETE", "/api/keys/app")

    codes: list[str | None] = []

    def is_refused() -> bool:
        try:
            ask(client)
        except openai.AuthenticationError as error:
            codes.append(error.code)
        return bool(codes)

    within_the_ttl(is_refused)
    assert codes == ["invalid_api_key"]


def test_a_rotated_provider_key_is_picked_up_on_the_first_401(deployed: Deployed) -> None:
    client = deployed.set_up()
    deployed.provider.will(answer(REPLY))
    assert ask(client) == "hello"
    # Rotated in AWS itself: the gateway still remembers the old key.
    entry = {"value": "sk-second-123456789", "origin": deployed.provider.origin}
    secret = f"{deployed.prefix}first"
    deployed.raw.secrets.put_secret_value(SecretId=secret, SecretString=json.dumps(entry))
    deployed.provider.will(answer(REFUSED, 401), answer(REPLY))
    assert ask(client) == "hello"
    keys = [request.headers["authorization"] for request in deployed.provider.requests]
    assert keys == ["Bearer sk-first-0123456789", "Bearer sk-second-123456789"]


def test_an_endpoint_changed_by_apply_serves_the_next_call_after_the_ttl(
    deployed: Deployed,
) -> None:
    client = deployed.set_up()
    deployed.provider.will(*[answer(REPLY)] * 1000)
    assert ask(client) == "hello"
    manifest = {"endpoints": {"chat": {"targets": [deployed.target("another")]}}}
    applied = deployed.told("POST", "/api/apply", {"manifest": manifest})
    assert [(step["action"], step["name"]) for step in applied["steps"]] == [("update", "chat")]

    def another_model_is_asked() -> bool:
        ask(client)
        return bool(deployed.provider.requests[-1].json["model"] == "another")

    within_the_ttl(another_model_is_asked)


def test_a_callers_key_opens_its_endpoint_and_nothing_else(deployed: Deployed) -> None:
    client = deployed.set_up()
    with pytest.raises(openai.PermissionDeniedError) as refused:
        ask(client, "other")
    assert refused.value.code == "endpoint_not_allowed"
    headers = {"authorization": f"Bearer {client.api_key}"}
    assert (
        httpx.get(f"{deployed.url}/api/keys", headers=headers, trust_env=False).status_code == 403
    )


def test_the_first_admin_key_is_made_once(deployed: Deployed) -> None:
    (admin,) = deployed.told("GET", "/api/keys")["items"]
    assert (admin["name"], admin["role"]) == ("admin", "admin")
