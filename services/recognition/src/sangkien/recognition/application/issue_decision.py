"""Sign and issue: names are fixed, the number is taken, the items enter the register."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sangkien.kernel.numbering import register_id
from sangkien.recognition.application.asking import known
from sangkien.recognition.application.enter_items import EnterItems
from sangkien.recognition.application.legal_words import certificate_kind, grounds_on
from sangkien.recognition.application.ports import (
    Caller,
    Candidates,
    Commit,
    Decisions,
    Directory,
    Registers,
    Traces,
    Unit,
    Work,
    Works,
    World,
)
from sangkien.recognition.domain.candidate import Candidate, PrintedNames
from sangkien.recognition.domain.decision import Decision, Issue
from sangkien.recognition.domain.errors import IssuerNotStanding, NamesUnknown, RegisterNotOpen
from sangkien.recognition.domain.signature import Authority, Issuer, Signature
from sangkien.store import Conflict, Op
from sangkien.store.deciding import ChangedMeanwhile, decided_again

_PAGE: Final = 500
_ATTEMPTS: Final = 5
_WITHOUT_SUPERIOR: Final = frozenset({"UBND_TP", "QUAN", "HUYEN", "THI_XA", "PHUONG_XA"})
"""People's committees print no superior above their name (Decree 30/2020/NĐ-CP, appendix I)."""


@dataclass(frozen=True, slots=True)
class Signing:
    """`issued_on` None is today; its year chooses the register."""

    decision_id: str
    issued_on: date | None
    authority: Authority


@dataclass(frozen=True, slots=True)
class Issued:
    """The number taken and the certificates fixed; `already` when it had been issued before."""

    number: int
    symbol: str
    certificates: int
    already: bool


class FixNames:
    """Writes the names of authors and units into a decision's items, as directory has them, before a number is taken.

    From then on the decision can be finished without directory.
    """

    def __init__(self, decisions: Decisions, candidates: Candidates, directory: Directory, commit: Commit) -> None:
        self._decisions = decisions
        self._candidates = candidates
        self._directory = directory
        self._commit = commit

    async def issuer(self, decision: Decision, on: date) -> Issuer:
        """The issuer as printed on the day. Raises IssuerNotStanding."""
        unit = (await self._directory.units([decision.issuer_id])).get(decision.issuer_id)
        if unit is None or not _standing(unit, on):
            raise IssuerNotStanding(field="issued_on", on=on.isoformat())
        if not unit.parent_id or unit.kind in _WITHOUT_SUPERIOR:
            return Issuer(unit.name)
        superior = (await self._directory.units([unit.parent_id])).get(unit.parent_id)
        return Issuer(unit.name, superior.name if superior else "")

    async def person(self, person_id: str) -> str:
        """The signer's name. Raises NamesUnknown."""
        name = (await self._directory.people([person_id])).get(person_id, "")
        if not name:
            raise NamesUnknown(people=1, units=0)
        return name

    async def items(self, decision_id: str) -> None:
        """Fix the names of every item. Raises NamesUnknown and ChangedMeanwhile."""
        after, collisions = "", 0
        while found := await self._candidates.of_decision(decision_id, after=after, limit=_PAGE):
            decision = await known(self._decisions, decision_id)
            if decision.issue is not None:
                return  # issued meanwhile, with the names it was signed with
            named = await self._named(found)
            if named:
                try:
                    # The decision moves on with its names: a number cannot be taken in between.
                    ops = [self._candidates.stored(candidate) for candidate in named]
                    await self._commit([*self._decisions.changed(decision), *ops])
                except Conflict:
                    collisions += 1
                    if collisions == _ATTEMPTS:
                        raise ChangedMeanwhile from None
                    continue
            after = found[-1].dossier_id

    async def _named(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those whose names are not fixed as directory has them."""
        person_ids = {author.person_id: None for one in candidates for author in one.vote.authors}
        unit_ids = {one.vote.unit_id: None for one in candidates}
        people, units = await asyncio.gather(
            self._directory.people(list(person_ids)), self._directory.units(list(unit_ids))
        )
        if len(people) < len(person_ids) or len(units) < len(unit_ids):
            raise NamesUnknown(people=len(person_ids) - len(people), units=len(unit_ids) - len(units))
        return [
            one
            for one in candidates
            if one.print_names(
                PrintedNames(
                    units[one.vote.unit_id].name, tuple([people[author.person_id] for author in one.vote.authors])
                )
            )
        ]


class IssueDecision:
    """TRINH_KY → BAN_HANH, once."""

    def __init__(
        self,
        decisions: Decisions,
        registers: Registers,
        works: Works,
        names: FixNames,
        entering: EnterItems,
        world: World,
        traces: Traces,
        commit: Commit,
    ) -> None:
        self._decisions = decisions
        self._registers = registers
        self._works = works
        self._names = names
        self._entering = entering
        self._world = world
        self._traces = traces
        self._commit = commit
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __call__(self, command: Signing, caller: Caller) -> Issued:
        """Everything is in the register when this returns. A call that was broken off is finished by repeating it, or
        in the background.

        Raises what Decision.check_signable, NumberRegister.take and the names refuse, RegisterNotOpen, TierNotInForce,
        DecisionUnknown and DecisionIssuedOtherwise.
        """
        decision = await known(self._decisions, command.decision_id)
        already = decision.issue is not None
        if not already:
            already = await self._sign(command, caller, await self._prepared(decision, command, caller))
            decision = await known(self._decisions, command.decision_id)
        issue = decision.confirm_issued(caller.person_id, command.authority, command.issued_on)
        certificates = await self._entering(command.decision_id)
        return Issued(issue.numbered.number, issue.numbered.symbol, certificates, already)

    async def _prepared(self, decision: Decision, command: Signing, caller: Caller) -> "_Prepared":
        """All that the decision says besides its number; directory is asked here and not again."""
        today = self._world.today()
        on = command.issued_on or today
        decision.check_signable(caller.person_id, caller.organisation, on, today)
        kind = certificate_kind(decision.tier, on)
        issuer = await self._names.issuer(decision, on)
        signature = Signature(caller.person_id, await self._names.person(caller.person_id), command.authority)
        await self._names.items(decision.decision_id)
        grounds = decision.grounds or grounds_on(decision.tier, on)
        return _Prepared(on, today, issuer, signature, grounds, kind)

    async def _sign(self, command: Signing, caller: Caller, prepared: "_Prepared") -> bool:
        """Take the number and issue, in one small unit. True when that was done meanwhile."""

        async def sign() -> bool:
            decision = await known(self._decisions, command.decision_id)
            if decision.issue is not None:
                return True
            decision.check_signable(caller.person_id, caller.organisation, prepared.on, prepared.today)
            await self._commit(await self._issue(decision, prepared))
            return False

        decision = await known(self._decisions, command.decision_id)
        # Leaders who sign at once in one process take turns; over processes the register's version decides.
        async with self._turns[f"{decision.issuer_id}{decision.suffix}"]:
            return await decided_again(sign)

    async def _issue(self, decision: Decision, prepared: "_Prepared") -> Sequence[Op]:
        register = await self._registers.get(register_id(decision.issuer_id, decision.suffix, prepared.on.year))
        if register is None:
            raise RegisterNotOpen(field="issued_on", year=prepared.on.year)
        decision.sign(
            Issue(
                numbered=register.take(prepared.on),
                issued_on=prepared.on,
                issuer=prepared.issuer,
                signature=prepared.signature,
                grounds=prepared.grounds,
                kind=prepared.kind,
            )
        )
        return [
            self._registers.stored(register),
            *self._decisions.changed(decision),
            self._works.stored(Work(decision.decision_id, self._traces.traceparent())),
        ]


@dataclass(frozen=True, slots=True)
class _Prepared:
    on: date
    today: date
    issuer: Issuer
    signature: Signature
    grounds: tuple[str, ...]
    kind: str


def _standing(unit: Unit, on: date) -> bool:
    return (unit.valid_from is None or unit.valid_from <= on) and (unit.valid_to is None or on <= unit.valid_to)
