"""What a process is told from outside: environment variables that begin with ``SLUICEGATE_``."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


def _split(value: Any) -> Any:
    """``a, b`` as a variable holds it."""
    if not isinstance(value, str):
        return value
    return tuple(one.strip() for one in value.split(",") if one.strip())


def _proxy(url: str) -> str:
    """It may hold a password: it is not said back."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
    return url


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SLUICEGATE_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(
        default=Path(".gateway"), description="Where the local store and secrets are kept"
    )
    config: Path | None = Field(default=None, description="A file of endpoints (YAML or JSON)")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] | None = Field(
        default=None, description="A line for people, or JSON; else text, and JSON on AWS"
    )
    store: Literal["local", "aws"] = Field(
        default="local", description="SQLite and a file, or DynamoDB and Secrets Manager"
    )
    require_keys: bool = Field(default=False, description="Ask every caller for a gateway key")
    config_table: str = Field(default="sluicegate-config", description="DynamoDB: configuration")
    ledger_table: str = Field(default="sluicegate-ledger", description="DynamoDB: records of calls")
    secret_prefix: str = Field(
        default="sluicegate/", description="How our Secrets Manager names begin"
    )
    config_ttl: float = Field(
        default=30,
        gt=0,
        le=3600,
        description="Seconds until every process has seen a change, at the most",
    )
    record_days: int = Field(
        default=400, ge=1, description="Days that records of calls are kept on AWS"
    )
    allow_private: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(),
        description="Private addresses that providers may have: HOST:PORT, NETWORK/BITS, …",
    )
    proxy: Annotated[str, AfterValidator(_proxy)] | None = Field(
        default=None, description="A proxy for calls to providers; none else is used"
    )
    max_body_bytes: int = Field(
        default=32 * MIB, ge=1024, description="Largest request body, unpacked"
    )
    max_reply_bytes: int = Field(default=64 * MIB, ge=1024, description="Largest unstreamed answer")
    max_connections: int = Field(default=1024, ge=1, description="At once, to one provider")
    connect_timeout: float = Field(default=5, gt=0, description="Seconds to connect to a provider")

    @property
    def logs_json(self) -> bool:
        return (self.log_format or ("json" if self.store == "aws" else "text")) == "json"

    @property
    def store_file(self) -> Path:
        return self.home / "gateway.db"

    @property
    def secrets_file(self) -> Path:
        return self.home / "secrets.json"
