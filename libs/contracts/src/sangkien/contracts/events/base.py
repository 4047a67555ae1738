"""The base of every event and the registry that decodes them.

An event's type is also its NATS subject: `ev.<service>.<aggregate>.<past_tense>.v<n>` (DESIGN §4). The body is the
event's JSON; everything about its delivery (id, time, source, trace) travels in `ce-*` headers, never in the body.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class UndecodableEvent(ValueError):
    """The body cannot be read as its type: a broken message, for which a retry is useless.

    `errors` is short and holds locations and reasons, never the values, because values may be personal data.
    """

    def __init__(self, event_type: str, errors: str) -> None:
        super().__init__(f"{event_type}: {errors}")
        self.event_type = event_type
        self.errors = errors


_REGISTRY: dict[str, type["Event"]] = {}


class Event(BaseModel):
    """A fact that already happened. Carries ids and the least else that the next service needs.

    Unknown fields are ignored on reading, so that a producer may add one before its consumers know it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        event_type = cls.__dict__.get("TYPE")
        if event_type is None:
            return
        if event_type in _REGISTRY:
            raise TypeError(f"two events are named {event_type}")
        _REGISTRY[event_type] = cls

    def to_bytes(self) -> bytes:
        """The JSON body as it is stored in the outbox and published."""
        return self.__pydantic_serializer__.to_json(self)  # as `model_dump_json`, which makes a str of it

    @classmethod
    def from_bytes(cls, body: bytes | str) -> Self:
        """Read a body of this type. Raises `UndecodableEvent`."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            places = "; ".join(
                f"{'.'.join(str(part) for part in e['loc']) or 'body'}: {e['type']}"
                for e in error.errors(include_url=False, include_context=False, include_input=False)[:5]
            )
            raise UndecodableEvent(cls.TYPE, places) from None


def event_types() -> Mapping[str, type[Event]]:
    """Every known event by its type. Import `sangkien.contracts.events` first, so that all are registered."""
    return MappingProxyType(_REGISTRY)


def decode(event_type: str, body: bytes | str) -> Event:
    """Read a body by its type. Raises `UndecodableEvent`, for a type nobody declared as well."""
    model = _REGISTRY.get(event_type)
    if model is None:
        raise UndecodableEvent(event_type, "unknown event type")
    return model.from_bytes(body)


def service_of(event_type: str) -> str:
    """`ev.intake.dossier.submitted.v1` → `intake`: the one service that publishes it."""
    return event_type.split(".", 2)[1]
