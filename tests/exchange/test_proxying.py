"""Raw calls among fakes: who is asked, what crosses, how it ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.admission.admission import Caller
from gateway.errors import (
    BadRequest,
    EndpointNotFound,
    GatewayError,
    LoopDetected,
    OutOfTime,
    Unavailable,
    Unsupported,
    UpstreamBroke,
    UpstreamTimedOut,
    UpstreamUnreachable,
)
from gateway.exchange.answer import Answer
from gateway.exchange.proxied.call import Coming, RawCall
from gateway.exchange.proxied.stream import KeyMask
from gateway.exchange.proxying import Proxying
from gateway.routing.endpoint import Endpoint, Retries, Target, Timeouts
from tests.fakes import (
    CALLER,
    GPT,
    GROQ,
    FakeUpstream,
    FakeVault,
    Hang,
    Silence,
    World,
    endpoint,
    run,
)

SECRET = "sk-provider-canary-0123456789"
GATEWAY_KEY = "sgk_" + "a1B2" * 13
REFUSED = UpstreamUnreachable("cannot connect")
TEXT = {"content-type": "text/plain"}


def world(*answers: FakeUpstream | Exception | Hang, served: Endpoint | None = None) -> World:
    return World(served, *answers, vault=FakeVault(key=SECRET))


def raw(**more: Any) -> RawCall:
    """GET /v1/files of endpoint ``e``, but for what is said otherwise."""
    call = RawCall("req1", CALLER, "GET", "e/v1/files", "", {}, b"")
    return replace(call, **more)


async def told(made: World, call: RawCall) -> tuple[Answer, bytes]:
    answer = await Proxying(made.gateway).answer(call)
    if isinstance(answer.body, bytes):
        return answer, answer.body
    parts = []
    try:
        while part := await answer.body.next():
            parts.append(part)
    finally:
        await answer.body.close()
    return answer, b"".join(parts)


def refusal(made: World, call: RawCall) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        run(told(made, call))
    return refused.value


class Pieces:
    """A body that comes piece by piece; an error among them is raised."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def test_what_is_asked_and_what_is_answered_go_through_as_they_are() -> None:
    made = world(FakeUpstream(b"\x00\xff", b"{", status=201, headers=TEXT))
    given = {"content-type": "audio/wav", "range": "bytes=0-1"}
    call = raw(method="PUT", query="a=1&a=%20", headers=given, body=b"\x01\x02")
    answer, body = run(told(made, call))
    (sent,) = made.transport.sent
    assert (sent.method, sent.url, sent.body) == (
        "PUT",
        "https://api.openai.com/v1/files?a=1&a=%20",
        b"\x01\x02",
    )
    assert sent.headers == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": "sluicegate",
        "content-type": "audio/wav",
        "range": "bytes=0-1",
        "authorization": f"Bearer {SECRET}",
    }
    assert (answer.status, body) == (201, b"\x00\xff{")
    assert dict(answer.headers) == {
        "content-type": "text/plain",
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
        "x-gateway-request-id": "req1",
        "x-gateway-endpoint": "e",
        "x-gateway-target": "openai/gpt",
    }
    record = made.record
    assert (record.dialect, record.outcome, record.status) == ("proxy", "answered", 201)
    assert (record.usage, record.cost, record.stream) == (None, None, False)


def test_a_body_that_still_comes_is_sent_with_the_length_that_was_said() -> None:
    for given in ({"content-length": "4"}, {}):
        made = world(FakeUpstream(b"ok"))
        run(told(made, raw(method="POST", headers=given, body=Pieces(b"ab", b"cd"))))
        (sent,) = made.transport.sent
        assert sent.body == b"abcd"
        assert sent.headers.get("content-length") == given.get("content-length")


CANARY = {
    "authorization": "Bearer canary",
    "x-api-key": "canary",
    "api-key": "canary",
    "x-goog-api-key": "canary",
    "cookie": "session=canary",
    "proxy-authorization": "canary",
    "x-forwarded-for": "canary",
    "forwarded": "canary",
    "x-real-ip": "canary",
    "host": "canary",
    "connection": "canary",
    "transfer-encoding": "chunked",
    "te": "canary",
    "upgrade": "canary",
    "expect": "100-continue",
    "origin": "canary",
    "referer": "canary",
    "traceparent": "canary",
    "user-agent": "canary",
    "accept-encoding": "canary",
    "anthropic-beta": "canary",  # this provider's terms do not forward it
    "openai-organization": "canary",
    "x-mlflow-authorization": "canary",
    "idempotency-key": GATEWAY_KEY,
}


def test_nothing_that_says_who_calls_or_opens_anything_reaches_the_provider() -> None:
    made = world(FakeUpstream(b"ok"))
    run(told(made, raw(query=f"key=canary&x={GATEWAY_KEY}&b=1", headers=CANARY)))
    (sent,) = made.transport.sent
    assert sent.url.endswith("/v1/files?b=1")
    assert "canary" not in str(sent).replace(SECRET, "")
    assert GATEWAY_KEY not in str(sent)
    assert made.record.dropped == ("query.key", "query.x")


LOUD = {
    "set-cookie": "canary",
    "server": "canary",
    "www-authenticate": "canary",
    "access-control-allow-origin": "canary",
    "strict-transport-security": "canary",
    "content-security-policy": "canary",
    "link": "<https://canary>",
    "connection": "canary",
    "transfer-encoding": "chunked",
    "alt-svc": "canary",
    "x-amz-request": "canary",
    "anthropic-organization-id": "canary",
}


def test_of_a_providers_headers_only_what_a_client_goes_by_comes_back() -> None:
    useful = {
        "content-type": "application/pdf",
        "content-length": "2",
        "content-disposition": 'attachment; filename="x"',
        "etag": '"1"',
        "retry-after": "1",
        "x-request-id": SECRET,
        "x-ratelimit-remaining-requests": "9",
    }
    made = world(FakeUpstream(b"ok", headers=useful | LOUD))
    answer, _ = run(told(made, raw()))
    assert "canary" not in str(dict(answer.headers))
    returned = useful | {"x-request-id": "***"}
    assert {name: answer.headers[name] for name in useful} == returned


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/v1/files/f1", ("/gateway/proxy/e/v1/files/f1", None)),
        ("https://elsewhere.example/x", (None, "location")),
        (f"/v1/files?token={SECRET}", (None, "location")),
    ],
)
def test_a_redirect_is_handed_on_and_leads_nobody_away(
    location: str, expected: tuple[str | None, str | None]
) -> None:
    made = world(FakeUpstream(b"", status=302, headers={"location": location}))
    answer, _ = run(told(made, raw()))
    assert len(made.transport.sent) == 1  # it is not followed
    told_headers = (answer.headers.get("location"), answer.headers.get("x-gateway-dropped"))
    assert (answer.status, told_headers) == (302, expected)
    assert SECRET not in str(answer.headers)


@pytest.mark.parametrize(("status", "length"), [(204, "7"), (304, "7"), (200, "0, 0"), (200, "x")])
def test_the_length_of_what_is_not_sent_is_not_said(status: int, length: str) -> None:
    made = world(FakeUpstream(status=status, headers={"content-length": length, "etag": "x"}))
    answer, body = run(told(made, raw()))
    assert (answer.status, body, "content-length" in answer.headers) == (status, b"", False)
    assert made.record.status == status


ERRORS = [
    (b'{"error": {"message": "bad", "n": 1.0}}', b'{"error": {"message": "bad", "n": 1.0},"detail":"bad"}'),
    (b'{ "type":"error","error":{"message":"bad"} }\n', b'{ "type":"error","error":{"message":"bad"},"detail":"bad"}'),
    (b'{"detail": "bad"}', b'{"detail": "bad"}'),
    (b'{"code": 7}', b'{"code": 7}'),
    (b'[{"error": "bad"}]', b'[{"error": "bad"}]'),
    (b"<html>bad</html>", b"<html>bad</html>"),
    (b"\xff\xfe", b"\xff\xfe"),
    (b"", b""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "heard"), ERRORS)
def test_a_providers_error_is_its_own_with_at_most_its_message_said_once_more(
    said: bytes, heard: bytes
) -> None:
    given = {"content-type": "application/json", "content-length": str(len(said))}
    upstream = FakeUpstream(*[said[n : n + 1] for n in range(len(said))], status=429, headers=given)
    made = world(upstream, served=endpoint(GPT, GROQ, retries=Retries(2)))
    answer, body = run(told(made, raw()))
    assert (answer.status, body, "content-length" in answer.headers) == (429, heard, False)
    assert (len(made.transport.sent), upstream.closed) == (1, 1)  # nobody else is asked
    record = made.record
    assert (record.outcome, record.status, record.error) == ("failed", 429, "UpstreamRejected")


def test_an_error_without_end_is_streamed_and_one_that_is_slow_too() -> None:
    long = b"x" * (300 * 1024)
    for parts in ([long, b"end"], [b"slow", Silence(2), b"end"]):
        upstream = FakeUpstream(*parts, status=500)
        made = world(upstream)
        answer, body = run(told(made, raw()))
        assert not isinstance(answer.body, bytes)
        assert body == b"".join(part for part in parts if isinstance(part, bytes))
        assert (made.record.status, upstream.closed) == (500, 1)


def test_the_providers_key_is_in_nothing_that_it_says() -> None:
    for status in (200, 400):
        for cut in range(1, len(SECRET)):
            said = f"you sent {SECRET} and {SECRET[:9]}".encode()
            at = said.index(SECRET.encode()) + cut
            made = world(FakeUpstream(said[:at], said[at:], status=status, headers=TEXT))
            _, body = run(told(made, raw()))
            assert SECRET.encode() not in body
            if status == 200:
                assert body == said.replace(SECRET.encode(), b"*" * len(SECRET))


def test_a_mask_holds_back_no_more_than_may_be_the_key() -> None:
    mask = KeyMask(SECRET)
    assert [mask.feed(b"data: hi\n\n"), mask.feed(b"was sk-pro"), mask.feed(b"x")] == [
        b"data: hi\n\n",
        b"was ",
        b"sk-prox",
    ]
    assert (mask.feed(b"sk"), mask.finish(), mask.finish()) == (b"", b"sk", b"")
    assert KeyMask("word").feed(b"a word") == b"a word"
    assert KeyMask(None).feed(b"a word") == b"a word"


@pytest.mark.parametrize("body", [b"{}", b"", Pieces(b"ab")])
def test_who_cannot_be_reached_is_passed_over(body: Any) -> None:
    made = world(
        REFUSED, REFUSED, FakeUpstream(b"ok"), served=endpoint(GPT, GROQ, retries=Retries(1))
    )
    answer, text = run(told(made, raw(method="POST", body=body)))
    assert (text, answer.headers["x-gateway-attempts"]) == (b"ok", "3")
    assert [sent.url.split("/")[2] for sent in made.transport.sent] == [
        "api.openai.com",
        "api.openai.com",
        "api.groq.com",
    ]
    assert made.transport.sent[-1].body == (b"ab" if isinstance(body, Pieces) else body)


def test_who_has_no_secret_is_passed_over() -> None:
    unset = Target("openai", "gpt", secret="unset")
    made = world(FakeUpstream(b"ok"), served=endpoint(unset, GROQ, retries=Retries(3)))
    run(told(made, raw()))
    assert (len(made.transport.sent), made.record.attempts, made.pauses) == (1, 2, [])
    alone = world(served=endpoint(unset))
    assert isinstance(refusal(alone, raw()), Unavailable)
    assert alone.record.outcome == "failed"


@pytest.mark.parametrize("failure", [UpstreamTimedOut("late"), UpstreamBroke("cut")])
def test_who_may_have_begun_to_work_is_not_asked_again(failure: GatewayError) -> None:
    made = world(failure, served=endpoint(GPT, GROQ, retries=Retries(2)))
    assert refusal(made, raw(method="POST", body=b"{}")) is failure
    assert (len(made.transport.sent), failure.headers) == (
        1,
        {"x-gateway-endpoint": "e", "x-gateway-target": "openai/gpt"},
    )
    assert made.record.error == type(failure).__name__


def test_a_body_that_has_begun_to_be_sent_goes_to_nobody_else() -> None:
    class Begun(Unavailable):
        """Raised by a body that was asked for."""

    made = world(FakeUpstream(b"ok"), served=endpoint(GPT, GROQ))
    assert isinstance(refusal(made, raw(body=Pieces(b"a", Begun("gone")))), Begun)
    assert len(made.transport.sent) == 1


def test_a_key_that_is_refused_is_read_anew_once() -> None:
    vault = FakeVault({"key": "sk-second-0123456789"}, key=SECRET)
    first = FakeUpstream(b"no", status=401)
    made = World(endpoint(), first, FakeUpstream(b"ok"), vault=vault)
    _, body = run(told(made, raw(method="POST", body=b"{}")))
    assert (body, first.closed, made.record.status) == (b"ok", 1, 200)
    keys = [sent.headers["authorization"] for sent in made.transport.sent]
    assert keys == [f"Bearer {SECRET}", "Bearer sk-second-0123456789"]
    assert vault.refused == [("key", "https://api.openai.com", SECRET)]


@pytest.mark.parametrize("body", [b"", Pieces(b"a")])
def test_a_401_that_nothing_mends_is_the_answer(body: Any) -> None:
    made = world(FakeUpstream(b"no", status=401))
    answer, text = run(told(made, raw(method="POST", body=body)))
    assert (answer.status, text, len(made.transport.sent)) == (401, b"no", 1)
    assert len(made.vault.refused) == (1 if body == b"" else 0)


def test_a_cut_answer_is_raised_and_never_ended() -> None:
    for cut in (UpstreamBroke(f"cut with {SECRET}"), Silence(500)):
        upstream = FakeUpstream(b"half", cut, headers={"content-type": "text/event-stream"})
        made = world(upstream, served=endpoint(timeouts=Timeouts(idle=9)))

        async def story(made: World = made) -> bytes:
            answer = await Proxying(made.gateway).answer(raw())
            assert not isinstance(answer.body, bytes)
            first = await answer.body.next()
            with pytest.raises(GatewayError) as raised:
                await answer.body.next()
            assert SECRET not in raised.value.message
            await answer.body.close()
            await answer.body.close()
            return first

        assert run(story()) == b"half"
        record = made.record
        assert (record.outcome, record.stream, upstream.closed) == ("failed", True, 1)
        assert record.error == ("UpstreamTimedOut" if isinstance(cut, Silence) else "UpstreamBroke")


def test_a_caller_who_goes_closes_the_upstream_and_is_settled_once() -> None:
    upstream = FakeUpstream(b"half", b"more")
    made = world(upstream)

    async def story() -> None:
        answer = await Proxying(made.gateway).answer(raw())
        assert not isinstance(answer.body, bytes)
        await answer.body.next()
        await answer.body.close()

    run(story())
    assert (made.record.outcome, made.record.status, upstream.closed) == ("hung_up", 499, 1)


@pytest.mark.parametrize("where", ["connecting", "reading an error"])
def test_a_caller_who_goes_before_the_answer_is_settled_too(where: str) -> None:
    async def story() -> tuple[World, FakeUpstream]:
        hang = Hang()
        upstream = FakeUpstream(b"half", hang, status=500)
        made = world(hang if where == "connecting" else upstream)
        asking = asyncio.ensure_future(told(made, raw()))
        await hang.reached.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return made, upstream

    made, upstream = run(story())
    assert (made.record.outcome, upstream.closed) == ("hung_up", where != "connecting")


def test_nothing_goes_on_beyond_the_deadline() -> None:
    made = world(FakeUpstream(b"one", Silence(3), b"two", Silence(3), b"three"))
    with pytest.raises(OutOfTime):
        run(told(made, raw(deadline=made.clock.now + 4)))
    assert (made.record.status, made.record.error, made.clock.now) == (504, "OutOfTime", 1004)
    late = world(FakeUpstream(b"one"))
    assert isinstance(refusal(late, raw(deadline=late.clock.now)), OutOfTime)
    assert late.transport.sent == []


def test_a_body_that_stops_coming_is_given_up() -> None:
    async def story() -> None:
        class Stuck:
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield b"a"
                await asyncio.Event().wait()

        coming = Coming(Stuck(), 0.01)
        assert await anext(coming) == b"a"
        with pytest.raises(BadRequest, match=r"stopped coming for 0.01 seconds") as stalled:
            await anext(coming)
        assert (stalled.value.status, stalled.value.code) == (408, "body_stalled")

    run(story())


SLASHED = Endpoint("e/long", (GROQ,))


async def find_in(made: World, behind: str, caller: Caller = CALLER) -> str:
    """The URL that is asked for."""
    await told(made, raw(behind=behind, caller=caller))
    return made.transport.sent[0].url


@pytest.mark.parametrize(
    ("behind", "url"),
    [
        ("e/long/v1/x", "https://api.groq.com/openai/v1/x"),
        ("e%2Flong/v1/x", "https://api.groq.com/openai/v1/x"),
        ("e%2flong/v1/x", "https://api.groq.com/openai/v1/x"),
    ],
)
def test_a_name_may_hold_slashes(behind: str, url: str) -> None:
    assert run(find_in(world(FakeUpstream(), served=SLASHED), behind)) == url


@pytest.mark.parametrize(
    ("behind", "problem"),
    [
        ("nope/v1/x", EndpointNotFound),
        ("nope/e/x", EndpointNotFound),
        ("e", BadRequest),
        ("e/../x", BadRequest),
        ("e/v1//x", BadRequest),
    ],
)
def test_what_leads_nowhere_is_refused_before_anything_is_sent(
    behind: str, problem: type[GatewayError]
) -> None:
    made = world()
    assert isinstance(refusal(made, raw(behind=behind)), problem)
    assert (made.transport.sent, made.ledger.records) == ([], [])


def test_gateways_that_call_each_other_in_a_circle_are_told_so() -> None:
    moved = Target("openai", "gpt", "key", base_url="http://127.0.0.1:1/v1")
    made = world(FakeUpstream(), served=endpoint(moved))
    run(told(made, raw(headers={"x-gateway-hops": "2"})))
    assert made.transport.sent[0].headers["x-gateway-hops"] == "3"
    assert isinstance(refusal(world(), raw(headers={"x-gateway-hops": "4"})), LoopDetected)


def test_the_gateways_own_credentials_sign_nothing_raw() -> None:
    signed = Target(
        "bedrock", "m", base_url="https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1"
    )
    made = world(served=endpoint(signed))
    assert isinstance(refusal(made, raw()), Unsupported)
    assert made.transport.sent == []


def test_a_status_that_is_none_is_no_answer() -> None:
    upstream = FakeUpstream(b"x", status=799)
    assert isinstance(refusal(world(upstream), raw()), UpstreamBroke)
    assert upstream.closed == 1


def test_what_the_provider_forwards_comes_along() -> None:
    claude = Target("anthropic", "claude", "key")
    made = world(FakeUpstream(), served=endpoint(claude))
    given = {"anthropic-beta": "files-api", "openai-beta": "x"}
    run(told(made, raw(headers=given)))
    headers = made.transport.sent[0].headers
    assert {name: headers.get(name) for name in ("anthropic-beta", "anthropic-version", "x-api-key")} == {
        "anthropic-beta": "files-api",
        "anthropic-version": "2023-06-01",
        "x-api-key": SECRET,
    }  # fmt: skip
    assert not {"openai-beta", "authorization"} & headers.keys()
