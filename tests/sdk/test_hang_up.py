"""A caller who goes: the provider's connection is closed, and the exchange settled once."""

import openai
import pytest

from gateway.metering.records import Record
from tests.live import PATIENCE, Act, LiveGateway, ScriptedProvider, answer, sse
from tests.sdk.clients import Ask, Sdk
from tests.sdk.said import BEGIN, HELLO, HI, Numbered, completion, part, response, says

pytestmark = pytest.mark.sdk


def chat(model: str = "model", *, stream: bool = True, timeout: float = 10) -> Ask:
    return lambda client: client.chat.completions.create(
        model=model, messages=HI, stream=stream, timeout=timeout
    )


def hung_up(record: Record) -> bool:
    return (record.outcome, record.status, record.error) == ("hung_up", 499, "CancelledError")


def test_a_stream_closed_early_frees_the_provider(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(BEGIN, part(content="a"), Act.SILENCE))
    answered = sdk.hang_up(chat())
    assert provider.hung_up.wait(PATIENCE)
    assert hung_up(gateway.ledger.of(answered))


def test_a_stream_closed_while_words_flow_frees_the_provider(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    words = [step for _ in range(200) for step in (part(content="word " * 50), 0.005)]
    provider.will(sse(BEGIN, *words, Act.SILENCE))
    answered = sdk.hang_up(chat())
    assert provider.hung_up.wait(PATIENCE)
    assert hung_up(gateway.ledger.of(answered))


def test_a_response_closed_early_frees_the_provider(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    say = Numbered()
    begun = say("response.created", response=response(status="in_progress", usage=None))
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    word = say("response.output_text.delta", **place, delta="a")
    provider.will(sse(begun, word, Act.SILENCE))
    answered = openai_sdk.hang_up(
        lambda client: client.responses.create(model="model", input="Hi", stream=True)
    )
    assert provider.hung_up.wait(PATIENCE)
    assert hung_up(gateway.ledger.of(answered))


@pytest.mark.parametrize("stream", [False, True])
def test_who_waits_no_longer_for_the_first_word_frees_the_provider(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway, stream: bool
) -> None:
    provider.will((Act.SILENCE,))
    known = {record.request_id for record in gateway.ledger.records}
    with pytest.raises(openai.APITimeoutError):
        openai_sdk.call(chat(stream=stream, timeout=0.15))
    assert provider.hung_up.wait(PATIENCE)
    gateway.ledger.one(lambda record: record.request_id not in known and hung_up(record))


def test_who_goes_while_the_model_thinks_frees_the_provider(
    openai_sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    """The answer was committed by a heartbeat, before any provider had begun one."""
    provider.will((Act.SILENCE,))
    answered = openai_sdk.hang_up(chat("thinker"), first=False)
    assert provider.hung_up.wait(PATIENCE)
    assert hung_up(gateway.ledger.of(answered))


def test_a_whole_stream_is_no_hang_up_and_keeps_the_connection(
    sdk: Sdk, provider: ScriptedProvider, gateway: LiveGateway
) -> None:
    provider.will(sse(*HELLO), answer(completion(says("Hello!"))))
    told = sdk.stream(chat())
    assert gateway.ledger.of(told.response).outcome == "answered"
    sdk.call(chat(stream=False))
    assert len(provider.lines) == 1
    assert not provider.hung_up.is_set()


def test_who_reads_to_the_end_is_not_said_to_have_hung_up(
    plain_sdk: Sdk, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="sluicegate")
    provider.will(sse(*HELLO), answer(completion(says("Hello!"))))
    plain_sdk.stream(chat())
    plain_sdk.call(chat(stream=False))
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if "hung up" in line] == []
