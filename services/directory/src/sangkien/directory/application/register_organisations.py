"""Register organisations: a batch in one unit, one answer each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sangkien.directory.application.batches import Registered, check_batch
from sangkien.directory.application.ports import Commit, NewId, Organisations, Record
from sangkien.directory.domain.errors import DirectoryRefusal, ParentUnknown
from sangkien.directory.domain.organisation import Organisation
from sangkien.directory.domain.validity import parse_validity
from sangkien.store import Op
from sangkien.store.deciding import decided_again
from sangkien.text import nfc, same_name


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    """One organisation as typed; days are YYYY-MM-DD, "" is open."""

    kind: str
    name: str
    parent_id: str
    valid_from: str
    valid_to: str
    email: str
    aliases: tuple[str, ...]


class RegisterOrganisations:
    """Each new one once, however often and by however many callers at once it is asked for."""

    def __init__(
        self,
        organisations: Organisations,
        commit: Commit,
        record: Record,
        new_id: NewId,
        changed: Callable[[Sequence[Organisation]], None],
    ) -> None:
        """`changed` hears of every organisation that is new or knows more than before, once that is committed."""
        self._organisations = organisations
        self._commit = commit
        self._record = record
        self._new_id = new_id
        self._changed = changed

    async def __call__(self, asked: Sequence[NewOrganisation]) -> list[Registered | DirectoryRefusal]:
        """One answer each, in order. A known one (same kind, parent and name, a day in common) is answered with
        its id, and learns what was blank. Raises BatchTooLarge.
        """
        check_batch(asked, "organisations")
        return await decided_again(lambda: self._register(asked))

    async def _register(self, asked: Sequence[NewOrganisation]) -> list[Registered | DirectoryRefusal]:
        wanted = [self._checked(each) for each in asked]
        good = [each for each in wanted if isinstance(each, Organisation)]
        parents = await self._organisations.get_many({each.parent_id for each in good})
        namesakes = await self._organisations.namesakes({namesakes_key(each) for each in good})
        standing = (namesakes[namesakes_key(each)].standing_in(each.validity) for each in good)
        known = await self._organisations.get_many({id for id in standing if id})

        answers: list[Registered | DirectoryRefusal] = []
        saved: dict[str, Organisation] = {}
        grown: set[str] = set()
        for each in wanted:
            if isinstance(each, DirectoryRefusal):
                answers.append(each)
                continue
            if each.parent_id and each.parent_id not in parents:
                answers.append(ParentUnknown(field="parent_id"))
                continue
            family = namesakes[namesakes_key(each)]
            id = family.standing_in(each.validity)
            if id is not None:
                if known[id].learn(each):
                    saved[id] = known[id]
                answers.append(Registered(id, already=True))
                continue
            family.add(each.id, each.validity)
            grown.add(family.key)
            known[each.id] = saved[each.id] = each
            answers.append(Registered(each.id, already=False))
        if saved:
            ops: list[Op] = [self._organisations.save_namesakes(namesakes[key]) for key in sorted(grown)]
            for each in saved.values():
                ops += [self._organisations.save(each), *self._record(each.pull_events())]
            await self._commit(ops)
            self._changed(list(saved.values()))
        return answers

    def _checked(self, asked: NewOrganisation) -> Organisation | DirectoryRefusal:
        try:
            return Organisation.register(
                self._new_id(),
                asked.kind.strip().upper(),
                nfc(asked.name),
                asked.parent_id,
                parse_validity(asked.valid_from, asked.valid_to),
                asked.email.strip(),
                tuple(nfc(alias) for alias in asked.aliases),
            )
        except DirectoryRefusal as refusal:
            return refusal


def namesakes_key(organisation: Organisation) -> str:
    """Under which all of one kind and name below one parent are decided upon together."""
    return "\t".join((organisation.parent_id.replace("\0", ""), organisation.kind, same_name(organisation.name)))
