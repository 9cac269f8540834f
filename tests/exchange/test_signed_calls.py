"""Calls to a target without a secret whose provider wants them signed."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.dialects import ANTHROPIC_MESSAGES
from gateway.errors import Unavailable, UpstreamRejected
from gateway.routing.endpoint import Target
from gateway.wire.json import dumps
from tests.fakes import GPT, HI, FakeUpstream, World, endpoint, run

RUNTIME = "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1"
BEDROCK = Target("bedrock", "us.openai.gpt-oss-120b", base_url=RUNTIME)
TOKEN = "canary/token+1=="
REPLY = dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": []})


class FakeSigner:
    """Signs with what it was asked to sign, for all to see."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.signed: list[tuple[str, str, bytes]] = []

    async def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        if self.fails:
            raise Unavailable("no credentials")
        self.signed.append((method, url, body))
        signature = f"signed {len(self.signed)}"
        return {**headers, "authorization": signature, "x-amz-security-token": TOKEN}


def world(*answers: FakeUpstream, targets: tuple[Target, ...] = (BEDROCK,)) -> World:
    return World(endpoint(*targets), *answers)


def with_signer(made: World, signer: FakeSigner, service: str = "bedrock") -> World:
    gateway = made.gateway
    gateway.outbound = replace(gateway.outbound, signers={service: signer})
    return made


def test_what_is_sent_is_what_was_signed() -> None:
    signer = FakeSigner()
    made = with_signer(world(FakeUpstream(REPLY)), signer)
    assert run(made.ask(HI)) == REPLY
    (sent,) = made.transport.sent
    assert signer.signed == [("POST", sent.url, sent.body)]
    assert sent.url == f"{RUNTIME}/chat/completions"
    assert sent.headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "sluicegate",
        "x-gateway-hops": "1",
        "authorization": "signed 1",
        "x-amz-security-token": TOKEN,
    }
    assert made.vault.asked == []


def test_a_target_with_a_secret_is_not_signed_for() -> None:
    signer = FakeSigner()
    made = with_signer(
        world(FakeUpstream(REPLY), targets=(replace(BEDROCK, secret="key"),)), signer
    )
    run(made.ask(HI))
    assert signer.signed == []
    assert made.transport.sent[0].headers["authorization"] == "Bearer sk-secret"
    assert "x-amz-security-token" not in made.transport.sent[0].headers


def test_each_attempt_is_signed_anew() -> None:
    signer = FakeSigner()
    busy = FakeUpstream(b"{}", status=503)
    made = with_signer(world(busy, FakeUpstream(REPLY), targets=(BEDROCK, BEDROCK)), signer)
    run(made.ask(HI))
    assert [sent.headers["authorization"] for sent in made.transport.sent] == [
        "signed 1",
        "signed 2",
    ]


def test_each_service_has_its_own_signer() -> None:
    mantle = "https://bedrock-mantle.us-east-1.api.aws/anthropic"
    claude = Target("bedrock_anthropic", "anthropic.claude-haiku-4-5", base_url=mantle)
    signer = FakeSigner()
    made = with_signer(world(FakeUpstream(b"{}"), targets=(claude,)), signer, "bedrock-mantle")
    with pytest.raises(Exception, match="answer"):  # an empty one is none
        run(made.ask({**HI, "max_tokens": 1}, ANTHROPIC_MESSAGES, {"anthropic-beta": "a"}))
    (sent,) = made.transport.sent
    assert sent.url == f"{mantle}/v1/messages"
    assert sent.headers["authorization"] == "signed 1"
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert "anthropic-beta" not in sent.headers


def test_where_nothing_signs_another_target_may_do() -> None:
    made = world(FakeUpstream(REPLY), targets=(BEDROCK, GPT))
    assert run(made.ask(HI)) == REPLY
    assert [sent.url for sent in made.transport.sent] == [
        "https://api.openai.com/v1/chat/completions"
    ]
    with pytest.raises(Unavailable) as failed:
        run(world().ask(HI))
    assert failed.value.message == (
        "this gateway signs nothing for bedrock: give the target a secret"
    )


def test_without_credentials_another_target_may_do() -> None:
    made = with_signer(world(FakeUpstream(REPLY), targets=(BEDROCK, GPT)), FakeSigner(fails=True))
    assert run(made.ask(HI)) == REPLY
    assert len(made.transport.sent) == 1


def test_our_session_is_taken_out_of_what_aws_quotes() -> None:
    """It answers a signature that does not fit with all that it should have been made of."""
    said = f"The Canonical String should have been 'POST ... x-amz-security-token:{TOKEN} ...'"
    refusal = FakeUpstream(dumps({"message": said}), status=403, headers={"x-echo": TOKEN})
    made = with_signer(world(refusal), FakeSigner())
    with pytest.raises(UpstreamRejected) as failed:
        run(made.ask(HI))
    error = failed.value
    told = error.message + str(error.args) + str(error.upstream_headers) + error.body.decode()
    assert TOKEN not in told
    assert "x-amz-security-token:***" in error.message
