"""One record for each exchange, also where writing it down takes its time."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from gateway.metering.records import Record
from gateway.routing.endpoint import Endpoint
from tests.live import (
    PATIENCE,
    LiveGateway,
    ScriptedProvider,
    Settlements,
    answer,
    live_gateway,
    sse,
    target,
)
from tests.sdk.said import HELLO, completion, says

pytestmark = pytest.mark.sdk

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]
NOTICED = 0.3  # seconds by which a gateway knows that its caller went, or that it must stop


class SlowLedger(Settlements):
    """As one across a network: it writes once ``go_on`` is set, unless it is cancelled first."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.go_on = threading.Event(), threading.Event()

    async def write(self, record: Record) -> None:
        self.writing.set()
        try:
            await asyncio.to_thread(self.go_on.wait, PATIENCE)
        except asyncio.CancelledError:
            self.go_on.set()  # nobody is left to wait for
            raise
        await super().write(record)


@pytest.fixture
def ledger() -> SlowLedger:
    return SlowLedger()


@pytest.fixture
def slow(provider: ScriptedProvider, ledger: SlowLedger, tmp_path: Path) -> Iterator[LiveGateway]:
    endpoint = Endpoint("model", (target(provider.url),))
    with live_gateway(tmp_path, [endpoint], ledger) as gateway:
        yield gateway


def client(gateway: LiveGateway, timeout: float = PATIENCE) -> openai.OpenAI:
    url = f"{gateway.url}/gateway/openai/v1"
    return openai.OpenAI(base_url=url, api_key="caller-key", max_retries=0, timeout=timeout)


def test_who_goes_while_the_record_is_written_is_written_down(
    slow: LiveGateway, ledger: SlowLedger, provider: ScriptedProvider
) -> None:
    provider.will(answer(completion(says("Hello!"))))
    with client(slow, timeout=0.2) as sdk, pytest.raises(openai.APITimeoutError):
        sdk.chat.completions.create(model="model", messages=HI)
    assert ledger.writing.is_set()
    ledger.go_on.wait(NOTICED)
    ledger.go_on.set()
    assert ledger.one(lambda record: record.endpoint == "model").usage is not None


def test_a_server_that_stops_writes_down_the_stream_that_has_just_ended(
    ledger: SlowLedger, provider: ScriptedProvider, tmp_path: Path
) -> None:
    provider.will(sse(*HELLO))
    with live_gateway(tmp_path, [Endpoint("model", (target(provider.url),))], ledger) as gateway:
        with client(gateway) as sdk:
            list(sdk.chat.completions.create(model="model", messages=HI, stream=True))
        assert ledger.writing.wait(PATIENCE)
        timer = threading.Timer(NOTICED, ledger.go_on.set)
        timer.start()
    timer.join()
    assert [record.outcome for record in ledger.records] == ["answered"]
