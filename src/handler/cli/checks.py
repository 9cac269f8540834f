"""What ``sluicegate doctor`` looks at on this machine: each check says what it saw, and the fix."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.errors import GatewayError
from gateway.ports import SETTINGS, Vault
from gateway.providers.addresses import refused_url
from gateway.providers.catalog import PROVIDERS, base_url_variables
from gateway.providers.egress import AllowList
from gateway.providers.origins import base_url_of, origin_of
from gateway.routing.endpoint import Endpoint, Target
from gateway.settings import Settings
from gateway.wire.json import loads
from handler.cli.banner import keys_found, without_credentials
from handler.cli.listing import Listed, Surroundings, target_name
from handler.cli.reaching import Address, Problem, address_of, reach_all

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    verdict: Verdict
    what: str
    saw: str
    fix: str = ""


def settings_checks(settings: Settings) -> Iterator[Check]:
    home = settings.home.absolute()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not there.is_dir():
        yield Check("failed", "home", f"{there} is no directory", "set SLUICEGATE_HOME to one")
    elif not os.access(there, os.W_OK | os.X_OK):
        fix = "set SLUICEGATE_HOME to a directory of yours"
        yield Check("failed", "home", f"{there} cannot be written", fix)
    else:
        saw = f"{home}" if there == home else f"{home} will be made when it is needed"
        yield Check("ok", "home", saw)
    yield from _private(settings.secrets_file)


def _private(secrets: Path) -> Iterator[Check]:
    if not secrets.exists():
        return
    mode = stat.S_IMODE(secrets.stat().st_mode)
    if mode & 0o077:
        saw = f"{secrets} can be read by others (mode {mode:04o})"
        yield Check("failed", "secrets", saw, f"chmod 600 {secrets}")
    else:
        yield Check("ok", "secrets", f"{secrets}, mode {mode:04o}")
    for name in _unbound(secrets):
        saw = f"{name} may go to any provider: it was entered before secrets were bound to one"
        yield Check("warning", "secrets", saw, f"sluicegate secrets put {name} --provider …")


def _unbound(secrets: Path) -> list[str]:
    """Entries that are a text alone. A file that cannot be read is told where it is needed."""
    try:
        entries = loads(secrets.read_bytes())
    except (OSError, ValueError):
        return []
    named = entries.items() if isinstance(entries, dict) else ()
    return [name for name, entry in named if isinstance(entry, str)]


def key_checks(environment: Mapping[str, str]) -> Iterator[Check]:
    found = keys_found(environment)
    if not found:
        fix = "export one, such as OPENAI_API_KEY; the endpoint demo works without"
        yield Check("warning", "keys", "no provider's key found", fix)
    for name in found:
        value = environment[name]
        if value != value.strip(" \t\r\n'\""):
            fix = f"export {name} again, the key alone"
            yield Check("failed", name, "begins or ends with a space or a quotation mark", fix)
        else:
            yield Check("ok", name, "set")
    for provider in PROVIDERS.values():
        if not provider.base_url and any(name in found for name in provider.key_variables):
            fix = f"sluicegate endpoints create NAME --provider {provider.name} --base-url URL …"
            yield Check("warning", provider.name, "has a key but no address of its own", fix)
    for variable in base_url_variables():
        if moved := environment.get(variable):
            yield _moved(variable, moved)


def _moved(variable: str, url: str) -> Check:
    if why := refused_url(url):
        return Check("failed", variable, why, "set it to the server's …/v1, or unset it")
    return Check("ok", variable, without_credentials(url))


async def endpoint_checks(here: Surroundings) -> list[Check]:
    """The store, then every target of every endpoint that somebody set up."""
    try:
        rows = await here.listed()
    except GatewayError as error:
        fix = "mend or remove the file, or set SLUICEGATE_HOME to another directory"
        return [Check("failed", "store", error.message, fix)]
    stored = sum(row.source == "store" for row in rows)
    checks = [Check("ok", "store", f"{here.settings.store_file}, {_count(stored)}")]
    if here.settings.config:
        saw = f"{here.settings.config}, {_count(len(here.configured))}"
        checks.append(Check("ok", "config", saw))
    rows = [row for row in rows if row.source != "built in" and not row.hidden]
    wired = local(
        here.settings.model_copy(update={"require_keys": False}),
        environment=here.environment,
        configured=here.configured,
    )
    try:
        return checks + await _target_checks(rows, wired)
    finally:
        await wired.close()


async def _target_checks(rows: list[Listed], wired: Wired) -> list[Check]:
    targets = [(row, target) for row in rows for target in _all(row.endpoint)]
    reached = await reach_all({address_of(one) for _, one in targets}, await _allowed(wired))
    return [await _target_check(row, one, wired.vault, reached) for row, one in targets]


async def _allowed(wired: Wired) -> AllowList:
    item = await wired.items.get("settings", SETTINGS)
    stored = item.body.get("allow_private", ()) if item else ()
    return AllowList.parse((*wired.allowed, *stored))


def _all(endpoint: Endpoint) -> tuple[Target, ...]:
    return tuple(dict.fromkeys(endpoint.targets + endpoint.fallbacks))


async def _target_check(
    row: Listed,
    target: Target,
    vault: Vault,
    reached: Mapping[Address | None, Problem | None],
) -> Check:
    what, served = row.endpoint.name, target_name(target)
    fix = f"sluicegate endpoints create {what} --replace …"
    if row.source == "file":
        fix = "mend it in the file"
    elif row.source != "store":
        fix = "mend the variable that it comes from"
    if target.provider not in PROVIDERS:
        return Check("failed", what, f"{served}: no such provider", fix)
    if target.base_url and (why := refused_url(target.base_url)):
        return Check("failed", what, f"{served}: base_url {why}", fix)
    try:
        if target.secret:
            await vault.secret(target.secret, origin_of(base_url_of(target)))
    except GatewayError as error:
        return Check("failed", what, f"{served}: {error.message}", _secret_fix(target))
    address = address_of(target)
    if problem := reached[address]:
        fix = "start that server, or check base_url, the network and the firewall"
        if problem.entry is not None:
            fix = f"sluicegate settings allow {problem.entry}"
        return Check("failed", what, f"{served}: {problem.what}", fix)
    return Check("ok", what, f"{served}, {address[0]} answers" if address else served)


def _secret_fix(target: Target) -> str:
    kind, _, name = (target.secret or "").partition(":")
    if kind == "env":
        return f"export {name}=…"
    where = f"--base-url {target.base_url}" if target.base_url else f"--provider {target.provider}"
    return f"sluicegate secrets put {name} {where}"


def _count(endpoints: int) -> str:
    return "1 endpoint" if endpoints == 1 else f"{endpoints} endpoints"
