"""Which services an organisation of each kind runs (DESIGN §7): data, so that a new kind is a new line."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_COUNCIL = (
    "directory",
    "intake",
    "review",
    "recognition",
    "reward",
    "notification",
    "reporting",
    "exchange",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of organisation: its services in the order in which they start, and its name for people."""

    services: tuple[str, ...]
    vi: str
    en: str

    @property
    def label(self) -> str:
        return f"{self.vi} · {self.en}"


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "city": Profile((*_COUNCIL, "hub"), "thành phố", "city"),
        "department": Profile(_COUNCIL, "sở, ban, ngành", "department"),
        "district": Profile(_COUNCIL, "quận, huyện", "district"),
        "ward": Profile(_COUNCIL, "phường, xã", "ward"),
        "union": Profile(("directory", "intake", "notification", "exchange"), "công đoàn", "union"),
        "enterprise": Profile(_COUNCIL, "doanh nghiệp", "enterprise"),
    }
)
"""By the name that invitations and the registry use (`sangkien.contracts.crossing.PROFILES`). A hub is not for every
node of a profile: `city` has it because the city keeps the registry."""
