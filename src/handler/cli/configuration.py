"""What the command is told from outside: settings, and files of configuration."""

import sys
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gateway.admin.specs import endpoints_from
from gateway.errors import Invalid
from gateway.providers.egress import AllowList
from gateway.routing.endpoint import Endpoint
from gateway.settings import Settings
from handler.cli.options import Place
from handler.cli.trouble import Trouble, all_told

SHOW_ONE = "`sluicegate endpoints show demo` prints one as it should be written"


def settings_for(config: Path | None = None) -> Settings:
    """From the environment; what the command line says goes first."""
    return _settings(config=config)


def settings_to_serve(
    config: Path | None = None,
    *,
    log_level: str | None = None,
    log_format: str | None = None,
    require_keys: bool = False,
    allow_private: Iterable[str] = (),
) -> Settings:
    """``allow_private``: besides what the environment allows."""
    allow_private = tuple(allow_private)
    _check_allowed("--allow-private", allow_private)
    settings = _settings(config=config, log_level=log_level, log_format=log_format)
    return settings.model_copy(
        update={
            "require_keys": settings.require_keys or require_keys,
            "allow_private": (*settings.allow_private, *allow_private),
        }
    )


def _settings(**said: Any) -> Settings:
    try:
        settings = Settings(**{name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        variable = f"SLUICEGATE_{first['loc'][0]}".upper()
        raise Trouble(f"{variable}: {first['msg']}; set it right or unset it") from error
    _check_allowed("SLUICEGATE_ALLOW_PRIVATE", settings.allow_private)
    return settings


def _check_allowed(source: str, entries: Iterable[str]) -> None:
    try:
        AllowList.parse(entries)
    except ValueError as error:
        raise Trouble(f"{source}: {error}") from error


def on_aws(settings: Settings, place: Place) -> bool:
    return place.url is None and (place.aws or settings.store == "aws")


def is_here(settings: Settings, place: Place) -> bool:
    """Whether it is the store of this machine, with the files and variables before and after it."""
    return place.url is None and not on_aws(settings, place)


def refuse_file_elsewhere(config: Path | None, settings: Settings, place: Place) -> None:
    if config and not is_here(settings, place):
        raise Trouble("--config is of this machine; leave it out, or --url and --aws")


def configured_endpoints(settings: Settings) -> list[Endpoint]:
    return endpoints_in(settings.config) if settings.config else []


def endpoints_in(file: Path) -> list[Endpoint]:
    """Raises Trouble that names the file, the field and the fix."""
    manifest = read_yaml(read_text(file), str(file))
    if not isinstance(manifest, dict) or "endpoints" not in manifest:
        raise Trouble(f"{file}: must begin with `endpoints:` and name them below; {SHOW_ONE}")
    if more := [name for name in ("keys", "secrets", "settings") if name in manifest]:
        raise Trouble(
            f"{file}: holds {', '.join(more)}, which are kept in the store and not in a file that "
            f"is served: sluicegate apply {file}"
        )
    try:
        return endpoints_from(manifest)
    except Invalid as error:
        raise Trouble(f"{file}: {all_told(error)}; {SHOW_ONE}") from error


def read_source(file: str) -> tuple[str, str]:
    """The text of a file, or of standard input for ``-``; and what to call it."""
    if file == "-":
        return sys.stdin.read(), "standard input"
    return read_text(Path(file)), file


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
