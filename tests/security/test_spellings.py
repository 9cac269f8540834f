"""No method, header or spelling of a path gets anyone into a route that is not theirs."""

import pytest

from tests.fakes import run
from tests.handler.driver import scope
from tests.security.test_routes import EXPECTED, OTHER_ROLE, Keys, filled, knocked

ONE = Keys.made()


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "Post", "PROPFIND", ""]
)
@pytest.mark.parametrize(
    "path", sorted({path for (_, path), role in EXPECTED.items() if role == "admin"})
)
def test_no_other_method_gets_a_caller_in(method: str, path: str) -> None:
    assert run(knocked(ONE, "caller", method, path)).status in (403, 405)


HOSTILE: list[tuple[str, str]] = [
    ("host", "127.0.0.1/gateway/openai/v1/models?"),
    ("host", "evil.example/health#"),
    ("host", "/health"),
    ("host", ""),
    ("x-forwarded-host", "localhost"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-prefix", "/health"),
    ("forwarded", "for=127.0.0.1;host=localhost"),
    ("x-real-ip", "127.0.0.1"),
    ("x-original-url", "/health"),
    ("x-rewrite-url", "/health"),
    ("x-http-method-override", "GET"),
    ("x-original-method", "GET"),
    ("x-amzn-request-context", '{"authorizer":{"iam":{"userArn":"' + OTHER_ROLE + '"}}}'),
    ("x-amzn-iam-user-arn", OTHER_ROLE),
    ("aws.event", '{"requestContext":{}}'),
    ("x-user-role", "admin"),
    ("cookie", "role=admin"),
    ("referer", "http://127.0.0.1/api/keys"),
]


@pytest.mark.parametrize(("name", "value"), HOSTILE)
@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("caller", 403)])
def test_no_header_changes_which_route_it_is(name: str, value: str, who: str, status: int) -> None:
    for (method, path), role in EXPECTED.items():
        if role == "admin":
            asked = scope(method, filled(path), {name: value})
            assert run(knocked(ONE, who, method, path, asked)).status == status
    for (method, path), role in EXPECTED.items():
        if role == "caller" and who == "nobody":
            asked = scope(method, filled(path), {name: value})
            assert run(knocked(ONE, who, method, path, asked)).status == 401


# As a server hands them on: percent-encoding undone once, or not at all.
SPELLINGS = [
    "//api/keys", "/api//keys", "/./api/keys", "/api/./keys", "/api/keys/", "/api/keys//", "/API/KEYS",
    "/Api/keys", "/api/Keys", "/api/keys;a=b", "/api/keys/..", "/health/../api/keys", "/health/..;/api/keys",
    "/gateway/../api/keys", "/gateway/openai/v1/models/../../../../api/keys", "/%2e%2e/api/keys",
    "/api%2fkeys", "/%61pi/keys", "/api/keys%00", "/api/keys\x00", "/api/keys%20", "/api/keys ", " /api/keys",
    "/api/keys?", "/api/keys#", "/api\\keys", "\\api\\keys", "http://127.0.0.1/api/keys", "api/keys", "",
    "/api/keys/root/../root", "/\uff41pi/keys", "/gateway/openai/v1/models/%2e%2e/%2e%2e/api/keys",
]  # fmt: skip


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_no_spelling_of_a_path_gets_a_caller_into_an_admins_route(method: str, path: str) -> None:
    for who in ("nobody", "caller"):
        asked = scope(method, path)
        told = run(knocked(ONE, who, method, path, asked))
        assert told.status in (401, 403, 404, 405)
        assert b"root" not in told.body.replace(path.encode(), b"")


def test_a_root_path_does_not_move_a_route() -> None:
    for root in ("/api", "/api/keys", "/health", "/gateway/openai"):
        asked = {**scope("GET", "/api/keys"), "root_path": root}
        assert run(knocked(ONE, "caller", "GET", "/api/keys", asked)).status in (403, 404)
