"""Keep people's records: from the register, from directory's links, and from what other nodes assert."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sangkien.recognition.application.ports import Records
from sangkien.recognition.domain.record import PersonRecord
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one person's record, and the traceparent it continues."""

    person_id: str
    change: Callable[[PersonRecord], None]
    traceparent: str


class FollowRecords:
    """Each person's record is one document: what is entered while a link begins is told over it, and once."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def __call__(self, changes: Sequence[Change]) -> Sequence[Op]:
        """The operations that store the changed records with what is to be told."""
        records = await self._records.get_many([each.person_id for each in changes])
        traces: dict[str, str] = {}
        for each in changes:
            each.change(records[each.person_id])
            traces[each.person_id] = each.traceparent
        return [op for id, trace in traces.items() for op in self._records.stored(records[id], trace)]
