"""What the gateway keeps on AWS: configuration and records in DynamoDB, keys in Secrets Manager."""
