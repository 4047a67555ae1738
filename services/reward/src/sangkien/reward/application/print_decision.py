"""The issued decision on paper, rendered when first asked for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sangkien.reward.application.ports import Blobs, Commit, Decisions
from sangkien.reward.domain.decision import RewardDecision
from sangkien.reward.domain.errors import DecisionUnknown
from sangkien.reward.domain.recipients import Chunk
from sangkien.store import Duplicate

Render = Callable[[RewardDecision, Sequence[Chunk]], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF and its SHA-256 in hex."""

    pdf: bytes
    sha256: str


class PrintDecision:
    """Renders once and answers the same bytes ever after; two first requests at once agree on one."""

    def __init__(self, decisions: Decisions, blobs: Blobs, render: Render, commit: Commit) -> None:
        self._decisions = decisions
        self._blobs = blobs
        self._render = render
        self._commit = commit

    async def __call__(self, decision_id: str) -> Document:
        """Raises DecisionUnknown and NotIssued."""
        decision = await self._decisions.get(decision_id)
        if decision is None:
            raise DecisionUnknown(field="decision_id")
        _ = decision.issued  # before issue there is nothing to print
        kept = await self._kept(decision_id)
        if kept is not None:
            return kept
        pdf = await self._render(decision, await self._decisions.chunks(decision_id))
        sha256 = await self._blobs.put(pdf)
        if await self._decisions.document(decision_id) is not None:
            return Document(pdf, sha256)  # the remembered file is lost; what it was made of still stands
        try:
            await self._commit([self._decisions.save_document(decision_id, sha256)])
        except Duplicate:
            return await self._kept(decision_id) or Document(pdf, sha256)
        return Document(pdf, sha256)

    async def _kept(self, decision_id: str) -> Document | None:
        sha256 = await self._decisions.document(decision_id)
        pdf = await self._blobs.get(sha256) if sha256 else None
        return Document(pdf, sha256) if pdf is not None and sha256 else None
