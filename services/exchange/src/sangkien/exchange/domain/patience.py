"""When to offer again what the hub has not receipted."""

FIRST_WAIT_S = 3.0
"""After a receipt that did not move: it says that the hub is there and lacks something."""
FIRST_SILENCE_S = 15.0
"""After no receipt at all: perhaps what was offered never came into its sight."""
LONGEST_WAIT_S = 300.0


class Patience:
    """Counts in seconds of a clock that never goes back; a fresh one has no offers to wait for.

    Waits double from one fruitless attempt to the next, and begin anew once the hub's number moves.
    """

    def __init__(self, silence_s: float = FIRST_SILENCE_S) -> None:
        self._silence_s = silence_s
        self._since = 0.0
        self._heard = 0.0
        self._attempts = 0

    def moved(self, now: float) -> None:
        """The hub's number moved on."""
        self._since = self._heard = now
        self._attempts = 0

    def heard(self, now: float) -> None:
        """A receipt came that did not move."""
        self._heard = now

    def linked(self, now: float) -> None:
        """The link came back: what waits behind it has yet to arrive."""
        self._since = max(self._since, now)

    def offered(self, now: float, *, first: bool) -> None:
        """Something was offered; `first` when nothing else was on its way."""
        if first:
            self._since = max(self._since, now)

    def over(self, now: float) -> str:
        """Say `gap` when the hub spoke and lacks what was offered, `silence` when it said nothing for long."""
        factor = 2.0 ** min(self._attempts, 10)
        waited = now - self._since
        if self._heard > self._since + 1.0 and waited > min(FIRST_WAIT_S * factor, LONGEST_WAIT_S):
            return "gap"
        return "silence" if waited > min(self._silence_s * factor, LONGEST_WAIT_S) else ""

    def tried(self, now: float) -> int:
        """It was offered again; how often that was by now, in vain."""
        self._since = now
        self._attempts += 1
        return self._attempts
