"""template.yaml as CloudFormation would have it: translated, and for given parameters resolved."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = ROOT / "template.yaml"
SAM_BIN = ROOT / os.environ.get("SAM_BIN", ".venv-sam/bin")
CHECKOV_BIN = ROOT / os.environ.get("CHECKOV_BIN", ".venv-checkov/bin")
# No account, no telemetry, nothing of whoever runs the tests.
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}
PSEUDO = {"AWS::StackName": "gw", "AWS::Partition": "aws", "AWS::Region": "us-east-1"}
PSEUDO |= {"AWS::AccountId": "000000000000", "AWS::URLSuffix": "amazonaws.com"}
VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
NOTHING: Any = object()


def tool(directory: Path, name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Skips where the tool is not installed."""
    program = directory / name
    if not program.exists():
        pytest.skip(
            f"{program} is not installed: requirements/sam.txt, checkov.txt; or set SAM_BIN"
        )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return subprocess.run(  # noqa: S603
        [program, *arguments],
        cwd=ROOT,
        env=environment | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@cache
def translated(template: Path = TEMPLATE) -> str:
    done = tool(SAM_BIN, "python", ROOT / "deploy" / "translate.py", template)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Stack:
    """``resources`` and ``outputs`` as these parameters make them. What only AWS knows stays as it
    stands: ``{"Ref": "ConfigTable"}``, ``${Api}``."""

    def __init__(self, **parameters: str) -> None:
        self.template: Any = json.loads(translated())
        defaults = {name: one["Default"] for name, one in self.template["Parameters"].items()}
        assert parameters.keys() <= defaults.keys()
        self.parameters = {name: str(value) for name, value in {**defaults, **parameters}.items()}
        self.resources = self._present("Resources")
        self.outputs = self._present("Outputs")

    def of_type(self, kind: str) -> dict[str, Any]:
        """Name -> properties."""
        found = self.resources.items()
        return {name: one.get("Properties", {}) for name, one in found if one["Type"] == kind}

    def properties(self, name: str) -> Any:
        return self.resources[name]["Properties"]

    def holds(self, condition: str) -> bool:
        return bool(self._resolved(self.template["Conditions"][condition]))

    def broken_rules(self) -> list[str]:
        return [
            assertion["AssertDescription"]
            for rule in self.template["Rules"].values()
            if self._resolved(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self._resolved(assertion["Assert"])
        ]

    def _present(self, section: str) -> dict[str, Any]:
        return {
            name: self._resolved(one)
            for name, one in self.template[section].items()
            if "Condition" not in one or self.holds(one["Condition"])
        }

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return NOTHING
            case {"Ref": name} if self._is_list(name):
                return self.parameters[name].split(",")
            case {"Ref": name} if name in self.parameters or name in PSEUDO:
                return self._named(name)
            case {"Fn::Join": [str(between), parts]}:
                return between.join(self._resolved(parts))
            case {"Fn::Sub": str(text)}:
                return VARIABLE.sub(lambda found: self._named(found[1]), text)
            case {"Fn::If": [condition, yes, no]}:
                return self._resolved(yes if self.holds(condition) else no)
            case {"Fn::Equals": [one, other]}:
                return str(self._resolved(one)) == str(self._resolved(other))
            case {"Fn::Not": [one]}:
                return not self._resolved(one)
            case {"Fn::And": several}:
                return all(self._resolved(one) for one in several)
            case {"Condition": str(name), **others} if not others:
                return self.holds(name)
            case dict():
                found = {key: self._resolved(one) for key, one in value.items()}
                return {key: one for key, one in found.items() if one is not NOTHING}
            case list():
                return [one for one in map(self._resolved, value) if one is not NOTHING]
        return value

    def _is_list(self, name: str) -> bool:
        known = self.template["Parameters"].get(name, {})
        return bool(known.get("Type") == "CommaDelimitedList")

    def _named(self, name: str) -> str:
        return {**PSEUDO, **self.parameters}.get(name, f"${{{name}}}")


def environment(stack: Stack, function: str) -> Any:
    return stack.properties(function)["Environment"]["Variables"]


def mentioned(value: Any, conditions: Mapping[str, Any]) -> Iterator[str]:
    """Whatever a value depends on, by way of conditions too."""
    match value:
        case {"Ref": name}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from VARIABLE.findall(text)
        case {"Fn::If": [condition, *branches]}:
            yield from mentioned(conditions[condition], conditions)
            yield from mentioned(branches, conditions)
        case dict():
            for one in value.values():
                yield from mentioned(one, conditions)
        case list():
            for one in value:
                yield from mentioned(one, conditions)
