"""The custom resource of a stack in an AWS that is emulated on loopback."""

from collections.abc import Iterator

import pytest

from handler.control import setup as work
from tests.aws.emulators import servers_of, with_tables
from tests.lambda_runtime.stacks import DONE, CloudFormation, cloud_formation, happens

pytestmark = pytest.mark.aws


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFormation]:
    monkeypatch.setattr(work, "start_logging", lambda _: None)
    with cloud_formation() as server:
        yield server


def test_on_aws_a_stack_comes_and_goes(
    request: pytest.FixtureRequest, stack: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = with_tables(servers_of(request.config).aws("ministack", monkeypatch))
    prefix = aws.prefix.removesuffix("providers/")
    names = {"CONFIG_TABLE": aws.config, "LEDGER_TABLE": aws.ledger, "SECRET_PREFIX": prefix}
    for name, value in names.items():
        monkeypatch.setenv(f"SLUICEGATE_{name}", value)

    def kept() -> list[str]:
        listed = aws.raw.secrets.list_secrets(MaxResults=100)["SecretList"]
        return [one["Name"] for one in listed if one["Name"].startswith(prefix)]

    assert happens("Create", stack) == DONE
    assert kept() == [f"{prefix}admin-key"]
    assert happens("Delete", stack) == DONE
    assert kept() == []


def test_without_its_tables_a_stack_is_told_what_is_missing(
    request: pytest.FixtureRequest, stack: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = servers_of(request.config).aws("ministack", monkeypatch)
    monkeypatch.setenv("SLUICEGATE_CONFIG_TABLE", aws.config)
    told = happens("Create", stack)
    assert told["Status"] == "FAILED"
    assert aws.config in told["Reason"]
