"""What `sam` is told by samconfig.toml."""

import re
import tomllib

import pytest

from tests.deploy.stack import ROOT, Stack

SAMCONFIG = ROOT / "samconfig.toml"
CONFIG = tomllib.loads(SAMCONFIG.read_text())
ENVIRONMENTS = ["default", "dev", "prod"]


def test_it_has_three_environments() -> None:
    assert CONFIG.keys() == {"version", *ENVIRONMENTS}
    stacks = [CONFIG[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS]
    assert stacks == ["sluicegate", "sluicegate-dev", "sluicegate-prod"]


def test_it_says_nothing_of_any_account() -> None:
    text = SAMCONFIG.read_text()
    assert not re.search(r"\b\d{12}\b|arn:|s3_bucket|profile\s*=|region\s*=|@", text)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_sam_builds_without_copying_the_whole_directory(name: str) -> None:
    assert CONFIG[name]["build"]["parameters"]["build_in_source"] is True


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_sam_deploys_with_no_more_rights_than_it_needs(name: str) -> None:
    told = CONFIG[name]["deploy"]["parameters"]
    assert told["capabilities"] == "CAPABILITY_IAM"
    assert told["resolve_s3"] is True
    assert told["fail_on_empty_changeset"] is False
    assert told["confirm_changeset"] is (name == "prod")
    assert CONFIG[name]["validate"]["parameters"]["lint"] is True


def overrides(name: str) -> dict[str, str]:
    told = CONFIG[name]["deploy"]["parameters"].get("parameter_overrides", "")
    return dict(one.split("=", 1) for one in told.split())


def test_production_is_protected_and_watched() -> None:
    told = overrides("prod")
    assert told["DeletionProtection"] == told["PointInTimeRecovery"] == told["Monitoring"] == "true"


@pytest.mark.deploy
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_template_takes_what_it_overrides(name: str) -> None:
    parameters = Stack().template["Parameters"]
    for parameter, value in overrides(name).items():
        allowed = [str(one) for one in parameters[parameter].get("AllowedValues", [value])]
        assert value in allowed
