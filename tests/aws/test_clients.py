"""How AWS is asked: in threads, within a deadline, and with faults that say what to mend."""

import asyncio
import logging
import os
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from gateway.adapters.aws.clients import WORKERS, Clients
from gateway.adapters.aws.faults import fault_of
from gateway.adapters.aws.use import Refused, Use
from gateway.adapters.aws.vault import SecretsManagerVault
from gateway.errors import Unavailable
from tests.aws.emulators import CREDENTIALS, Aws
from tests.fakes import Clock, run
from tests.serving import free_port

USE = Use("dynamodb:GetItem", "table 'config'")
CANARY = "sk-canary-1"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Credentials and a region; at its endpoint nobody listens."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    return monkeypatch


async def ask(clients: Clients) -> object:
    return await clients.dynamodb(
        USE, lambda client: client.get_item(TableName="config", Key={"id": {"S": CANARY}})
    )


def fault(clients: Clients) -> tuple[str | None, str]:
    with pytest.raises(Unavailable) as failed:
        run(ask(clients))
    return failed.value.code, failed.value.message


def test_a_server_that_is_down_is_unreachable(environment: pytest.MonkeyPatch) -> None:
    del environment
    assert fault(Clients()) == (
        "aws_unreachable",
        "dynamodb:GetItem on table 'config' failed: AWS cannot be reached, or hung up",
    )


def test_without_a_region_it_says_so(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_DEFAULT_REGION")
    code, message = fault(Clients())
    assert code == "aws_no_region"
    assert "set AWS_DEFAULT_REGION" in message


def test_without_credentials_it_says_so(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")
    code, message = fault(Clients())
    assert code == "aws_no_credentials"
    assert "no AWS credentials were found" in message


def test_with_a_profile_that_is_not_there_it_says_so(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_PROFILE", "nobody")
    assert fault(Clients())[0] == "aws_no_credentials"


def test_a_malformed_endpoint_is_the_settings_fault(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL", "no url")
    assert fault(Clients())[0] == "aws_configuration"


def test_what_failed_once_is_made_again(environment: pytest.MonkeyPatch) -> None:
    clients = Clients()
    environment.delenv("AWS_DEFAULT_REGION")
    assert fault(clients)[0] == "aws_no_region"
    environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert fault(clients)[0] == "aws_unreachable"


def test_each_client_is_made_once_and_in_no_ones_way(aws: Aws) -> None:
    del aws
    clients = Clients()

    async def work() -> list[tuple[int, str]]:
        def told(client: Any) -> tuple[int, str]:
            return id(client), threading.current_thread().name.partition("_")[0]

        return await asyncio.gather(*(clients.dynamodb(USE, told) for _ in range(32)))

    assert {thread for _, thread in run(work())} == {"aws"}
    assert len({client for client, _ in run(work())}) == 1


def test_what_waits_for_a_thread_is_given_up_too(aws: Aws) -> None:
    del aws
    clients, gate = Clients(deadline=0.2), threading.Event()

    async def work() -> list[str | None]:
        await clients.dynamodb(USE, lambda client: client.meta)
        busy = [clients.dynamodb(USE, lambda _: gate.wait(10)) for _ in range(WORKERS)]
        told = await asyncio.gather(*busy, ask(clients), return_exceptions=True)
        gate.set()
        return [one.code for one in told if isinstance(one, Unavailable)]

    assert run(work()) == ["aws_timed_out"] * (WORKERS + 1)


def test_what_asks_several_times_has_one_deadline_for_all() -> None:
    async def work() -> None:
        async with Clients(deadline=0.1).deadline(USE):
            await asyncio.Event().wait()

    with pytest.raises(Unavailable, match="timed out"):
        run(work())


def test_closed_it_ends_its_threads(aws: Aws) -> None:
    del aws

    async def work() -> list[threading.Thread]:
        clients = Clients()
        threads = await asyncio.gather(
            *(clients.dynamodb(USE, lambda _: threading.current_thread()) for _ in range(4))
        )
        await clients.close()
        return threads

    for thread in run(work()):
        thread.join(5)
        assert not thread.is_alive()


def answered(code: str, status: int = 400, **more: Any) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"because of {CANARY}"},
            "ResponseMetadata": {"HTTPStatusCode": status, **more},  # type: ignore[typeddict-item]
        },
        "GetItem",
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (answered("ThrottlingException"), "aws_throttled"),
        (answered("ProvisionedThroughputExceededException"), "aws_throttled"),
        (answered("AccessDeniedException"), "aws_access_denied"),
        (answered("DecryptionFailure"), "aws_access_denied"),
        (answered("ExpiredTokenException"), "aws_credentials_refused"),
        (answered("UnrecognizedClientException"), "aws_credentials_refused"),
        (answered("ResourceNotFoundException"), "aws_missing"),
        (answered("LimitExceededException"), "aws_quota"),
        (answered("ValidationException"), "aws_refused"),
        (answered("InternalServerError", 500), "aws_failed"),
        (answered("503", 503), "aws_failed"),
        (ParamValidationError(report=CANARY), "aws_refused"),
    ],
)
def test_a_fault_says_what_to_mend_and_not_what_was_sent(error: Exception, code: str) -> None:
    told = fault_of(USE, error)
    assert told.code == code
    assert told.message.startswith("dynamodb:GetItem on table 'config' ")
    assert CANARY not in told.message


def test_the_sdk_tells_that_it_asked_again() -> None:
    code = "ConditionalCheckFailedException"
    assert Refused(code, answered(code, RetryAttempts=1).response).retried
    assert not Refused(code, answered(code, RetryAttempts=0).response).retried
    assert not Refused(code, answered(code).response).retried


def test_no_log_holds_a_secret(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    vault = SecretsManagerVault(Clients(), aws.prefix, clock=Clock())

    async def work() -> str:
        await vault.put("openai", CANARY, "https://api.openai.com")
        return await vault.secret("openai", "https://api.openai.com")

    with caplog.at_level(logging.DEBUG):
        assert run(work()) == CANARY
    assert CANARY not in caplog.text
