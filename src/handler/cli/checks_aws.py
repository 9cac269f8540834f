"""What ``sluicegate doctor`` looks at on AWS, with the credentials that it is run with."""

from collections.abc import Iterator

from gateway.admin.means import every
from gateway.admin.references import Rules
from gateway.bootstrap.aws import aws_control
from gateway.errors import GatewayError, Invalid
from gateway.ports import SETTINGS
from gateway.routing.endpoint import Endpoint
from gateway.settings import Settings
from handler.cli.checks import Check
from handler.control.routes import means_of

FIX = "see AWS_PROFILE, AWS_DEFAULT_REGION, SLUICEGATE_CONFIG_TABLE and what the role allows"


async def aws_checks(settings: Settings) -> list[Check]:
    """The store, then every endpoint: its secrets, and where they may go. Reads no secret."""
    store = f"DynamoDB, {settings.config_table}"
    wired = aws_control(settings)
    try:
        await wired.items.get("settings", SETTINGS)
        endpoints = await wired.endpoints.list()
        means = means_of(wired)
        secrets = [item.name async for item in every(wired.items, "secret")]
        rules = await Rules.read(means, secrets)
    except GatewayError as error:
        return [Check("failed", "store", error.message, FIX)]
    finally:
        await wired.close()
    told = f"{len(endpoints)} endpoints, {len(secrets)} secrets"
    checks = [Check("ok", "store", f"{store}: {told}")]
    return [*checks, *(check for one in endpoints for check in _checks(one, rules))]


def _checks(endpoint: Endpoint, rules: Rules) -> Iterator[Check]:
    try:
        rules.check(endpoint)
    except Invalid as error:
        fix = f"sluicegate secrets put …, or endpoints create {endpoint.name} --replace …, --aws"
        for field, problem in error.faults:
            yield Check("failed", endpoint.name, f"{field}: {problem}", fix)
    else:
        targets = ", ".join(str(one) for one in endpoint.targets + endpoint.fallbacks)
        yield Check("ok", endpoint.name, targets)
