"""What a service tells the chassis about itself."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sangkien.messaging import Subscription
from sangkien.rpc import Policy, TokenVerifier
from sangkien.runtime import ServiceSettings
from sangkien.store import Schema

if TYPE_CHECKING:
    from sangkien.chassis.context import Context

Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service's composition root hands over, built and not yet running.

    `open` runs in order before the first message and call; `background` loops run until they are cancelled, which is
    the first step of draining, and one that ends by itself stops the service. `verifier` is for directory, which knows
    the node's keys itself; every other service learns them from directory.
    """

    servicers: Sequence[tuple[Callable[[Any, Any], None], object]]
    policy: Policy
    subscriptions: Sequence[Subscription] = ()
    background: Sequence[Loop] = ()
    open: Sequence[Loop] = ()
    verifier: TokenVerifier | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One service: its name, its settings class, the collections it owns, and how it is built."""

    name: str
    settings: type[ServiceSettings]
    schema: Schema
    build: "Callable[[Context], Parts]"
