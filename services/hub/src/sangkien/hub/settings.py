"""What the hub is told from outside."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from sangkien.runtime import Address, ServiceSettings


class HubSettings(ServiceSettings):
    """Environment variables `HUB_…`."""

    model_config = SettingsConfigDict(env_prefix="HUB_")

    folder: Path
    """The hub's keys, authority and accounts, as `sangkien.federation.HubFolder` made them."""
    broker_url: str
    """Client address of the hub's own nats-server, on loopback."""
    join_listen: Address
    """Where nodes join, over TLS; port 0 lets the system choose."""
    join_public: str = Field(pattern=r"^[^\s/]+:\d{1,5}$")
    """The same as nodes reach it, host:port: it stands in every bundle."""
    leaf_public: str = Field(pattern=r"^tls://[^\s/]+:\d{1,5}$")
    """Where leaves connect to, tls://host:port."""
    stamp_every_s: float = Field(default=60.0, gt=0, le=60)
    """At most this long an entry of the log waits for its stamp."""
    stamp_limit_s: float = Field(default=14_400.0, gt=0)
    """When stamping has failed for longer than this the hub takes nothing more."""
    tsa_url: str = Field(default="", pattern=r"^(https?://[!-~]+)?$")
    """Time-stamping authority (RFC 3161); empty for none."""
    most_body_bytes: int = Field(default=512 * 1024, ge=1_024, le=1024 * 1024)
    """What is larger is refused in its place."""
    rate_per_s: float = Field(default=2_000.0, gt=0)
    """Messages a second taken of one node on average; what comes faster waits in its own stream."""
    rate_burst: float = Field(default=10_000.0, ge=1)
    """Messages of one node taken at once after a pause."""
    receipt_every_s: float = Field(default=0.2, gt=0)
    """Receipts of one node are at least this far apart."""
    receipt_again_s: float = Field(default=30.0, gt=0)
    """After this time a node that waits for something is told again how far the hub is."""
    first_word_s: float = Field(default=2.0, ge=0)
    """How long, after a start, the hub waits for a node to say what it has before it goes on sending."""
    look_every_s: float = Field(default=1.0, gt=0, le=10)
    """How often every node is looked at for what no event tells: time that passed."""
    leave_after_s: float = Field(default=60.0, ge=0)
    """How long the leaf of a node that said goodbye has to be gone before the node counts as left."""
