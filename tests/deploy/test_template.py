"""What the stack is made of, what it leaves behind, and what it says of itself."""

from typing import Any

import pytest

from gateway.adapters.aws.tables import CONFIG_TABLE, EXPIRES, LEDGER_TABLE
from gateway.bootstrap.aws import ADMIN_KEY
from gateway.settings import Settings
from tests.deploy.stack import Stack, mentioned

pytestmark = pytest.mark.deploy

WHOLE = {"RestApi": "true", "Monitoring": "true", "AlarmEmail": "ops@example.com"}
# None of these has a price by the hour, whatever it is set to below.
FREE_WHILE_IDLE = {
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Lambda::Version",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Topic",
    "Custom::SluicegateSetup",
}


@pytest.mark.parametrize(
    ("name", "definition"), [("ConfigTable", CONFIG_TABLE), ("LedgerTable", LEDGER_TABLE)]
)
def test_a_table_is_as_the_adapter_wants_it(name: str, definition: Any) -> None:
    table = Stack(PointInTimeRecovery="false", DeletionProtection="true").properties(name)
    expires = {"AttributeName": EXPIRES, "Enabled": True}
    assert table == {
        **{key: value for key, value in definition.items() if key != "TableName"},
        **({"TimeToLiveSpecification": expires} if name == "LedgerTable" else {}),
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "false"},
        "DeletionProtectionEnabled": "true",
    }


def test_a_deleted_stack_leaves_nothing_and_a_replaced_table_stays() -> None:
    resources = Stack(**WHOLE).resources
    kept = [
        name for name, one in resources.items() if one.get("DeletionPolicy", "Delete") != "Delete"
    ]
    assert kept == []
    assert [resources[name]["UpdateReplacePolicy"] for name in ("ConfigTable", "LedgerTable")] == [
        "Retain",
        "Retain",
    ]


def test_nothing_has_a_price_by_the_hour() -> None:
    stack = Stack(**WHOLE)
    assert {one["Type"] for one in stack.resources.values()} == FREE_WHILE_IDLE
    every = {one["Type"] for one in stack.template["Resources"].values()}
    assert every == FREE_WHILE_IDLE  # nor behind a condition
    for kind, costly in [
        ("AWS::Lambda::Alias", "ProvisionedConcurrencyConfig"),
        ("AWS::Lambda::Version", "ProvisionedConcurrencyConfig"),
        ("AWS::Lambda::Function", "VpcConfig"),
        ("AWS::ApiGateway::Stage", "CacheClusterEnabled"),
        ("AWS::DynamoDB::Table", "ProvisionedThroughput"),
    ]:
        assert not any(costly in one for one in stack.of_type(kind).values())


def test_setup_is_there_before_the_control_plane_and_gone_after_it() -> None:
    stack = Stack(DeletionProtection="true")
    for plane in ("QueryFunction", "ControlFunction"):
        assert stack.resources[plane]["DependsOn"] == "Setup"
    assert stack.properties("Setup") == {
        "ServiceToken": {"Fn::GetAtt": ["SetupFunction", "Arn"]},
        "ServiceTimeout": 120,
        "SecretPrefix": "gw/",
        "Code": stack.properties("Setup")["Code"],
    }
    # Another version, and so another Setup, whenever the code is another.
    version = stack.properties("Setup")["Code"]["Ref"]
    assert stack.resources[version]["Type"] == "AWS::Lambda::Version"
    assert stack.properties(version)["FunctionName"] == {"Ref": "SetupFunction"}
    assert stack.properties("SetupFunction")["Timeout"] < 120
    # So the tables, the role and the log outlive it.
    needed = set(mentioned(stack.resources["SetupFunction"], {}))
    assert needed >= {"ConfigTable", "LedgerTable", "SetupLogs"}


def test_the_stack_tells_what_its_users_need() -> None:
    outputs = Stack().outputs
    assert set(outputs) == {
        "AdminKeyCommand",
        "CommandEnvironment",
        "ConfigTableName",
        "ControlFunctionName",
        "ControlUrl",
        "GatewayUrl",
        "LedgerTableName",
        "QueryFunctionName",
        "RestApiUrl",
        "SecretPrefix",
        "SetupFunctionName",
    }
    assert all(one["Description"] for one in outputs.values())
    assert outputs["AdminKeyCommand"]["Value"] == (
        "aws secretsmanager get-secret-value --region us-east-1 "
        f"--secret-id gw/{ADMIN_KEY} --query SecretString --output text"
    )
    for setting in outputs["CommandEnvironment"]["Value"].split():
        name = setting.partition("=")[0].removeprefix("SLUICEGATE_").lower()
        assert name in Settings.model_fields or name == "aws_default_region"
    allowing = Stack(AllowPrivate="10.0.0.0/8").outputs["CommandEnvironment"]["Value"]
    assert allowing.endswith(" SLUICEGATE_ALLOW_PRIVATE=10.0.0.0/8")


def test_every_parameter_is_described_and_has_its_place_in_the_form() -> None:
    template = Stack().template
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])
    for one in template["Parameters"].values():
        assert one["Description"]
        assert {"AllowedValues", "AllowedPattern", "MinValue", "MaxLength"} & one.keys()


def test_what_is_deployed_when_nothing_is_asked_for() -> None:
    defaults = {name: one["Default"] for name, one in Stack().template["Parameters"].items()}
    assert defaults == {
        "AlarmEmail": "",
        "AlarmTopic": "",
        "AllowPrivate": "",
        "ApiBurst": 200,
        "ApiRate": 100,
        "Architecture": "arm64",
        "BedrockModels": "",
        "BedrockProjects": "",
        "ConfigTtl": 30,
        "ControlAuth": "NONE",
        "DeletionProtection": "false",
        "InvokeMode": "RESPONSE_STREAM",
        "LogDays": 30,
        "LogLevel": "INFO",
        "Memory": 1769,
        "Monitoring": "false",
        "PointInTimeRecovery": "true",
        "RecordDays": 400,
        "ReservedConcurrency": -1,
        "RestApi": "true",
        "Runtime": "streaming",
        "SnapStart": "off",
        "StageName": "live",
        "UrlAuth": "NONE",
    }
