"""What exchange is told from outside."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import Address, ServiceSettings


class ExchangeSettings(ServiceSettings):
    """Environment variables `EXCHANGE_…`."""

    model_config = SettingsConfigDict(env_prefix="EXCHANGE_")

    folder: Path
    """The member folder: keys made here, and what the hub gave (`sangkien node join`)."""
    leaf_url: str
    """Where the node's own link server takes clients; without user and password, those of the member folder."""
    intake: Address = "127.0.0.1:0"
    """gRPC target of this node's intake; of no use on a node without one."""
    review: Address = "127.0.0.1:0"
    """gRPC target of this node's review; of no use on a node without one."""
    keep_bodies_days: int = Field(default=30, ge=1)
    """How long the bodies of delivered and applied messages are kept. Seals are kept for ever."""
    file_patience_s: float = Field(default=15.0, gt=0)
    """How long the next chunk of a file may take, once the question was delivered, before it is asked for again."""
    silence_s: float = Field(default=15.0, gt=0)
    """How long the hub may say nothing of what was offered before some of it is offered again; doubles each time."""
    gap_patience_s: float = Field(default=60.0, gt=0)
    """How long the hub may take to fill a gap in what comes down before it is passed over."""
