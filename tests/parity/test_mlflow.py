"""The recorded behaviour of MLflow's gateway: copied, or done right where it is wrong."""

import json
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live import KEY, Act, LiveGateway, Reply, ScriptedProvider, answer, sse
from tests.parity.meaning import (
    END,
    TEXT,
    asked,
    expected,
    gathered,
    holds,
    parsed,
    told,
    without_nulls,
)
from tests.parity.right import EXCEPTED, IMPROVED, UNASKED, Right
from tests.parity.translated import TRANSLATED
from tests.parity.wire import SHARED, Told, ask, data_of, key_in

FILE = SHARED / "parity" / "cases.jsonl"
if not FILE.exists():
    pytest.skip(f"the recorded cases are not here: {FILE}", allow_module_level=True)

Case = dict[str, Any]
LINES = FILE.read_text().splitlines()
CASES: dict[str, Case] = {case["id"]: case for case in map(json.loads, LINES)}
RIGHT = {**IMPROVED, **TRANSLATED, **EXCEPTED}
# Where models are listed, and under what name.
LISTS = {
    "route.models": ("data", "id"),
    "route.absent.get.gemini_v1beta_models": ("models", "name"),
}


def named(parity: str, *, but: Any = ()) -> list[str]:
    return [name for name in CASES if CASES[name]["parity"] == parity and name not in but]


def played(case: Case, gateway: LiveGateway, provider: ScriptedProvider, **more: Any) -> Told:
    """The answer to a case's request, with ``more`` fields."""
    provider.will(*map(reply, case["mock_upstream_replies"]))
    request = case["request"]
    body = request.get("data") or (
        json.dumps({**request["json"], **more}) if "json" in request else None
    )
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


def answered(ours: Told) -> Any:
    """A whole answer, or what a streamed chat comes to."""
    if ours.headers["content-type"].startswith("text/event-stream"):
        return told(gathered(parsed(ours.events)))
    return told(ours.json)


def assert_holds(ours: Any, theirs: Any) -> None:
    assert holds(ours, theirs), f"{ours}\ndoes not say all of\n{theirs}"


def assert_same_upstream(case: Case, provider: ScriptedProvider) -> None:
    observed = case["upstream_requests_observed"]
    assert [
        (one.method, urlsplit(one.path).path, key_in(one.headers), one.json)
        for one in provider.requests
    ] == [
        (one["method"], one["path"], key_in(one["headers"]), asked(one["body"])) for one in observed
    ]


@pytest.mark.parametrize("id", named("copy", but=EXCEPTED))
def test_who_moves_to_us_does_not_notice(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case = CASES[id]
    ours, theirs = played(case, gateway, provider), case["response"]
    assert ours.status == theirs["status"]
    assert ours.headers["content-type"].split(";")[0] == theirs["content_type"].split(";")[0]
    if isinstance(theirs["body"], str):
        assert_holds(parsed(ours.events), without_nulls(parsed(data_of(theirs["body"]))))
    else:
        assert_holds(answered(ours), expected(case))
    assert_same_upstream(case, provider)
    if "/mlflow/" in case["request"]["path"]:
        assert float(ours.headers["x-mlflow-gateway-duration-ms"]) > 0


@pytest.mark.parametrize("id", named("text_may_differ"))
def test_a_refusal_has_the_same_shape(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case = CASES[id]
    ours = played(case, gateway, provider)
    assert ours.status == case["response"]["status"]
    assert_holds(ours.json, dict.fromkeys(case["response"]["body"], TEXT))
    assert_same_upstream(case, provider)


@pytest.mark.parametrize("id", [*named("improve"), *EXCEPTED])
def test_what_mlflow_gets_wrong_is_done_right(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case, right = CASES[id], RIGHT[id]
    ours = played(case, gateway, provider)
    assert ours.status == (right.status or case["response"]["status"])
    if right.broken is not None:
        assert_broken(ours, case, right)
    elif right.relayed:
        assert_relayed(ours, case)
    elif id in LISTS:
        assert_lists_models(ours, right, *LISTS[id])
    elif right.why == UNASKED:
        assert_tells_usage_to_who_asks(case, gateway, provider)
    else:
        assert_holds(answered(ours), right.body or expected(case))
    assert len(provider.requests) == right.tries
    if right.relayed or right.sent:
        sent = right.sent or (asked_of_the_provider(case),)
        assert tuple(one.json for one in provider.requests) == sent
    elif id in TRANSLATED and right.tries:
        assert_same_upstream(case, provider)


def asked_of_the_provider(case: Case) -> Any:
    """The caller's request, for the target's model; a stream is asked for its usage."""
    asked = dict(case["request"]["json"])
    if "/gemini/" in case["request"]["path"]:
        return asked  # the path says which model
    named = {"groqe": "llama-3", "anth": "claude-sonnet-4-5"}
    model = named.get(asked.get("model", ""), "gpt-4o")
    chat = "/anthropic/" not in case["request"]["path"]
    usage = {"stream_options": {"include_usage": True}} if asked.get("stream") and chat else {}
    return {**asked, "model": model, **usage}


def said_by_the_provider(case: Case) -> list[Any]:
    chunks = case["mock_upstream_replies"][0]["chunks"]
    return parsed(data_of("".join(one for one in chunks if isinstance(one, str))))


def assert_relayed(ours: Told, case: Case) -> None:
    reply = case["mock_upstream_replies"][0]
    if "json" in reply:
        assert ours.json == reply["json"]
        return
    assert parsed(ours.events) == [
        one for one in said_by_the_provider(case) if one == END or one["choices"]
    ]


def assert_broken(ours: Told, case: Case, right: Right) -> None:
    *words, last = parsed(ours.events)
    if right.body:
        assert_holds({**gathered(words), "error": last["error"]}, right.body)
        return
    assert words == said_by_the_provider(case)[: right.broken]
    assert_holds(last, {"error": {"type": "upstream_error", "message": TEXT}})


def assert_tells_usage_to_who_asks(
    case: Case, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    """All that MLflow told is told, and the usage where it is asked for; else that alone is not."""
    theirs = expected(case)
    ours = answered(played(case, gateway, provider))
    assert ours.pop("usage") is None
    assert_holds(ours, {name: value for name, value in theirs.items() if name != "usage"})
    wanted = {"stream_options": {"include_usage": True}}
    assert_holds(answered(played(case, gateway, provider, **wanted)), theirs)


def assert_lists_models(ours: Told, right: Right, key: str, name: str) -> None:
    listed = ours.json[key]
    assert_holds({**ours.json, key: listed[:1]}, right.body)
    names = [one[name].removeprefix("models/") for one in listed]
    assert {"oai", "fb", "fb1", "groqe", "anth", "gem"} <= set(names)
    assert names == sorted(names)
    if key == "data":
        assert all(isinstance(one["created"], int) for one in listed)


def test_every_exception_is_of_a_case_and_every_case_is_somebodys() -> None:
    assert {*IMPROVED, *TRANSLATED} == set(named("improve"))
    assert IMPROVED.keys().isdisjoint(TRANSLATED)
    assert set(EXCEPTED) <= set(named("copy"))
    groups = {name.partition(".")[0] for name in CASES}
    assert groups == {"oai", "anth", "gem", "val", "route", "pt", "fb", "hdr", "proxy"}
    assert len(CASES) == len(LINES)


@pytest.mark.parametrize("id", [name for name in CASES if name.startswith("hdr.")])
def test_of_a_callers_headers_only_these_reach_the_provider(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    case = CASES[id]
    played(case, gateway, provider)
    sent = provider.requests[0].headers
    asked = {name.lower(): value for name, value in case["request"]["headers"].items()}
    theirs = {name for name, value in asked.items() if sent.get(name) == value}
    if "/gemini/" in case["request"]["path"]:
        assert (theirs, key_in(sent)) == (set(), f"x-goog-api-key: {KEY}")
        return
    assert theirs == {"anthropic-version", "anthropic-beta"} & asked.keys()
    assert key_in(sent) == f"x-api-key: {KEY}"


@pytest.mark.parametrize("id", ["gem.chat.tools_two_same", "gem.stream.tool"])
def test_no_two_calls_of_tools_have_one_id(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    """Not within an answer, and not in two: MLflow makes them of the name and the arguments."""
    answers = [answered(played(CASES[id], gateway, provider)) for _ in range(2)]
    choices = chain.from_iterable(one["choices"] for one in answers)
    calls = [call for one in choices for call in one.get("message", one)["tool_calls"]]
    assert len({call["id"] for call in calls}) == len(calls) == 4


def test_no_two_answers_have_one_id(gateway: LiveGateway, provider: ScriptedProvider) -> None:
    """Where the provider gives it none; MLflow's are the seconds of the clock."""
    case = CASES["gem.resp.prompt_blocked"]
    first, second = (answered(played(case, gateway, provider)) for _ in range(2))
    assert first["id"] != second["id"]


@pytest.mark.parametrize("id", ["gem.stream.tool", "pt.gem.stream"])
def test_a_stream_of_gemini_is_asked_for_as_events(
    id: str, gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    """The recorder left queries out."""
    played(CASES[id], gateway, provider)
    assert [urlsplit(one.path).query for one in provider.requests] == ["alt=sse"]
