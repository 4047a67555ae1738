"""Supplements and withdraws a dossier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.intake.application.evidence import Evidence
from sangkien.intake.application.find_names import find_names
from sangkien.intake.application.ports import Caller, Commit, Directory, Dossiers, Traces, World
from sangkien.intake.application.visibility import may_see
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft, check_draft
from sangkien.intake.domain.errors import DossierUnknown, FiledInFuture, NotAnAuthor
from sangkien.kernel import Refusal
from sangkien.store.deciding import ALREADY, Decision, decide_each


@dataclass(frozen=True, slots=True)
class Supplement:
    """The next version of a dossier. `expected_version` is the one the caller saw; `draft.filed_on` is today's day."""

    dossier_id: str
    expected_version: int
    draft: Draft
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A dossier to be taken back on a day."""

    dossier_id: str
    withdrawn_on: date


class ChangeDossier:
    """What authors and filing officers do to a dossier after it was filed. Doing it twice is doing it once."""

    def __init__(
        self,
        dossiers: Dossiers,
        directory: Directory,
        evidence: Evidence,
        world: World,
        traces: Traces,
        commit: Commit,
    ) -> None:
        self._dossiers = dossiers
        self._directory = directory
        self._evidence = evidence
        self._world = world
        self._traces = traces
        self._commit = commit

    async def supplement(self, command: Supplement, caller: Caller) -> int:
        """The number of the new version. Raises DossierUnknown, NotAnAuthor, and what the draft and state refuse."""
        await self._mine(command.dossier_id, caller)
        check_draft(command.draft, self._world.today())
        await self._evidence.check(command.draft.files, caller)
        [draft] = await find_names(self._directory, [command.draft])
        if isinstance(draft, Refusal):
            raise draft

        async def decide(_: Sequence[Supplement]) -> Sequence[Decision]:
            dossier = await self._mine(command.dossier_id, caller)
            taken = dossier.supplement(
                draft,
                expected=command.expected_version,
                on=draft.filed_on,
                fingerprint=command.fingerprint,
                filed_by=caller.filer,
            )
            return [self._stored("intake.supplement", dossier) if taken else ALREADY]

        await self._once(await decide_each([command], decide, self._commit))
        return command.expected_version + 1

    async def withdraw(self, command: Withdrawal, caller: Caller) -> None:
        """Raises DossierUnknown, NotAnAuthor, WithdrawalTooLate, FiledInFuture for a day that has not come."""
        today = self._world.today()
        if command.withdrawn_on > today:
            raise FiledInFuture(
                field="withdrawn_on", filed_on=command.withdrawn_on.isoformat(), today=today.isoformat()
            )

        async def decide(_: Sequence[Withdrawal]) -> Sequence[Decision]:
            dossier = await self._mine(command.dossier_id, caller)
            taken = dossier.withdraw(command.withdrawn_on)
            return [self._stored("intake.withdraw", dossier) if taken else ALREADY]

        await self._once(await decide_each([command], decide, self._commit))

    async def _mine(self, dossier_id: str, caller: Caller) -> Dossier:
        """The dossier, if the caller is one of its authors, or the officer or exchange that filed it."""
        dossier = await self._dossiers.get(dossier_id)
        if dossier is None or not may_see(caller, dossier):
            raise DossierUnknown(field="dossier_id")
        if caller.filer not in (dossier.filed_by, *dossier.author_ids) or not caller.filer:
            raise NotAnAuthor(field="dossier_id")
        return dossier

    def _stored(self, what: str, dossier: Dossier) -> Decision:
        call = self._traces.traceparent()
        with self._traces.span(
            what, parent=dossier.traceparent, links=[call] if call else [], aggregate_id=dossier.dossier_id
        ):
            return self._dossiers.changed(dossier, now=self._world.now(), traceparent=self._traces.traceparent())

    @staticmethod
    async def _once(outcomes: Sequence[object]) -> None:
        [outcome] = outcomes
        if isinstance(outcome, Refusal):
            raise outcome
