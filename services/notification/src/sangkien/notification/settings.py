"""What notification is told from outside."""

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import ServiceSettings


class NotificationSettings(ServiceSettings):
    """Environment variables `NOTIFICATION_…`."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_")

    smtp_url: SecretStr | None = None
    """`smtp://[user:password@]host:port` or `smtps://…`. None: notices go to the inbox alone."""
    sender: str = Field(default="", pattern=r"^$|^[^@\s]+@[^@\s]+$")
    """Address mail is sent from; required with a mail server."""
    smtp_connections: int = Field(default=4, ge=1, le=32)
    first_retry_seconds: float = Field(default=60.0, gt=0)
    """How long a mail waits after the server put it off for the first time; twice as long every time."""
    digest_quiet_seconds: float = Field(default=2.0, ge=0)
    """A digest leaves when nothing was added to it for so long."""
    digest_longest_seconds: float = Field(default=60.0, ge=0)
    """A digest leaves so long after the first that was added, whatever still comes."""
    digest_hour: int = Field(default=7, ge=0, le=23)
    """When a digest leaves that had to wait for the next day, in Hanoi's time."""

    @model_validator(mode="after")
    def _mail_is_whole(self) -> "NotificationSettings":
        if self.smtp_url is None:
            return self
        parts = urlsplit(self.smtp_url.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not parts.port:
            raise ValueError("smtp_url must be smtp://host:port or smtps://host:port")
        if not self.sender:
            raise ValueError("sender must be set where smtp_url is")
        return self

    @property
    def first_retry(self) -> timedelta:
        return timedelta(seconds=self.first_retry_seconds)

    @property
    def digest_window(self) -> tuple[timedelta, timedelta]:
        """How long a digest waits for more: after the last that was added, and after the first."""
        return timedelta(seconds=self.digest_quiet_seconds), timedelta(seconds=self.digest_longest_seconds)
