"""``sluicegate doctor``: what is set up, what is wrong, and the fix."""

import asyncio
import os
import socket
from collections.abc import Iterable
from pathlib import Path

from rich.table import Table
from rich.text import Text

from handler.cli.checks import Check, endpoint_checks, key_checks, settings_checks
from handler.cli.configuration import settings_for
from handler.cli.listing import Surroundings
from handler.cli.screen import output, visible
from handler.cli.trouble import Trouble

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def examine(config: Path | None, port: int, url: str | None) -> bool:
    """Print every check; whether none failed."""
    checks = list(_checks(config))
    checks.append(_gateway_check(url) if url else _port_check(port))
    console = output()
    console.print(_table(checks))
    failed = sum(check.verdict == "failed" for check in checks)
    warnings = sum(check.verdict == "warning" for check in checks)
    console.print(f"{len(checks)} checks, {failed} failed, {warnings} to look at")
    return not failed


def _checks(config: Path | None) -> Iterable[Check]:
    try:
        settings = settings_for(config)
    except Trouble as trouble:
        return [Check("failed", "settings", trouble.message)]
    if settings.store == "aws":
        from handler.cli.checks_aws import aws_checks

        return asyncio.run(aws_checks(settings))
    checks = [*settings_checks(settings), *key_checks(os.environ)]
    try:
        here = Surroundings.here(settings)
    except Trouble as trouble:
        checks.append(Check("failed", "config", trouble.message))
        here = Surroundings(settings, os.environ, ())
    return checks + asyncio.run(endpoint_checks(here))


def _port_check(port: int) -> Check:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return Check("ok", "port", f"{port} is free")
    except OSError as error:
        fix = "if that is no gateway of yours: sluicegate serve --port, with another"
        return Check("warning", "port", f"{port}: {error.strerror}", fix)


def _gateway_check(url: str) -> Check:
    from handler.cli.asking_remote import readiness  # httpx is slow to import, and rarely needed

    try:
        return Check("ok", "gateway", readiness(url))
    except Trouble as trouble:
        return Check("failed", "gateway", trouble.message)


def _table(checks: Iterable[Check]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for check in checks:
        told = Text(visible(check.saw))
        if check.fix:
            told.append(f"\nfix: {visible(check.fix)}", style="dim")
        table.add_row(Text(check.verdict, STYLES[check.verdict]), Text(check.what), told)
    return table
