"""A reward decision: drafted from names and a form, submitted, signed; its sums are reckoned at issue and then stand.

DU_THAO ─submit→ TRINH_KY ─issue→ BAN_HANH. An issued decision is never edited (Decree 30/2020/NĐ-CP, article 18).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from sangkien.kernel import Aggregate
from sangkien.kernel.numbering import Numbered
from sangkien.reward.domain.errors import (
    IssuedInFuture,
    IssuedOtherwise,
    NotIssued,
    NotSubmitted,
    OccasionMalformed,
    SignerIsDrafter,
    SigningMalformed,
)
from sangkien.reward.domain.events import DecisionWasIssued, Holder

LONGEST_OCCASION = 1_000
_LONGEST_TITLE = 200

Mode = Literal["", "TM", "KT", "TUQ", "TL"]
MODES: tuple[Mode, ...] = ("", "TM", "KT", "TUQ", "TL")


class State(StrEnum):
    """Where a decision stands."""

    DRAFT = "DU_THAO"
    SUBMITTED = "TRINH_KY"
    ISSUED = "BAN_HANH"


@dataclass(frozen=True, slots=True)
class Price:
    """What one holder gets, in whole đồng, by which rule set, how it was reckoned and what of the rules is doubtful."""

    amount_vnd: int
    rule_set: str
    derivation: tuple[str, ...]
    unverified: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, and in whose stead (Decree 30/2020/NĐ-CP, article 13). Raises SigningMalformed.

    KT without a position signed for is a deputy in place of the head: "Phó Chủ tịch" signs for "Chủ tịch".
    """

    signer_id: str
    mode: Mode
    title: str
    on_behalf_of: str

    @classmethod
    def read(cls, signer_id: str, mode: str, title: str, on_behalf_of: str) -> "Signing":
        known = next((each for each in MODES if each == mode), None)
        if known == "KT" and not on_behalf_of and title.lower().startswith("phó "):
            head = title[4:].strip()
            on_behalf_of = head[:1].upper() + head[1:]
        needs = known in ("KT", "TUQ", "TL")
        if known is None or not title or needs != bool(on_behalf_of) or len(title + on_behalf_of) > _LONGEST_TITLE:
            raise SigningMalformed(field="signing_mode", modes="TM, KT, TUQ, TL")
        return cls(signer_id, known, title, on_behalf_of)


@dataclass(frozen=True, slots=True)
class Names:
    """Names on the letterhead and below the signature, as they stand on the day; `superior` may be ""."""

    signer: str
    issuer: str
    superior: str


@dataclass(frozen=True, slots=True)
class Issue:
    """What issue fixed for good: number and day, sums (None for a kind the list does not name), signature, names."""

    numbered: Numbered
    issued_on: date
    individual: Price | None
    collective: Price | None
    signing: Signing
    names: Names

    @property
    def rule_set(self) -> str:
        """The rule set the sums follow from."""
        prices = [price.rule_set for price in (self.individual, self.collective) if price]
        return " ".join(dict.fromkeys(prices))

    @property
    def unverified(self) -> tuple[str, ...]:
        """What of the rules is not verified, each part once."""
        doubts = [part for price in (self.individual, self.collective) if price for part in price.unverified]
        return tuple(dict.fromkeys(doubts))

    def price(self, holder: Holder) -> Price:
        """What this kind of recipient gets. The decision has such recipients, so it has the price."""
        price = self.individual if holder == "individual" else self.collective
        if price is None:
            raise ValueError(f"a decision without any {holder} has no sum for one")
        return price


@dataclass
class RewardDecision(Aggregate):
    """One decision over one form. `individuals` and `collectives` are how many its list names."""

    id: str
    issuer_id: str
    suffix: str
    form: str
    occasion: str
    individuals: int
    collectives: int
    drafted_by: str
    idempotency_key: str
    fingerprint: str
    traceparent: str
    state: State = State.DRAFT
    issue_facts: Issue | None = None

    def check(self) -> None:
        """Accept a new draft. Raises OccasionMalformed."""
        if not 0 < len(self.occasion) <= LONGEST_OCCASION:
            raise OccasionMalformed(field="occasion", limit=LONGEST_OCCASION)

    @property
    def holders(self) -> tuple[Holder, ...]:
        """The kinds of recipient the list names."""
        kinds: list[Holder] = ["individual"] if self.individuals else []
        return (*kinds, "collective") if self.collectives else tuple(kinds)

    @property
    def issued(self) -> Issue:
        """Raises NotIssued."""
        if self.issue_facts is None:
            raise NotIssued(state=self.state.value)
        return self.issue_facts

    @property
    def total_vnd(self) -> int:
        """Whole đồng in all; 0 before issue."""
        if self.issue_facts is None:
            return 0
        individual, collective = self.issue_facts.individual, self.issue_facts.collective
        return self.individuals * (individual.amount_vnd if individual else 0) + self.collectives * (
            collective.amount_vnd if collective else 0
        )

    def submit(self) -> bool:
        """Bring the draft to its signer. False when it is there, or past it, already."""
        if self.state is not State.DRAFT:
            return False
        self.state = State.SUBMITTED
        return True

    def may_issue(self, signer_id: str, on: date | None, today: date) -> bool:
        """Whether it can be issued; False when this signer issued it already, on that day (None: on whichever day).

        Raises IssuedOtherwise, NotSubmitted, SignerIsDrafter, IssuedInFuture.
        """
        if self.issue_facts is not None:
            facts = self.issue_facts
            if signer_id != facts.signing.signer_id or on not in (None, facts.issued_on):
                raise IssuedOtherwise(symbol=facts.numbered.symbol, issued_on=facts.issued_on.isoformat())
            return False
        if signer_id == self.drafted_by:
            raise SignerIsDrafter
        if self.state is not State.SUBMITTED:
            raise NotSubmitted(state=self.state.value)
        if on is not None and on > today:
            raise IssuedInFuture(field="issued_on", today=today.isoformat())
        return True

    def issue(self, facts: Issue, today: date) -> None:
        """Take what was numbered and reckoned for it. Raises what `may_issue` raises."""
        if not self.may_issue(facts.signing.signer_id, facts.issued_on, today):
            raise IssuedOtherwise(symbol=self.issued.numbered.symbol, issued_on=self.issued.issued_on.isoformat())
        self.state = State.ISSUED
        self.issue_facts = facts
        self.record(
            DecisionWasIssued(
                self.id,
                facts.numbered.number,
                facts.numbered.symbol,
                self.form,
                facts.issued_on,
                self.issuer_id,
                facts.rule_set,
                self.individuals,
                self.collectives,
                self.total_vnd,
            )
        )
