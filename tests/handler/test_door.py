"""Every route asks who is there, before it does anything else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.adapters.memory import MemoryEndpoints, MemoryLedger
from gateway.admission.admission import Admission, KeyAdmission
from gateway.admission.keys import Grant, hash_of, new_key, principal_id
from gateway.errors import Unavailable
from gateway.routing.endpoint import Endpoint
from gateway.wire.json import Json, dumps
from handler.door import GuardedRoute
from tests.fakes import Clock, run
from tests.handler.driver import GPT, INSTANT, Caller, Told, World, called, get, post, scope

CALLERS, ADMINS, ONLY_E, OVER, OFF, NOBODYS = (new_key(bytes([nth]) * 32) for nth in range(6))
ROLE = "arn:aws:iam::123456789012:role/caller"
GIVEN = {
    hash_of(CALLERS): Grant("team-a"),
    hash_of(ADMINS): Grant("ops", "admin"),
    hash_of(ONLY_E): Grant("team-e", endpoints=("e", "ghost")),
    hash_of(OVER): Grant("old", expires=999),
    hash_of(OFF): Grant("off", disabled=True),
    principal_id(ROLE): Grant("lambda", endpoints=("e",)),
}
OPENAI, MLFLOW = "/gateway/openai/v1", "/gateway/mlflow/v1"
CHAT: Json = {"messages": [{"role": "user", "content": "hi"}]}
NOT_YOURS = "this gateway key may not call endpoint {!r}; the models listed are those it may"


@dataclass
class Given:
    """Who was given what. ``down``: the store is."""

    down: bool = False
    asked: list[str] = field(default_factory=list)

    async def find(self, credential: str) -> Grant | None:
        self.asked.append(credential)
        if self.down:
            raise Unavailable("the store is down")
        return GIVEN.get(credential)


def admission(given: Given | None = None) -> Admission:
    return KeyAdmission(given or Given(), clock=Clock(), seen=lambda *_: None)


class Counting(MemoryEndpoints):
    """``read``: what was asked for."""

    def __init__(self) -> None:
        super().__init__([INSTANT, GPT])
        self.read: list[str] = []

    async def find(self, name: str) -> Endpoint:
        self.read.append(name)
        return await super().find(name)

    async def list(self) -> Sequence[Endpoint]:
        self.read.append("*")
        return await super().list()


def world(**more: Any) -> World:
    return World(**({"admission": admission()} | more))


def bearer(key: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {key}"}


QUERIES: list[tuple[str, Json]] = [
    (f"{OPENAI}/chat/completions", CHAT | {"model": "e"}),
    (f"{MLFLOW}/chat/completions", CHAT | {"model": "e"}),
    (f"{OPENAI}/embeddings", {"model": "e", "input": "a"}),
    (f"{MLFLOW}/embeddings", {"model": "e", "input": "a"}),
    (f"{OPENAI}/responses", {"model": "e", "input": "a"}),
    ("/gateway/e/mlflow/invocations", CHAT),
]
READS = [f"{prefix}/models{name}" for prefix in (OPENAI, MLFLOW) for name in ("", "/e")]


def routes() -> list[GuardedRoute]:
    app = World().app()
    assert isinstance(app, Starlette)
    found = [route for route in app.routes if isinstance(route, Route)]
    assert [route.path for route in found if not isinstance(route, GuardedRoute)] == []
    return [route for route in found if isinstance(route, GuardedRoute)]


def test_what_has_no_role_is_public_and_named_here() -> None:
    assert {route.path for route in routes() if route.role is None} == {
        "/health",
        "/ready",
        "/openapi.json",
    }


def test_what_is_queried_is_for_callers() -> None:
    roles = {route.path: route.role for route in routes() if route.role is not None}
    assert roles == dict.fromkeys(roles, "caller")
    assert {path for path, _ in QUERIES} - {"/gateway/e/mlflow/invocations"} <= set(roles)


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json"])
def test_what_is_public_asks_for_no_key(path: str) -> None:
    assert get(path, world()).status == 200


@pytest.mark.parametrize(("path", "body"), QUERIES)
def test_a_caller_may_query(path: str, body: Json) -> None:
    assert post(path, body, world(), **bearer(CALLERS)).status == 200


@pytest.mark.parametrize("path", READS)
def test_a_caller_may_see_models(path: str) -> None:
    assert get(path, world(), **bearer(CALLERS)).status == 200


def test_an_exchange_is_written_down_under_its_callers_name() -> None:
    ledger = MemoryLedger()
    post(*QUERIES[0], world(ledger=ledger), **bearer(CALLERS))
    assert [record.caller for record in ledger.records] == ["team-a"]


@pytest.mark.parametrize("path", [*(path for path, _ in QUERIES), *READS])
def test_an_admin_configures_and_calls_no_endpoint(path: str) -> None:
    told = run(called(world().app(), method(path), path, b"{}", headers=bearer(ADMINS)))
    assert (told.status, told.error) == (
        403,
        {
            "message": "an admin key configures the gateway and calls no endpoint: make a caller's "
            "key, `sluicegate keys create NAME`",
            "type": "permission_error",
            "param": None,
            "code": "wrong_role",
        },
    )


def method(path: str) -> str:
    return "GET" if path in READS else "POST"


STRANGERS: list[dict[str, str]] = [
    {},
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer sk-junk"},
    {"authorization": "Basic !!!!"},
    {"authorization": "Bearer " + "x" * 100_000},
    {"authorization": "Bearer \x00\xff"},
    {"x-api-key": CALLERS[:-1]},
    {"x-api-key": CALLERS + "x"},
    {"x-api-key": hash_of(CALLERS)},
    {"x-api-key": NOBODYS},
    {"x-api-key": OVER},
    {"x-api-key": OFF},
    {"x-api-key": CALLERS, "api-key": ADMINS},
    {"aws.event": dumps({"requestContext": {"identity": {"userArn": ROLE}}}).decode()},
]


@pytest.mark.parametrize("path", [*(path for path, _ in QUERIES), *READS])
def test_whatever_is_wrong_with_a_key_the_answer_is_the_same_to_the_byte(path: str) -> None:
    app = world().app()
    answers = [run(called(app, method(path), path, b"{}", headers=one)) for one in STRANGERS]
    ids = {one.headers.pop("x-gateway-request-id") for one in answers}
    assert len(ids) == len(STRANGERS)
    first = answers[0]
    assert answers == [first] * len(STRANGERS)
    assert first.status == 401
    assert first.headers == {
        "content-type": "application/json",
        "www-authenticate": 'Bearer realm="sluicegate"',
        "content-length": str(len(first.body)),
    }
    message = (
        "no valid gateway key: send yours as `Authorization: Bearer sgk_…`, `x-api-key`, `api-key` "
        "or `x-goog-api-key`"
    )
    error = {
        "message": message,
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }
    detail = {"detail": message} if "/mlflow/" in path else {}
    assert first.json == {"error": error} | detail


class Unread(Caller):
    """A connection whose body nobody may look at."""

    async def receive(self) -> Any:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("headers", [{}, bearer(NOBODYS), bearer(ADMINS)])
@pytest.mark.parametrize("path", [path for path, _ in QUERIES])
def test_nothing_of_a_body_is_read_before_it_is_known_whose_it_is(
    path: str, headers: Mapping[str, str]
) -> None:
    async def told(app: ASGIApp) -> Told:
        caller = Unread()
        sent = dict(headers) | {"content-length": "999999999", "content-encoding": "nonsense"}
        await app(scope("POST", path, sent), caller.receive, caller.send)
        return caller.told

    endpoints = Counting()
    assert run(told(world(endpoints=endpoints).app())).status in (401, 403)
    assert endpoints.read == []


def test_what_is_no_key_costs_no_reading_of_the_store() -> None:
    given = Given()
    app = world(admission=admission(given)).app()
    for headers in STRANGERS[:10]:
        run(called(app, "POST", QUERIES[0][0], b"{}", headers=headers))
    assert given.asked == []


@pytest.mark.parametrize("prefix", [OPENAI, MLFLOW])
@pytest.mark.parametrize(("key", "names"), [(CALLERS, ["e", "gpt"]), (ONLY_E, ["e"])])
def test_the_models_listed_are_those_that_the_caller_may_call(
    prefix: str, key: str, names: list[str]
) -> None:
    told = get(f"{prefix}/models", world(endpoints=Counting()), **bearer(key))
    assert [model["id"] for model in told.json["data"]] == names


def test_a_model_that_a_caller_may_not_call_looks_like_one_that_there_is_not() -> None:
    endpoints = Counting()
    app = world(endpoints=endpoints).app()
    for prefix in (OPENAI, MLFLOW):
        path = f"{prefix}/models"
        there = run(called(app, "GET", f"{path}/gpt", headers=bearer(ONLY_E)))
        not_there = run(called(app, "GET", f"{path}/xyz", headers=bearer(ONLY_E)))
        assert (there.status, there.error["code"]) == (404, "model_not_found")
        assert there.body.replace(b"gpt", b"xyz") == not_there.body
    assert endpoints.read == []


@pytest.mark.parametrize("name", ["gpt", "no-such-endpoint"])
@pytest.mark.parametrize(("path", "body"), QUERIES)
def test_an_endpoint_that_is_not_allowed_is_a_403_whether_there_is_one_or_not(
    path: str, body: Json, name: str
) -> None:
    endpoints = Counting()
    path = path.replace("/gateway/e/", f"/gateway/{name}/")
    sent = body | {"model": name} if "model" in body else body
    told = post(path, sent, world(endpoints=endpoints), **bearer(ONLY_E))
    assert (told.status, told.error) == (
        403,
        {
            "message": NOT_YOURS.format(name),
            "type": "permission_error",
            "param": "model",
            "code": "endpoint_not_allowed",
        },
    )
    assert endpoints.read == []


def test_an_endpoint_that_is_allowed_and_not_there_is_a_404() -> None:
    told = post(f"{OPENAI}/chat/completions", CHAT | {"model": "ghost"}, world(), **bearer(ONLY_E))
    assert (told.status, told.error["code"]) == (404, "endpoint_not_found")


@pytest.mark.parametrize("path", [*(path for path, _ in QUERIES), *READS])
def test_a_store_that_is_down_is_a_503_and_lets_nobody_in(path: str) -> None:
    app = world(admission=admission(Given(down=True))).app()
    told = run(called(app, method(path), path, b"{}", headers=bearer(CALLERS)))
    assert (told.status, told.error["message"]) == (503, "the store is down")
    assert told.error["type"] == "service_unavailable_error"


def test_while_the_store_is_down_what_is_no_key_is_still_a_401() -> None:
    app = world(admission=admission(Given(down=True))).app()
    assert run(called(app, "GET", READS[0], headers=bearer("junk"))).status == 401


def test_whom_aws_has_authenticated_needs_no_key() -> None:
    async def told(model: str) -> Told:
        caller = Caller(dumps(CHAT | {"model": model}))
        identity = {"userArn": "arn:aws:sts::123456789012:assumed-role/caller/s"}
        event = {"requestContext": {"identity": identity}}
        request = scope("POST", f"{OPENAI}/chat/completions") | {"aws.event": event}
        await world().app()(request, caller.receive, caller.send)
        return caller.told

    assert [run(told(model)).status for model in ("e", "gpt")] == [200, 403]


def test_a_path_or_a_method_that_there_is_not_asks_for_no_key() -> None:
    """It is in no secret place: /openapi.json lists them all."""
    given = Given()
    app = world(admission=admission(given)).app()
    for way, path, status in (
        ("GET", f"{OPENAI}/chat/completions", 405),
        ("POST", f"{MLFLOW}/models", 405),
        ("GET", "/gateway/nothing", 404),
    ):
        assert run(called(app, way, path, headers=bearer(CALLERS))).status == status
    assert given.asked == []


def test_no_key_is_in_any_answer() -> None:
    app = world().app()
    for key in (CALLERS, ADMINS, ONLY_E, OVER, OFF, NOBODYS):
        for path, body in QUERIES:
            told = run(called(app, "POST", path, dumps(body), headers=bearer(key)))
            assert key not in repr((told.headers, told.body))
