"""What directory is told from outside."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings


class DirectorySettings(ServiceSettings):
    """Environment variables `DIRECTORY_…`."""

    model_config = SettingsConfigDict(env_prefix="DIRECTORY_")

    key_path: Path | None = None
    """File of the private key tokens are signed with; made at the first start. None: beside an SQLite store.

    Replicas share the file.
    """
    token_minutes: int = Field(default=60, ge=15, le=480)
    """Life of a person's token."""
    service_token_minutes: int = Field(default=60, ge=15, le=480)
    """Life of a service's token."""

    @model_validator(mode="after")
    def _key_has_a_place(self) -> "DirectorySettings":
        if self.key_path is None and not self.store_url.startswith("sqlite:"):
            raise ValueError("key_path must be set where the store is no SQLite folder")
        return self

    @property
    def signing_key_path(self) -> Path:
        """Where the private key is."""
        return self.key_path or Path(unquote(urlsplit(self.store_url).path)) / f"{self.database}.signing-key.json"

    @property
    def token_life(self) -> timedelta:
        return timedelta(minutes=self.token_minutes)

    @property
    def service_token_life(self) -> timedelta:
        return timedelta(minutes=self.service_token_minutes)
