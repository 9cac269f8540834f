"""What the command is told from outside: settings, and files of endpoints."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gateway.admin.specs import endpoints_from
from gateway.errors import BadRequest
from gateway.routing.endpoint import Endpoint
from gateway.settings import Settings
from handler.cli.trouble import Trouble

SHOW_ONE = "`sluicegate endpoints show demo` prints one as it should be written"


def settings_for(config: Path | None = None, log_level: str | None = None) -> Settings:
    """From the environment; what the command line says goes first."""
    said: dict[str, Any] = {"config": config, "log_level": log_level}
    try:
        return Settings(**{name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        variable = f"SLUICEGATE_{first['loc'][0]}".upper()
        raise Trouble(f"{variable}: {first['msg']}; set it right or unset it") from error


def configured_endpoints(settings: Settings) -> list[Endpoint]:
    return endpoints_in(settings.config) if settings.config else []


def endpoints_in(file: Path) -> list[Endpoint]:
    """Raises Trouble that names the file, the field and the fix."""
    manifest = read_yaml(read_text(file), str(file))
    if not isinstance(manifest, dict) or "endpoints" not in manifest:
        raise Trouble(f"{file}: must begin with `endpoints:` and name them below; {SHOW_ONE}")
    try:
        return endpoints_from(manifest)
    except BadRequest as error:
        raise Trouble(f"{file}: {error.message}; {SHOW_ONE}") from error


def read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Trouble(f"{file}: there is no such file; check the path") from error
    except OSError as error:
        raise Trouble(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Trouble(f"{file}: is not UTF-8 text: is it the right file?") from error


def read_yaml(text: str, source: str) -> Any:
    """YAML, and therefore JSON too. Raises Trouble that names the line."""
    try:
        return yaml.load(text, _Strict)  # noqa: S506 -- a SafeLoader that refuses even more
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Trouble(f"{source}: {place}is not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Trouble(f"{source}: is not YAML: {error}") from error


class _Strict(yaml.SafeLoader):
    """YAML drops the first of two equal keys in silence: an endpoint would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<" and key.value in seen:
                problem = f"{key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)
