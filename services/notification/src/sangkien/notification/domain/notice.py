"""Who is told what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
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
    "dossier_not_received",
    "initiative_recognised",
    "foreign_certificate",
]

DIGEST_KIND = "review_digest"
"""Template of the one mail that tells a reviewer of many assignments."""

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something happened that these recipients are told of, each once on every channel.

    The facts fill the template of the kind and hold no personal data but what the recipient owns. `facts_en` replaces
    those that read otherwise in English. Where `digest_of` names something, a round, a recipient gets one e-mail a day
    for all of its occasions, instead of one for each.
    """

    kind: Kind
    about_id: str
    recipient_ids: tuple[str, ...]
    facts: Facts
    facts_en: Facts
    digest_of: str = ""


def notice_id(event_id: str, recipient_id: str, channel: str) -> str:
    """One id for event, recipient and channel, whatever happens on the way; also the left half of a Message-ID.

    Notices sort by the event's time, since its id is a ULID. RFC 5322 allows no colon there, and node names have no
    underscore.
    """
    return f"{event_id}.{recipient_id.replace(':', '_')}.{channel}"


def digest_id(about_id: str, recipient_id: str, day: date) -> str:
    """One id for the digest about a round to a recipient on a day, so that there is never a second one that day."""
    return f"{about_id.replace(':', '_')}.{recipient_id.replace(':', '_')}.{day:%Y%m%d}.digest"
