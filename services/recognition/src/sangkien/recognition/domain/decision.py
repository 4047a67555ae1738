"""A recognition decision: DU_THAO → TRINH_KY → BAN_HANH, and its entering into the register."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sangkien.kernel import Aggregate
from sangkien.kernel.numbering import Numbered, register_id
from sangkien.recognition.domain.candidate import Candidate
from sangkien.recognition.domain.errors import (
    DecisionIssuedAlready,
    DecisionIssuedOtherwise,
    DecisionNotIssued,
    DecisionNotSubmitted,
    DecisionStillDrafted,
    IssuedBeforeVote,
    IssuedInFuture,
    NotTheIssuer,
    RecognitionTextMalformed,
    RoundWithoutCandidates,
    SignerDrafted,
)
from sangkien.recognition.domain.events import DecisionSigned
from sangkien.recognition.domain.signature import Authority, Issuer, Signature

_MOST_GROUNDS = 50
_LONGEST_GROUND = 1_000


class State(StrEnum):
    """Draft, submitted for signature, issued."""

    DU_THAO = "DU_THAO"
    TRINH_KY = "TRINH_KY"
    BAN_HANH = "BAN_HANH"


@dataclass(frozen=True, slots=True)
class Issue:
    """What was fixed when the decision took its number."""

    numbered: Numbered
    issued_on: date
    issuer: Issuer
    signature: Signature
    grounds: tuple[str, ...]
    kind: str


@dataclass
class Decision(Aggregate):
    """One decision over dossiers of one round. `collected` is false while a long list is still being taken up,
    `entered` turns true when every item has reached the register; `drafted_by` and `submitted_by` are person ids.
    """

    decision_id: str
    issuer_id: str
    suffix: str
    round_id: str
    grounds: tuple[str, ...]
    drafted_by: str
    state: State = State.DU_THAO
    collected: bool = False
    tier: str = ""
    recognised: int = 0
    refused: int = 0
    latest_vote: date | None = None
    submitted_by: str = ""
    issue: Issue | None = None
    certificates: int = 0
    entered: bool = False
    pdf_sha256: str = ""

    @classmethod
    def draft(
        cls,
        decision_id: str,
        *,
        issuer_id: str,
        suffix: str,
        round_id: str,
        grounds: Sequence[str],
        drafted_by: str,
        organisation: str,
    ) -> "Decision":
        """Begin a draft. `organisation` is the one the drafter acts for.

        Raises NotTheIssuer, RecognitionTextMalformed and RegisterSuffixMalformed.
        """
        if organisation != issuer_id:
            raise NotTheIssuer(field="issuer_id")
        register_id(issuer_id, suffix, 2000)  # the suffix is checked now, although the year is chosen at issue
        if len(grounds) > _MOST_GROUNDS or any(not 0 < len(line) <= _LONGEST_GROUND for line in grounds):
            raise RecognitionTextMalformed(field="grounds", limit=_LONGEST_GROUND)
        return cls(decision_id, issuer_id, suffix.strip(), round_id, tuple(grounds), drafted_by)

    def collect(self, candidates: Sequence[Candidate], claimed: Sequence[str], *, last: bool) -> None:
        """Take candidates into the draft; `claimed` are the claims other dossiers hold. `last` ends the list.

        Raises RoundWithoutCandidates for an empty list, CandidateTaken and DecisionIssuedAlready.
        """
        self._must_be_open()
        held = set(claimed)
        for candidate in candidates:
            candidate.propose(self.decision_id, claimed=bool(candidate.claim) and candidate.claim in held)
            held.add(candidate.claim)
            self.tier = self.tier or candidate.vote.tier
            self.recognised += not candidate.reason
            self.refused += bool(candidate.reason)
            self.latest_vote = max(self.latest_vote or candidate.vote.held_on, candidate.vote.held_on)
        if last and not self.recognised + self.refused:
            raise RoundWithoutCandidates(field="round_id")
        self.collected = last

    def submit(self, person_id: str, organisation: str) -> bool:
        """Submit for signature; False when that was done before.

        Raises NotTheIssuer, DecisionStillDrafted and DecisionIssuedAlready.
        """
        if organisation != self.issuer_id:
            raise NotTheIssuer(field="decision_id")
        self._must_be_open()
        if self.state is State.TRINH_KY:
            return False
        if not self.collected:
            raise DecisionStillDrafted(field="decision_id")
        self.state, self.submitted_by = State.TRINH_KY, person_id
        return True

    def check_signable(self, signer_id: str, organisation: str, on: date, today: date) -> None:
        """Say no before any name is fetched or number taken.

        Raises NotTheIssuer, SignerDrafted, DecisionNotSubmitted, IssuedBeforeVote and IssuedInFuture.
        """
        if organisation != self.issuer_id:
            raise NotTheIssuer(field="decision_id")
        if signer_id in (self.drafted_by, self.submitted_by):
            raise SignerDrafted
        if self.state is not State.TRINH_KY:
            raise DecisionNotSubmitted(field="decision_id", state=self.state)
        if self.latest_vote is not None and on < self.latest_vote:
            raise IssuedBeforeVote(field="issued_on", held_on=self.latest_vote.isoformat())
        if on > today:
            raise IssuedInFuture(field="issued_on", today=today.isoformat())

    def sign(self, issue: Issue) -> None:
        """Bear the number. Check with `check_signable` first; the register gave the number in the same unit.

        Raises DecisionNotSubmitted.
        """
        if self.state is not State.TRINH_KY:
            raise DecisionNotSubmitted(field="decision_id", state=self.state)
        self.state, self.issue = State.BAN_HANH, issue
        self.record(
            DecisionSigned(
                decision_id=self.decision_id,
                number=issue.numbered.number,
                symbol=issue.numbered.symbol,
                issued_on=issue.issued_on,
                issuer_id=self.issuer_id,
                round_id=self.round_id,
                tier=self.tier,
                recognised=self.recognised,
                refused=self.refused,
            )
        )

    def confirm_issued(self, signer_id: str, authority: Authority, on: date | None) -> Issue:
        """Accept being issued again with the same facts; `on` None asks for none. Raises DecisionIssuedOtherwise."""
        issue = self.standing()
        same = (signer_id, authority) == (issue.signature.person_id, issue.signature.authority)
        if not same or on not in (None, issue.issued_on):
            raise DecisionIssuedOtherwise(
                field="decision_id", symbol=issue.numbered.symbol, issued_on=issue.issued_on.isoformat()
            )
        return issue

    def standing(self) -> Issue:
        """What was fixed at issue. Raises DecisionNotIssued."""
        if self.issue is None:
            raise DecisionNotIssued(field="decision_id", state=self.state)
        return self.issue

    def finish(self, certificates: int) -> None:
        """Every item is in the register, with so many certificates. Raises DecisionNotIssued."""
        self.standing()
        self.certificates, self.entered = certificates, True

    def _must_be_open(self) -> None:
        if self.issue is not None:
            raise DecisionIssuedAlready(field="decision_id", symbol=self.issue.numbered.symbol)
