"""What CloudFormation will be given, made offline: SAM's own translation of template.yaml, as JSON.

    .venv-sam/bin/python deploy/translate.py template.yaml [NAME=VALUE …] [--output FILE]

Linters see more in it than in template.yaml: wrong references, attributes and IAM actions show up
here alone. A parameter that is given only steers the translation; conditions stay conditions.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

# Where the build's result will be, once it is uploaded: CloudFormation takes code from S3 alone.
CODE = "s3://artefacts/sluicegate.zip"


def main() -> None:
    parser = argparse.ArgumentParser(prog="translate.py", description=__doc__.partition("\n")[0])
    parser.add_argument("template", type=Path)
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--output", type=Path, help="a file; else standard output")
    options = parser.parse_args()
    values = dict(parameter.split("=", 1) for parameter in options.parameters)
    told = json.dumps(translated(options.template.read_text(), values), indent=1)
    if options.output:
        options.output.write_text(told)
    else:
        sys.stdout.write(told)


def translated(template: str, values: dict[str, str]) -> Any:
    os.environ.setdefault(
        "AWS_DEFAULT_REGION", "us-east-1"
    )  # the translator asks for its partition
    # SAM's command brings it; it is in no environment of ours.
    from samtranslator.translator.transform import transform  # type: ignore[import-not-found]
    from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

    told = yaml_parse(template)
    for part in (told.get("Globals", {}).get("Function"), *_functions(told)):
        if part and "CodeUri" in part:
            part["CodeUri"] = CODE
    return transform(told, values, _NoManagedPolicies())


def _functions(template: Any) -> list[Any]:
    resources = template["Resources"].values()
    return [one["Properties"] for one in resources if one["Type"] == "AWS::Serverless::Function"]


class _NoManagedPolicies:
    """They are looked up in an account; this template names none."""

    def load(self) -> dict[str, str]:
        return {}


if __name__ == "__main__":
    main()
