"""Evidence files on their way between nodes: what is fetched from whom, and what may be fetched from here.

A file is named by its content's SHA-256; how much of it is here, and that its hash is right, is intake's to say. What
exchange keeps is how far it asked, and when to ask again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sangkien.exchange.domain.errors import ExchangeRefusal

LONGEST_WAIT: Final = timedelta(hours=1)
MOST_IN_VAIN: Final = 10
"""Questions in a row that brought nothing: some hours, as each is waited for twice as long as the one before."""
MOST_SPOILED: Final = 3
"""Times that all of a file came and its hash was wrong."""
UNANSWERED: Final = "unanswered"
GONE: Final = "gone"
SPOILED: Final = "hash_wrong"


class FileNotTheirs(ExchangeRefusal):
    """A node asks for a file that no dossier named which was sent to it. It is not told whether there is one."""

    code = "exchange_file_not_theirs"
    kind = "forbidden"


class FileNotWanted(ExchangeRefusal):
    """A node sends of a file that was not asked of it, or not this part of it."""

    code = "exchange_file_not_wanted"
    kind = "invalid"


class FileUnknown(ExchangeRefusal):
    """No dossier of another node named this file."""

    code = "exchange_file_unknown"
    kind = "not_found"


class FileNotFailed(ExchangeRefusal):
    """Only a file whose fetching failed can be fetched once more; this one is `state`."""

    code = "exchange_file_not_failed"
    kind = "conflict"


class FileState(StrEnum):
    """`wanted` waits for its turn, of `coming` a window was asked for; `failed` stays until somebody retries it.

    `dropped`: it is not here, and no dossier names it any more.
    """

    WANTED = "wanted"
    COMING = "coming"
    HELD = "held"
    FAILED = "failed"
    DROPPED = "dropped"


MISSING: Final = (FileState.WANTED, FileState.COMING, FileState.FAILED)
"""States of what is not here."""


def file_id(node: str, sha256: str) -> str:
    """One document a node and file, for either direction."""
    return f"{node}/{sha256}"


@dataclass(frozen=True, slots=True)
class Fetch:
    """A file that a dossier of `node` named. `received` bytes from the beginning are here as intake last said.

    `until` ends the window that was asked for under `attempt`, which never goes back: a question is said once. What was
    sent under one below `since` counts no more. `stalled`: the last question cannot be delivered, the node is cut off.
    `asked` is the business key of that question, `due_at` when it is asked again if nothing comes. `stored` is the
    version of the document, 0 when new.
    """

    node: str
    sha256: str
    size: int
    noted_at: datetime
    state: FileState = FileState.WANTED
    received: int = 0
    until: int = 0
    attempt: int = 1
    since: int = 1
    in_vain: int = 0
    spoiled: int = 0
    stalled: bool = False
    asked: str = ""
    due_at: datetime | None = None
    reason: str = ""
    stored: int = 0

    @property
    def open(self) -> bool:
        """Whether any of it is still to come."""
        return self.state in (FileState.WANTED, FileState.COMING)

    @property
    def flows(self) -> bool:
        """Whether it takes up room on the way: nobody waits for a node that does not answer."""
        return self.state is FileState.COMING and not self.in_vain and not self.stalled

    def is_due(self, now: datetime) -> bool:
        return self.state is FileState.COMING and self.due_at is not None and self.due_at <= now

    def awaits(self, attempt: int) -> bool:
        """Whether what comes under this attempt may be news."""
        return self.state is FileState.COMING and attempt >= self.since

    def check_chunk(self, *, size: int, offset: int, length: int) -> None:
        """Raises FileNotWanted for a chunk that is no part of what was asked for."""
        if size != self.size or offset + length > max(self.until, self.received):
            raise FileNotWanted(node=self.node)

    def asking(self, received: int, window: int, now: datetime, patience: timedelta) -> "Fetch":
        """The next window is asked for, behind what is here."""
        return replace(
            self,
            state=FileState.COMING,
            received=received,
            until=min(self.size, received + window),
            due_at=now + min(patience * 2.0**self.in_vain, LONGEST_WAIT),
        )

    def named(self, key: str) -> "Fetch":
        """The question bears this business key."""
        return replace(self, asked=key)

    def came(self, received: int, now: datetime, patience: timedelta) -> "Fetch":
        """So much is here now. Nothing new changes nothing."""
        if received <= self.received:
            return self
        return replace(self, received=received, in_vain=0, stalled=False, reason="", due_at=now + patience)

    @property
    def window_is_here(self) -> bool:
        return self.state is FileState.COMING and self.received >= self.until

    def set_back(self, received: int) -> "Fetch":
        """Less is here than was: what came after that is asked for under the next attempt."""
        return replace(self, received=received, attempt=self.attempt + 1)

    def again(self) -> "Fetch":
        """Nothing came in time: the same is asked under the next attempt, or it has failed."""
        if self.in_vain >= MOST_IN_VAIN:
            return self.failed(self.reason or UNANSWERED)
        return replace(self, in_vain=self.in_vain + 1, stalled=False, attempt=self.attempt + 1)

    def interrupted(self, reason: str, now: datetime, patience: timedelta) -> "Fetch":
        """What came could not be put away, and is asked for again: each time later, for it would come in vain again."""
        return replace(self, reason=reason, due_at=now + min(patience * 2.0**self.in_vain, LONGEST_WAIT))

    def later(self, now: datetime, patience: timedelta) -> "Fetch":
        """The question has not been delivered yet: no answer is due."""
        return replace(self, stalled=True, due_at=now + patience)

    def begun_anew(self, now: datetime) -> "Fetch":
        """All of it came and its hash was wrong: from the first byte once more, or it has failed."""
        if self.spoiled >= MOST_SPOILED:
            return self.failed(SPOILED)
        return replace(
            self,
            state=FileState.WANTED,
            received=0,
            until=0,
            attempt=self.attempt + 1,
            since=self.attempt + 1,
            spoiled=self.spoiled + 1,
            due_at=now,
        )

    def held(self) -> "Fetch":
        return replace(
            self, state=FileState.HELD, received=self.size, until=self.size, due_at=None, in_vain=0, reason=""
        )

    def dropped(self) -> "Fetch":
        return replace(self, state=FileState.DROPPED, due_at=None, reason="")

    def failed(self, reason: str) -> "Fetch":
        return replace(self, state=FileState.FAILED, due_at=None, reason=reason)

    def noted(self, size: int, now: datetime) -> "Fetch":
        """Another dossier names it. What failed is tried anew, and what was held is looked for once more."""
        if self.open:
            return self
        return replace(self._wanted_again(now), size=self.size if self.state is FileState.HELD else size)

    def _wanted_again(self, now: datetime) -> "Fetch":
        return replace(
            self,
            state=FileState.WANTED,
            attempt=self.attempt + 1,
            since=self.attempt + 1,
            in_vain=0,
            spoiled=0,
            stalled=False,
            until=0,
            due_at=now,
            reason="",
        )

    def retried(self, now: datetime) -> "Fetch":
        """Somebody wants it once more. Raises FileNotFailed."""
        if self.state is not FileState.FAILED:
            raise FileNotFailed(state=self.state.value)
        return self._wanted_again(now)


@dataclass(frozen=True, slots=True)
class Named:
    """A file of this node that a dossier named which went to `node`: so that node may fetch it.

    `dossier_id` is the latest such dossier here. `reached` is from where the node last asked on; `until` ends the
    window that was sent it then, and `last` is the message that holds the end of it. `there` once it said that it has
    all, `gone` once it was told that this node does not have it any more.
    """

    node: str
    sha256: str
    size: int
    dossier_id: str
    reached: int = 0
    until: int = 0
    last: str = ""
    there: bool = False
    gone: bool = False
    stored: int = 0

    def goes_on(self, offset: int) -> bool:
        """Whether this question follows the window that was sent before, so that all of that window is there."""
        return offset == self.until

    def check_offset(self, offset: int) -> None:
        """Raises FileNotWanted behind the end of the file."""
        if offset >= self.size:
            raise FileNotWanted(node=self.node)

    def sent(self, offset: int, until: int, last: str) -> "Named":
        return replace(self, reached=offset, until=until, last=last, gone=False)

    def is_there(self) -> "Named":
        return replace(self, reached=self.size, until=self.size, last="", there=True)

    def is_gone(self) -> "Named":
        return replace(self, gone=True)

    def of(self, dossier_id: str) -> "Named":
        """A later dossier names it too."""
        return replace(self, dossier_id=dossier_id)
