"""MLflow's judges with `gateway:/…`: their verdicts, and what they do when they are refused."""

import json
from typing import Any, Literal

import pytest
from mlflow.entities import (
    AssessmentSourceType,
    Trace,
    TraceData,
    TraceInfo,
    TraceLocation,
    TraceState,
)
from mlflow.exceptions import MlflowException
from mlflow.genai import make_judge
from mlflow.genai.judges.adapters import gateway_adapter
from mlflow.genai.scorers import Correctness, Guidelines, RelevanceToQuery

from tests.live import LiveGateway, Reply, ScriptedProvider, answer
from tests.sdk.said import completion, says, tool_call

MODEL = "gateway:/model"
ASKED: dict[str, Any] = {"inputs": {"question": "What is 2 + 2?"}, "outputs": "4"}
PLAIN = "Is {{ outputs }} an answer to {{ inputs }}?"


@pytest.fixture(autouse=True)
def only_its_address(gateway: LiveGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """No tracking server, no database: that is all a judge is told."""
    monkeypatch.setenv("MLFLOW_GATEWAY_URI", gateway.url)
    for name in ("URI", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
    # What a model can do is remembered for the whole process.
    monkeypatch.setattr(gateway_adapter, "_MODEL_RESPONSE_FORMAT_CAPABILITIES", {})


def verdict(result: Any, rationale: str = "So it is.") -> Reply:
    return answer(completion(says(json.dumps({"result": result, "rationale": rationale}))))


def refusal(status: int, message: str) -> Reply:
    return answer({"error": {"message": message, "type": "t", "param": None, "code": None}}, status)


def judge(kind: Any, instructions: str = PLAIN) -> Any:
    return make_judge(
        name="fitting", instructions=instructions, model=MODEL, feedback_value_type=kind
    )


@pytest.mark.parametrize("said", ["yes", "no"])
def test_a_built_in_judge(said: str, provider: ScriptedProvider) -> None:
    provider.will(verdict(said, "Let's think step by step."))
    told = Correctness(model=MODEL)(**ASKED, expectations={"expected_response": "4"})
    assert (told.value, told.rationale) == (said, "Let's think step by step.")
    assert (told.source.source_type, told.source.source_id) == (
        AssessmentSourceType.LLM_JUDGE,
        MODEL,
    )
    (sent,) = provider.requests
    assert (sent.path, sent.json["model"]) == ("/v1/chat/completions", "gpt-test")
    assert sent.json["response_format"]["json_schema"]["name"] == "JudgeEvaluation"
    assert "x-mlflow-gateway-caller" not in sent.headers


@pytest.mark.parametrize("scorer", [RelevanceToQuery, Guidelines])
def test_other_built_in_judges(scorer: Any, provider: ScriptedProvider) -> None:
    provider.will(verdict("yes"))
    more = {"guidelines": "Be brief."} if scorer is Guidelines else {}
    told = scorer(model=MODEL, **more)(**ASKED)
    assert (told.value, told.rationale) == ("yes", "So it is.")


@pytest.mark.parametrize(
    ("kind", "value"), [(Literal["fits", "misses"], "fits"), (bool, True), (int, 4), (float, 0.5)]
)
def test_a_judge_of_ones_own(kind: Any, value: Any, provider: ScriptedProvider) -> None:
    provider.will(verdict(value))
    told = judge(kind)(**ASKED)
    assert (told.value, told.rationale) == (value, "So it is.")


def test_what_a_judgement_used_is_told(provider: ScriptedProvider) -> None:
    provider.will(verdict("fits"))
    told = judge(Literal["fits", "misses"])(**ASKED)
    used = {name: n for name, n in told.metadata.items() if name.endswith("Tokens")}
    assert used == {
        "mlflow.assessment.judgeInputTokens": 9,
        "mlflow.assessment.judgeOutputTokens": 3,
    }


def test_a_model_without_schemas_is_asked_again_without_one(provider: ScriptedProvider) -> None:
    provider.will(
        refusal(400, "This model does not support response_format of type json_schema."),
        verdict("fits"),
        verdict("misses"),
    )
    fitting = judge(Literal["fits", "misses"])
    assert fitting(**ASKED).value == "fits"
    assert fitting(**ASKED).value == "misses"
    asked_with_one = ["response_format" in request.json for request in provider.requests]
    assert asked_with_one == [True, False, False]  # and it is remembered


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_provider_is_asked_again(status: int, provider: ScriptedProvider) -> None:
    """After a second, which is MLflow's."""
    provider.will(refusal(status, "slow down"), verdict("fits"))
    assert judge(Literal["fits", "misses"])(**ASKED).value == "fits"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_what_another_try_cannot_mend_is_told_at_once(
    status: int, provider: ScriptedProvider
) -> None:
    # The gateway itself asks again after a 401: its key may have been renewed.
    provider.will(*[refusal(status, "as told")] * (2 if status == 401 else 1))
    with pytest.raises(MlflowException, match="as told"):
        judge(bool)(**ASKED)


def test_a_judge_of_a_trace_looks_into_it_with_tools(provider: ScriptedProvider) -> None:
    calls = [
        tool_call("call_1", "get_trace_info", "{}"),
        tool_call("call_2", "list_spans", '{"max_results": 5}'),
    ]
    provider.will(
        answer(completion(says(None, "tool_calls", tool_calls=calls))), verdict("fits", "Seen.")
    )
    place = TraceLocation.from_experiment_id("0")
    info = TraceInfo("tr-1", place, request_time=0, state=TraceState.OK)
    fitting = judge(Literal["fits", "misses"], "Look into {{ trace }}.")
    told = fitting(trace=Trace(info, TraceData(spans=[])))
    assert (told.value, told.rationale, told.trace_id) == ("fits", "Seen.", "tr-1")
    first, second = (request.json for request in provider.requests)
    assert {"get_trace_info", "list_spans"} < {tool["function"]["name"] for tool in first["tools"]}
    answers = [m for m in second["messages"] if m["role"] == "tool"]
    assert [m["tool_call_id"] for m in answers] == ["call_1", "call_2"]
    assert "tr-1" in answers[0]["content"]


def test_a_verdict_that_is_no_json_is_an_error(provider: ScriptedProvider) -> None:
    provider.will(answer(completion(says("It fits."))))
    with pytest.raises(MlflowException, match="It fits"):
        judge(bool)(**ASKED)
