"""The negative tests of shared/reference/aws.md, 6.5, by number: where calls go, and what fails."""

import logging
from pathlib import Path

import pytest

from gateway.adapters.http1.transport import Http1Transport
from gateway.adapters.memory import MemoryItems
from gateway.adapters.sqlite import SqliteFile, SqliteItems, SqliteRecords
from gateway.errors import UpstreamUnreachable
from gateway.providers.addresses import refused_url
from gateway.providers.egress import AllowList, EgressGuard
from gateway.wire.json import Json, dumps
from tests.fakes import FakeUpstream, run
from tests.handler.control.world import ECHO, GPT, FailingItems, KeptVault, World, whole
from tests.handler.driver import Told

CHAT: Json = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
CHATS = "/gateway/openai/v1/chat/completions"
MESSAGE = {"role": "assistant", "content": "ok"}
ANSWER = dumps({"id": "c", "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]})
METADATA = [
    "169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "0xa9.254.0251.0xfe", "169.16689662", "169.254.43518", "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "169.254.170.2", "100.100.100.200",
    "192.0.0.192", "[fd00:ec2::254]", "[fd00:ec2::254%25eth0]", "metadata.google.internal",
    "METADATA.google.internal.", "metadata.goog", "instance-data", "168.63.129.16", "0.0.0.0", "0",
    "[::]", "224.0.0.1", "[fe80::1]", "255.255.255.255", "[fd00:ec2::23]", "metadata.tencentyun.com",
]  # fmt: skip


@pytest.mark.parametrize("host", METADATA)
def test_25_no_form_of_a_forbidden_address_is_a_base_url(host: str) -> None:
    world = World()
    for form in (f"http://{host}/v1", f"https://{host}:8443/"):
        target = {"provider": "openai_compatible", "model": "m", "base_url": form}
        told = world.ask("POST", "/api/endpoints", {"name": "e", "targets": [target]})
        assert (told.status, told.json["error"]["param"]) == (400, "targets[0].base_url")
        told = world.ask("PUT", "/api/secrets/s", {"value": "v", "base_url": form})
        assert (told.status, told.json["error"]["param"]) == (400, "base_url")
        assert world.ask("PATCH", "/api/settings", {"allow_private": [host]}).status == 400


def calling(*answers: FakeUpstream | Exception, world: World | None = None) -> tuple[World, str]:
    world = world or World()
    world.web.answers += answers
    world.put_secret(value="sk-CANARY-0123456789")
    world.make_endpoint("gpt", targets=[GPT | {"secret": "vault:openai"}])
    return world, world.make_key("k")


def chat(world: World, key: str) -> Told:
    return world.ask("POST", CHATS, CHAT, headers={"authorization": f"Bearer {key}"})


NOT_FORWARDED = {
    "host": "evil.example",
    "connection": "x-secret",
    "te": "trailers",
    "upgrade": "h2c",
    "proxy-authorization": "Basic eA==",
    "cookie": "a=b",
    "x-forwarded-for": "1.2.3.4",
    "x-forwarded-host": "evil.example",
    "forwarded": "host=evil.example",
    "x-real-ip": "1.2.3.4",
    "x-amz-security-token": "token",
    "x-portkey-custom-host": "https://evil.example",
    "traceparent": "00-0-0-01",
    "openai-organization": "org-theirs",
}


def test_24_a_callers_headers_stay_with_the_gateway() -> None:
    world, key = calling(FakeUpstream(ANSWER))
    given = {**NOT_FORWARDED, "authorization": f"Bearer {key}"}
    assert world.ask("POST", CHATS, CHAT, headers=given).status == 200
    (sent,) = world.web.sent
    assert sent.url == "https://api.openai.com/v1/chat/completions"
    assert set(sent.headers) & set(NOT_FORWARDED) == set()
    assert key not in str(sent)


def test_26_a_redirect_is_not_followed() -> None:
    location = {"location": "http://169.254.169.254/latest/meta-data/"}
    world, key = calling(FakeUpstream(b"{}", status=302, headers=location))
    told = chat(world, key)
    assert (told.status, len(world.web.sent), "location" in told.headers) == (502, 1, False)


def test_27_what_a_name_resolved_to_is_what_is_judged() -> None:
    """tests/adapters/test_http1_egress.py has the resolver that changes its mind."""
    guard = EgressGuard(frozenset(), AllowList)
    assert guard.refuses("api.example.com", 443, "8.8.8.8") is None
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"):
        assert guard.refuses("api.example.com", 443, address) is not None


@pytest.mark.parametrize("address", ["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::ffff:10.0.0.1", "64:ff9b:1::7f00:1", "2001:0:a9fe:a9fe::", "100.64.0.1"])  # fmt: skip
def test_28_an_address_that_carries_another_is_judged_by_both(address: str) -> None:
    assert EgressGuard(frozenset(), AllowList).refuses("h.example", 443, address) is not None


@pytest.mark.parametrize("model", ["../../admin", "a/../../b", "m?key=x", "m#x", "%2e%2e"])
def test_29_no_name_gets_into_the_path_of_a_providers_url(model: str) -> None:
    world = World((FakeUpstream(ANSWER),))
    world.make_endpoint("gpt", targets=[GPT | {"model": model}])
    key = world.make_key("k")
    assert chat(world, key).status == 200
    assert world.web.sent[0].url == "https://api.openai.com/v1/chat/completions"
    for provider in ("../openai", "openai/../xai", "OPENAI", "openai\r\n"):
        spec = {"name": "e", "targets": [GPT | {"provider": provider}]}
        assert world.ask("POST", "/api/endpoints", spec).status == 400


def test_23_a_header_with_a_line_break_never_leaves() -> None:
    transport = Http1Transport(connect_timeout=1, read_limit=1024, refuses=lambda *_: None)
    with pytest.raises(UpstreamUnreachable):
        run(transport.open("http://127.0.0.1:9/", {"a": "b\r\nc: d"}, b"", patience=1))


def test_38_a_store_that_is_down_lets_nobody_in_who_is_not_remembered() -> None:
    items = FailingItems()
    world, key = calling(FakeUpstream(ANSWER), world=World(items=items))
    world.make_endpoint("echo", targets=[ECHO])
    items.down = {"get", "page", "write"}
    told = chat(world, key)
    assert (told.status, told.error["message"]) == (503, "the store is down")
    assert world.web.sent == []
    assert chat(world, "junk").status == 401


def test_38_a_store_that_is_down_shuts_out_nobody_who_is_remembered() -> None:
    items = FailingItems()
    world = World(items=items)
    world.make_endpoint("e")
    headers = {"authorization": f"Bearer {world.make_key('k')}"}
    assert world.ask("GET", "/gateway/openai/v1/models/e", headers=headers).status == 200
    items.down = {"get", "page", "write"}
    for passed in (60, 600):
        world.clock.now += passed
        told = world.ask("GET", "/gateway/openai/v1/models/e", headers=headers)
        assert told.status == 503  # the door is passed; endpoints are not remembered here


class Renewing(KeptVault):
    """``renewals``: how often a secret was read anew."""

    def __init__(self, another: str | None) -> None:
        super().__init__()
        self.another, self.renewals = another, 0

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        del reference, origin, refused
        self.renewals += 1
        return self.another


@pytest.mark.parametrize(("another", "calls"), [("sk-new", 2), (None, 1)])
def test_39_a_401_of_a_provider_makes_one_renewal(another: str | None, calls: int) -> None:
    vault = Renewing(another)
    refusals = [FakeUpstream(b"{}", status=401) for _ in range(3)]
    world, key = calling(*refusals, world=World(vault=vault))
    assert chat(world, key).status == 401
    assert (vault.renewals, len(world.web.sent)) == (1, calls)


def test_39_a_vault_that_is_down_is_a_503_that_names_the_reference_alone() -> None:
    world, key = calling()
    world.vault.down = True
    told = chat(world, key)
    assert (told.status, told.error["message"]) == (503, "secret 'vault:openai' cannot be had")


PROMPT = "PROMPT-CANARY-please-keep-this"
KEY = "sk-CANARY-0123456789"


def a_day(world: World) -> list[Told]:
    """Good calls and bad ones, of callers and admins."""
    keys = {"caller": world.make_key("caller"), "admin": world.admin, "junk": "sgk_CANARYJUNK"}
    chat = {"model": "gpt", "messages": [{"role": "user", "content": PROMPT}]}
    told = []
    for name, key in keys.items():
        headers = {"authorization": f"Bearer {key}"}
        told += [
            world.ask("POST", path, body, headers=headers)
            for body in (
                chat,
                chat | {"stream": True},
                chat | {"model": "no"},
                chat | {"n": PROMPT},
            )
            for path in (CHATS, "/gateway/mlflow/v1/chat/completions", "/api/endpoints")
        ]
        told += [world.ask("GET", "/gateway/openai/v1/models", headers=headers)]
        told += [world.ask("GET", f"/gateway/{name}", headers=headers, query=f"key={key}")]
    told += [world.ask("GET", f"/api/{path}") for path in READ]
    nobody = {"authorization": ""}
    return told + [world.ask("GET", path, headers=nobody) for path in PUBLIC]


READ = ("keys", "keys/caller", "secrets", "secrets/openai", "endpoints", "export", "settings")
PUBLIC = ("/", "/health", "/ready", "/openapi.json", "/api/openapi.json")


def quoting() -> list[FakeUpstream | Exception]:
    """Providers that say the key back in every way."""
    error = dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})
    return [
        FakeUpstream(error, status=401),
        FakeUpstream(error, status=400, headers={"x-request-id": KEY}),
        FakeUpstream(ANSWER.replace(b'"id":"c"', b'"id":"d"'), headers={"x-request-id": KEY}),
        FakeUpstream(b"data: " + error + b"\n\n"),
        UpstreamUnreachable("no connection"),
        *(FakeUpstream(error, status=500) for _ in range(20)),
    ]


def test_40_no_canary_is_found_anywhere(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    file = tmp_path / "gateway.db"
    stored = World(items=SqliteItems(file), records=SqliteRecords(file))
    for world in (World(), stored):
        with caplog.at_level(logging.DEBUG):
            calling(*quoting(), world=world)
            told = a_day(world)
        assert len(world.web.sent) >= 5
        answers = "".join(f"{one.headers}{one.body.decode()}" for one in told)
        canaries = (KEY, PROMPT, world.admin, "sgk_CANARYJUNK", "sk-from-the-environment")
        places = {"answers": answers, "log": caplog.text, "store": kept(world, file)}
        found = {place: [one for one in canaries if one in text] for place, text in places.items()}
        assert found == {"answers": [], "log": [], "store": []}


def kept(world: World, file: Path) -> str:
    """All that was written down."""
    if isinstance(world.items, MemoryItems):
        return f"{whole(world.items)}{vars(world.records)}"
    rows = [run(SqliteFile(file).read(f"SELECT * FROM {table}")) for table in TABLES]  # noqa: S608
    assert all(rows)
    return f"{rows}{file.read_bytes()!r}"


TABLES = ("items", "records", "used")


@pytest.mark.parametrize("name", ["httpx", "httpcore", "boto3", "botocore", "urllib3"])
def test_what_other_libraries_say_of_each_call_is_not_heard(name: str) -> None:
    """httpx tells every address at INFO, boto3 every header at DEBUG."""
    assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING


def test_25_the_url_is_judged_as_it_is_used() -> None:
    """No form that one reader of URLs takes for another host than the next."""
    for url in (
        "http://a@169.254.169.254/",
        "http://h\\@169.254.169.254/",
        "http://169.254.169.254%2f@h/",
    ):
        assert refused_url(url) is not None
