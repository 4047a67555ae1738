"""The dossier: intake's until it is accepted for review (NĐ 13/2012/NĐ-CP, Điều 5 and 6)."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from sangkien.intake.domain.codes import receipt_code
from sangkien.intake.domain.draft import Draft, check_distinct, check_draft
from sangkien.intake.domain.errors import (
    DestinationFixed,
    SupplementNotAsked,
    SupplementOverdue,
    VersionSeenIsOld,
    WithdrawalTooLate,
)
from sangkien.intake.domain.events import DossierFiled, DossierMended, DossierTakenBack
from sangkien.intake.domain.rounds import Round
from sangkien.kernel import Aggregate


class State(StrEnum):
    """Where a dossier stands, as far as intake knows."""

    FILED = "DA_NOP"
    SUPPLEMENT_ASKED = "YEU_CAU_BO_SUNG"
    ACCEPTED = "CHAP_NHAN_DON"
    REFUSED = "TU_CHOI_DON"
    WITHDRAWN = "RUT"


@dataclass(slots=False)
class Dossier(Aggregate):
    """One dossier at one tier. `revision` counts the versions filed, from 1; each is kept as it came in.

    `review_version` is the highest version of review's own aggregate whose news was taken in: older news is dropped.
    `fingerprint` stands for the content of the latest version. `traceparent` is where the dossier's one trace began.
    `competent_node` is the node whose council decides, "" for this one; what it answers is taken in as `domain.foreign`
    says, and `remote_code`, `outcome` and `decision_symbol` are its words. `review_version` then counts its news.
    """

    dossier_id: str
    code: str
    round_id: str
    tier: str
    initiative_id: str
    unit_id: str
    author_ids: tuple[str, ...]
    filed_by: str
    filed_on: date
    answer_due: date
    fingerprint: str
    traceparent: str
    state: State = State.FILED
    revision: int = 1
    review_version: int = 0
    shortcomings: tuple[str, ...] = ()
    supplement_due: date | None = None
    refusal_reason: str = ""
    voted: bool = False
    competent_node: str = ""
    remote_code: str = ""
    outcome: str = ""
    decision_symbol: str = ""

    @classmethod
    def file(
        cls,
        draft: Draft,
        within: Round,
        *,
        dossier_id: str,
        filed_by: str,
        answer_due: date,
        fingerprint: str,
        traceparent: str,
    ) -> "Dossier":
        """Receipt a checked draft whose unit and authors are known by id. Raises AuthorTwice and `Round.check`'s."""
        within.check(draft.tier, draft.filed_on)
        check_distinct(draft.authors)
        dossier = cls(
            dossier_id=dossier_id,
            code=receipt_code(dossier_id, draft.filed_on.year),
            round_id=within.round_id,
            tier=within.tier,
            initiative_id=draft.initiative_id,
            unit_id=draft.unit_id,
            author_ids=tuple([author.person_id for author in draft.authors]),
            filed_by=filed_by,
            filed_on=draft.filed_on,
            answer_due=answer_due,
            fingerprint=fingerprint,
            traceparent=traceparent,
            competent_node=within.node,
        )
        dossier.record(DossierFiled(draft, filed_by, answer_due))
        return dossier

    def supplement(self, draft: Draft, *, expected: int, on: date, fingerprint: str, filed_by: str) -> bool:
        """Take in the next version, filed `on` that day; its legal day of filing stays that of the first.

        False when this very content is the latest version already. Raises VersionSeenIsOld, SupplementNotAsked,
        SupplementOverdue, DestinationFixed, AuthorTwice, and the refusals of `check_draft`.
        """
        if self.revision == expected + 1 and self.fingerprint == fingerprint:
            return False
        if self.state is not State.SUPPLEMENT_ASKED:
            raise SupplementNotAsked(state=self.state.value)
        if self.revision != expected:
            raise VersionSeenIsOld(field="expected_version", expected=expected, current=self.revision)
        if self.supplement_due is not None and on > self.supplement_due:
            raise SupplementOverdue(due=self.supplement_due.isoformat())
        for field in ("round_id", "tier", "initiative_id"):
            if getattr(draft, field) not in ("", getattr(self, field)):
                raise DestinationFixed(field=f"dossier.{field}")
        placed = replace(
            draft,
            round_id=self.round_id,
            tier=self.tier,
            initiative_id=self.initiative_id,
            filed_on=self.filed_on,
        )
        check_draft(placed, on)
        check_distinct(placed.authors)
        self.state = State.FILED
        self.revision += 1
        self.fingerprint = fingerprint
        self.unit_id = placed.unit_id
        self.author_ids = tuple([author.person_id for author in placed.authors])
        self.shortcomings = ()
        self.supplement_due = None
        self.record(DossierMended(placed, self.revision, filed_by))
        return True

    def withdraw(self, on: date) -> bool:
        """Take the dossier back. False when it was taken back before. Raises WithdrawalTooLate."""
        if self.state is State.WITHDRAWN:
            return False
        if self.voted or self.state is State.REFUSED:
            raise WithdrawalTooLate(state="DA_HOP" if self.voted else self.state.value)
        self.state = State.WITHDRAWN
        self.record(DossierTakenBack(self.revision, on))
        return True

    def learn_supplement_asked(self, shortcomings: tuple[str, ...], due: date, *, review_version: int) -> bool:
        """Review found shortcomings. False when newer news was taken in before; what is withdrawn stays so."""
        if not self.newer(review_version):
            return False
        if self.state is State.FILED:
            self.state = State.SUPPLEMENT_ASKED
            self.shortcomings = shortcomings
            self.supplement_due = due
        return True

    def learn_accepted(self, *, review_version: int) -> bool:
        """Review accepted the dossier: it is review's from here. False for old news."""
        return self.newer(review_version) and self.settle(State.ACCEPTED)

    def learn_refused(self, reason: str, *, review_version: int) -> bool:
        """Review refused the dossier. False for old news."""
        if not self.newer(review_version):
            return False
        if self.state is not State.WITHDRAWN:
            self.refusal_reason = reason
        return self.settle(State.REFUSED)

    def learn_voted(self, *, review_version: int) -> bool:
        """A session voted: nothing can be withdrawn any more. False for old news."""
        if not self.newer(review_version):
            return False
        self.voted = True
        return self.settle(State.ACCEPTED)

    def newer(self, review_version: int) -> bool:
        """Take note of news of that number. False when it is old."""
        if review_version <= self.review_version:
            return False
        self.review_version = review_version
        return True

    def settle(self, state: State) -> bool:
        """Stand there, unless it was withdrawn."""
        if self.state is not State.WITHDRAWN:
            self.state = state
            self.shortcomings = ()
            self.supplement_due = None
        return True
