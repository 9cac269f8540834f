"""The roles at work: an AWS on loopback that asks for them, and the planes with just their rights."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import botocore.session
import pytest

from gateway.admin.first_key import make_first_key
from gateway.admin.removal import remove_secrets
from gateway.bootstrap.aws import ADMIN_KEY, PROVIDERS, AdminKeySafe, aws_control
from gateway.bootstrap.wiring import Wired
from gateway.errors import Unavailable
from gateway.metering.records import Record
from gateway.ports import Change
from gateway.settings import Settings
from handler.control.routes import means_of
from tests.aws.emulators import CREDENTIALS, be_patient, started
from tests.deploy.stack import Stack
from tests.serving import free_port

pytestmark = [pytest.mark.deploy, pytest.mark.aws]

Answer = TypeVar("Answer")
Work = Callable[[Wired], Awaitable[Answer]]

DEPLOYED = ("AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Logs::LogGroup")
ENDPOINT = {"targets": [{"provider": "echo", "model": "echo-1", "weight": 1}]}
ORIGIN = "https://api.openai.com"
RECORD = Record(
    request_id="r1",
    caller="app",
    endpoint="chat",
    dialect="openai_chat",
    stream=False,
    outcome="answered",
    status=200,
    provider="echo",
    model="echo-1",
    attempts=1,
    usage=None,
    cost=None,
    duration=1.0,
    first_content=None,
    error=None,
)


class Deployed:
    """The stack's tables and roles; each test has secrets and items of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._names = self._create(Stack())
        self.secrets = self._client("secretsmanager")

    def plane(self, role: str, work: Work[Answer], monkeypatch: pytest.MonkeyPatch) -> Answer:
        """What comes of doing this with the rights of that role."""
        self._become(role, monkeypatch)
        return asyncio.run(self._done(work))

    async def _done(self, work: Work[Answer]) -> Answer:
        wired = aws_control(self.settings)
        try:
            return await work(wired)
        finally:
            await wired.close()

    @property
    def settings(self) -> Settings:
        return Settings(
            store="aws",
            config_table=self._names["ConfigTable"],
            ledger_table=self._names["LedgerTable"],
            secret_prefix="gw/",
        )

    def _become(self, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
        be_patient(monkeypatch)
        arn = self._client("iam").get_role(RoleName=self._names[role])["Role"]["Arn"]
        taken = self._client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            monkeypatch.delenv(variable)
        for variable, value in {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self._url,
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }.items():
            monkeypatch.setenv(variable, value)

    def _create(self, stack: Stack) -> dict[str, str]:
        found = stack.resources.items()
        kept = {name: one for name, one in found if one["Type"] in DEPLOYED}
        subs = json.dumps(kept).replace('"${ConfigTable.Arn}/index/by_kind"', SUB)
        client = self._client("cloudformation")
        client.create_stack(
            StackName="gw",
            TemplateBody=json.dumps({"Resources": json.loads(subs)}),
            Capabilities=["CAPABILITY_IAM"],
        )
        waiter = client.get_waiter("stack_create_complete")
        waiter.wait(StackName="gw", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        made = client.describe_stack_resources(StackName="gw")["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}

    def _client(self, service: str) -> Any:
        return botocore.session.Session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url=self._url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


SUB = '{"Fn::Sub": "${ConfigTable.Arn}/index/by_kind"}'


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    port = free_port()
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true"}
    with started(port, "/_ministack/health", ["ministack"], settings) as url:
        yield Deployed(url)


def denied(error: pytest.ExceptionInfo[Unavailable]) -> bool:
    return error.value.code == "aws_access_denied"


def test_the_query_role_is_enough_to_serve(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.secrets.create_secret(
        Name=f"gw/{PROVIDERS}openai", SecretString=json.dumps({"value": "sk", "origin": ORIGIN})
    )

    async def serve(wired: Wired) -> str:
        await wired.items.get("endpoint", "chat")
        await wired.items.page("endpoint")
        await wired.records.add([RECORD])
        await wired.records.touch("app", 3600)
        return await wired.vault.secret("vault:openai", ORIGIN)

    assert deployed.plane("QueryRole", serve, monkeypatch) == "sk"


def put(name: str, value: str) -> Work[None]:
    return lambda wired: wired.vault.put(name, value, ORIGIN)


def read(name: str) -> Work[str]:
    return lambda wired: wired.vault.secret(f"vault:{name}", ORIGIN)


def write(name: str) -> Work[None]:
    return lambda wired: wired.items.write([Change("endpoint", name, ENDPOINT, 0)])


def write_two(wired: Wired) -> Awaitable[None]:
    changes = [Change("endpoint", name, ENDPOINT, 0) for name in ("two", "three")]
    return wired.items.write(changes)


@pytest.mark.parametrize(
    "work", [write("one"), write_two, put("openai", "sk"), lambda wired: wired.vault.delete("x")]
)
def test_the_query_role_configures_nothing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, work: Work[object]
) -> None:
    with pytest.raises(Unavailable) as error:
        deployed.plane("QueryRole", work, monkeypatch)
    assert denied(error)


def test_the_control_role_is_enough_to_configure(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def configure(wired: Wired) -> None:
        await wired.items.write([Change("endpoint", "a", ENDPOINT, 0)])
        two = [Change("endpoint", "a", None, 1), Change("endpoint", "b", ENDPOINT, 0)]
        await wired.items.write(two)
        await wired.items.write([Change("endpoint", "b", None, 1)])
        assert await wired.items.get("endpoint", "b") is None
        await wired.items.page("key")
        await wired.records.touch("admin", 3600)
        assert await wired.records.last_used(["admin"]) == {"admin": 3600}
        await wired.vault.put("groq", "one", ORIGIN)
        await wired.vault.put("groq", "two", ORIGIN)
        await wired.vault.delete("groq")
        await wired.vault.put("groq", "three", ORIGIN)  # it can be restored for a while

    deployed.plane("ControlRole", configure, monkeypatch)
    kept = deployed.secrets.get_secret_value(SecretId=f"gw/{PROVIDERS}groq")
    assert json.loads(kept["SecretString"])["value"] == "three"


def test_the_control_role_reads_no_secret(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.plane("ControlRole", put("mistral", "sk"), monkeypatch)
    with pytest.raises(Unavailable) as error:
        deployed.plane("ControlRole", read("mistral"), monkeypatch)
    assert denied(error)


@pytest.mark.parametrize("role", ["QueryRole", "ControlRole", "SetupRole"])
def test_no_plane_reads_the_admin_key(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    async def peek(_: Wired) -> str:
        return await AdminKeySafe(deployed.settings).read()

    with pytest.raises(Unavailable) as error:
        deployed.plane(role, peek, monkeypatch)
    assert denied(error)


def test_the_setup_role_is_enough_to_begin_and_to_end(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.plane("ControlRole", put("cohere", "sk"), monkeypatch)

    async def begin(wired: Wired) -> bool:
        cohere = Change("secret", "cohere", {"origin": ORIGIN, "tail": "sk"}, 0)
        await wired.items.write([cohere])
        return await make_first_key(means_of(wired), AdminKeySafe(deployed.settings))

    async def end(wired: Wired) -> int:
        return await remove_secrets(means_of(wired), AdminKeySafe(deployed.settings))

    assert deployed.plane("SetupRole", begin, monkeypatch)
    assert names(deployed) >= {f"gw/{ADMIN_KEY}", f"gw/{PROVIDERS}cohere"}
    assert deployed.plane("SetupRole", end, monkeypatch) == 1
    assert not names(deployed) & {f"gw/{ADMIN_KEY}", f"gw/{PROVIDERS}cohere"}


def names(deployed: Deployed) -> set[str]:
    """Those that are not deleted."""
    return {one["Name"] for one in deployed.secrets.list_secrets()["SecretList"]}


def test_the_setup_role_enters_no_providers_key(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable) as error:
        deployed.plane("SetupRole", put("openrouter", "sk"), monkeypatch)
    assert denied(error)
