"""Who is told what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "dossier_received",
    "dossier_accepted",
    "supplement_requested",
    "dossier_refused",
    "reviewer_assigned",
    "initiative_refused",
    "certificate_issued",
    "entitlement_granted",
]

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something happened that these recipients are told of, each once on every channel.

    The facts fill the template of the kind and hold no personal data but what the recipient owns. `facts_en` replaces
    those that read otherwise in English.
    """

    kind: Kind
    about_id: str
    recipient_ids: tuple[str, ...]
    facts: Facts
    facts_en: Facts


def notice_id(event_id: str, recipient_id: str, channel: str) -> str:
    """One id for event, recipient and channel, whatever happens on the way; also the left half of a Message-ID.

    Notices sort by the event's time, since its id is a ULID. RFC 5322 allows no colon there, and node names have no
    underscore.
    """
    return f"{event_id}.{recipient_id.replace(':', '_')}.{channel}"
