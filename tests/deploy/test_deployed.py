"""What the README says of deploying, done: `sam build`, `sam deploy --guided`, the command, an SDK,
`sam delete`.

On an emulator, which streams nothing and asks for no rights: test_functions.py and test_roles.py do.
Nor does it serve the REST API, whose any-methods it does not import: test_front_doors.py does.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.deploy import deployed_account
from tests.deploy.deployed_account import AS_IT_CAN, Account, Deployed, answers, eventually
from tests.live import ScriptedProvider, answer, scripted_provider, sse
from tests.sdk.said import HELLO, HI, completion, says

pytestmark = pytest.mark.deploy

PROVIDERS_KEY = "sk-canary-0123456789"
MADE, CHANGED = "CREATE_COMPLETE", "UPDATE_COMPLETE"
VECTORS = {
    "object": "list",
    "model": "e",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}
TABLES = ("ConfigTableName", "LedgerTableName")


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with deployed_account.account(tmp_path_factory.mktemp("account")) as account:
        deployed_account.build(account)
        yield account


@pytest.fixture(scope="module")
def deployed(account: Account, provider: ScriptedProvider) -> Deployed:
    allowed = provider.origin.removeprefix("http://")
    parameters = {**AS_IT_CAN, "AllowPrivate": allowed, "ConfigTtl": "1"}
    said = account.deploy("gw", answers(), "--guided", **parameters)
    return Deployed(account, "gw", said, allowed)


@pytest.fixture(scope="module")
def client(deployed: Deployed, provider: ScriptedProvider) -> OpenAI:
    """A caller's, of an endpoint ``chat``."""
    return deployed.sdk(configured(deployed.with_aws, "chat", provider))


def configured(sluicegate: Callable[..., str], name: str, provider: ScriptedProvider) -> str:
    """An endpoint of this name, its provider's key, and the key of somebody who may call it."""
    sluicegate("secrets", "put", name, "--base-url", provider.url, typed=PROVIDERS_KEY)
    told = {"provider": "openai_compatible", "model": "gpt-test", "base_url": provider.url}
    endpoint = {"targets": [{**told, "secret": f"vault:{name}"}]}
    sluicegate("endpoints", "create", name, "--file", "-", typed=json.dumps(endpoint))
    return sluicegate("keys", "create", f"caller-of-{name}", "--endpoint", name).strip()


def said_by(client: OpenAI, model: str = "chat") -> Any:
    chat: Any = client.chat.completions.create
    return chat(model=model, messages=HI).choices[0].message.content


def test_the_stack_comes_up_and_tells_what_its_users_need(deployed: Deployed) -> None:
    assert deployed.account.stack("gw")["StackStatus"] == MADE
    outputs = deployed.outputs
    (query, control, setup) = (
        outputs[f"{plane}FunctionName"] for plane in ("Query", "Control", "Setup")
    )
    assert {query, control, setup} == set(deployed.account.functions())
    assert set(deployed.account.tables()) == {outputs[name] for name in TABLES}
    names = {
        "SLUICEGATE_CONFIG_TABLE": outputs["ConfigTableName"],
        "SLUICEGATE_LEDGER_TABLE": outputs["LedgerTableName"],
        "SLUICEGATE_SECRET_PREFIX": "gw/",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    assert names.items() <= deployed.settings.items()
    assert outputs["RestApiUrl"].endswith(".execute-api.us-east-1.amazonaws.com/live/")
    assert all(value in "".join(deployed.said.split()) for value in deployed.settings.values())


def test_the_first_admin_key_is_made_with_the_stack_and_told_to_none_but_aws_users(
    deployed: Deployed,
) -> None:
    assert "gw/admin-key" in deployed.account.secrets()
    key = deployed.admin_key()
    client = deployed.account.client("secretsmanager")
    kept = client.get_secret_value(SecretId="gw/admin-key")["SecretString"]
    assert json.loads(kept)["value"] == key
    events = deployed.account.client("cloudformation").describe_stack_events(StackName="gw")
    assert key not in str(events) + str(deployed.outputs) + deployed.said


@pytest.mark.parametrize("way", [Deployed.with_aws, Deployed.with_url])
def test_what_the_command_configures_is_served(
    deployed: Deployed, provider: ScriptedProvider, way: Callable[..., str]
) -> None:
    name = way.__name__.replace("_", "-")
    key = configured(partial(way, deployed), name, provider)
    provider.will(answer(completion(says("Hello"))))
    assert said_by(deployed.sdk(key), name) == "Hello"
    (sent,) = provider.requests
    assert sent.headers["authorization"] == f"Bearer {PROVIDERS_KEY}"
    assert name in way(deployed, "endpoints", "list")


def test_a_stream_has_every_event_in_order_and_its_usage(
    client: OpenAI, provider: ScriptedProvider
) -> None:
    provider.will(sse(*HELLO))
    chat: Any = client.chat.completions.create
    options = {"include_usage": True}
    chunks = list(chat(model="chat", messages=HI, stream=True, stream_options=options))
    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert deltas == ["", "Hel", "lo", None]
    assert chunks[-1].usage.total_tokens == 12


def test_embeddings_and_the_list_of_models(client: OpenAI, provider: ScriptedProvider) -> None:
    provider.will(answer(VECTORS))
    made = client.embeddings.create(model="chat", input="a", encoding_format="float")
    assert made.data[0].embedding == [0.5, -0.25]
    assert [model.id for model in client.models.list()] == ["chat"]


def test_who_may_not_is_refused_in_the_sdks_own_words(deployed: Deployed, client: OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        said_by(deployed.sdk("sgk_not-one"))
    assert refused.value.code == "invalid_api_key"
    anybody = deployed.sdk(deployed.with_aws("keys", "create", "anybody").strip())
    with pytest.raises(openai.NotFoundError) as missing:
        said_by(anybody, "nowhere")
    assert missing.value.code == "endpoint_not_found"
    with pytest.raises(openai.PermissionDeniedError):
        said_by(client, "nowhere")


def test_a_call_is_written_down_and_logged_without_any_secret(
    deployed: Deployed, client: OpenAI, provider: ScriptedProvider
) -> None:
    provider.will(answer(completion(says("a confidential answer"))))
    chat: Any = client.chat.completions.with_raw_response.create
    answered = chat(model="chat", messages=[{"role": "user", "content": "a private question"}])
    call = answered.headers["x-gateway-request-id"]
    item = eventually(lambda: deployed.item("LedgerTableName", f"record#{call}"), "its record")
    record = json.loads(item["body"]["S"])
    assert (record["caller"], record["endpoint"], record["status"]) == (
        "caller-of-chat",
        "chat",
        200,
    )
    assert "expires" in item

    def lines() -> list[str]:
        return deployed.account.logged("/aws/lambda/gw-query")

    def its_line() -> list[str]:
        return [line for line in lines() if call in line and '"exchange"' in line]

    (line,) = eventually(its_line, "its line in the log")
    assert json.loads(line)["endpoint"] == "chat"
    assert all("/aws/lambda/gw-" in group for group in deployed.account.log_groups())
    logs = [deployed.account.logged(group) for group in deployed.account.log_groups()]
    secret = [PROVIDERS_KEY, client.api_key, deployed.admin_key(), "confidential", "private"]
    assert [word for word in secret if word in str(logs) or word in str(item)] == []


def test_a_changed_parameter_reaches_callers_and_all_else_stays(
    deployed: Deployed, client: OpenAI, provider: ScriptedProvider
) -> None:
    before, key = deployed.outputs, deployed.admin_key()
    # What --guided saved is what is deployed again, but for what is said now.
    deployed.account.deploy("gw", LogLevel="DEBUG")
    assert deployed.account.stack("gw")["StackStatus"] == CHANGED
    served = deployed.account.client("lambda").get_function_configuration(
        FunctionName=before["QueryFunctionName"], Qualifier="live"
    )
    variables = served["Environment"]["Variables"]
    assert (variables["SLUICEGATE_LOG_LEVEL"], variables["SLUICEGATE_CONFIG_TTL"]) == ("DEBUG", "1")
    assert {name: before[name] for name in ("GatewayUrl", "ControlUrl", *TABLES)}.items() <= (
        deployed.outputs.items()
    )
    assert deployed.admin_key() == key
    provider.will(answer(completion(says("still here"))))
    assert said_by(client) == "still here"


def test_a_protected_stack_refuses_to_be_deleted_and_keeps_its_secrets(account: Account) -> None:
    """Its tables would stay too, but for the emulator, which deletes what others depend on, and what
    is protected."""
    account.deploy("kept", RestApi="false", DeletionProtection="true", **AS_IT_CAN)
    kept = Deployed(account, "kept")
    dynamodb = account.client("dynamodb")
    tables = [dynamodb.describe_table(TableName=kept.outputs[name])["Table"] for name in TABLES]
    assert all(table["DeletionProtectionEnabled"] for table in tables)
    key = kept.admin_key()
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName="kept")
    eventually(lambda: account.stack("kept")["StackStatus"] == "DELETE_FAILED", "the refusal")
    events = cloudformation.describe_stack_events(StackName="kept")["StackEvents"]
    refused = {
        event["LogicalResourceId"]: event["ResourceStatusReason"]
        for event in events
        if event["ResourceStatus"] == "DELETE_FAILED"
    }
    assert refused.keys() == {"Setup", "kept"}
    assert "the tables are protected from deletion, so the secrets stay too" in refused["Setup"]
    assert kept.admin_key() == key


def test_a_deleted_stack_leaves_nothing(deployed: Deployed, provider: ScriptedProvider) -> None:
    """The last one, since it is the stack of all the others."""
    account, own = deployed.account, deployed.outputs.values()
    configured(deployed.with_aws, "short-lived", provider)
    assert {"gw/admin-key", "gw/providers/short-lived"} <= set(account.secrets())
    account.sam("delete", "--stack-name", "gw", "--no-prompts")
    assert "gw" not in account.stacks()
    left = [*account.tables(), *account.functions()]
    assert [name for name in left if name in own] == []
    assert [name for name in account.secrets() if name.startswith("gw/")] == []
    assert [name for name in account.log_groups() if "/gw-" in name] == []
