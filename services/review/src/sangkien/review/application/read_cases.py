"""What may be read of cases and rounds, and by whom.

A person with a conflict of interest, an author above all, gets the same answer as if the case did not exist: not by id,
not in lists, not in counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.review.application.ports import Clock, Counts, Lists, Records
from sangkien.review.domain.case import Case, CaseState
from sangkien.review.domain.errors import CaseNotFound, CaseStateUnknown, CouncilNotFormed, ReviewRoundNotFound
from sangkien.review.domain.round import Round


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. `person_id` is "" for a service; `judges` is a council member who holds no other office."""

    person_id: str
    judges: bool

    def sees_score(self, case: Case) -> bool:
        """A reviewer learns of the others' scores after handing in their own."""
        waits = self.person_id in case.reviewers and self.person_id not in case.handed_in
        return not (self.judges and waits)


@dataclass(frozen=True, slots=True)
class ReadCases:
    """The queries of review."""

    records: Records
    lists: Lists
    clock: Clock

    async def case(self, dossier_id: str, viewer: Viewer) -> Case:
        """Raises CaseNotFound, alike for a case that does not exist and for one the viewer may not know of."""
        case = (await self.records.cases([dossier_id])).get(dossier_id)
        if case is None:
            raise CaseNotFound(field="dossier_id")
        case.hide_from(viewer.person_id)
        return case

    async def may_judge(self, dossier_id: str, person_id: str) -> bool:
        """Whether the person sits on the dossier's council today and is not barred from the dossier.

        False, too, for a dossier that is not here: who asks learns no more than the person may.
        """
        case = (await self.records.cases([dossier_id])).get(dossier_id)
        the_round = await self.records.round(case.round_id) if case else None
        council = await self.records.council(the_round.council_id) if the_round else None
        if case is None or council is None or person_id in case.conflicted:
            return False
        try:
            return any(member.person_id == person_id for member in council.members_on(self.clock.today()))
        except CouncilNotFormed:
            return False

    async def cases(self, round_id: str, state: str, size: int, token: str, viewer: Viewer) -> tuple[list[Case], str]:
        """Up to `size` cases of the round in order of filing, and the token of the next page, "" at the end.

        Pages are as full as if what is hidden did not exist. Raises ReviewRoundNotFound, CaseStateUnknown, PageInvalid.
        """
        if state and state not in list(CaseState):
            raise CaseStateUnknown(field="state", known=", ".join(CaseState))
        await self._known(round_id)
        hidden = await self.records.barred_in_round(round_id, viewer.person_id) if viewer.person_id else frozenset()
        found: list[Case] = []
        while True:
            page, token = await self.lists.cases(round_id, state, size - len(found), token)
            found += [case for case in page if case.id not in hidden]
            if not token or len(found) == size:
                break
        if token and hidden:
            rest, _ = await self.lists.cases(round_id, state, len(hidden) + 1, token)
            token = token if any(case.id not in hidden for case in rest) else ""
        return found, token

    async def round(self, round_id: str, viewer: Viewer) -> tuple[Round, Counts]:
        """Raises ReviewRoundNotFound."""
        the_round = await self._known(round_id)
        return the_round, await self._counts(round_id, viewer)

    async def rounds(self, size: int, token: str, viewer: Viewer) -> tuple[list[tuple[Round, Counts]], str]:
        """Rounds with their counts, those that opened last first. Raises PageInvalid."""
        page, following = await self.lists.rounds(size, token)
        return [(one, await self._counts(one.id, viewer)) for one in page], following

    async def _known(self, round_id: str) -> Round:
        the_round = await self.records.round(round_id)
        if the_round is None:
            raise ReviewRoundNotFound(field="round_id")
        return the_round

    async def _counts(self, round_id: str, viewer: Viewer) -> Counts:
        counts = await self.lists.counts(round_id)
        hidden = await self.records.barred_in_round(round_id, viewer.person_id) if viewer.person_id else frozenset()
        if not hidden:
            return counts
        return _without(counts, list((await self.records.cases(sorted(hidden))).values()))


def _without(counts: Counts, hidden: Sequence[Case]) -> Counts:
    states = dict(counts.states)
    passed, failed = counts.passed, counts.failed
    for case in hidden:
        states[case.state.value] = states.get(case.state.value, 0) - 1
        if case.vote is not None:
            passed -= case.vote.passed
            failed -= not case.vote.passed
    return Counts({state: number for state, number in states.items() if number > 0}, passed, failed)
