"""The two tables: what the template makes on AWS, and ``provision`` elsewhere."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import CreateTableInputTypeDef

BY_KIND = "by_kind"
EXPIRES = "expires"

CONFIG_TABLE: "CreateTableInputTypeDef" = {
    "TableName": "config",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "kind", "AttributeType": "S"},
        {"AttributeName": "name", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": BY_KIND,
            "KeySchema": [
                {"AttributeName": "kind", "KeyType": "HASH"},
                {"AttributeName": "name", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
LEDGER_TABLE: "CreateTableInputTypeDef" = {
    "TableName": "ledger",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


def can_be_key(text: str, longest: int) -> bool:
    """``longest``: in bytes. Half a surrogate pair, as a command line may give it, is no text."""
    try:
        return 0 < len(text.encode()) <= longest
    except UnicodeEncodeError:
        return False
