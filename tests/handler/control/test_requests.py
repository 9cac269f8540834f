"""What every row of the control plane does alike: pages, versions, bodies, methods."""

import gzip
from typing import Any

import pytest

from gateway.wire.json import Json, dumps
from tests.handler.control.world import ECHO, World, refusal, whole

WRITES = [
    ("POST", "/api/endpoints"),
    ("PUT", "/api/endpoints/e"),
    ("PATCH", "/api/endpoints/e"),
    ("POST", "/api/endpoints/e/targets"),
    ("PATCH", "/api/endpoints/e/targets/0"),
    ("POST", "/api/endpoints/e/fallbacks"),
    ("POST", "/api/keys"),
    ("PATCH", "/api/keys/root"),
    ("POST", "/api/keys/root/rotate"),
    ("PUT", "/api/secrets/s"),
    ("PATCH", "/api/settings"),
    ("POST", "/api/plan"),
    ("POST", "/api/apply"),
]


def many(world: World, count: int = 250) -> list[str]:
    names = [f"e{nth:03}" for nth in range(count)]
    manifest = {"endpoints": {name: {"targets": [ECHO]} for name in names}}
    assert world.ask("POST", "/api/apply", {"manifest": manifest}).status == 200
    return names


@pytest.mark.parametrize(
    ("limit", "sizes"), [(None, [100, 100, 50]), (250, [250]), (249, [249, 1])]
)
def test_all_are_listed_page_by_page(limit: int | None, sizes: list[int]) -> None:
    world = World()
    names, found, seen = many(world), [], []
    after: str | None = ""
    while after is not None:
        query = f"after={after}" + (f"&limit={limit}" if limit else "")
        page = world.ask("GET", "/api/endpoints", query=query).json
        found += [one["name"] for one in page["items"]]
        seen.append(len(page["items"]))
        after = page["next"]
    assert (found, seen) == (names, sizes)


def test_keys_and_secrets_have_pages_too() -> None:
    world = World()
    for name in ("a", "b"):
        world.make_key(name)
        world.put_secret(name)
    for kind, last in (("keys", "root"), ("secrets", None)):
        first = world.ask("GET", f"/api/{kind}", query="limit=2").json
        assert [one["name"] for one in first["items"]] == ["a", "b"]
        assert first["next"] == ("b" if last else None)
        rest = world.ask("GET", f"/api/{kind}", query="limit=2&after=b").json
        assert [one["name"] for one in rest["items"]] == ([last] if last else [])


@pytest.mark.parametrize(
    "after", ["zzz", "%00", "%ff", "%ed%a0%80", "a" * 4000, "'; DROP TABLE items"]
)
def test_after_is_any_text(after: str) -> None:
    told = World().ask("GET", "/api/endpoints", query=f"after={after}")
    assert (told.status, told.json) == (200, {"items": [], "next": None})


@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "1001", "x", "1.5", "1e2", "%2b1", "%d9%a3", "%20", "0x10", "9" * 30, "9" * 5000],
)
@pytest.mark.parametrize("kind", ["endpoints", "keys", "secrets"])
def test_a_bad_limit_is_refused(kind: str, limit: str) -> None:
    told = World().ask("GET", f"/api/{kind}", query=f"limit={limit}")
    assert refusal(told) == (400, "limit", "limit: must be 1 to 1000")


VERSION = 'if-match: must be a version, as the ETag tells it: "3"'


@pytest.mark.parametrize(
    "version", ["x", '"x"', 'W/"1"', "-1", '"1", "2"', "1.0", "", '"1"x', "9" * 16]
)
def test_a_version_that_is_none_is_refused(version: str) -> None:
    world = World()
    world.make_endpoint()
    told = world.version("PATCH", "/api/endpoints/e", {"retries": {"times": 1}}, version)
    assert refusal(told) == (400, "if-match", VERSION)
    assert world.ask("GET", "/api/endpoints/e").json["version"] == 1


@pytest.mark.parametrize("version", ["1", '"1"', ' "1" ', "*"])
def test_the_version_that_is_there_may_be_changed(version: str) -> None:
    world = World()
    world.make_endpoint()
    assert world.version("PATCH", "/api/endpoints/e", {}, version).json["version"] == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/endpoints/e", {"targets": [ECHO]}),
        ("PATCH", "/api/endpoints/e", {}),
        ("DELETE", "/api/endpoints/e", b""),
        ("POST", "/api/endpoints/e/targets", ECHO | {"model": "b"}),
        ("PATCH", "/api/keys/k", {}),
        ("POST", "/api/keys/k/rotate", {}),
        ("DELETE", "/api/keys/k", b""),
        ("PUT", "/api/secrets/openai", {"value": "another"}),
        ("DELETE", "/api/secrets/openai", b""),
    ],
)
def test_another_version_than_there_is_is_a_409(method: str, path: str, body: Any) -> None:
    world = World()
    world.make_endpoint()
    world.make_key("k")
    world.put_secret()
    before, kept = whole(world.items), dict(world.vault.entries)  # type: ignore[arg-type]
    told = world.version(method, path, body, '"7"')
    assert (told.status, told.json["error"]["code"]) == (409, "changed_meanwhile")
    version = 2 if "secrets" in path else 1  # entering it was two writings
    message = f"is at version {version}, not 7: read it again"
    assert told.json["error"]["message"].endswith(message)
    assert whole(world.items) == before  # type: ignore[arg-type]
    assert world.vault.entries == kept


@pytest.mark.parametrize("path", ["/api/endpoints/no", "/api/secrets/no"])
def test_what_is_not_there_has_no_version(path: str) -> None:
    told = World().version("PUT", path, {"targets": [ECHO]} if "end" in path else SECRET, '"1"')
    assert told.status == 404


SECRET = {"value": "v", "provider": "openai"}


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    "text", [b"{", b"nul", b"\xff", b'{"a": NaN}', b'{"a": 1}}', b"  ", b"\x00"]
)
def test_what_is_no_json_is_a_400(method: str, path: str, text: bytes) -> None:
    world = World()
    world.make_endpoint()
    before = whole(world.items)  # type: ignore[arg-type]
    told = world.version(method, path, text, '"1"')
    assert (told.status, told.json["error"]["message"][:12]) == (400, "Invalid JSON")
    assert whole(world.items) == before  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_what_nests_deep_is_a_400_and_no_fault_of_ours(method: str, path: str) -> None:
    world = World()
    world.make_endpoint()
    for field in (b"retries", b"owner", b"allow_private", b"manifest", b"a"):
        text = b'{"' + field + b'":' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}"
        assert world.ask(method, path, text, headers=seen(path)).status == 400


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_field_that_is_none_is_a_400_that_names_it(method: str, path: str) -> None:
    world = World()
    world.make_endpoint()
    before = whole(world.items)  # type: ignore[arg-type]
    named = {"name": "n"} if path in ("/api/endpoints", "/api/keys") else {}
    told = world.ask(method, path, {**named, "no_such_field": 1}, headers=seen(path))
    assert told.status == 400
    assert "no_such_field" in str(told.json)
    assert whole(world.items) == before  # type: ignore[arg-type]


def seen(path: str) -> dict[str, str]:
    """Only a place of a list needs the version."""
    return {"if-match": '"1"'} if path.endswith("/0") else {}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_beyond_all_bounds_is_a_413(method: str, path: str) -> None:
    told = World().ask(method, path, b" " * (4 * 1024 * 1024 + 1))
    message = "the request body is larger than 4194304 bytes"
    assert refusal(told) == (413, None, message)
    bomb = gzip.compress(b" " * 5_000_000)
    told = World().ask(method, path, bomb, headers={"content-encoding": "gzip"})
    assert refusal(told) == (413, None, message)


def test_a_packed_body_is_read() -> None:
    body = gzip.compress(dumps({"name": "e", "targets": [ECHO]}))
    world = World()
    told = world.ask("POST", "/api/endpoints", body, headers={"content-encoding": "gzip"})
    assert told.status == 201
    told = world.ask("POST", "/api/endpoints", body, headers={"content-encoding": "br"})
    message = "content-encoding 'br' is not one of gzip, deflate, zstd"
    assert refusal(told) == (415, None, message)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/endpoints", {"GET", "HEAD", "POST"}),
        ("POST", "/api/endpoints/e", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("PUT", "/api/endpoints/e/targets", {"GET", "HEAD", "POST"}),
        ("GET", "/api/endpoints/e/targets/0", {"PATCH", "DELETE"}),
        ("PUT", "/api/keys", {"GET", "HEAD", "POST"}),
        ("PUT", "/api/keys/k", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("GET", "/api/keys/k/rotate", {"POST"}),
        ("POST", "/api/secrets", {"GET", "HEAD"}),
        ("PATCH", "/api/secrets/s", {"GET", "HEAD", "PUT", "DELETE"}),
        ("DELETE", "/api/settings", {"GET", "HEAD", "PATCH"}),
        ("GET", "/api/apply", {"POST"}),
        ("POST", "/api/export", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_a_405_that_tells_all_there_are(
    method: str, path: str, allowed: set[str]
) -> None:
    told = World().ask(method, path)
    assert told.status == 405
    assert set(told.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/endpoints/", "/api/endpoints/a/b", "/api/nothing"]
)
def test_what_is_no_path_is_a_404(path: str) -> None:
    told = World().ask("GET", path)
    assert (told.status, told.json["error"]["code"]) == (404, "unknown_path")


@pytest.mark.parametrize("path", ["/api/endpoints/", "/api/keys/", "/api/secrets/"])
@pytest.mark.parametrize("name", ["no", "a b", "é", "a\r\nb", "\x00", "x" * 3000, ".", "a:b"])
def test_what_is_not_there_is_a_404(path: str, name: str) -> None:
    assert World().ask("GET", path + name).status == 404


def test_a_name_said_twice_counts_as_last_said() -> None:
    text = b'{"name": "a", "name": "b", "targets": [{"provider": "echo", "model": "m"}]}'
    world = World()
    assert world.ask("POST", "/api/endpoints", text).json["name"] == "b"
    assert world.ask("GET", "/api/endpoints/a").status == 404


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e400"])
def test_a_number_beyond_all_is_refused(number: str) -> None:
    target = b'{"provider": "echo", "model": "m", "weight": ' + number.encode() + b"}"
    world = World()
    told = world.ask("POST", "/api/endpoints", b'{"name": "e", "targets": [' + target + b"]}")
    assert told.status == 400
    assert world.ask("GET", "/api/endpoints").json["items"] == []


def test_errors_have_openais_shape_and_their_faults_besides() -> None:
    told: Json = World().ask("POST", "/api/endpoints", {"name": "e", "targets": []}).json
    problem = "List should have at least 1 item after validation, not 0"
    assert told == {
        "error": {
            "message": f"targets: {problem}",
            "type": "invalid_request_error",
            "param": "targets",
            "code": None,
        },
        "faults": [{"field": "targets", "problem": problem}],
    }
