"""Bring an issued decision's items into the register, in chunks that may be broken off anywhere."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sangkien.recognition.application.asking import known
from sangkien.recognition.application.once import Once
from sangkien.recognition.application.ports import (
    Candidates,
    Commit,
    Decisions,
    Register,
    Traces,
    Work,
    Works,
    World,
)
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.register import Seal, Sealing, enter
from sangkien.store import Conflict, Duplicate, Op

CHUNK: Final = 200


class EnterItems:
    """Works off what issuing left to do. Each chunk and the place reached are one unit: nothing is entered twice or
    left out, whoever continues, here or in another process.
    """

    def __init__(
        self,
        decisions: Decisions,
        candidates: Candidates,
        works: Works,
        register: Register,
        world: World,
        traces: Traces,
        seal: Seal,
        commit: Commit,
    ) -> None:
        self._decisions = decisions
        self._candidates = candidates
        self._works = works
        self._register = register
        self._world = world
        self._traces = traces
        self._seal = seal
        self._commit = commit
        self._once: Once[int] = Once()

    async def __call__(self, decision_id: str) -> int:
        """Finish entering the decision; returns how many certificates it has. Raises StoreUnavailable."""
        return await self._once(decision_id, lambda: self._finish(decision_id))

    async def unfinished(self) -> Sequence[str]:
        """Issued decisions with items still to enter."""
        return await self._works.open()

    async def close(self) -> None:
        """Give up what runs: it goes on at the next start."""
        await self._once.close()

    async def _finish(self, decision_id: str) -> int:
        salt = 0
        while (work := await self._works.get(decision_id)) is not None:
            try:
                await self._step(work, salt)
            except Conflict:
                continue  # another process entered this chunk
            except Duplicate as error:
                if not self._register.code_taken(error):
                    raise
                salt += 1
            else:
                salt = 0
        return (await known(self._decisions, decision_id)).certificates

    async def _step(self, work: Work, salt: int) -> None:
        decision = await known(self._decisions, work.decision_id)
        found = await self._candidates.of_decision(work.decision_id, after=work.cursor, limit=CHUNK)
        sealing = Sealing(self._world.new_id, self._seal, salt)
        ops: list[Op] = []
        count = work.certificates
        for candidate in found:
            fixed, written = self._entered(decision, candidate, count + 1, sealing, work.traceparent)
            count += fixed
            ops.extend(written)
        if len(found) < CHUNK:
            decision.finish(count)
            ops.extend(self._decisions.changed(decision))
            ops.append(self._works.done(work))
        else:
            ops.append(self._works.stored(replace(work, cursor=found[-1].dossier_id, certificates=count)))
        await self._commit(ops)

    def _entered(
        self, decision: Decision, candidate: Candidate, ordinal: int, sealing: Sealing, issued: str
    ) -> tuple[int, Sequence[Op]]:
        """One item, in the trace of its dossier. Returns its number of certificates and what stores it."""
        links = [issued] if issued else []
        with self._traces.span(
            "recognition.enter", parent=candidate.traceparent, links=links, aggregate_id=candidate.dossier_id
        ):
            entered = enter(decision, candidate, ordinal=ordinal, sealing=sealing)
            return len(entered.certificates), self._register.written(entered, self._traces.traceparent())
