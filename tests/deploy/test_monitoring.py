"""Alarms and the dashboard: what they look at is there, and counts what it says."""

import inspect
import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from gateway import errors
from gateway.adapters.powertools import fields
from gateway.metering.records import Record
from gateway.usage import Usage
from tests.deploy.stack import Stack

pytestmark = pytest.mark.deploy

TOPIC = "arn:aws:sns:us-east-1:000000000000:pager"
RECORD = Record(
    request_id="r1",
    caller="app",
    endpoint="chat",
    dialect="openai_chat",
    stream=True,
    outcome="answered",
    status=200,
    provider="openai",
    model="gpt-4.1-mini",
    attempts=1,
    usage=Usage(input_tokens=1, output_tokens=2),
    cost=0.01,
    duration=1.0,
    first_content=0.5,
    error=None,
    at=0,
)
UPSTREAM = [
    name
    for name, one in inspect.getmembers(errors, inspect.isclass)
    if one.__name__.startswith("Upstream")
]
OURS = ["BadRequest", "EndpointNotFound", "Forbidden", "OutOfTime", "Unavailable", "ValueError"]


def monitored(**parameters: str) -> Stack:
    return Stack(Monitoring="true", **parameters)


def failed(error: str, status: int) -> Record:
    return replace(RECORD, outcome="failed", error=error, status=status)


def line_of(record: Record) -> dict[str, Any]:
    """In the log; that it is so there, the ledger's own tests tell."""
    return {"message": "exchange", **fields(record)}


def matches(pattern: str, line: dict[str, Any]) -> bool:
    """As CloudWatch Logs reads a JSON filter, as far as ours go: comparisons, all of which must hold."""
    inside = re.fullmatch(r"\{ (.*) \}", pattern)
    assert inside
    for term in inside[1].split(" && "):
        found = re.fullmatch(r"\$\.(\w+) (=|!=) (?:\"(.*)\"|(\d+))", term)
        assert found, term
        name, operator, text, number = found.groups()
        value = line.get(name)
        if text is None:
            same = value == int(number)
        else:
            same = isinstance(value, str) and fnmatchcase(value, text)
        if value is None or same is not (operator == "="):
            return False
    return True


def counted(metric: str, line: dict[str, Any]) -> bool:
    properties = monitored().properties(metric)
    assert properties["LogGroupName"] == {"Ref": "QueryLogs"}
    return matches(properties["FilterPattern"], line)


PROVIDERS = [failed("UpstreamRejected", status) for status in (401, 402, 403, 408, 429, 500, 529)]
PROVIDERS += [failed("UpstreamTimedOut", 504), failed("UpstreamBroke", 502)]
PROVIDERS += [failed("UpstreamUnreachable", 502)]
NOT_PROVIDERS = [failed("UpstreamRejected", status) for status in sorted(errors.CALLERS_FAULT)]
NOT_PROVIDERS += [failed(error, 500) for error in OURS]
NOT_PROVIDERS += [RECORD, replace(RECORD, outcome="hung_up", status=499, error="CancelledError")]


@pytest.mark.parametrize("record", PROVIDERS)
def test_a_providers_failure_is_counted(record: Record) -> None:
    assert counted("ExchangesMetric", line_of(record))
    assert counted("ProviderFailuresMetric", line_of(record))


@pytest.mark.parametrize("record", NOT_PROVIDERS)
def test_nobody_elses_failure_is_counted_as_a_providers(record: Record) -> None:
    assert counted("ExchangesMetric", line_of(record))
    assert not counted("ProviderFailuresMetric", line_of(record))


def test_every_error_of_a_provider_is_known_here() -> None:
    assert {record.error for record in PROVIDERS} | {"UpstreamError"} == set(UPSTREAM)
    assert not any(name.startswith("Upstream") for name in OURS)


def test_other_lines_are_no_exchanges() -> None:
    assert not counted("ExchangesMetric", {"message": "refused: GET /x", "status": 401})


def test_the_alarm_on_providers_reads_what_the_filters_write() -> None:
    stack = monitored()
    written = {
        (one["MetricNamespace"], one["MetricName"])
        for metric in stack.of_type("AWS::Logs::MetricFilter").values()
        for one in metric["MetricTransformations"]
    }
    read = {
        (one["MetricStat"]["Metric"]["Namespace"], one["MetricStat"]["Metric"]["MetricName"])
        for one in stack.properties("ProviderFailuresAlarm")["Metrics"]
        if "MetricStat" in one
    }
    assert (
        read == written == {("Sluicegate/gw", "Exchanges"), ("Sluicegate/gw", "ProviderFailures")}
    )


@pytest.mark.parametrize(
    ("parameters", "actions"),
    [
        ({}, []),
        ({"AlarmTopic": TOPIC}, [TOPIC]),
        ({"AlarmEmail": "ops@example.com"}, [{"Ref": "AlarmMails"}]),
        (
            {"AlarmTopic": TOPIC, "AlarmEmail": "ops@example.com"},
            [TOPIC, {"Ref": "AlarmMails"}],
        ),
    ],
)
def test_every_alarm_tells_whom_it_should(parameters: dict[str, str], actions: list[Any]) -> None:
    stack = monitored(**parameters)
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    assert alarms.keys() == {
        "ControlErrorsAlarm",
        "ProviderFailuresAlarm",
        "QueryDurationAlarm",
        "QueryErrorsAlarm",
        "QueryThrottlesAlarm",
        "TableThrottlesAlarm",
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == actions
        assert alarm["TreatMissingData"] == "notBreaching"  # an idle gateway is a healthy one
    assert ("AlarmMails" in stack.resources) is ("AlarmEmail" in parameters)


def test_nothing_is_monitored_unless_it_is_wanted() -> None:
    kinds = {one["Type"] for one in Stack(AlarmEmail="ops@example.com").resources.values()}
    assert not {kind for kind in kinds if "CloudWatch" in kind or "SNS" in kind or "Filter" in kind}


def test_the_dashboard_asks_for_what_the_log_has() -> None:
    widgets = json.loads(monitored().properties("Dashboard")["DashboardBody"])["widgets"]
    queries = [one["properties"]["query"] for one in widgets if one["type"] == "log"]
    assert len(queries) == 2
    for query in queries:
        assert query.startswith("SOURCE '${QueryLogs}' | filter message = 'exchange' | stats ")
        read = set(re.findall(r"(?:sum|pct)\((\w+)", query))
        read |= set(re.findall(r"\bby ((?:\w+(?:, )?)+)", query)[0].split(", ")) - {"bin"}
        assert read <= fields(RECORD).keys()


def test_the_dashboards_widgets_do_not_cover_each_other() -> None:
    widgets = json.loads(monitored().properties("Dashboard")["DashboardBody"])["widgets"]
    covered = [
        (x, y)
        for one in widgets
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24
