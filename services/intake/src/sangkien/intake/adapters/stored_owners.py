"""The port `Owners` on the service's store, and rounds with what became of their owners."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sangkien.intake.adapters.documents import day_text, read_day
from sangkien.intake.application.learn_organisations import Owner
from sangkien.intake.domain.rounds import Round
from sangkien.store import Document, Op, Schema, Store, save

OWNERS: Final = "round_owners"

OWNERS_SCHEMA: Final = Schema((OWNERS,))


class StoredOwners:
    """Never writes itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, ids: Sequence[str]) -> Mapping[str, Owner]:
        docs = await self._store.get_many(OWNERS, ids) if ids else {}
        return {id: _owner(doc) for id, doc in docs.items()}

    async def joined(self, rounds: Sequence[Round]) -> list[Round]:
        """The rounds, each with its owner's last day and successors."""
        owners = await self.get_many([one.owner_id for one in rounds])
        return [
            replace(one, owner_until=owner.until, owner_successors=owner.successors)
            if (owner := owners.get(one.owner_id)) is not None
            else one
            for one in rounds
        ]

    def kept(self, owner: Owner) -> Op:
        document = {
            "_id": owner.organisation_id,
            "version": owner.version,
            "until": day_text(owner.until),
            "successors": list(owner.successors),
        }
        return save(OWNERS, document, owner.stored)


def _owner(doc: Document) -> Owner:
    return Owner(doc["_id"], doc["version"], read_day(doc["until"]), tuple(doc["successors"]), doc["ver"])
