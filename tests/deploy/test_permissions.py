"""What each function's role allows: what its plane asks of AWS, and nothing besides."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.stack import ROOT, Stack

pytestmark = pytest.mark.deploy

ADAPTERS = ROOT / "src" / "gateway" / "adapters" / "aws"
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:gw/"
CONFIG, BY_KIND = "ConfigTable", "${ConfigTable.Arn}/index/by_kind"
LEDGER = "LedgerTable"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-oss-120b-1:0"
PROFILE = "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.openai.gpt-oss-120b-1:0"
PROJECT = "arn:aws:bedrock-mantle:us-east-1:000000000000:project/default"
ROLES = {"QueryRole": "QueryLogs", "ControlRole": "ControlLogs", "SetupRole": "SetupLogs"}


def allowed(role: str, **parameters: str) -> dict[str, set[str]]:
    """What is allowed -> the actions."""
    found: dict[str, set[str]] = {}
    for statement in statements(role, **parameters):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        for resource in named(statement["Resource"]):
            found.setdefault(resource, set()).update(
                [actions] if isinstance(actions, str) else actions
            )
    return found


def statements(role: str, **parameters: str) -> Iterator[Any]:
    for policy in Stack(**parameters).properties(role)["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def named(resource: Any) -> list[str]:
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return [name]
        case str():
            return [resource]
        case list():
            return resource
    raise AssertionError(resource)


def test_the_query_plane_reads_configuration_and_writes_records() -> None:
    assert allowed("QueryRole") == {
        CONFIG: {"dynamodb:GetItem"},
        BY_KIND: {"dynamodb:Query"},
        LEDGER: {"dynamodb:BatchWriteItem", "dynamodb:UpdateItem"},
        SECRET + "providers/*": {"secretsmanager:GetSecretValue"},
        "QueryLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }


def test_the_query_plane_calls_what_of_bedrock_it_is_told_to() -> None:
    """And where it is told of nothing, nothing, as above."""
    told = {"BedrockModels": f"{MODEL},{PROFILE}", "BedrockProjects": PROJECT}
    gained = {
        resource: actions
        for resource, actions in allowed("QueryRole", **told).items()
        if resource not in allowed("QueryRole")
    }
    invoke = {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}
    infer = {"bedrock-mantle:CreateInference", "bedrock-mantle:CountTokens"}
    assert gained == {MODEL: invoke, PROFILE: invoke, PROJECT: infer}
    assert [
        set(allowed("QueryRole", **{name: value})) - set(allowed("QueryRole"))
        for name, value in told.items()
    ] == [{MODEL, PROFILE}, {PROJECT}]
    for role in ROLES.keys() - {"QueryRole"}:
        assert allowed(role, **told) == allowed(role)


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("BedrockModels", MODEL, PROJECT),
        ("BedrockModels", PROFILE, "*"),
        ("BedrockModels", MODEL.replace("us-east-1", "*"), "arn:aws:s3:::bucket/key"),
        ("BedrockModels", "", "anthropic.claude-haiku-4-5"),
        ("BedrockProjects", PROJECT, MODEL),
        ("BedrockProjects", PROJECT.replace(":aws:", ":aws-us-gov:"), "*"),
        ("BedrockProjects", "", PROJECT.replace("000000000000", "")),
    ],
)
def test_what_of_bedrock_is_told_by_its_arn(parameter: str, good: str, bad: str) -> None:
    pattern = Stack().template["Parameters"][parameter]["AllowedPattern"]
    assert [bool(re.fullmatch(pattern, one)) for one in (good, bad)] == [True, False]


def test_the_control_plane_writes_secrets_and_reads_none() -> None:
    assert allowed("ControlRole") == {
        CONFIG: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        BY_KIND: {"dynamodb:Query"},
        LEDGER: {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
        SECRET + "providers/*": {
            "secretsmanager:CreateSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:DescribeSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:RestoreSecret",
        },
        "ControlLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }


def test_setup_keeps_the_admin_key_and_deletes_all_secrets() -> None:
    assert allowed("SetupRole") == {
        CONFIG: {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeTable",
        },
        BY_KIND: {"dynamodb:Query"},
        LEDGER: {"dynamodb:BatchGetItem", "dynamodb:DescribeTable"},
        SECRET + "admin-key*": {
            "secretsmanager:CreateSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:RestoreSecret",
        },
        SECRET + "*": {"secretsmanager:DescribeSecret", "secretsmanager:DeleteSecret"},
        "SetupLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }


def test_the_roles_allow_what_the_adapters_ask_for_and_no_more() -> None:
    actions = set().union(*(found for role in ROLES for found in allowed(role).values()))
    assert {action for action in actions if not action.startswith("logs:")} == set(asked())


def asked() -> Iterator[str]:
    """By the name that an adapter gives to what it asks, for whoever must mend a role."""
    for path in ADAPTERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="_use"), args=[ast.Constant(value=str(said)), *_]
                ):
                    for action in said.split(" or "):
                        yield action if ":" in action else f"secretsmanager:{action}"
                case ast.Call(
                    func=ast.Name(id="Use"), args=[ast.Constant(value=str(said)), *_]
                ) if ":" in said:
                    yield said


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_allowed_by_a_pattern(role: str) -> None:
    for statement in statements(role):
        assert not statement.keys() & {"NotAction", "NotResource", "Principal"}
        assert statement["Resource"] != "*"
    for actions in allowed(role).values():
        assert not any(re.search(r"[*?]|Scan|ListSecrets", action) for action in actions)


@pytest.mark.parametrize("role", ROLES)
def test_only_lambda_takes_a_role_and_its_function_has_it(role: str) -> None:
    properties = Stack().properties(role)
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert "ManagedPolicyArns" not in properties
    function = Stack().properties(role.replace("Role", "Function"))
    assert function["Role"] == {"Fn::GetAtt": [role, "Arn"]}
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": ROLES[role]}


def test_no_other_role_is_made() -> None:
    assert Stack().of_type("AWS::IAM::Role").keys() == ROLES.keys()
    kinds = {one["Type"] for one in Stack().resources.values()}
    assert {kind for kind in kinds if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
