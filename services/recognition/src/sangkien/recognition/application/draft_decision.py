"""Draft a decision over the dossiers a council has voted on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

from sangkien.kernel import KeyReused
from sangkien.recognition.application.asking import known
from sangkien.recognition.application.ports import Caller, Candidates, Commit, Decisions, World
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.errors import (
    CandidateTaken,
    CandidateUnknown,
    DecisionKeyMalformed,
    RecognitionListTooLong,
    RoundBeingDrafted,
)
from sangkien.store import Conflict, Duplicate, Op
from sangkien.store.deciding import ChangedMeanwhile

CHUNK: Final = 500
"""Candidates taken up in one unit. A round of thousands takes several; a repeat of the call goes on where one broke."""
MOST_CHOSEN: Final = 1_000
_LONGEST_KEY: Final = 200
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """Empty `dossier_ids` take every candidate of the round, empty `grounds` those of the rules on the day of issue."""

    key: str
    issuer_id: str
    suffix: str
    round_id: str
    dossier_ids: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What the key stands for: SHA-256 of what was asked."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()


class Collector:
    """Takes candidates up into drafts, chunk by chunk."""

    def __init__(self, decisions: Decisions, candidates: Candidates, commit: Commit) -> None:
        self._decisions = decisions
        self._candidates = candidates
        self._commit = commit

    async def collect(self, decision: Decision, found: Sequence[Candidate], *, last: bool) -> Sequence[Op]:
        """Let the draft take `found`; returns the operations that store them. Raises what `Decision.collect` raises."""
        claims = [candidate.claim for candidate in found if candidate.claim]
        decision.collect(found, await self._candidates.claimed(claims) if claims else (), last=last)
        return [
            *[self._candidates.stored(candidate) for candidate in found],
            *[self._candidates.claiming(candidate) for candidate in found if candidate.claim and not candidate.reason],
        ]

    async def finish(self, decision_id: str) -> Decision:
        """Take up what the round still has, until the draft is whole. Raises DecisionUnknown."""
        while True:
            decision = await known(self._decisions, decision_id)
            if decision.collected:
                return decision
            found = await self._candidates.waiting(decision.round_id, CHUNK)
            ops = await self.collect(decision, found, last=len(found) < CHUNK)
            try:
                await self._commit([*self._decisions.changed(decision), *ops])
            except (Conflict, Duplicate):
                continue  # somebody else got further meanwhile: look again


class DraftDecision:
    """Drafts each key once."""

    def __init__(
        self, decisions: Decisions, candidates: Candidates, collector: Collector, world: World, commit: Commit
    ) -> None:
        self._decisions = decisions
        self._candidates = candidates
        self._collector = collector
        self._world = world
        self._commit = commit

    async def __call__(self, command: Draft, caller: Caller) -> Decision:
        """The draft with its whole list; the same key and request answer the same decision.

        Raises DecisionKeyMalformed, KeyReused, RecognitionListTooLong, CandidateUnknown, CandidateTaken,
        RoundWithoutCandidates, RoundBeingDrafted, and what `Decision.draft` refuses.
        """
        if not (0 < len(command.key) <= _LONGEST_KEY and command.key.isprintable()):
            raise DecisionKeyMalformed(field="idempotency_key", limit=_LONGEST_KEY)
        if len(command.dossier_ids) > MOST_CHOSEN:
            raise RecognitionListTooLong(field="dossier_ids", count=len(command.dossier_ids), limit=MOST_CHOSEN)
        key = f"{command.issuer_id}|{command.key}"
        collision: Exception | None = None
        for _ in range(_ATTEMPTS):
            found = await self._decisions.under_key(key)
            if found is not None:
                decision_id, fingerprint = found
                if fingerprint != command.fingerprint:
                    raise KeyReused(field="idempotency_key")
                return await self._collector.finish(decision_id)
            decision = self._begun(command, caller)
            ops = await self._first(command, decision)
            try:
                await self._commit([*self._decisions.added(decision, key, command.fingerprint), *ops])
            except (Conflict, Duplicate) as error:
                collision = error
                continue
            return await self._collector.finish(decision.decision_id)
        if isinstance(collision, Duplicate) and collision.fields == ("collecting",):
            raise RoundBeingDrafted(field="round_id")
        raise ChangedMeanwhile

    def _begun(self, command: Draft, caller: Caller) -> Decision:
        return Decision.draft(
            self._world.new_id(),
            issuer_id=command.issuer_id,
            suffix=command.suffix,
            round_id=command.round_id,
            grounds=command.grounds,
            drafted_by=caller.person_id,
            organisation=caller.organisation,
        )

    async def _first(self, command: Draft, decision: Decision) -> Sequence[Op]:
        """The first chunk goes with the draft, so that nothing is left of a draft that finds no candidate."""
        if not command.dossier_ids:
            found = await self._candidates.waiting(command.round_id, CHUNK)
            return await self._collector.collect(decision, found, last=len(found) < CHUNK)
        wanted = list(dict.fromkeys(command.dossier_ids))
        stored = await self._candidates.get_many(wanted)
        for place, dossier_id in enumerate(command.dossier_ids):
            candidate = stored.get(dossier_id)
            if candidate is None or candidate.vote.round_id != command.round_id:
                raise CandidateUnknown(field=f"dossier_ids[{place}]")
            if candidate.decision_id:
                raise CandidateTaken(field=f"dossier_ids[{place}]")
        return await self._collector.collect(decision, [stored[id] for id in wanted], last=True)
