"""What every service is told from outside, through environment variables with the service's own prefix."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

_ADDRESS = re.compile(r"unix:(//)?/.+|\[[0-9A-Fa-f:]+\]:\d{1,5}|[^\s:/]+:\d{1,5}")


class SettingsInvalid(Exception):
    """The environment does not make valid settings. The text names each variable and its fault, never its value."""


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("an address is host:port or unix:/path")
    return value


Address = Annotated[str, AfterValidator(_address)]


class ServiceSettings(BaseSettings):
    """Settings of one service process. A service subclasses it with its prefix and adds its own.

        class IntakeSettings(ServiceSettings):
            model_config = SettingsConfigDict(env_prefix="INTAKE_")

    Secrets have no default, so that no deployment runs with a known one.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    node: str = Field(default="local", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """The organisation's deployment this service belongs to; also issuer and audience of its tokens (DESIGN §9)."""
    store_url: str
    """`sqlite:///absolute/folder` or `mongodb://…`."""
    database: str
    nats_url: str
    listen: Address
    """Where the gRPC server listens; port 0 lets the system choose."""
    directory: Address
    """gRPC target of the node's directory service, which issues and proves tokens."""
    node_secret: SecretStr
    """Shared by the services of one node; directory gives service tokens to who knows it."""
    spans_dir: Path | None = None
    """Folder of the local span store. None keeps no spans locally."""
    max_spans: int = Field(default=500_000, ge=1_000)
    otlp_endpoint: str | None = None
    """Base URL of an OpenTelemetry collector, e.g. `http://collector:4318`. None exports nothing."""
    trace_ratio: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of new traces that are recorded. What a caller decided to record is recorded here too."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_json: bool = True
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the Prometheus page, on all addresses. None serves none."""
    reflection: bool = False
    """Whether the gRPC server describes itself to tools such as grpcurl."""
    drain_timeout_s: float = Field(default=10.0, gt=0)
    """How long each step of an orderly stop may take, in seconds."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises `SettingsInvalid`, naming every variable at fault at once."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsInvalid(cls._explain(error)) from None

    @classmethod
    def _explain(cls, error: ValidationError) -> str:
        prefix = cls.model_config.get("env_prefix", "")
        lines = [
            f"{prefix}{'_'.join(str(part) for part in fault['loc'])}".upper()
            + (": is not set" if fault["type"] == "missing" else f": {fault['msg']}")
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return "These environment variables are missing or wrong:\n  " + "\n  ".join(lines)
