"""Every route, and everyone who may knock: who passes is written here, and nowhere else."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from starlette.routing import BaseRoute

from gateway.admission.keys import new_key
from gateway.wire.json import Json, dumps
from handler.app import create_app, query_routes
from handler.door import GuardedRoute
from tests.fakes import run
from tests.handler.control.world import ROLE, World, called
from tests.handler.driver import Told, scope

Who = Literal["public", "caller", "admin"]
OPENAI, MLFLOW = "/gateway/openai/v1", "/gateway/mlflow/v1"
ANTHROPIC = "/gateway/anthropic/v1"
RESPONSES = ("/responses", "/responses/compact", "/responses/input_tokens")
RAW = "/gateway/proxy/{endpoint}/{path:path}"
E, K, S = "/api/endpoints/{name}", "/api/keys/{name}", "/api/secrets/{name}"

DOUBLED: dict[tuple[str, str], Who] = {
    (verb, f"{root}/v1{rest}"): "caller"
    for root, posted in (
        (OPENAI, ("/chat/completions", "/embeddings", *RESPONSES)),
        (MLFLOW, ("/chat/completions", "/embeddings", "/responses")),
        (ANTHROPIC, ("/messages", "/messages/count_tokens")),
    )
    for verb, rest in (
        *(("POST", path) for path in posted),
        ("GET", "/models"),
        ("GET", "/models/{name:path}"),
    )
}

# A route that is not here fails the test, and so does one here that does not exist.
EXPECTED: dict[tuple[str, str], Who] = {
    ("GET", "/health"): "public",
    ("GET", "/ready"): "public",
    ("GET", "/openapi.json"): "public",
    ("GET", "/api/openapi.json"): "public",
    **DOUBLED,
    ("POST", f"{OPENAI}/chat/completions"): "caller",
    ("POST", f"{MLFLOW}/chat/completions"): "caller",
    ("POST", f"{OPENAI}/embeddings"): "caller",
    ("POST", f"{MLFLOW}/embeddings"): "caller",
    ("POST", f"{OPENAI}/responses"): "caller",
    ("POST", f"{OPENAI}/responses/compact"): "caller",
    ("POST", "/gateway/{endpoint:path}/mlflow/invocations"): "caller",
    ("GET", f"{OPENAI}/models"): "caller",
    ("GET", f"{OPENAI}/models/{{name:path}}"): "caller",
    ("GET", f"{MLFLOW}/models"): "caller",
    ("GET", f"{MLFLOW}/models/{{name:path}}"): "caller",
    ("POST", f"{ANTHROPIC}/messages"): "caller",
    ("POST", f"{ANTHROPIC}/messages/count_tokens"): "caller",
    ("GET", f"{ANTHROPIC}/models"): "caller",
    ("GET", f"{ANTHROPIC}/models/{{name:path}}"): "caller",
    ("POST", f"{OPENAI}/responses/input_tokens"): "caller",
    ("POST", f"{MLFLOW}/responses"): "caller",
    **{
        (verb, f"/gateway/gemini{version}/models{rest}"): "caller"
        for version in (
            "",
            "/v1beta",
            "/v1",
            "/v1alpha",
            "/v1beta/v1beta",
            "/v1beta/v1",
            "/v1/v1beta",
            "/v1/v1",
            "/v1alpha/v1beta",
            "/v1alpha/v1",
        )
        for verb, rest in (
            ("GET", ""),
            ("GET", "/{name:path}"),
            ("POST", "/{endpoint:path}:generateContent"),
            ("POST", "/{endpoint:path}:streamGenerateContent"),
            ("POST", "/{endpoint:path}:countTokens"),
            ("POST", "/{endpoint:path}:embedContent"),
            ("POST", "/{endpoint:path}:batchEmbedContents"),
        )
    },
    **dict.fromkeys(
        ((method, RAW) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")), "caller"
    ),
    ("GET", "/api/endpoints"): "admin",
    ("POST", "/api/endpoints"): "admin",
    ("GET", E): "admin",
    ("PUT", E): "admin",
    ("PATCH", E): "admin",
    ("DELETE", E): "admin",
    ("GET", f"{E}/targets"): "admin",
    ("POST", f"{E}/targets"): "admin",
    ("PATCH", f"{E}/targets/{{place}}"): "admin",
    ("DELETE", f"{E}/targets/{{place}}"): "admin",
    ("GET", f"{E}/fallbacks"): "admin",
    ("POST", f"{E}/fallbacks"): "admin",
    ("PATCH", f"{E}/fallbacks/{{place}}"): "admin",
    ("DELETE", f"{E}/fallbacks/{{place}}"): "admin",
    ("GET", "/api/keys"): "admin",
    ("POST", "/api/keys"): "admin",
    ("GET", K): "admin",
    ("PATCH", K): "admin",
    ("DELETE", K): "admin",
    ("POST", f"{K}/rotate"): "admin",
    ("GET", "/api/secrets"): "admin",
    ("GET", S): "admin",
    ("PUT", S): "admin",
    ("DELETE", S): "admin",
    ("GET", "/api/settings"): "admin",
    ("PATCH", "/api/settings"): "admin",
    ("POST", "/api/plan"): "admin",
    ("POST", "/api/apply"): "admin",
    ("GET", "/api/export"): "admin",
}
CALLS_BY_NAME = "/gateway/{endpoint:path}/mlflow/invocations"
OTHER_ROLE = "arn:aws:iam::123456789012:role/operator"
STRANGER = "arn:aws:iam::123456789012:role/stranger"


@dataclass
class Keys:
    """One of each kind of key, in a world that knows them."""

    world: World
    caller: str
    limited: str
    disabled: str
    expired: str
    revoked: str

    @classmethod
    def made(cls) -> "Keys":
        world = World()
        for name in ("e", "other"):
            world.make_endpoint(name)
        world.ask("POST", "/api/keys", {"name": "iam", "principal": ROLE})
        world.ask("POST", "/api/keys", {"name": "op", "principal": OTHER_ROLE, "role": "admin"})
        keys = cls(
            world,
            caller=world.make_key("caller"),
            limited=world.make_key("limited", endpoints=["other"]),
            disabled=world.make_key("disabled", disabled=True, role="admin"),
            expired=world.make_key("expired", expires="2020-01-01", role="admin"),
            revoked=world.make_key("revoked", role="admin"),
        )
        world.ask("DELETE", "/api/keys/revoked")
        return keys


def bearer(key: str) -> Callable[[Json], None]:
    def present(asked: Json) -> None:
        asked["headers"].append((b"authorization", f"Bearer {key}".encode()))

    return present


def iam(arn: Any) -> Callable[[Json], None]:
    def present(asked: Json) -> None:
        asked["aws.event"] = {"requestContext": {"authorizer": {"iam": {"userArn": arn}}}}

    return present


def rest(arn: str) -> Callable[[Json], None]:
    def present(asked: Json) -> None:
        asked["aws.event"] = {"requestContext": {"identity": {"userArn": arn}}}

    return present


PEOPLE: dict[str, tuple[Callable[[Keys], Callable[[Json], None]], dict[Who, int | None]]] = {
    "nobody": (lambda _: lambda _: None, {"caller": 401, "admin": 401}),
    "junk": (lambda _: bearer("junk"), {"caller": 401, "admin": 401}),
    "empty": (lambda _: bearer(""), {"caller": 401, "admin": 401}),
    "unknown": (lambda _: bearer(new_key(b"u" * 32)), {"caller": 401, "admin": 401}),
    "cut": (lambda keys: bearer(keys.world.admin[:-1]), {"caller": 401, "admin": 401}),
    "longer": (lambda keys: bearer(keys.world.admin + "x"), {"caller": 401, "admin": 401}),
    "disabled": (lambda keys: bearer(keys.disabled), {"caller": 401, "admin": 401}),
    "expired": (lambda keys: bearer(keys.expired), {"caller": 401, "admin": 401}),
    "revoked": (lambda keys: bearer(keys.revoked), {"caller": 401, "admin": 401}),
    "caller": (lambda keys: bearer(keys.caller), {"caller": None, "admin": 403}),
    "limited": (lambda keys: bearer(keys.limited), {"caller": 403, "admin": 403}),
    "admin": (lambda keys: bearer(keys.world.admin), {"caller": 403, "admin": None}),
    "iam caller": (lambda _: iam(ROLE), {"caller": None, "admin": 403}),
    "iam admin": (lambda _: iam(OTHER_ROLE), {"caller": 403, "admin": None}),
    "iam session": (
        lambda _: iam("arn:aws:sts::123456789012:assumed-role/operator/me"),
        {"caller": 403, "admin": None},
    ),
    "iam of a REST API": (lambda _: rest(OTHER_ROLE), {"caller": 403, "admin": None}),
    "iam stranger": (lambda _: iam(STRANGER), {"caller": 401, "admin": 401}),
    "iam of no ARN": (lambda _: iam([OTHER_ROLE]), {"caller": 401, "admin": 401}),
    "iam with a junk key": (
        lambda _: lambda asked: (iam(OTHER_ROLE)(asked), bearer("junk")(asked))[0],
        {"caller": 401, "admin": 401},
    ),
}


def routes() -> list[BaseRoute]:
    return list(World().app.router.routes)


def plain(path: str) -> str:
    """A place is a number, however the route says so."""
    return re.sub("{place:[a-z]+}", "{place}", path)


def filled(path: str) -> str:
    for field in ("{endpoint:path}", "{endpoint}", "{name:path}", "{name}"):
        path = path.replace(field, "e")
    return path.replace("{place}", "0").replace("{path:path}", "v1/chat/completions")


def body_for(path: str) -> bytes:
    chat = {"messages": [{"role": "user", "content": "hi"}]}
    if not path.startswith("/gateway"):
        return b""
    if path == CALLS_BY_NAME:
        return dumps(chat)
    content = {"parts": [{"text": "hi"}]}
    geminis = {"contents": [content], "content": content, "requests": [{"content": content}]}
    return dumps({**chat, **geminis, "input": "a", "model": "e"})


async def knocked(keys: Keys, who: str, method: str, path: str, asked: Json | None = None) -> Told:
    asked = asked or scope(method, filled(path))
    PEOPLE[who][0](keys)(asked)
    told = await called(keys.world.app, asked, body_for(path))
    await keys.world.wired.background.finish(5)
    return told


def test_every_route_says_who_may_pass() -> None:
    assert [route for route in routes() if not isinstance(route, GuardedRoute)] == []
    found = {
        (method, plain(route.path)): route.role or "public"
        for route in routes()
        if isinstance(route, GuardedRoute)
        for method in (route.methods or {"ANY"}) - {"HEAD"}
    }
    assert found == EXPECTED


@pytest.mark.parametrize("who", PEOPLE)
def test_who_passes_and_who_does_not(who: str) -> None:
    keys, wrong = Keys.made(), {}
    refused_by_role = PEOPLE[who][1]
    for (method, path), role in EXPECTED.items():
        told = run(knocked(keys, who, method, path))
        expected = refused_by_role.get(role)
        # A limited key is a caller's: it may list what it may call, and not find the rest.
        if who == "limited" and role == "caller" and method == "GET" and path != RAW:
            expected = 404 if "{name" in path else None
        passed = told.status not in (401, 403, 500)
        if (told.status != expected) if expected else not passed:
            wrong[method, path] = told.status
    assert wrong == {}


@pytest.mark.parametrize("who", ["nobody", "caller", "limited", "iam caller", "expired"])
def test_nothing_of_what_is_an_admins_is_told_to_others(who: str) -> None:
    keys = Keys.made()
    for (method, path), role in EXPECTED.items():
        if role == "admin":
            told = run(knocked(keys, who, method, path))
            assert set(told.json) == {"error"}
            assert "echo" not in str(told.json)


QUERY_PLANE = """
import sys
from handler.app import create_app, query_routes
loaded = [name for name in sys.modules if name.startswith(("gateway.admin.", "handler.control"))]
assert "gateway.admin" not in sys.modules, sorted(sys.modules)
assert loaded == [], loaded
"""


def test_the_query_plane_knows_nothing_of_the_control_plane() -> None:
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", QUERY_PLANE],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_query_plane_alone_has_nothing_that_writes() -> None:
    wired = World().wired
    found = {
        route.path: route.role
        for route in create_app(wired, query_routes(wired)).router.routes
        if isinstance(route, GuardedRoute)
    }
    assert set(found.values()) == {"caller", None}
    assert [path for path in found if path.startswith("/api")] == []
