"""What is done when a stack is made, changed or deleted."""

import asyncio
import logging

from gateway.admin.first_key import Safe, make_first_key
from gateway.admin.means import Means
from gateway.admin.removal import remove_secrets
from gateway.bootstrap.aws import AdminKeySafe, aws_control, protected_tables
from gateway.errors import GatewayError, Unavailable
from gateway.settings import Settings
from gateway.wire.json import Json
from handler.control.routes import means_of
from handler.on_lambda import start_logging

logger = logging.getLogger("sluicegate.setup")

BETWEEN_TRIES = 2.0  # seconds
# CloudFormation updates no stack whose deletion has failed: so the tables themselves are asked.
PROTECTED = (
    "the tables are protected from deletion, so the secrets stay too. Allow it (aws dynamodb "
    "update-table --no-deletion-protection-enabled --table-name, for each of {tables}) and delete "
    "the stack again"
)


async def set_up(event: Json, seconds: float) -> str | None:
    """Returns what went wrong, in words for whoever deploys; None: nothing."""
    settings = Settings(store="aws", log_format="json")
    start_logging(settings.log_level)
    wired, safe = aws_control(settings), AdminKeySafe(settings)
    try:
        async with asyncio.timeout(seconds):
            if event["RequestType"] != "Delete":
                await _first_key(means_of(wired), safe, seconds - 1)
            elif tables := await protected_tables(settings):
                return PROTECTED.format(tables=" and ".join(tables))
            else:
                count = await remove_secrets(means_of(wired), safe)
                logger.info("secrets deleted: %d, and the first admin key's", count)
    except GatewayError as error:
        return error.message
    except TimeoutError:
        return "it took too long: try again"
    finally:
        await safe.close()
        await wired.close()
    return None


async def _first_key(means: Means, safe: Safe, seconds: float) -> None:
    """A role that was made a moment ago is not known everywhere at once: refusals pass. What is
    not there does not come."""
    refused: Unavailable | None = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if await make_first_key(means, safe):
                        logger.info("there is an admin key")
                        return
                except Unavailable as error:
                    if error.code == "aws_missing":
                        raise
                    refused = error
                await asyncio.sleep(BETWEEN_TRIES)
    except TimeoutError:
        raise refused or TimeoutError from None
