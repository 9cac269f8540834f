"""A provider refuses a key: the vault is asked once for the one that has replaced it."""

import asyncio

import pytest

from gateway.errors import GatewayError, Unavailable, UpstreamBroke, UpstreamRejected
from gateway.routing.endpoint import Endpoint, Price, Retries, Target
from gateway.usage import Usage
from gateway.wire.json import dumps
from tests.exchange.chunks import ASK, DONE, HELLO, ROLE, STOP, USAGE, stream_of
from tests.fakes import (
    GPT,
    GROQ,
    HI,
    FakeUpstream,
    FakeVault,
    Hang,
    World,
    endpoint,
    run,
)

OLD, NEW = "sk-old-0123456789", "sk-new-9876543210"
OPENAI = "https://api.openai.com"
REPLY = b'{"id":"c1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}'


def refused(said: bytes = b'{"error":{"message":"bad key"}}', status: int = 401) -> FakeUpstream:
    return FakeUpstream(said, status=status)


def rotated() -> FakeVault:
    """``OLD`` is what is remembered of the secret, ``NEW`` what it is by now."""
    return FakeVault({"key": NEW}, key=OLD)


def world(
    *answers: FakeUpstream | Exception | Hang,
    served: Endpoint | None = None,
    vault: FakeVault | None = None,
) -> World:
    return World(served or endpoint(), *answers, vault=vault or rotated())


def keys_sent(world: World) -> list[str | None]:
    return [sent.headers.get("authorization") for sent in world.transport.sent]


def test_a_secret_is_asked_for_with_the_origin_that_it_is_about_to_be_sent_to() -> None:
    moved = Target("openai", "gpt", "key", base_url="https://Proxy.example:443/v1")
    for target, origin in ((GPT, OPENAI), (moved, "https://proxy.example")):
        made = world(FakeUpstream(REPLY), served=endpoint(target))
        run(made.ask(HI))
        assert made.vault.asked == [("key", origin)]
        assert made.vault.refused == []


def test_a_target_without_a_secret_asks_no_vault() -> None:
    open_to_all = Target("openai_compatible", "m", base_url="http://127.0.0.1:1/v1")
    made = world(refused(), served=endpoint(open_to_all))
    with pytest.raises(UpstreamRejected):
        run(made.ask(HI))
    assert (made.vault.asked, made.vault.refused, keys_sent(made)) == ([], [], [None])


def test_a_refused_key_is_renewed_and_the_call_sent_again_with_the_new_one() -> None:
    first, second = refused(), FakeUpstream(REPLY)
    made = world(first, second)
    assert run(made.ask(HI)) == REPLY
    assert keys_sent(made) == [f"Bearer {OLD}", f"Bearer {NEW}"]
    assert made.vault.refused == [("key", OPENAI, OLD)]
    one, other = made.transport.sent
    assert (one.url, one.body) == (other.url, other.body)
    assert (first.closed, second.closed) == (1, 1)


def test_to_the_caller_it_is_one_attempt() -> None:
    priced = Target("openai", "gpt", "key", price=Price(2, 10))
    made = world(refused(), FakeUpstream(REPLY), served=endpoint(priced))
    answer = run(made.answer(HI))
    assert "x-gateway-attempts" not in answer.headers
    record = made.record
    assert (record.outcome, record.attempts, record.usage) == ("answered", 1, Usage(7, 3))
    assert made.pauses == []


def test_a_stream_is_renewed_too() -> None:
    made = world(refused(), FakeUpstream(ROLE, HELLO, STOP, USAGE, DONE))
    assert run(made.ask(ASK)) == ROLE + HELLO + STOP + DONE
    assert keys_sent(made) == [f"Bearer {OLD}", f"Bearer {NEW}"]
    assert made.record.usage == Usage(7, 2)


def test_a_key_that_is_still_the_same_leaves_the_refusal_to_the_fallback() -> None:
    vault = FakeVault(key=OLD)
    made = world(refused(), FakeUpstream(REPLY), served=endpoint(GPT, GROQ), vault=vault)
    answer = run(made.answer(HI))
    assert answer.headers["x-gateway-target"] == "groq/llama"
    assert [sent.url.split("/")[2] for sent in made.transport.sent] == [
        "api.openai.com",
        "api.groq.com",
    ]
    assert vault.refused == [("key", OPENAI, OLD)]


def test_a_key_that_is_still_the_same_is_the_providers_own_refusal() -> None:
    made = world(refused(), vault=FakeVault(key=OLD))
    with pytest.raises(UpstreamRejected) as raised:
        run(made.ask(HI))
    assert (raised.value.status, raised.value.message) == (401, "bad key")
    assert len(made.transport.sent) == 1


@pytest.mark.parametrize("body", [HI, ASK])
def test_a_new_key_that_is_refused_as_well_is_not_renewed_again(body: dict[str, object]) -> None:
    made = world(refused(), refused(b'{"error":{"message":"still bad"}}'))
    with pytest.raises(UpstreamRejected, match="still bad"):
        run(made.ask(body))
    assert keys_sent(made) == [f"Bearer {OLD}", f"Bearer {NEW}"]
    assert made.vault.refused == [("key", OPENAI, OLD)]


def test_a_new_key_that_is_refused_falls_back_and_is_not_tried_again() -> None:
    served = endpoint(GPT, GROQ, retries=Retries(times=3))
    made = world(refused(), refused(), FakeUpstream(REPLY), served=served)
    assert run(made.ask(HI)) == REPLY
    assert made.transport.sent[-1].url.startswith("https://api.groq.com/")
    assert (len(made.transport.sent), made.pauses) == (3, [])


@pytest.mark.parametrize("status", [400, 402, 403, 404, 408, 429, 500, 503])
def test_no_other_refusal_renews_a_key(status: int) -> None:
    made = world(refused(status=status))
    with pytest.raises(UpstreamRejected):
        run(made.ask(HI))
    assert (made.vault.refused, len(made.transport.sent)) == ([], 1)


def test_an_error_dressed_as_an_answer_renews_no_key() -> None:
    """Its status is 200: whether anything was spent on it, nobody knows."""
    made = world(FakeUpstream(b'{"error":{"message":"bad key","code":"invalid_api_key"}}'))
    with pytest.raises(UpstreamBroke):
        run(made.ask(HI))
    assert (made.vault.refused, len(made.transport.sent)) == ([], 1)


def test_a_vault_that_is_down_meanwhile_leaves_the_call_to_the_fallback() -> None:
    class Down(FakeVault):
        async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
            del origin, refused
            raise Unavailable(f"secret {reference!r} cannot be read now")

    served = endpoint(GPT, Target("ollama", "llama"))
    made = world(refused(), FakeUpstream(REPLY), served=served, vault=Down(key=OLD))
    assert run(made.ask(HI)) == REPLY
    assert keys_sent(made) == [f"Bearer {OLD}", None]


def texts(error: BaseException | None) -> str:
    """Everything of an error, and of those behind it, that could be shown or logged."""
    shown = []
    while error is not None:
        shown.append(repr((error, error.args, getattr(error, "__dict__", {}))))
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


@pytest.mark.parametrize("body", [HI, ASK])
@pytest.mark.parametrize(
    "second",
    [
        lambda: refused(dumps({"error": {"message": f"bad key {NEW}"}})),
        lambda: refused(dumps({"error": {"message": f"bad key {NEW}"}}), 400),
        lambda: FakeUpstream(dumps({"error": {"message": f"bad key {NEW}"}})),
        lambda: FakeUpstream(b"no", status=500, headers={"x-request-id": f"for {NEW}"}),
        lambda: UpstreamBroke("cut"),
    ],
)
def test_neither_key_is_in_any_text_of_an_error(second: object, body: dict[str, object]) -> None:
    assert callable(second)
    answers = refused(dumps({"error": {"message": f"bad key {OLD}, sk-ol****6789"}})), second()
    made = world(*answers)
    with pytest.raises(GatewayError) as raised:
        run(made.ask(body))
    assert [key for key in (OLD, NEW) if key in texts(raised.value)] == []
    assert "sk-ol" not in texts(raised.value)
    assert [key for key in (OLD, NEW) if key in repr(made.ledger.records)] == []


def test_a_stream_that_fails_later_quotes_the_new_key_no_more_than_the_old() -> None:
    late = b'data: {"error":{"message":"bad key %b"}}\n\n' % NEW.encode()
    made = world(refused(), FakeUpstream(ROLE, HELLO, late))
    said = run(made.ask(ASK))
    assert b"bad key ***" in said
    assert [key for key in (OLD, NEW) if key.encode() in said] == []


def test_headers_that_quote_the_new_key_are_passed_on_without_it() -> None:
    made = world(refused(), FakeUpstream(REPLY, headers={"x-request-id": f"for {NEW}"}))
    assert run(made.answer(HI)).headers["x-request-id"] == "for ***"


def test_a_caller_who_hangs_up_while_the_second_try_is_under_way_ends_it() -> None:
    async def work() -> tuple[int, str]:
        hang = Hang()
        first, second = refused(), FakeUpstream(ROLE, hang)
        made = world(first, second)
        asked = asyncio.ensure_future(made.answer(ASK))
        await hang.reached.wait()
        asked.cancel()
        await asyncio.wait({asked})
        await made.gateway.close()
        return first.closed + second.closed, made.record.outcome

    assert run(work()) == (2, "hung_up")


def test_a_stream_that_is_committed_while_its_key_is_renewed_is_served() -> None:
    async def work() -> bytes:
        made = world(refused(), FakeUpstream(ROLE, HELLO, STOP, DONE))
        body = stream_of(await made.answer(ASK))
        parts = []
        while part := await body.next():
            parts.append(part)
        await body.close()
        return b"".join(parts)

    assert run(work()) == ROLE + HELLO + STOP + DONE
