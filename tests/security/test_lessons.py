"""The negative tests of shared/reference/aws.md, 6.5, by number: who is let in, and what is read."""

import base64
import gzip
import logging
from typing import Any

import pytest

from gateway.admission.keys import new_key
from gateway.wire.json import Json, dumps, loads
from tests.fakes import FakeUpstream, run
from tests.handler.control.world import GPT, LIMIT, ROLE, World, called
from tests.handler.driver import Told, scope

CHAT: Json = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
CHATS = "/gateway/openai/v1/chat/completions"
ANSWER = dumps(
    {
        "id": "c1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "ok"},
                "finish_reason": "stop",
            }
        ],
    }
)


def with_endpoint(*answers: FakeUpstream | Exception, **more: Any) -> World:
    """``e`` is the echo; ``gpt`` is at a provider that gives these answers."""
    world = World(answers, **more)
    world.make_endpoint("e")
    world.make_endpoint("gpt", targets=[GPT])
    return world


def chat(world: World, body: Any = CHAT, query: str = "", **headers: str) -> Told:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.ask("POST", CHATS, body, headers={"authorization": "", **given}, query=query)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_01_no_key_is_a_401() -> None:
    told = chat(with_endpoint())
    assert (told.status, told.headers["www-authenticate"]) == (401, 'Bearer realm="sluicegate"')


@pytest.mark.parametrize("scheme", ["Token", "Digest", "AWS4-HMAC-SHA256", "bearer:", "Bearer="])
def test_02_another_scheme_is_no_key(scheme: str) -> None:
    world = with_endpoint()
    assert chat(world, authorization=f"{scheme} {world.make_key('k')}").status == 401


def test_02_every_place_where_an_sdk_puts_a_key_is_read() -> None:
    world = with_endpoint()
    key = world.make_key("k")
    basic = base64.b64encode(f"user:{key}".encode()).decode()
    for name, value in (
        ("authorization", f"bearer  {key} "),
        ("authorization", f"Basic {basic}"),
        ("x-api-key", key),
        ("api-key", key),
        ("x-goog-api-key", key),
    ):
        assert chat(world, **{name: value}).status == 200


def test_03_an_unknown_key_is_a_401() -> None:
    assert chat(with_endpoint(), **bearer(new_key(b"x" * 32))).status == 401


def test_04_a_revoked_key_ends_when_what_is_remembered_ends() -> None:
    world = with_endpoint()
    key = world.make_key("k")
    assert chat(world, **bearer(key)).status == 200
    world.ask("DELETE", "/api/keys/k")
    assert chat(world, **bearer(key)).status == 200  # remembered: `fresh` is 10 s here
    world.clock.now += 31
    assert chat(world, **bearer(key)).status == 401


def test_05_an_expired_key_is_a_401_in_its_very_second() -> None:
    world = with_endpoint()
    end = int(world.clock.now) + 100
    key = world.make_key("k", expires=end)
    world.clock.now = end - 0.5
    assert chat(world, **bearer(key)).status == 200
    world.clock.now = end
    assert chat(world, **bearer(key)).status == 401


def test_06_a_key_of_another_endpoint_is_a_403() -> None:
    world = with_endpoint()
    headers = bearer(world.make_key("k", endpoints=["gpt"]))
    told = chat(world, **headers)
    assert (told.status, told.error["code"]) == (403, "endpoint_not_allowed")
    listed = world.ask("GET", "/gateway/openai/v1/models", headers=headers).json["data"]
    assert [one["id"] for one in listed] == ["gpt"]
    assert world.ask("GET", "/gateway/openai/v1/models/e", headers=headers).status == 404
    for path in ("/gateway/e/mlflow/invocations", "/gateway/gpt/../e/mlflow/invocations"):
        told = world.ask("POST", path, {"messages": CHAT["messages"]}, headers=headers)
        assert told.status == 403
    assert world.web.sent == []


def test_07_two_different_keys_are_nobodys() -> None:
    world = with_endpoint()
    one, two = world.make_key("one"), world.make_key("two")
    assert chat(world, **bearer(one), x_api_key=two).status == 401
    assert chat(world, **bearer(one), x_api_key=one).status == 200
    assert chat(world, **bearer(world.admin), x_api_key=one).status == 401


@pytest.mark.parametrize("name", ["key", "api_key", "api-key", "access_token", "token"])
def test_08_a_key_in_the_query_string_is_refused(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = with_endpoint()
    key = world.make_key("k")
    with caplog.at_level(logging.DEBUG):
        told = chat(world, query=f"{name}={key}")
        named = world.ask(
            "POST",
            "/gateway/gemini/e/mlflow/invocations",  # an endpoint's name may begin so
            {"messages": CHAT["messages"]},
            headers={"authorization": ""},
            query=f"{name}={key}",
        )
    assert (told.status, named.status) == (401, 401)
    assert key not in caplog.text + told.body.decode() + named.body.decode()


MISSHAPEN = ["sgk_" + "a" * 100_000, "sgk_\x00", "ключ".encode().decode("latin-1"), "sgk_" + "é" * 49, " ", "null"]  # fmt: skip


@pytest.mark.parametrize("key", MISSHAPEN)
def test_09_what_is_no_key_is_a_401(key: str) -> None:
    world = with_endpoint()
    for headers in (bearer(key), {"x_api_key": key}):
        assert chat(world, **headers).status == 401


def test_10_all_401s_are_alike() -> None:
    world = with_endpoint()
    off, old = world.make_key("off", disabled=True), world.make_key("old", expires="2020-01-01")
    keys = ["", "junk", new_key(b"x" * 32), off, old, world.admin[:-1], off + "a"]
    told = [chat(world, **bearer(key)) for key in keys]
    assert len({one.headers.pop("x-gateway-request-id") for one in told}) == len(told)
    assert {(one.status, one.body, str(one.headers)) for one in told} == {
        (401, told[0].body, str(told[0].headers))
    }


def test_11_an_admins_route_is_closed_to_a_callers_key() -> None:
    world = with_endpoint()
    told = world.ask("GET", "/api/keys", headers=bearer(world.make_key("k")))
    message = "this takes an admin key; yours is a caller's"
    assert (told.status, told.error["message"], told.error["code"]) == (403, message, "wrong_role")


def test_12_a_query_writes_no_configuration() -> None:
    """test_routes has the rest: the query plane imports nothing that could."""
    world = with_endpoint()
    key = world.make_key("k")
    before = world.ask("GET", "/api/export").body
    for body in (CHAT, CHAT | {"config": {"role": "admin"}}, CHAT | {"api_base": "https://x"}):
        chat(world, body, **bearer(key))
    assert world.ask("GET", "/api/export").body == before


def asked(world: World, body: Any = CHAT, **headers: str) -> Told:
    return chat(world, body, **{**bearer(world.make_key("k")), **headers})


def test_13_a_body_over_the_limit_is_a_413() -> None:
    assert asked(with_endpoint(), b" " * (LIMIT + 1)).status == 413


@pytest.mark.parametrize("length", ["0", "1", "-1", "99999999999999999999", "1e3", "abc", "٣"])
def test_14_a_length_that_lies_changes_nothing_that_is_read(length: str) -> None:
    world = with_endpoint()
    given = {**bearer(world.make_key("k")), "content-length": length.encode().decode("latin-1")}
    over = world.ask("POST", CHATS, b" " * (LIMIT + 1), headers=given)
    assert over.status == 413
    assert world.ask("POST", CHATS, CHAT, headers=given).status in (200, 413)


@pytest.mark.parametrize(
    "text", [b"\xff\xfe{}", b'{"a": "\xc3"}', b"{", b'{"a":"\\ud800"}', b"\x00"]
)
def test_15_what_is_no_json_is_a_400(text: bytes) -> None:
    told = asked(with_endpoint(), text)
    assert (told.status, told.error["code"]) == (400, "invalid_json")


def test_16_what_nests_too_deep_is_a_400() -> None:
    for depth in (900, 10_000):
        text = b'{"model":"e","messages":' + b"[" * depth + b"]" * depth + b"}"
        assert asked(with_endpoint(), text).status == 400


def test_17_a_model_that_is_said_twice_is_one_model_to_the_provider() -> None:
    """Else the gateway admits one model and the provider is asked for another."""
    world = with_endpoint(FakeUpstream(ANSWER))
    key = bearer(world.make_key("k", endpoints=["gpt"]))
    text = dumps(CHAT)[:-1]
    refused = chat(world, b'{"model":"gpt",' + text[1:] + b"}", **key)
    assert refused.status == 403  # the last one counts: it says "e"
    told = chat(world, text + b',"model":"gpt"}', **key)
    assert told.status == 200
    (sent,) = world.web.sent
    assert sent.body.count(b'"model":"gpt"') == sent.body.count(b'"model"')
    assert loads(sent.body)["messages"] == CHAT["messages"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_18_a_number_that_is_none_is_a_400(number: bytes) -> None:
    assert (
        asked(with_endpoint(), dumps(CHAT)[:-1] + b',"temperature":' + number + b"}").status == 400
    )


@pytest.mark.parametrize("extra", [b'"max_tokens":-1', b'"max_completion_tokens":-5', b'"n":0', b'"max_tokens":1e999'])  # fmt: skip
def test_19_a_number_out_of_range_is_a_400_where_we_check_closely(extra: bytes) -> None:
    world = with_endpoint()
    key = bearer(world.make_key("k"))
    text = dumps(CHAT)[:-1] + b"," + extra + b"}"
    told = world.ask("POST", "/gateway/mlflow/v1/chat/completions", text, headers=key)
    assert told.status == 400


@pytest.mark.parametrize("name", ["../e", "e/../../api", "%2e%2e%2f", "a%2fb", "e#x", "e?x", "x" * 300, "e\x00"])  # fmt: skip
def test_20_an_unknown_endpoint_is_a_404_and_leads_nowhere(name: str) -> None:
    world = with_endpoint()
    key = world.make_key("k")
    assert chat(world, CHAT | {"model": name}, **bearer(key)).status == 404
    path = f"/gateway/{name}/mlflow/invocations"
    told = world.ask("POST", path, {"messages": CHAT["messages"]}, headers=bearer(key))
    assert told.status == 404
    assert world.web.sent == []


def test_21_what_the_event_of_aws_says_is_believed_only_from_the_event() -> None:
    """Packed as base64 or not, a body is Mangum's to unpack; who it is from is ours to read."""
    world = with_endpoint()
    world.ask("POST", "/api/keys", {"name": "iam", "principal": ROLE})
    event = {"requestContext": {"authorizer": {"iam": {"userArn": ROLE}}}}
    for inside, status in ((event, 200), ({"body": event}, 401), ({"headers": event}, 401)):
        given: Json = {**scope("POST", CHATS), "aws.event": {**inside, "isBase64Encoded": True}}
        assert run(called(world.app, given, dumps(CHAT))).status == status
    told = chat(world, dumps(CHAT | {"aws.event": event}), **{"aws.event": str(event)})
    assert told.status == 401


def test_22_a_bomb_is_refused_before_it_unfolds() -> None:
    """What a provider sends is bounded likewise: tests/adapters/test_http1_answers.py."""
    bomb = gzip.compress(b" " * 50_000_000)
    assert asked(with_endpoint(), bomb, content_encoding="gzip").status == 413


@pytest.mark.parametrize("name", ["a\r\nx-evil: 1", "a\nb", "a\x00"])
def test_23_a_line_break_gets_into_no_header_and_no_line(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = with_endpoint(FakeUpstream(ANSWER))
    key = bearer(world.make_key("k"))
    with caplog.at_level(logging.DEBUG):
        told = chat(world, CHAT | {"model": name}, **key)
        chat(world, CHAT | {"model": "gpt", "user": name}, **key)
    assert "x-evil" not in told.headers  # the driver refuses line breaks in their values
    assert [one for one in caplog.messages if set(one) & set("\r\n\x00")] == []
    for sent in world.web.sent:
        assert [value for value in sent.headers.values() if set(value) & set("\r\n\x00")] == []
