"""The custom resource of a stack: whatever happens, CloudFormation is told."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.admin.first_key import Safe, make_first_key
from gateway.admin.keys import Keys
from gateway.admin.means import Means
from gateway.admin.secrets import Secrets
from gateway.errors import Unavailable
from handler.control import setup as work
from handler.control import setup_function as custom_resource
from handler.control.routes import means_of
from tests.fakes import run
from tests.lambda_runtime.stacks import (
    DONE,
    FAILS,
    JUNK,
    OURS,
    Account,
    CloudFormation,
    Context,
    cloud_formation,
    happens,
)
from tests.serving import SOURCE, free_port

CANARY = "sk-canary-1234567890"


@pytest.fixture
def stack() -> Iterator[CloudFormation]:
    with cloud_formation() as server:
        yield server


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(tmp_path)
    monkeypatch.setattr(work, "aws_control", account.wired)
    monkeypatch.setattr(work, "AdminKeySafe", lambda _: account.safe)
    monkeypatch.setattr(work, "protected_tables", account.protected_tables)
    monkeypatch.setattr(work, "start_logging", lambda _: None)
    monkeypatch.setattr(work, "BETWEEN_TRIES", 0.01)
    return account


def test_a_new_stack_gets_an_admin_key(account: Account, stack: CloudFormation) -> None:
    assert happens("Create", stack) == DONE
    (kept,) = run(Keys(means_of(account.wired())).page(None, 10))[0]
    assert (kept["name"], kept["role"]) == ("admin", "admin")
    assert account.safe.key
    assert account.safe.key not in str(stack.heard)
    assert len(stack.heard) == 1


def test_an_update_makes_no_other_key_and_keeps_its_name(
    account: Account, stack: CloudFormation
) -> None:
    happens("Create", stack)
    told = happens("Update", stack, PhysicalResourceId="as-it-was", OldResourceProperties={})
    assert told == DONE | {"PhysicalResourceId": "as-it-was"}
    assert account.safe.keys == [account.safe.key]


def test_an_update_of_a_stack_that_has_none_makes_one(
    account: Account, stack: CloudFormation
) -> None:
    assert happens("Update", stack) == DONE
    assert account.safe.key


def test_a_stack_that_goes_takes_its_secrets_along(account: Account, stack: CloudFormation) -> None:
    happens("Create", stack)
    entered = {"value": CANARY, "provider": "openai"}
    for name in ("one", "two"):
        run(Secrets(means_of(account.wired())).put(name, entered, version=None))
    assert CANARY in (account.home / "secrets.json").read_text()
    assert happens("Delete", stack) == DONE
    assert CANARY not in (account.home / "secrets.json").read_text()
    assert account.safe.key is None
    assert happens("Delete", stack) == DONE  # again, where there are none


def test_a_stack_whose_tables_stay_keeps_its_secrets(
    account: Account, stack: CloudFormation
) -> None:
    happens("Create", stack)
    kept = account.safe.key
    account.protected = ["gw-config", "gw-ledger"]
    told = happens("Delete", stack)
    assert (told["Status"], account.safe.key) == ("FAILED", kept)
    assert "for each of gw-config and gw-ledger" in told["Reason"]
    account.protected = []
    told = happens("Delete", stack)
    assert (told["Status"], account.safe.key) == ("SUCCESS", None)


@pytest.mark.parametrize("kind", ["Create", "Delete"])
def test_what_aws_refuses_is_the_reason(account: Account, stack: CloudFormation, kind: str) -> None:
    account.safe.broken = Unavailable("secretsmanager:PutSecretValue was refused")
    told = happens(kind, stack, left=11_200)
    assert told["Status"] == "FAILED"
    assert told["Reason"] == "secretsmanager:PutSecretValue was refused"


def test_what_aws_refuses_at_first_is_tried_again(
    account: Account, stack: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does while a role that was made a moment ago is not known everywhere."""
    refusals = [Unavailable("not authorized")] * 2

    async def refused_at_first(means: Means, safe: Safe) -> bool:
        if refusals:
            raise refusals.pop()
        return await make_first_key(means, safe)

    monkeypatch.setattr(work, "make_first_key", refused_at_first)
    assert happens("Create", stack) == DONE
    assert account.safe.key


def test_what_nobody_expected_is_in_the_log_and_not_in_the_reason(
    account: Account, stack: CloudFormation, caplog: pytest.LogCaptureFixture
) -> None:
    account.safe.broken = KeyError(CANARY)
    told = happens("Create", stack)
    assert told["Status"] == "FAILED"
    assert told["Reason"] == "the set-up failed (KeyError): the function's log says why"
    assert "KeyError" in caplog.text


def test_a_wrong_setting_is_told_too(
    account: Account, stack: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    del account
    monkeypatch.setenv("SLUICEGATE_PROXY", f"ftp://{CANARY}@proxy")
    told = happens("Create", stack)
    assert told["Status"] == "FAILED"
    assert CANARY not in str(told)


@pytest.mark.parametrize("left", [10_050, 10_000, 1_000, 0])
def test_who_has_no_time_left_still_says_so(
    account: Account, stack: CloudFormation, left: int
) -> None:
    """Another process is at it, and may have died there."""
    account.safe.broken = Unavailable("died")
    happens("Create", stack, left=11_200)
    account.safe.broken = None
    told = happens("Create", stack, left)
    assert (told["Status"], told["Reason"]) == ("FAILED", "it took too long: try again")


def test_a_reason_fits_into_what_cloudformation_takes(
    account: Account, stack: CloudFormation
) -> None:
    """4,096 bytes, all in all."""
    account.safe.broken = Unavailable("Zoë 🦀" * 5_000)
    told = happens("Create", stack, left=11_200)
    assert told["Status"] == "FAILED"
    assert len(json.dumps(told | OURS).encode()) < 4096


@pytest.mark.parametrize(
    "reply", [FAILS, JUNK, b"HTTP/1.1 403 No", b""], ids=["500", "junk", "403", "nothing"]
)
def test_a_report_that_fails_is_sent_again(
    account: Account, stack: CloudFormation, reply: bytes
) -> None:
    del account
    stack.replies.extend([reply, reply])
    assert happens("Create", stack) == DONE
    assert len(stack.heard) == 3


@pytest.mark.parametrize("reply", [FAILS, JUNK], ids=["500", "junk"])
def test_a_report_that_nobody_takes_is_given_up_in_silence(
    account: Account, stack: CloudFormation, reply: bytes
) -> None:
    """Raising would have Lambda call again, and again."""
    del account
    stack.replies.extend([reply] * 9)
    happens("Create", stack)
    assert len(stack.heard) == 3


URLS = {
    "none": "",
    "no address": "nowhere",
    "another protocol": "ftp://127.0.0.1:1/x",
    "nobody": f"http://127.0.0.1:{free_port()}/",
}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_an_address_where_nobody_is_raises_nothing(
    account: Account, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    del account
    custom_resource.handler({"RequestType": "Create", "ResponseURL": url, **OURS}, Context())
    assert "CloudFormation was not told" in caplog.text


@pytest.fixture
def unstartable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when it was built for another processor."""
    monkeypatch.setitem(sys.modules, "handler.control.setup", None)


@pytest.mark.usefixtures("unstartable")
def test_code_that_never_started_says_what_may_be_wrong_and_lets_the_stack_go(
    stack: CloudFormation,
) -> None:
    told = happens("Create", stack)
    assert told["Status"] == "FAILED"
    assert "was it built for this processor?" in told["Reason"]
    told = happens("Delete", stack, PhysicalResourceId=told["PhysicalResourceId"])
    assert told["Status"] == "SUCCESS"


@pytest.mark.usefixtures("unstartable")
@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_code_that_has_run_before_and_starts_no_more_leaves_no_secret_in_silence(
    stack: CloudFormation, kind: str
) -> None:
    told = happens(kind, stack, PhysicalResourceId="sluicegate-setup")
    assert told["Status"] == "FAILED"
    assert "was it built for this processor?" in told["Reason"]


def test_it_can_say_so_with_the_standard_library_alone() -> None:
    code = (
        "import sys; before = {*sys.modules}; import handler.control.setup_function; "
        "print(sorted({n.partition('.')[0] for n in sys.modules.keys() - before}"
        " - sys.stdlib_module_names))"
    )
    told = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert told.stdout == "['handler']\n"
