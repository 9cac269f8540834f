"""What other people's checkers say of the template; and that they would say it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy.stack import CHECKOV_BIN, ROOT, SAM_BIN, TEMPLATE, tool, translated

pytestmark = pytest.mark.deploy

CHECKOV = ("checkov", "--config-file", ROOT / ".checkov.yaml", "--file")


def cloudformation(directory: Path, template: Path = TEMPLATE) -> Path:
    path = directory / "cloudformation.json"
    path.write_text(translated(template))
    return path


def mutated(directory: Path, mistakes: Mapping[str, str]) -> Path:
    text = TEMPLATE.read_text()
    for right, wrong in mistakes.items():
        assert right in text
        text = text.replace(right, wrong, 1)
    path = directory / "mutated.yaml"
    path.write_text(text)
    return path


def test_sam_takes_the_template() -> None:
    done = tool(SAM_BIN, "sam", "validate", "--lint")
    assert (done.returncode, done.stderr) == (0, "")
    assert "is a valid SAM Template" in done.stdout


def test_cfn_lint_finds_nothing_in_it() -> None:
    done = tool(SAM_BIN, "cfn-lint", TEMPLATE)
    assert (done.returncode, done.stdout) == (0, "")


def test_cfn_lint_finds_nothing_in_what_cloudformation_is_given(tmp_path: Path) -> None:
    done = tool(SAM_BIN, "cfn-lint", cloudformation(tmp_path))
    assert (done.returncode, done.stdout) == (0, "")


def test_checkov_finds_nothing_in_what_cloudformation_is_given(tmp_path: Path) -> None:
    done = tool(CHECKOV_BIN, *CHECKOV, cloudformation(tmp_path), "--output", "json")
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    summary = (told[0] if isinstance(told, list) else told)["summary"]
    assert summary["failed"] == summary["parsing_errors"] == 0
    assert summary["passed"] > 30


MISTAKES = {
    "!GetAtt QueryRole.Arn": "!GetAtt QueryRole.Name",
    "!Ref QueryLogs": "!Ref NoLogs",
    "dynamodb:BatchWriteItem": "dynamodb:BatchWriteThem",
    "Timeout: 900": "Timeout: 901",
}


def test_mistakes_in_the_template_are_found(tmp_path: Path) -> None:
    wrong = cloudformation(tmp_path, mutated(tmp_path, MISTAKES))
    done = tool(SAM_BIN, "cfn-lint", wrong)
    assert done.returncode != 0
    for told in ("'Name'", "'NoLogs'", "'batchwritethem'", "901"):
        assert told in done.stdout


def test_a_policy_that_allows_everything_is_found(tmp_path: Path) -> None:
    wrong = mutated(tmp_path, {"Action: dynamodb:GetItem": 'Action: "*"'})
    done = tool(CHECKOV_BIN, *CHECKOV, cloudformation(tmp_path, wrong))
    assert done.returncode == 1
    assert "AWS::IAM::Role.QueryRole" in done.stdout


def test_every_check_that_is_left_out_has_its_reason_above_it() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().partition("skip-check:\n")[2].splitlines()
    kinds = "".join("r" if line.startswith("  # ") else "c" for line in lines)
    assert re.fullmatch("(r+c+)+", kinds)


def test_every_resource_that_is_spared_a_check_says_why() -> None:
    resources = json.loads(translated())["Resources"].values()
    spared = [
        one["Metadata"]["checkov"]["skip"]
        for one in resources
        if "checkov" in one.get("Metadata", {})
    ]
    assert [bool(check["comment"]) for checks in spared for check in checks] == [True]
