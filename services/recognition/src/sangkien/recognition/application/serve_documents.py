"""Certificates and decisions as PDF: rendered when first asked for, the same bytes ever after."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sangkien.recognition.application.asking import known
from sangkien.recognition.application.once import Once
from sangkien.recognition.application.ports import (
    Blobs,
    Caller,
    Candidates,
    Commit,
    Decisions,
    Register,
    StoredCertificate,
)
from sangkien.recognition.application.queries import STAFF
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.errors import CertificateNotYours, CertificateUnknown
from sangkien.recognition.domain.register import Certificate
from sangkien.store import Conflict

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Drawing:
    """Turns what was fixed into PDF bytes. Both block: they run in a thread."""

    certificate: Callable[[Certificate], bytes]
    decision: Callable[[Decision, Sequence[Candidate]], bytes]


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF and its SHA-256 in hex."""

    pdf: bytes
    sha256: str


class ServeDocuments:
    """Keeps each PDF by its hash and remembers the hash beside what it shows. Two first requests at once share one
    rendering, or in two processes agree on one of them.
    """

    def __init__(
        self,
        decisions: Decisions,
        candidates: Candidates,
        register: Register,
        blobs: Blobs,
        drawing: Drawing,
        commit: Commit,
    ) -> None:
        self._decisions = decisions
        self._candidates = candidates
        self._register = register
        self._blobs = blobs
        self._drawing = drawing
        self._commit = commit
        self._once: Once[Document] = Once()

    async def certificate(self, certificate_id: str, caller: Caller) -> Document:
        """Raises CertificateUnknown and CertificateNotYours."""
        stored = await self._stored(certificate_id)
        if STAFF.isdisjoint(caller.roles) and stored.certificate.person_id != caller.person_id:
            raise CertificateNotYours(field="certificate_id")
        return await self._kept(stored.pdf_sha256) or await self._once(
            certificate_id, lambda: self._render_certificate(certificate_id)
        )

    async def decision(self, decision_id: str) -> Document:
        """Raises DecisionUnknown and DecisionNotIssued."""
        decision = await known(self._decisions, decision_id)
        decision.standing()
        return await self._kept(decision.pdf_sha256) or await self._once(
            decision_id, lambda: self._render_decision(decision_id)
        )

    async def close(self) -> None:
        """Give up what is being rendered."""
        await self._once.close()

    async def _kept(self, sha256: str) -> Document | None:
        pdf = await self._blobs.get(sha256) if sha256 else None
        return None if pdf is None else Document(pdf, sha256)

    async def _stored(self, certificate_id: str) -> StoredCertificate:
        stored = await self._register.certificate(certificate_id)
        if stored is None:
            raise CertificateUnknown(field="certificate_id")
        return stored

    async def _render_certificate(self, certificate_id: str) -> Document:
        while True:
            stored = await self._stored(certificate_id)
            if kept := await self._kept(stored.pdf_sha256):
                return kept
            drawn = await self._drawn(lambda: self._drawing.certificate(stored.certificate))  # noqa: B023 (awaited here)
            try:
                await self._commit([self._register.rendered(stored, drawn.sha256)])
            except Conflict:
                continue  # another process was first: its bytes stand
            return drawn

    async def _render_decision(self, decision_id: str) -> Document:
        items: list[Candidate] = []
        while found := await self._candidates.of_decision(
            decision_id, after=items[-1].dossier_id if items else "", limit=_PAGE
        ):
            items.extend(found)
        while True:
            decision = await known(self._decisions, decision_id)
            if kept := await self._kept(decision.pdf_sha256):
                return kept
            drawn = await self._drawn(lambda: self._drawing.decision(decision, items))  # noqa: B023 (awaited here)
            decision.pdf_sha256 = drawn.sha256
            try:
                await self._commit(self._decisions.changed(decision))
            except Conflict:
                continue  # entered further, or rendered by another process, meanwhile
            return drawn

    async def _drawn(self, draw: Callable[[], bytes]) -> Document:
        pdf = await asyncio.to_thread(draw)
        return Document(pdf, await self._blobs.put(pdf))
