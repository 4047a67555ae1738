"""That a person of this node and one of another are the same: a link that both sides confirm (DESIGN §9).

Each side keeps its own account of the link and hears of the other's decisions. Where decisions cross on the way, both
accounts end alike: a confirmation that meets a withdrawal ends as no link. The record of the person follows to the
side that asked.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sangkien.directory.domain.errors import (
    LinkAnswerNotAsked,
    LinkDecidedAlready,
    LinkNotYoursToAnswer,
    LinkNotYoursToEnd,
    LinkPersonNotMeant,
)
from sangkien.directory.domain.events import LinkWasChanged
from sangkien.kernel import Aggregate


class LinkState(StrEnum):
    """Where a link stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


OVER = frozenset({LinkState.REFUSED, LinkState.WITHDRAWN, LinkState.REVOKED})


@dataclass(frozen=True, slots=True)
class Sought:
    """Whom the other side is to find: by the id there, or by what is said of them."""

    person_ref: str = ""
    full_name: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    staff_code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Grounds:
    """The succession of organisations because of which the record follows."""

    predecessor_id: str
    successor_id: str
    successor_name: str
    on: date
    document: str


@dataclass
class PersonLink(Aggregate):
    """One side's account. `ours`: proposed here. `sought` is kept while the proposal is open, and no longer.

    `sends` and `receives` say whose record goes where while the link is confirmed.
    """

    id: str
    node: str
    ours: bool
    person_id: str
    their_person_id: str
    sought: Sought | None
    grounds: Grounds
    changed_on: date
    state: LinkState = LinkState.PROPOSED
    decided_by: str = ""
    reason: str = ""
    sends: bool = False
    receives: bool = False

    @classmethod
    def propose(
        cls, id: str, node: str, person_id: str, sought: Sought, grounds: Grounds, *, by: str, on: date
    ) -> "PersonLink":
        """A proposal of this node."""
        link = cls(id, node, True, person_id, sought.person_ref, sought, grounds, on, decided_by=by)
        link._record(by_us=True)
        return link

    @classmethod
    def receive(
        cls, id: str, node: str, their_person_id: str, sought: Sought, grounds: Grounds, *, on: date
    ) -> "PersonLink":
        """A proposal of another node."""
        link = cls(id, node, False, "", their_person_id, sought, grounds, on)
        link._record(by_us=False)
        return link

    def confirm(self, person_id: str, *, by: str, on: date, asks_too: bool = False) -> bool:
        """Say that this is the person meant. False when that was said already.

        `asks_too`: this side had proposed the same, so that the record goes both ways. Raises LinkNotYoursToAnswer,
        LinkPersonNotMeant, LinkDecidedAlready.
        """
        if self.ours:
            raise LinkNotYoursToAnswer(field="link_id")
        if self.state is LinkState.CONFIRMED and self.person_id == person_id:
            return False
        self._check_open()
        if self.sought and self.sought.person_ref not in ("", person_id):
            raise LinkPersonNotMeant(field="person_id")
        self.person_id, self.sends, self.receives = person_id, True, asks_too
        self._move(LinkState.CONFIRMED, on, by=by)
        return True

    def refuse(self, *, by: str, reason: str, on: date) -> bool:
        """Say no. False when that was said already. Raises LinkNotYoursToAnswer, LinkDecidedAlready."""
        if self.ours:
            raise LinkNotYoursToAnswer(field="link_id")
        if self.state is LinkState.REFUSED:
            return False
        self._check_open()
        self._move(LinkState.REFUSED, on, by=by, reason=reason)
        return True

    def end(self, *, by: str, reason: str, on: date) -> bool:
        """Take back an open proposal of ours, or revoke a confirmed link of either side. False when it had ended so.

        Raises LinkNotYoursToEnd for a proposal that waits for our answer, LinkDecidedAlready for a refused one.
        """
        match self.state:
            case LinkState.WITHDRAWN | LinkState.REVOKED:
                return False
            case LinkState.CONFIRMED:
                self._move(LinkState.REVOKED, on, by=by, reason=reason)
            case LinkState.PROPOSED if self.ours:
                self._move(LinkState.WITHDRAWN, on, by=by, reason=reason)
            case LinkState.PROPOSED:
                raise LinkNotYoursToEnd(field="link_id")
            case _:
                raise LinkDecidedAlready(field="link_id", state=self.state.value)
        return True

    def give_back(self, *, reason: str, on: date) -> bool:
        """The proposal could not be delivered: it is over, and there is nobody to tell. False when it was not open."""
        if not self.ours or self.state is not LinkState.PROPOSED:
            return False
        self._move(LinkState.WITHDRAWN, on, reason=reason)
        return True

    def hear(self, answer: LinkState, their_person_id: str, *, asked_too: bool, on: date) -> bool:
        """Take in what the other side decided. False when nothing changes by it.

        `asked_too`: it had proposed the same, as this side knows. Raises LinkAnswerNotAsked for what is not its to say,
        LinkDecidedAlready for a second answer that contradicts the first.
        """
        match answer:
            case LinkState.CONFIRMED:
                return self._hear_confirmed(their_person_id, asked_too=asked_too, on=on)
            case LinkState.REFUSED if self.ours:
                if self.state is LinkState.CONFIRMED:
                    raise LinkDecidedAlready(field="link_id", state=self.state.value)
                return self._heard_unless_over(LinkState.REFUSED, on)
            case LinkState.WITHDRAWN if not self.ours:
                confirmed = self.state is LinkState.CONFIRMED
                return self._heard_unless_over(LinkState.REVOKED if confirmed else LinkState.WITHDRAWN, on)
            case LinkState.REVOKED if self.ours or self.state is not LinkState.PROPOSED:
                return self._heard_unless_over(LinkState.REVOKED, on)
            case _:
                raise LinkAnswerNotAsked(field="answer")

    def _hear_confirmed(self, their_person_id: str, *, asked_too: bool, on: date) -> bool:
        meant = self.their_person_id in ("", their_person_id)
        if not self.ours or not their_person_id.startswith(f"{self.node}:") or not meant:
            raise LinkAnswerNotAsked(field="answer")
        if self.state is LinkState.REFUSED:
            raise LinkDecidedAlready(field="link_id", state=self.state.value)
        if self.state is not LinkState.PROPOSED:
            return False  # said before, or taken back meanwhile: the other side hears of that
        self.their_person_id, self.receives, self.sends = their_person_id, True, asked_too
        self._move(LinkState.CONFIRMED, on)
        return True

    def _heard_unless_over(self, state: LinkState, on: date) -> bool:
        if self.state in OVER:
            return False
        self._move(state, on)
        return True

    def _check_open(self) -> None:
        if self.state is not LinkState.PROPOSED:
            raise LinkDecidedAlready(field="link_id", state=self.state.value)

    def _move(self, state: LinkState, on: date, *, by: str = "", reason: str = "") -> None:
        """Without `by`, the other side decided."""
        self.state, self.changed_on, self.decided_by, self.reason, self.sought = state, on, by, reason, None
        self._record(by_us=bool(by))

    def _record(self, *, by_us: bool) -> None:
        self.record(
            LinkWasChanged(
                self.id,
                self.version + 1,
                self.node,
                self.state.value,
                self.person_id,
                sends=self.sends,
                receives=self.receives,
                by_us=by_us,
            )
        )
