"""The ways in: whether they stream, and who may come."""

import itertools
from typing import Any

import pytest

from tests.deploy.stack import SAM_BIN, TEMPLATE, Stack, environment, tool

pytestmark = pytest.mark.deploy

MODES = ["RESPONSE_STREAM", "BUFFERED"]
AUTHS = ["NONE", "AWS_IAM"]
BOTH = list(itertools.product(AUTHS, AUTHS))
WRAPPER = "/var/task/handler/bootstrap_wrapper"


# --- streaming ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_function_knows_the_mode_of_its_url(mode: str) -> None:
    stack = Stack(InvokeMode=mode)
    for function in ("QueryFunction", "ControlFunction"):
        url = stack.properties(f"{function}Url")
        assert environment(stack, function)["GATEWAY_INVOKE_MODE"] == url["InvokeMode"]
    assert stack.properties("QueryFunctionUrl")["InvokeMode"] == mode
    assert stack.properties("ControlFunctionUrl")["InvokeMode"] == "BUFFERED"


def integration(stack: Stack, path: str) -> Any:
    method = stack.properties("Api")["Body"]["paths"][path]["x-amazon-apigateway-any-method"]
    return method["x-amazon-apigateway-integration"]


@pytest.mark.parametrize("path", ["/", "/{proxy+}"])
def test_the_rest_api_streams_queries_if_the_url_does(path: str) -> None:
    query = "arn:aws:apigateway:us-east-1:lambda:path/{}/functions/${{QueryFunction.Arn}}:live/{}"
    assert integration(Stack(InvokeMode="RESPONSE_STREAM"), path) == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": query.format("2021-11-15", "response-streaming-invocations"),
        "responseTransferMode": "STREAM",
        "timeoutInMillis": 900_000,
    }
    assert integration(Stack(InvokeMode="BUFFERED"), path) == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": query.format("2015-03-31", "invocations"),
        "responseTransferMode": "BUFFERED",
        "timeoutInMillis": 29_000,
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", ["/api", "/api/{proxy+}"])
def test_the_rest_api_never_streams_configuration(path: str, mode: str) -> None:
    control = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${ControlFunction.Arn}"
    found = integration(Stack(InvokeMode=mode), path)
    assert (found["uri"], found["timeoutInMillis"]) == (f"{control}/invocations", 29_000)
    assert "responseTransferMode" not in found


@pytest.mark.parametrize("mode", MODES)
def test_sam_local_serves_both_planes(mode: str) -> None:
    told = tool(SAM_BIN, "python", "-c", ROUTES, TEMPLATE, mode)
    assert told.returncode == 0, told.stderr
    assert sorted(told.stdout.split()) == [
        "/:QueryFunction",
        "/api/{proxy+}:ControlFunction",
        "/api:ControlFunction",
        "/{proxy+}:QueryFunction",
    ]


ROUTES = """
import sys
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
values = {"InvokeMode": sys.argv[2]}
stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1], parameter_overrides=values)
print(*{f"{route.path}:{route.function_name}" for route in ApiProvider(stacks).api.routes})
"""


def test_the_stock_runtime_cannot_be_asked_to_stream() -> None:
    (refusal,) = Stack(Runtime="stock", InvokeMode="RESPONSE_STREAM").broken_rules()
    assert "Runtime=stock cannot stream" in refusal
    for runtime, mode in [
        ("stock", "BUFFERED"),
        ("streaming", "BUFFERED"),
        ("streaming", MODES[0]),
    ]:
        assert Stack(Runtime=runtime, InvokeMode=mode).broken_rules() == []


@pytest.mark.parametrize("runtime", ["streaming", "stock"])
def test_whose_loop_runs_a_plane_is_a_parameter(runtime: str) -> None:
    stack = Stack(Runtime=runtime)
    for function in ("QueryFunction", "ControlFunction"):
        told = environment(stack, function)
        assert (told["GATEWAY_RUNTIME"], told["AWS_LAMBDA_EXEC_WRAPPER"]) == (runtime, WRAPPER)
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in environment(stack, "SetupFunction")


# --- who may call ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "control"), BOTH)
def test_a_public_url_has_both_permissions_and_no_other_has_one(url: str, control: str) -> None:
    stack = Stack(UrlAuth=url, ControlAuth=control)
    public = [
        (one["FunctionName"]["Ref"], one["Action"], one.get("FunctionUrlAuthType"))
        for one in stack.of_type("AWS::Lambda::Permission").values()
        if one["Principal"] == "*"
    ]
    expected: list[tuple[str, str, str | None]] = []
    for auth, target in ((url, "QueryFunctionAliaslive"), (control, "ControlFunction")):
        if auth == "NONE":
            expected.append((target, "lambda:InvokeFunctionUrl", "NONE"))
            expected.append((target, "lambda:InvokeFunction", None))
    assert sorted(map(str, public)) == sorted(map(str, expected))
    assert stack.properties("QueryFunctionUrl")["AuthType"] == url
    assert stack.properties("ControlFunctionUrl")["AuthType"] == control


def test_a_permission_without_a_condition_on_the_url_is_for_a_url_alone() -> None:
    for one in Stack().of_type("AWS::Lambda::Permission").values():
        if one["Principal"] == "*":
            assert one.get("FunctionUrlAuthType") == "NONE" or one["InvokedViaFunctionUrl"] is True


@pytest.mark.parametrize(("url", "control"), BOTH)
def test_the_rest_api_asks_as_the_urls_do(url: str, control: str) -> None:
    body = Stack(UrlAuth=url, ControlAuth=control).properties("Api")["Body"]
    for path, methods in body["paths"].items():
        asked = control if path.startswith("/api") else url
        security = methods["x-amazon-apigateway-any-method"]["security"]
        assert security == ([] if asked == "NONE" else [{"iam": []}])
    scheme = body["components"]["securitySchemes"]["iam"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_only_the_rest_api_may_invoke_for_the_rest_api() -> None:
    permissions = Stack(StageName="v1").of_type("AWS::Lambda::Permission")
    sources = {name: one["SourceArn"] for name, one in permissions.items() if "SourceArn" in one}
    api = "arn:aws:execute-api:us-east-1:000000000000:${Api}/v1"
    assert sources == {
        "ApiQueryPermission": f"{api}/*",
        "ApiControlPermission": f"{api}/*/api*",
    }


def test_without_the_rest_api_nothing_of_it_is_left() -> None:
    whole, without = Stack(RestApi="true"), Stack(RestApi="false")
    gone = {
        whole.resources[name]["Type"] for name in whole.resources.keys() - without.resources.keys()
    }
    assert gone == {
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::Lambda::Permission",
    }
    assert whole.outputs.keys() - without.outputs.keys() == {"RestApiUrl"}


def test_no_url_answers_for_other_origins() -> None:
    assert not any("Cors" in one for one in Stack().of_type("AWS::Lambda::Url").values())
