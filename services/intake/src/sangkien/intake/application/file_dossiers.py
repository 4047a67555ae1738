"""Files dossiers: one or many, each once."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from sangkien.intake.application.evidence import Evidence
from sangkien.intake.application.filing_desk import FilingDesk
from sangkien.intake.application.find_names import find_names
from sangkien.intake.application.ports import (
    Caller,
    Commit,
    Directory,
    DirectoryDown,
    Dossiers,
    Filed,
    KeptKey,
    Rounds,
    Traces,
    World,
)
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft, check_draft, limitation
from sangkien.intake.domain.errors import (
    DirectoryUnreachable,
    KeyMalformed,
    NotAnAuthor,
    RoundUnknown,
)
from sangkien.intake.domain.rounds import Round, the_open_round, the_successors_round
from sangkien.kernel import KeyReused, Refusal
from sangkien.rules import due
from sangkien.store import Duplicate, Op
from sangkien.store.deciding import ChangedMeanwhile

_ATTEMPTS = 5
_OFFICES = frozenset({"union_officer", "secretary", "operator"})


@dataclass(frozen=True, slots=True)
class Filing:
    """One dossier to be filed under a key of the caller's choice. `fingerprint` stands for the content as it came."""

    key: str
    draft: Draft
    fingerprint: str


Outcome = Filed | Refusal


def fingerprint_of(parts: Sequence[str]) -> str:
    """SHA-256 of normal texts; no normal text holds the separator, so no two contents read the same."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@lru_cache(maxsize=4096)
def answer_due(filed_on: date) -> date:
    """When the formal check is to be answered (TT 18/2013/TT-BKHCN, Điều 6). Raises the refusals of `rules.due`."""
    return due("formal-check", filed_on).due


Read = Callable[[date], Filing]
"""Makes a command of what came over the wire, given today's date. Raises Refusals."""


@dataclass(frozen=True, slots=True)
class _Handed:
    """What a caller hands in at the desk: a filing yet to be read, and the trace `call` it belongs to."""

    read: Read
    caller: Caller
    call: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A sound filing and who asks for it. It goes on with the trace `call`, or only links to it from one of its own."""

    filing: Filing
    caller: Caller
    call: str
    own_trace: bool


class FileDossiers:
    """Files dossiers, each with its own outcome, many in one unit of work.

    A key used before answers `already` for the same content, whatever happened to the round since, and KeyReused for
    other content. Filings at the same time under one key are one filing.
    """

    def __init__(
        self,
        dossiers: Dossiers,
        rounds: Rounds,
        directory: Directory,
        evidence: Evidence,
        world: World,
        traces: Traces,
        commit: Commit,
    ) -> None:
        self._dossiers = dossiers
        self._rounds = rounds
        self._directory = directory
        self._evidence = evidence
        self._world = world
        self._traces = traces
        self._commit = commit
        self._desk: FilingDesk[_Handed, Outcome | Filing] = FilingDesk(self._serve)

    async def one(self, read: Read, caller: Caller) -> Filed:
        """File one, in one unit with those that others file at the same moment.

        Reading is left to the desk: done for many in a row it takes half the time. Raises what `read` raises, the
        filing's Refusal, DirectoryDown, StoreUnavailable.
        """
        call = self._traces.traceparent()
        outcome = await self._desk.hand_in(_Handed(read, caller, call))
        if isinstance(outcome, Filing):
            outcome = await self._by_name(outcome, caller, call)
        if isinstance(outcome, Filed):
            return outcome
        raise outcome

    async def _by_name(self, filing: Filing, caller: Caller, call: str) -> Outcome:
        """What names units or people goes to the directory first, and keeps nobody at the desk waiting for that."""
        try:
            [draft] = await find_names(self._directory, [filing.draft])
        except DirectoryDown:
            if known := await self._known({0: filing}):
                return known[0]
            raise
        if isinstance(draft, Refusal):
            return (await self._known({0: filing})).get(0, draft)
        named = replace(filing, draft=draft)
        outcome = await self._desk.hand_in(_Handed(lambda _: named, caller, call))
        return ChangedMeanwhile() if isinstance(outcome, Filing) else outcome

    async def _serve(self, handed: Sequence[_Handed]) -> list[Outcome | Filing]:
        """What those at the desk get. No key is looked up unless something is wrong: most are new."""
        today = self._world.today()
        results: dict[int, Outcome | Filing] = {}
        read: dict[int, Filing] = {}
        asked: dict[int, _Asked] = {}
        for place, one in enumerate(handed):
            try:
                filing = one.read(today)
                _check_key(filing.key)
                read[place] = filing
                check_draft(filing.draft, today)
            except Refusal as refusal:
                results[place] = refusal
            else:
                if filing.draft.complete:
                    asked[place] = _Asked(filing, one.caller, one.call, own_trace=False)
                else:
                    results[place] = filing
        results.update(zip(asked, await self._settle(list(asked.values())), strict=True))
        refused = {place: filing for place, filing in read.items() if isinstance(results[place], Refusal)}
        if refused:
            results.update(await self._known(refused))
        return [results[place] for place in range(len(handed))]

    async def many(self, filings: Sequence[Filing], caller: Caller) -> list[Outcome]:
        """File many, in one unit unless a key or a code collides. Raises StoreUnavailable."""
        outcomes: dict[int, Outcome] = {}
        call = self._traces.traceparent()
        sound = await self._prepared(filings, outcomes)
        asked = [_Asked(filing, caller, call, own_trace=True) for filing in sound.values()]
        outcomes.update(zip(sound, await self._settle(asked), strict=True))
        return [outcomes[place] for place in range(len(filings))]

    async def _settle(self, asked: Sequence[_Asked]) -> list[Outcome]:
        """One outcome each, in order. Raises StoreUnavailable."""
        outcomes: dict[int, Outcome] = {}
        for attempt in range(_ATTEMPTS):
            open_ones = {place: one for place, one in enumerate(asked) if place not in outcomes}
            if attempt:
                outcomes.update(await self._known({place: one.filing for place, one in open_ones.items()}))
                open_ones = {place: one for place, one in open_ones.items() if place not in outcomes}
            decided, ops = await self._decide_together(open_ones, outcomes)
            try:
                if ops:
                    await self._commit(ops)
            except Duplicate:  # a key is taken, or a code was: the first answers, the second is drawn again
                continue
            outcomes.update(decided)
            if len(outcomes) == len(asked):
                break
        for place, one in enumerate(asked):
            if place not in outcomes:  # others took its neighbours' keys again and again: it is tried by itself
                [outcomes[place]] = await self._settle([one]) if len(asked) > 1 else [ChangedMeanwhile()]
        return [outcomes[place] for place in range(len(asked))]

    async def _decide_together(
        self, open_ones: Mapping[int, _Asked], outcomes: dict[int, Outcome]
    ) -> tuple[dict[int, Filed], list[Op]]:
        """What would be filed, by place, and the operations for it; who is refused has an outcome already."""
        decided: dict[int, Filed] = {}
        ops: list[Op] = []
        keys: set[str] = set()
        for place, one in open_ones.items():
            if one.filing.key in keys:
                continue  # its twin goes first; the next turn finds the key used
            keys.add(one.filing.key)
            try:
                decided[place], more = await (self._decide_apart(one) if one.own_trace else self._decide(one, one.call))
            except Refusal as refusal:
                outcomes[place] = refusal
            else:
                ops += more
        return decided, ops

    async def _decide_apart(self, asked: _Asked) -> tuple[Filed, list[Op]]:
        """Decide in a new trace that links to the call."""
        links = [asked.call] if asked.call else []
        with self._traces.span("intake.file", parent="", links=links) as span:
            filed, ops = await self._decide(asked, self._traces.traceparent())
            span.set_attribute("aggregate_id", filed.dossier_id)
            return filed, ops

    async def _prepared(self, filings: Sequence[Filing], outcomes: dict[int, Outcome]) -> dict[int, Filing]:
        """The filings that are in order so far, with every name found, by their place in the batch."""
        today = self._world.today()
        sound: dict[int, Filing] = {}
        for place, filing in enumerate(filings):
            try:
                _check_key(filing.key)
                sound[place] = filing
            except Refusal as refusal:
                outcomes[place] = refusal
        outcomes.update(await self._known(sound))
        sound = {place: filing for place, filing in sound.items() if place not in outcomes}
        for place, filing in list(sound.items()):
            try:
                check_draft(filing.draft, today)
            except Refusal as refusal:
                outcomes[place] = refusal
                del sound[place]
        try:
            found = await find_names(self._directory, [filing.draft for filing in sound.values()])
        except DirectoryDown:
            found = [
                filing.draft if filing.draft.complete else DirectoryUnreachable(field="dossier.unit_name")
                for filing in sound.values()
            ]
        for (place, filing), draft in zip(list(sound.items()), found, strict=True):
            if isinstance(draft, Refusal):
                outcomes[place] = draft
                del sound[place]
            elif draft is not filing.draft:
                sound[place] = replace(filing, draft=draft)
        return sound

    async def _known(self, filings: Mapping[int, Filing]) -> dict[int, Outcome]:
        """The answers to those whose key was used before."""
        known = await self._dossiers.keys([filing.key for filing in filings.values()]) if filings else {}
        return {
            place: _answer_of(known[filing.key], filing) for place, filing in filings.items() if filing.key in known
        }

    async def _decide(self, asked: _Asked, traceparent: str) -> tuple[Filed, list[Op]]:
        draft, caller = asked.filing.draft, asked.caller
        author_ids = [author.person_id for author in draft.authors]
        if caller.person_id and not caller.roles & _OFFICES and caller.person_id not in author_ids:
            raise NotAnAuthor(field="dossier.authors")
        if draft.files:
            await self._evidence.check(draft.files, caller)
        dossier = Dossier.file(
            draft,
            await self._round(draft, caller),
            dossier_id=self._world.new_id(),
            filed_by=caller.filer,
            answer_due=answer_due(draft.filed_on),
            fingerprint=asked.filing.fingerprint,
            traceparent=traceparent,
        )
        warning = limitation(draft)
        filed = Filed(
            dossier.dossier_id, dossier.code, dossier.answer_due, warnings=() if warning is None else (warning,)
        )
        return filed, self._dossiers.added(dossier, asked.filing.key, filed, now=self._world.now())

    async def _round(self, draft: Draft, caller: Caller) -> Round:
        if not draft.round_id:
            return the_open_round(await self._rounds.open_rounds(), draft.tier, draft.filed_on)
        found = await self._rounds.get(draft.round_id)
        if found is None:
            raise RoundUnknown(field="dossier.round_id")
        if not found.is_orphaned(draft.filed_on):
            return found
        rounds = await self._rounds.open_rounds()
        if caller.service:  # what came from another node is decided here or goes back there, and no further
            rounds = [one for one in rounds if not one.node]
        return the_successors_round(found, rounds, draft.tier, draft.filed_on)


def _check_key(key: str) -> None:
    if not (8 <= len(key) <= 128 and key.isascii() and key.isprintable()):
        raise KeyMalformed(field="idempotency_key")


def _answer_of(kept: KeptKey, filing: Filing) -> Outcome:
    if kept.fingerprint != filing.fingerprint:
        return KeyReused(field="idempotency_key", dossier_code=kept.filed.code)
    warning = limitation(filing.draft)
    return replace(kept.filed, already=True, warnings=() if warning is None else (warning,))
