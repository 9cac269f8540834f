"""The recorded behaviour of MLflow's gateway: copied, or done right where it is wrong."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.live import DONE, KEY, Act, LiveGateway, Reply, ScriptedProvider, answer, sse
from tests.parity.right import ELSEWHERE, EXCEPTED, IMPROVED, TEXT, Right
from tests.parity.wire import SHARED, Told, ask

FILE = SHARED / "parity" / "cases.jsonl"
if not FILE.exists():
    pytest.skip(f"the recorded cases are not here: {FILE}", allow_module_level=True)

Case = dict[str, Any]
LINES = FILE.read_text().splitlines()
CASES: dict[str, Case] = {case["id"]: case for case in map(json.loads, LINES)}
OURS = [name for name in CASES if not name.startswith(tuple(ELSEWHERE))]
END = DONE.decode().removeprefix("data: ").strip()
KEYS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
# Documented fields are compared; this one is an addition of MLflow's to every chat answer.
UNDOCUMENTED = "provider"


def named(parity: str, *, but: Any = ()) -> list[str]:
    return [name for name in OURS if CASES[name]["parity"] == parity and name not in but]


def played(case: Case, gateway: LiveGateway, provider: ScriptedProvider) -> Told:
    provider.will(*map(reply, case["mock_upstream_replies"]))
    request = case["request"]
    body = request.get("data") or (json.dumps(request["json"]) if "json" in request else None)
    headers = {"host": "localhost", "content-type": "application/json", "accept": "*/*"}
    headers |= request.get("headers", {})
    content = None if body is None else body.encode()
    return ask(gateway.url, request["method"], request["path"], headers.items(), content)


def reply(said: dict[str, Any]) -> Reply:
    if "drop" in said:
        return (Act.HANG_UP,)
    if "chunks" not in said:
        return answer(said["json"], said["status"], said["headers"])
    steps = [
        step.encode()
        if isinstance(step, str)
        else Act.RESET
        if "abort" in step
        else float(step["sleep"]) / 4
        for step in said["chunks"]
    ]
    return sse(*steps)


def without_nulls(value: Any) -> Any:
    """A null may be absent, and so may what holds nothing but nulls."""
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {name: without_nulls(one) for name, one in value.items() if name != UNDOCUMENTED}
    return {name: one for name, one in kept.items() if one is not None and one != {}}


def holds(ours: Any, theirs: Any) -> bool:
    """Whether ours says all that theirs does; it may say more."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and all(holds(ours.get(k), v) for k, v in theirs.items())
    if isinstance(theirs, list):
        return (
            isinstance(ours, list)
            and len(ours) == len(theirs)
            and all(holds(one, other) for one, other in zip(ours, theirs, strict=True))
        )
    return bool(theirs == ours)


def parsed(events: list[str]) -> list[Any]:
    return [one if one == END else json.loads(one) for one in events]


def meant(body: Any) -> Any:
    """MLflow always asks for one choice; not to say so means the same."""
    return {name: value for name, value in body.items() if (name, value) != ("n", 1)}


def assert_same_upstream(case: Case, provider: ScriptedProvider) -> None:
    observed = case["upstream_requests_observed"]
    assert [(one.method, one.path, key_in(one.headers), one.json) for one in provider.requests] == [
        (one["method"], one["path"], key_in(one["headers"]), meant(one["body"])) for one in observed
    ]


def key_in(headers: Mapping[str, str]) -> str:
    """The key, and where it stands."""
    (found,) = [f"{name}: {headers[name]}" for name in KEYS if name in headers]
    return found


@pytest.mark.parametrize("id", named("copy", but=EXCEPTED))
def test_who_moves_to_us_does_not_notice(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case = CASES[id]
    told, theirs = played(case, gateway, provider), case["response"]
    assert told.status == theirs["status"]
    assert told.headers["content-type"].split(";")[0] == theirs["content_type"].split(";")[0]
    if isinstance(theirs["body"], str):
        ours, expected = parsed(told.events), parsed(events_in(theirs["body"]))
    else:
        ours, expected = told.json, theirs["body"]
    expected = without_nulls(expected)
    assert holds(ours, expected), f"{ours}\ndoes not say all of\n{expected}"
    assert_same_upstream(case, provider)
    if "/mlflow/" in case["request"]["path"]:
        assert float(told.headers["x-mlflow-gateway-duration-ms"]) > 0


def events_in(text: str) -> list[str]:
    return Told(200, {}, text.encode()).events


@pytest.mark.parametrize("id", named("text_may_differ"))
def test_a_refusal_has_the_same_shape(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case = CASES[id]
    told = played(case, gateway, provider)
    assert told.status == case["response"]["status"]
    assert holds(told.json, dict.fromkeys(case["response"]["body"], TEXT))
    assert_same_upstream(case, provider)


RIGHT = {**IMPROVED, **EXCEPTED}


@pytest.mark.parametrize("id", [*named("improve"), *EXCEPTED])
def test_what_mlflow_gets_wrong_is_done_right(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case, right = CASES[id], RIGHT[id]
    told = played(case, gateway, provider)
    assert told.status == (right.status or case["response"]["status"])
    if right.broken is not None:
        assert_broken(told, case, right.broken)
    elif right.relayed:
        assert_relayed(told, case)
    elif id == "route.models":
        assert_lists_models(told, right)
    else:
        assert holds(told.json, right.body), f"{told.json}\ndoes not say all of\n{right.body}"
    assert len(provider.requests) == right.tries
    if right.relayed:
        assert [sent.json for sent in provider.requests] == [asked_of_the_provider(case)]


def asked_of_the_provider(case: Case) -> Any:
    """The caller's request, for the target's model; a stream is asked for its usage."""
    asked = dict(case["request"]["json"])
    named = {"groqe": "llama-3", "anth": "claude-sonnet-4-5"}
    model = named.get(asked.get("model", ""), "gpt-4o")
    chat = "/anthropic/" not in case["request"]["path"]
    usage = {"stream_options": {"include_usage": True}} if asked.get("stream") and chat else {}
    return {**asked, "model": model, **usage}


def said_by_the_provider(case: Case) -> list[Any]:
    chunks = case["mock_upstream_replies"][0]["chunks"]
    return parsed(events_in("".join(one for one in chunks if isinstance(one, str))))


def assert_relayed(told: Told, case: Case) -> None:
    reply = case["mock_upstream_replies"][0]
    if "json" in reply:
        assert told.json == reply["json"]
        return
    assert parsed(told.events) == [
        one for one in said_by_the_provider(case) if one == END or one["choices"]
    ]


def assert_broken(told: Told, case: Case, seen: int) -> None:
    *words, last = parsed(told.events)
    assert words == said_by_the_provider(case)[:seen]
    assert holds(last, {"error": {"type": "upstream_error", "message": TEXT}})


def assert_lists_models(told: Told, right: Right) -> None:
    listed = told.json["data"]
    assert holds({**told.json, "data": listed[:1]}, right.body)
    assert {"oai", "fb", "fb1", "groqe"} <= {one["id"] for one in listed}
    assert [one["id"] for one in listed] == sorted(one["id"] for one in listed)
    assert all(isinstance(one["created"], int) for one in listed)


def test_every_exception_is_of_a_case_and_every_case_is_somebodys() -> None:
    assert set(IMPROVED) == set(named("improve"))
    assert set(EXCEPTED) <= set(named("copy"))
    assert all(any(name.startswith(start) for name in CASES) for start in ELSEWHERE)
    groups = {name.partition(".")[0] for name in OURS}
    assert groups == {"oai", "val", "route", "pt", "fb", "hdr"}


@pytest.mark.parametrize("id", [name for name in OURS if name.startswith("hdr.")])
def test_of_a_callers_headers_only_these_reach_anthropic(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case = CASES[id]
    played(case, gateway, provider)
    sent = provider.requests[0].headers
    asked = {name.lower(): value for name, value in case["request"]["headers"].items()}
    theirs = {name for name, value in asked.items() if sent.get(name) == value}
    assert theirs == {"anthropic-version", "anthropic-beta"} & asked.keys()
    assert key_in(sent) == f"x-api-key: {KEY}"
