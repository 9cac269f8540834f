"""The functions: what they run, what they are told, and which version of them callers come to."""

import ast

import pytest
import yaml

from gateway.settings import Settings
from tests.deploy.stack import ROOT, TEMPLATE, Stack, environment, mentioned

pytestmark = pytest.mark.deploy

FUNCTIONS = ["QueryFunction", "ControlFunction", "SetupFunction"]


# --- the functions --------------------------------------------------------------------------------


def test_every_function_has_its_code() -> None:
    for name in FUNCTIONS:
        module, _, attribute = Stack().properties(name)["Handler"].rpartition(".")
        path = ROOT / "src" / (module.replace(".", "/") + ".py")
        assert attribute in defined(path.read_text()), f"{path} has no {attribute}"


def defined(source: str) -> set[str]:
    names = set()
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return names


def test_lambda_can_start_the_wrapper() -> None:
    told = environment(Stack(), "QueryFunction")["AWS_LAMBDA_EXEC_WRAPPER"]
    wrapper = ROOT / "src" / told.removeprefix("/var/task/")
    assert wrapper.stat().st_mode & 0o111 == 0o111


def test_all_functions_run_one_build_for_the_architecture_that_is_asked_for() -> None:
    for name in FUNCTIONS:
        resource = Stack(Architecture="x86_64").resources[name]
        assert resource["Metadata"] == {"BuildMethod": "makefile", "ContextPath": "deploy/x86_64"}
        assert resource["Properties"]["Architectures"] == ["x86_64"]
        assert resource["Properties"]["Runtime"] == "python3.13"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gateway_knows_every_variable_that_is_meant_for_it(name: str) -> None:
    ours = {key for key in environment(Stack(), name) if key.startswith("SLUICEGATE_")}
    assert ours
    assert ours <= {f"SLUICEGATE_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_the_gateway_takes_what_the_parameters_say(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(LogLevel=level, ConfigTtl="5", RecordDays="7", AllowPrivate="10.0.0.0/8, h:1")
    for key, value in environment(stack, "QueryFunction").items():
        monkeypatch.setenv(key, value if isinstance(value, str) else value["Ref"])
    told = Settings()
    assert told.model_dump(exclude_defaults=True, exclude={"log_level"}) == {
        "store": "aws",
        "config_table": "ConfigTable",
        "ledger_table": "LedgerTable",
        "secret_prefix": "gw/",
        "config_ttl": 5,
        "record_days": 7,
        "allow_private": ("10.0.0.0/8", "h:1"),
    }
    assert told.log_level == level
    # Lambda must drop nothing that the gateway has decided to log.
    lambdas = stack.properties("QueryFunction")["LoggingConfig"]["ApplicationLogLevel"]
    assert lambdas == ("DEBUG" if level == "DEBUG" else "INFO")


def test_events_and_secrets_are_kept_out_of_logs_and_environments() -> None:
    for name in FUNCTIONS:
        told = environment(Stack(), name)
        assert told["POWERTOOLS_LOGGER_LOG_EVENT"] == "false"
        assert not [key for key in told if key.endswith(("_KEY", "_SECRET", "_TOKEN", "_PASSWORD"))]


@pytest.mark.parametrize(("asked", "reserved"), [("-1", None), ("0", "0"), ("50", "50")])
def test_concurrency_is_reserved_if_wanted(asked: str, reserved: str | None) -> None:
    function = Stack(ReservedConcurrency=asked).properties("QueryFunction")
    assert function.get("ReservedConcurrentExecutions") == reserved


def test_every_function_logs_into_a_group_that_does_not_last_for_ever() -> None:
    stack = Stack(LogDays="7")
    groups = stack.of_type("AWS::Logs::LogGroup")
    used = {stack.properties(name)["LoggingConfig"]["LogGroup"]["Ref"] for name in FUNCTIONS}
    assert used == groups.keys()
    assert {one["RetentionInDays"] for one in groups.values()} == {"7"}
    assert {one["LogGroupName"] for one in groups.values()} == {
        "/aws/lambda/gw-query",
        "/aws/lambda/gw-control",
        "/aws/lambda/gw-setup",
    }


# --- versions -------------------------------------------------------------------------------------


def test_a_parameter_that_changes_the_query_function_publishes_a_version() -> None:
    """CloudFormation replaces a version whose description changes; SAM looks at the template alone."""
    template = Stack().template
    resources, parameters = template["Resources"], template["Parameters"].keys()
    function = dict(resources["QueryFunction"]["Properties"])
    del function["ReservedConcurrentExecutions"]  # of all versions together
    (version,) = [
        one
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::Version"
        and one["Properties"]["FunctionName"] == {"Ref": "QueryFunction"}
    ]
    described = set(mentioned(version["Properties"]["Description"], {}))
    assert described == set(mentioned(function, template["Conditions"])) & parameters


def test_the_description_of_a_version_is_never_too_long() -> None:
    parameters = Stack().template["Parameters"]
    widest = {
        name: "x" * one["MaxLength"]
        if "MaxLength" in one
        else max(map(str, one.get("AllowedValues", [one.get("MaxValue", "")])), key=len)
        for name, one in parameters.items()
    }
    versions = Stack(**widest).of_type("AWS::Lambda::Version").values()
    assert max(len(version["Description"]) for version in versions) <= 256


def test_old_versions_are_deleted() -> None:
    resources = Stack().resources.values()
    versions = [one for one in resources if one["Type"] == "AWS::Lambda::Version"]
    assert [one["DeletionPolicy"] for one in versions] == ["Delete", "Delete"]


@pytest.mark.parametrize(("snap", "applied"), [("off", "None"), ("on", "PublishedVersions")])
def test_snapshots_are_taken_of_versions_if_wanted(snap: str, applied: str) -> None:
    assert Stack(SnapStart=snap).properties("QueryFunction")["SnapStart"] == {"ApplyOn": applied}


def test_callers_come_to_the_version_that_is_live() -> None:
    stack = Stack()
    assert stack.properties("QueryFunctionAliaslive")["Name"] == "live"
    assert stack.properties("QueryFunctionUrl")["TargetFunctionArn"] == {
        "Ref": "QueryFunctionAliaslive"
    }


def test_a_changed_rest_api_is_deployed() -> None:
    """Its definition depends on parameters, and SAM deploys it anew when the template changes."""
    source = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    assert source["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True


class _Loader(yaml.SafeLoader):
    """Passes over CloudFormation's tags."""


_Loader.add_multi_constructor("!", lambda *_: None)
