"""Who calls: carried by the call itself, never passed around by hand."""

from contextvars import ContextVar
from dataclasses import dataclass

from sangkien.rpc.refusals import PersonRequired, TokenMissing

_SERVICE_PREFIX = "service/"


def service_subject(name: str) -> str:
    """The subject of a service's own token, e.g. `service/intake`. A person's id (`node:ULID`) never looks like it."""
    return _SERVICE_PREFIX + name


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: a person of this node or one of its services (DESIGN §9)."""

    subject: str
    """A person's id (`node:ULID`) or `service/<name>`."""
    roles: frozenset[str]
    organisation: str
    """Id of the organisation the person acts for; "" for a service."""
    node: str
    """The node that issued the token, which is the only one that accepts it."""

    @property
    def is_service(self) -> bool:
        return self.subject.startswith(_SERVICE_PREFIX)

    @property
    def person_id(self) -> str:
        """The person's id. Raises `PersonRequired` when a service calls: a legal act needs a person behind it."""
        if self.is_service:
            raise PersonRequired
        return self.subject


current_principal: ContextVar[Principal | None] = ContextVar("current_principal", default=None)


def principal() -> Principal:
    """The caller of the current call. Raises `TokenMissing` outside of one, and in a public method."""
    caller = current_principal.get()
    if caller is None:
        raise TokenMissing
    return caller
