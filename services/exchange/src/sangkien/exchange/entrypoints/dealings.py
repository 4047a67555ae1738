"""What outward and inward messages need: this node's other services, and the books of what crossed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sangkien.contracts.crossing import DossierFiled
from sangkien.contracts.events import DossierFacts
from sangkien.exchange.application.ports import KnownNode, Registry
from sangkien.exchange.domain.foreign import Arrival, Expected, OwnRound, ParentOf, Returned, Sent, Standing
from sangkien.store import Op

_HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def hanoi_day(at: datetime) -> date:
    """The date in Hanoi at that moment."""
    return at.astimezone(_HANOI).date()


def parent_of(registry: Registry) -> ParentOf:
    """Asks the registry for the parent of a node."""

    def parent(node: str) -> str:
        known: KnownNode | None = registry.me if node == registry.me.node else registry.node(node)
        return known.parent if known is not None else ""

    return parent


class Letters(Protocol):
    """Dossiers of this node in the form in which they cross. Raises what a call that was not answered raises."""

    async def written(self, facts: Sequence[DossierFacts], symbols: Mapping[str, str]) -> list[DossierFiled | None]:
        """One a dossier, in order, with names; None for one that was mended or withdrawn meanwhile.

        `symbols` are decision symbols by initiative id.
        """
        ...


class Desk(Protocol):
    """Intake, for dossiers of other nodes. Raises NotTaken, and NotYet where asking again makes sense."""

    async def file(self, sender: str, filed: DossierFiled) -> Standing: ...

    async def supplement(self, local_id: str, revision: int, filed: DossierFiled, on: date) -> Standing: ...

    async def withdraw(self, local_id: str, on: date) -> None: ...


class Books(Protocol):
    """What this node keeps of rounds and dossiers that crossed. Methods named `keep…` return operations."""

    async def rounds(self, ids: Sequence[str]) -> Mapping[str, OwnRound]: ...

    async def rounds_since(self, day: date) -> Sequence[OwnRound]:
        """Those not closed, whatever day they bear, and those that took dossiers until that day or later."""
        ...

    async def sent(self, dossier_ids: Sequence[str]) -> Mapping[str, Sent]: ...

    async def arrival(self, node: str, dossier_id: str) -> Arrival | None: ...

    async def expecting(self) -> Sequence[Expected]:
        """Dossiers that are being filed here whose arrival is not kept yet."""
        ...

    async def expects(self, node: str, dossier_id: str) -> bool: ...

    def expect(self, node: str, dossier_id: str, expected: Expected) -> Op:
        """Goes before the filing in a unit of its own; `settle` goes with the arrival, or with the refusal."""
        ...

    def settle(self, node: str, dossier_id: str) -> Op: ...

    async def arrivals(self, local_ids: Sequence[str]) -> Mapping[str, Arrival]:
        """By the id here."""
        ...

    async def symbols(self, initiative_ids: Sequence[str]) -> Mapping[str, str]:
        """Symbols of the decisions here that recognised these."""
        ...

    async def returned(self, after: str, limit: int) -> Sequence[Returned]:
        """What the hub refused of messages numbered above `after`, in order, without dossiers that were told of."""
        ...

    def keep_return(self, one: Returned) -> Op: ...

    def keep(self, one: OwnRound | Sent | Arrival) -> Op: ...

    def keep_symbol(self, initiative_id: str, symbol: str) -> Op: ...

    def keep_certificate(self, node: str, certificate_id: str, facts: Mapping[str, object]) -> Op: ...

    def keep_summary(self, node: str, decision_id: str, facts: Mapping[str, object]) -> Op: ...
