"""Files dossiers: one or many, each once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

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
from sangkien.intake.domain.rounds import Round, the_open_round
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


class FileDossiers:
    """Commits what can be filed of a batch in one unit; every filing gets its own outcome.

    A key used before answers `already` for the same content, whatever happened to the round since, and KeyReused for
    other content. Two filings of one batch under one key are one filing.
    """

    def __init__(
        self,
        dossiers: Dossiers,
        rounds: Rounds,
        directory: Directory,
        world: World,
        traces: Traces,
        commit: Commit,
    ) -> None:
        self._dossiers = dossiers
        self._rounds = rounds
        self._directory = directory
        self._world = world
        self._traces = traces
        self._commit = commit

    async def one(self, filing: Filing, caller: Caller) -> Filed:
        """File one. Nothing is read unless something is wrong: most keys are new, and a used one is met on commit.

        Raises the filing's Refusal, DirectoryDown, StoreUnavailable.
        """
        traceparent = self._traces.traceparent()
        try:
            _check_key(filing.key)
            check_draft(filing.draft, self._world.today())
            [draft] = await find_names(self._directory, [filing.draft])
            if isinstance(draft, Refusal):
                raise draft
            for _ in range(_ATTEMPTS):
                filed, ops = await self._decide(replace(filing, draft=draft), caller, traceparent)
                try:
                    await self._commit(ops)
                except Duplicate:  # the key is taken, or the code was: the first answers, the second is drawn again
                    if (kept := await self._kept(filing)) is not None:
                        return kept
                else:
                    return filed
        except (Refusal, DirectoryDown):
            if (kept := await self._kept(filing)) is not None:
                return kept
            raise
        raise ChangedMeanwhile

    async def many(self, filings: Sequence[Filing], caller: Caller) -> list[Outcome]:
        """File many, in one unit unless a key or a code collides. Raises StoreUnavailable."""
        outcomes: dict[int, Outcome] = {}
        call = self._traces.traceparent()
        ready = await self._prepared(filings, outcomes)
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._answer_known(filings, ready, outcomes)
            if not ready:
                break
            batch, ops = await self._decide_batch(ready, outcomes, caller, call)
            try:
                if ops:
                    await self._commit(ops)
            except Duplicate:
                continue
            for place, filed in batch.items():
                outcomes[place] = filed
                del ready[place]
        outcomes.update(dict.fromkeys(ready, ChangedMeanwhile()))
        return [outcomes[place] for place in range(len(filings))]

    async def _decide_batch(
        self, ready: dict[int, Filing], outcomes: dict[int, Outcome], caller: Caller, call: str
    ) -> tuple[dict[int, Filed], list[Op]]:
        """Decide each in a trace of its own that links to the call; the refused ones leave `ready`."""
        batch: dict[int, Filed] = {}
        ops: list[Op] = []
        keys: set[str] = set()
        links = [call] if call else []
        for place, filing in list(ready.items()):
            if filing.key in keys:
                continue  # its twin goes first; the next turn finds the key used
            keys.add(filing.key)
            try:
                with self._traces.span("intake.file", parent="", links=links) as span:
                    batch[place], more = await self._decide(filing, caller, self._traces.traceparent())
                    span.set_attribute("aggregate_id", batch[place].dossier_id)
            except Refusal as refusal:
                outcomes[place] = refusal
                del ready[place]
            else:
                ops.extend(more)
        return batch, ops

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
        await self._answer_known(filings, sound, outcomes)
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
            else:
                sound[place] = replace(filing, draft=draft)
        return sound

    async def _answer_known(
        self, filings: Sequence[Filing], open_ones: dict[int, Filing], outcomes: dict[int, Outcome]
    ) -> None:
        """Answer those whose key was used before, and leave the others."""
        if not open_ones:
            return
        known = await self._dossiers.keys([filing.key for filing in open_ones.values()])
        for place in [place for place, filing in open_ones.items() if filing.key in known]:
            outcomes[place] = _answer_of(known[filings[place].key], filings[place])
            del open_ones[place]

    async def _kept(self, filing: Filing) -> Filed | None:
        known = (await self._dossiers.keys([filing.key])).get(filing.key) if filing.key else None
        if known is None:
            return None
        answer = _answer_of(known, filing)
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def _decide(self, filing: Filing, caller: Caller, traceparent: str) -> tuple[Filed, list[Op]]:
        draft = filing.draft
        author_ids = [author.person_id for author in draft.authors]
        if caller.person_id and not caller.roles & _OFFICES and caller.person_id not in author_ids:
            raise NotAnAuthor(field="dossier.authors")
        dossier = Dossier.file(
            draft,
            await self._round(draft),
            dossier_id=self._world.new_id(),
            filed_by=caller.filer,
            answer_due=answer_due(draft.filed_on),
            fingerprint=filing.fingerprint,
            traceparent=traceparent,
        )
        warning = limitation(draft)
        filed = Filed(
            dossier.dossier_id, dossier.code, dossier.answer_due, warnings=() if warning is None else (warning,)
        )
        return filed, self._dossiers.added(dossier, filing.key, filed, now=self._world.now())

    async def _round(self, draft: Draft) -> Round:
        if not draft.round_id:
            return the_open_round(await self._rounds.open_rounds(), draft.tier, draft.filed_on)
        found = await self._rounds.get(draft.round_id)
        if found is None:
            raise RoundUnknown(field="dossier.round_id")
        return found


def _check_key(key: str) -> None:
    if not (8 <= len(key) <= 128 and key.isascii() and key.isprintable()):
        raise KeyMalformed(field="idempotency_key")


def _answer_of(kept: KeptKey, filing: Filing) -> Outcome:
    if kept.fingerprint != filing.fingerprint:
        return KeyReused(field="idempotency_key", dossier_code=kept.filed.code)
    warning = limitation(filing.draft)
    return replace(kept.filed, already=True, warnings=() if warning is None else (warning,))
