"""The two tables. On AWS a template makes them; on loopback, and for tests, this does."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gateway.adapters.aws.faults import code_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
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


def create_tables(client: "DynamoDBClient", config: str, ledger: str) -> None:
    """Those that are not there yet, under these names; returns when they can be used."""
    for table, name in ((CONFIG_TABLE, config), (LEDGER_TABLE, ledger)):
        try:
            arguments: CreateTableInputTypeDef = {**table, "TableName": name}
            client.create_table(**arguments)
        except ClientError as error:
            if code_of(error) != "ResourceInUseException":
                raise
    for name in (config, ledger):
        client.get_waiter("table_exists").wait(
            TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    _let_expire(client, ledger)


def _let_expire(client: "DynamoDBClient", table: str) -> None:
    told = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if told.get("TimeToLiveStatus", "DISABLED") == "DISABLED":  # it can be set only once an hour
        client.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES},
        )
