"""Exchange the node's secret for a token of one of its services, or of the operator at its console."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from sangkien.directory.application.ports import Mint, Now
from sangkien.directory.domain.errors import NodeSecretWrong, ServiceNameMalformed

CONSOLE = "console"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token of a service and when it ends."""

    token: str = field(repr=False)
    expires_at: datetime


class IssueServiceToken:
    """Who knows the node's secret is the node. A service gets the role `service`, the console the role `operator`."""

    def __init__(self, node_secret: str, mint: Mint, *, now: Now, lifetime: timedelta) -> None:
        self._node_secret = sha256(node_secret.encode()).digest()
        self._mint = mint
        self._now = now
        self._lifetime = lifetime

    def __call__(self, service: str, node_secret: str) -> ServiceToken:
        """Takes as long for a wrong secret, of any length, as for the right one.

        Raises ServiceNameMalformed or NodeSecretWrong.
        """
        if not compare_digest(sha256(node_secret.encode()).digest(), self._node_secret):
            raise NodeSecretWrong(field="node_secret")
        if not _NAME.fullmatch(service):
            raise ServiceNameMalformed(field="service")
        role = "operator" if service == CONSOLE else "service"
        expires_at = self._now() + self._lifetime
        return ServiceToken(self._mint(service, [role], "", self._lifetime.total_seconds()), expires_at)
