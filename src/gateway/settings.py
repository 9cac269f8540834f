"""What a process is told from outside: environment variables that begin with ``SLUICEGATE_``."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="SLUICEGATE_", env_ignore_empty=True, extra="ignore"
    )

    home: Path = Field(Path(".gateway"), description="Where the local store and secrets are kept")
    config: Path | None = Field(default=None, description="A file of endpoints (YAML or JSON)")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    max_body_bytes: int = Field(32 * MIB, ge=1024, description="Largest request body, unpacked")
    max_reply_bytes: int = Field(64 * MIB, ge=1024, description="Largest unstreamed answer")
    max_connections: int = Field(default=1024, ge=1, description="At once, to one provider")
    connect_timeout: float = Field(default=5, gt=0, description="Seconds to connect to a provider")

    @property
    def store_file(self) -> Path:
        return self.home / "gateway.db"

    @property
    def secrets_file(self) -> Path:
        return self.home / "secrets.json"
