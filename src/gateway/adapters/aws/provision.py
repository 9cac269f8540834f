"""Makes the two tables on loopback, and for tests. On AWS the template does."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gateway.adapters.aws.faults import code_of
from gateway.adapters.aws.tables import CONFIG_TABLE, EXPIRES, LEDGER_TABLE

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import CreateTableInputTypeDef


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
