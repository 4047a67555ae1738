"""One mail on its way: queued until it is sent, failed, or found to have no address.

A digest gathers notices before it is queued; once queued it takes no more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sangkien.kernel import Aggregate
from sangkien.notification.domain.errors import MailSettled

State = Literal["gathering", "held", "queued", "sent", "failed", "no_address"]
STATES: tuple[State, ...] = ("gathering", "held", "queued", "sent", "failed", "no_address")

LONGEST_DELAY = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, section 4.5.4.1: at least four to five days


@dataclass(frozen=True, slots=True)
class Window:
    """How long a digest waits for more: `quiet` after the last notice it took, but `longest` after the first."""

    quiet: timedelta
    longest: timedelta

    def closes_at(self, first: datetime, last: datetime) -> datetime:
        """When a digest that took its first and last notice then leaves."""
        return min(last + self.quiet, first + self.longest)


@dataclass
class Mail(Aggregate):
    """Text and fate of one mail. `last_error` is a short code without addresses.

    A digest has no text while it gathers. `queued_at` is then when it took its first notice, `next_at` when it leaves.
    """

    id: str
    recipient_id: str
    kind: str
    about_id: str
    subject: str
    text: str
    state: State
    attempts: int
    queued_at: datetime
    next_at: datetime
    last_error: str
    traceparent: str

    @property
    def gathers(self) -> bool:
        """Whether it is a digest that still takes notices."""
        return self.state in ("gathering", "held")

    def took_another(self, now: datetime, window: Window) -> None:
        """One more notice goes into the digest. A held one leaves at its hour, however many join it.

        Raises MailSettled unless it gathers.
        """
        self._must_gather()
        if self.state == "gathering":
            self.next_at = window.closes_at(self.queued_at, now)

    def seal(self, subject: str, text: str, now: datetime) -> None:
        """From here on it is a mail like any other, and what it says stands. Raises MailSettled unless it gathers."""
        self._must_gather()
        self.state, self.subject, self.text = "queued", subject, text
        self.queued_at = self.next_at = now

    def was_sent(self) -> None:
        """The server took it. Raises MailSettled unless queued."""
        self._settle("sent", "")
        self.attempts += 1

    def was_refused(self, code: int) -> None:
        """The server will never take it: a reply of 500 and above (RFC 5321, section 4.2.1). Raises MailSettled."""
        self._settle("failed", f"smtp {code}")
        self.attempts += 1

    def had_no_address(self) -> None:
        """Nobody knows where to send it. Raises MailSettled unless queued."""
        self._settle("no_address", "no_address")

    def was_put_off(self, code: int, now: datetime, first_delay: timedelta) -> None:
        """The server may take it later: a reply in the 400s. Tries go on, ever more slowly, for five days.

        Raises MailSettled unless queued.
        """
        self._must_be_queued()
        self.attempts += 1
        self.last_error = f"smtp {code}"
        if now - self.queued_at >= GIVE_UP_AFTER:
            self.state = "failed"
        else:
            self.next_at = now + min(LONGEST_DELAY, first_delay * (1 << min(self.attempts - 1, 30)))

    def was_not_handed_over(self, until: datetime) -> None:
        """No server answered; it goes out when one does, however long that takes. Raises MailSettled unless queued."""
        self._must_be_queued()
        self.attempts += 1
        self.last_error = "unreachable"
        self.next_at = until

    def claim(self, until: datetime) -> None:
        """Nobody else is to try before `until`. Raises MailSettled unless queued."""
        self._must_be_queued()
        self.next_at = until

    def queue_again(self, now: datetime) -> None:
        """Start afresh after a failure, at an operator's word. Raises MailSettled unless failed or without address."""
        if self.state not in ("failed", "no_address"):
            raise MailSettled(state=self.state)
        self.state, self.attempts, self.last_error = "queued", 0, ""
        self.queued_at = self.next_at = now

    def _settle(self, state: State, error: str) -> None:
        self._must_be_queued()
        self.state, self.last_error = state, error

    def _must_gather(self) -> None:
        if not self.gathers:
            raise MailSettled(state=self.state)

    def _must_be_queued(self) -> None:
        if self.state != "queued":
            raise MailSettled(state=self.state)
