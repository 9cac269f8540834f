"""What is done when a stack is made, changed or deleted."""

import asyncio
import logging
from itertools import repeat

from gateway.admin.first_key import Safe, make_first_key
from gateway.admin.means import Means
from gateway.admin.removal import remove_secrets
from gateway.bootstrap.aws import AdminKeySafe, aws_control
from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.wire.json import Json
from handler.control.routes import means_of
from handler.on_lambda import start_logging

logger = logging.getLogger("sluicegate.setup")

BETWEEN_TRIES = 2.0  # seconds
PROTECTED = (
    "the tables are protected from deletion, so the secrets stay too: deploy once more with "
    "DeletionProtection=false, then delete the stack"
)


async def set_up(event: Json, seconds: float) -> str | None:
    """Returns what went wrong, in words for whoever deploys; None: nothing."""
    deletes = event["RequestType"] == "Delete"
    if deletes and event.get("ResourceProperties", {}).get("DeletionProtection") == "true":
        return PROTECTED
    settings = Settings(store="aws", log_format="json")
    start_logging(settings.log_level)
    wired, safe = aws_control(settings), AdminKeySafe(settings)
    try:
        async with asyncio.timeout(seconds):
            if deletes:
                count = await remove_secrets(means_of(wired), safe)
                logger.info("secrets deleted: %d, and the first admin key's", count)
            else:
                await _first_key(means_of(wired), safe)
    except GatewayError as error:
        return error.message
    except TimeoutError:
        return "it took too long: try again"
    finally:
        await safe.close()
        await wired.close()
    return None


async def _first_key(means: Means, safe: Safe) -> None:
    for pause in repeat(BETWEEN_TRIES):
        if await make_first_key(means, safe):
            logger.info("there is an admin key")
            return
        await asyncio.sleep(pause)
