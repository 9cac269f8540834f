"""Whether a table refuses to be deleted."""

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.use import Refused, Use

MISSING = "ResourceNotFoundException"


async def is_protected(clients: Clients, table: str) -> bool:
    """One that is not there is not. Raises Unavailable."""
    use = Use("dynamodb:DescribeTable", f"table {table!r}", frozenset({MISSING}))
    try:
        told = await clients.dynamodb(use, lambda client: client.describe_table(TableName=table))
    except Refused:
        return False
    # A boolean at AWS; where AWS is emulated, the text that the template's parameter was.
    return str(told["Table"].get("DeletionProtectionEnabled")).lower() == "true"
