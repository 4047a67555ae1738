"""Record a step of a reorganisation: which organisations went over into which, on what day, by what document."""

from collections.abc import Callable, Mapping, Sequence

from sangkien.directory.application.ports import AssertedOrganisations, Commit, Organisations, Record
from sangkien.directory.application.register_organisations import namesakes_key
from sangkien.directory.domain.errors import OrganisationUnknown, PredecessorsMissing, ReorganisationNotOurs
from sangkien.directory.domain.organisation import Organisation, check_standing
from sangkien.directory.domain.succession import AssertedOrganisation, Reorganisation
from sangkien.store import Op
from sangkien.store.deciding import decided_again

MOST: int = 100


class Reorganise:
    """Changes the node's own organisations alone. Those of other nodes may be named on either side: what becomes of
    them is for their node to say.
    """

    def __init__(
        self,
        organisations: Organisations,
        asserted: AssertedOrganisations,
        commit: Commit,
        record: Record,
        changed: Callable[[Sequence[Organisation]], None],
    ) -> None:
        """`changed` hears of every organisation that changed, once that is committed."""
        self._organisations = organisations
        self._asserted = asserted
        self._commit = commit
        self._record = record
        self._changed = changed

    async def __call__(self, step: Reorganisation) -> bool:
        """Whether all of it was recorded already. Raises PredecessorsMissing, OrganisationUnknown,
        ReorganisationNotOurs and what the domain refuses, with nothing written.
        """
        if not 1 <= len(step.predecessor_ids) <= MOST or len(step.successor_ids) > MOST:
            raise PredecessorsMissing(field="predecessor_ids", limit=MOST)
        step.check()
        return await decided_again(lambda: self._decide(step))

    async def _decide(self, step: Reorganisation) -> bool:
        ids = dict.fromkeys((*step.predecessor_ids, *step.successor_ids))
        own = await self._organisations.get_many(ids)
        foreign = await self._asserted.get_many([id for id in ids if id not in own])
        self._check_known(step, own, foreign)
        if not own:
            raise ReorganisationNotOurs
        periods = {id: one.validity for id, one in own.items()}
        ended = [own[id] for id in step.predecessor_ids if id in own and own[id].go_over(step)]
        begun = [own[id] for id in step.successor_ids if id in own and own[id].follow(step)]
        saved = [*ended, *begun]
        if saved:
            shorter = [one for one in ended if one.validity != periods[one.id]]
            ops: list[Op] = await self._namesakes(shorter)
            for one in saved:
                ops += [self._organisations.save(one), *self._record(one.pull_events())]
            await self._commit(ops)
            self._changed(saved)
        return not saved

    def _check_known(
        self, step: Reorganisation, own: Mapping[str, Organisation], foreign: Mapping[str, AssertedOrganisation]
    ) -> None:
        for field, ids in (("predecessor_ids", step.predecessor_ids), ("successor_ids", step.successor_ids)):
            if any(id not in own and id not in foreign for id in ids):
                raise OrganisationUnknown(field=field)
        for id in step.successor_ids:
            if id in foreign:
                check_standing(foreign[id].validity, step.on)

    async def _namesakes(self, shorter: Sequence[Organisation]) -> list[Op]:
        """Behind the new end, another of the same name may begin."""
        families = await self._organisations.namesakes({namesakes_key(one) for one in shorter})
        for one in shorter:
            families[namesakes_key(one)].shorten(one.id, one.validity)
        return [self._organisations.save_namesakes(family) for family in families.values()]
