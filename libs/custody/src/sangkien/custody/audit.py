"""Audits, fed page by page: the hub's whole log, or one node's own chain. Both stop at the first bad link."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import Certificate

from sangkien.custody import merkle
from sangkien.custody.chain import Head, Place, place
from sangkien.custody.claims import NOTHING_BEFORE
from sangkien.custody.entries import Entry, read_entry
from sangkien.custody.errors import BrokenLink, EntryBroken, SealBroken, TimestampBroken
from sangkien.custody.keys import Keys
from sangkien.custody.seals import Seal, check_body, read_seal, seal_in
from sangkien.custody.stamps import Stamp, read_stamp
from sangkien.custody.timestamps import check_imprint, check_timestamp


@dataclass(frozen=True, slots=True)
class Audited:
    """What held. `entries` are those of the log, of which `stamped` lie under a stamp; `head` and `stamp` are the last
    hashes; `timestamped_at` is the last time an outside authority gave, where its root was known.
    """

    entries: int
    stamped: int
    stamps: int
    tokens: int
    head: str
    stamp: str
    timestamped_at: datetime | None


class ChainAudit:
    """One node's seals in order, life after life (`epoch`). `head` is where to go on from, if not the beginning."""

    def __init__(self, node: str, keys: Keys, *, head: Head | None = None) -> None:
        self._node = node
        self._keys = keys
        self.head = head or Head.start(1)

    def seal(self, compact: str, body: bytes | None = None) -> Seal:
        """The next seal. Raises BrokenLink at `seal:<the n it should have>`."""
        try:
            seal = read_seal(compact, self._keys)
            if body is not None:
                check_body(seal, body)
        except SealBroken as broken:
            raise BrokenLink(f"seal:{self.head.n + 1}", broken.code, broken.claim) from None
        self.follow(seal, f"seal:{self._expected(seal)}")
        return seal

    def follow(self, seal: Seal, where: str) -> None:
        """Take a seal whose signature was checked. Raises BrokenLink at `where`: `sender`, `other_epoch`, `gap`,
        `fork`, `repeat`.
        """
        if seal.sender != self._node:
            raise BrokenLink(where, "sender", "from")
        stands = self.stands(seal)
        if stands is not Place.FOLLOWS:
            raise BrokenLink(where, stands.value)
        self.head = Head.after(seal)

    def stands(self, seal: Seal) -> Place:
        """How a seal stands to what was taken; a later life may begin at any time."""
        return place(Head.start(seal.epoch) if seal.epoch > self.head.epoch else self.head, seal)

    def finish(self, head: Head | None = None) -> Head:
        """The head of what held. Given what a receipt says it should be, raises BrokenLink `missing` when it is less,
        `fork` when it is another.
        """
        if head is not None and (self.head.epoch, self.head.n) < (head.epoch, head.n):
            raise BrokenLink(f"seal:{self._expected_after(head)}", "missing")
        if head is not None and (self.head.epoch, self.head.n) == (head.epoch, head.n) and self.head != head:
            raise BrokenLink(f"seal:{head.n}", Place.FORK.value)
        return self.head

    def _expected(self, seal: Seal) -> int:
        return 1 if seal.epoch > self.head.epoch else self.head.n + 1

    def _expected_after(self, head: Head) -> int:
        return 1 if head.epoch > self.head.epoch else self.head.n + 1


@dataclass(frozen=True, slots=True)
class _Torn:
    """Entry `position` claims another hash of the entry before it than that one has: one of the two was altered.

    Which one, the next entry or the next stamp tells: an entry that others still vouch for is not the one.
    """

    position: int
    claimed: bytes

    def named(self, *, intact: bool) -> BrokenLink:
        """`intact`: whether the entry at `position` is what the next one says it is."""
        if intact:
            return BrokenLink(f"entry:{self.position - 1}", "altered")
        return BrokenLink(f"entry:{self.position}", "prev", "prev")

    def named_by(self, stamp: Stamp, leaves: list[bytes]) -> BrokenLink:
        """Whether the root is right once the leaf before has the hash that is claimed for it."""
        before = self.position - 1 - stamp.first
        mended = [*leaves[:before], self.claimed, *leaves[before + 1 :]]
        return self.named(intact=merkle.root(mended) == stamp.root)


class LogAudit:
    """The hub's custody log from its first entry: entries in order, each stamp once its last entry was fed.

    `node_keys` answers every key a node ever had, by node id; the hub's own messages are under its own id.
    Tokens are checked against `authorities`; without any, only that each is over its stamp.
    """

    def __init__(
        self,
        hub_public: Keys,
        node_keys: Callable[[str], Sequence[str]],
        *,
        authorities: Sequence[Certificate] = (),
    ) -> None:
        self._hub_public = hub_public
        self._node_keys = node_keys
        self._authorities = authorities
        self._chains: dict[str, ChainAudit] = {}
        self._position = 0
        self._head = NOTHING_BEFORE
        self._unstamped: list[bytes] = []
        self._torn: _Torn | None = None
        self._stamps = 0
        self._tokens = 0
        self._stamp = NOTHING_BEFORE
        self._timestamped_at: datetime | None = None

    def entry(self, raw: bytes, seal: str) -> Entry:
        """The next entry and its seal. Raises BrokenLink at `entry:<position>` or `seal:<position>`."""
        position = self._position + 1
        try:
            entry = read_entry(raw)
        except EntryBroken as broken:
            self._name_torn(None)
            raise BrokenLink(f"entry:{position}", broken.code, broken.claim) from None
        self._name_torn(entry.prev)
        if entry.position != position:
            raise BrokenLink(f"entry:{position}", "position", "position")
        if entry.prev != self._head:
            self._tear(entry)
        self._take_seal(entry, seal)
        self._position, self._head = position, entry.hash
        self._unstamped.append(entry.leaf)
        return entry

    def stamp(self, compact: str, token: bytes | None = None) -> Stamp:
        """The next stamp, and its RFC 3161 token if it has one. Raises BrokenLink at `stamp:<batch>`, `token:<batch>`,
        or at an entry the stamp shows to be missing or altered.
        """
        batch = self._stamps + 1
        where = f"stamp:{batch}"
        try:
            stamp = read_stamp(compact, self._hub_public)
        except SealBroken as broken:
            self._name_torn(None)
            raise BrokenLink(where, broken.code, broken.claim) from None
        if stamp.batch != batch:
            raise BrokenLink(where, "batch", "batch")
        if stamp.prev != self._stamp:
            raise BrokenLink(where, "prev", "prev")
        first = self._position - len(self._unstamped) + 1
        if stamp.first != first:
            raise BrokenLink(where, "first", "first")
        if stamp.last > self._position:
            raise BrokenLink(f"entry:{self._position + 1}", "missing")
        leaves, rest = self._unstamped[: stamp.size], self._unstamped[stamp.size :]
        if self._torn is not None and self._torn.position - 1 <= stamp.last:
            raise self._torn.named_by(stamp, leaves)
        if merkle.root(leaves) != stamp.root:
            # Each entry holds the hash of the one before, so that the last cannot be the stamped one if any is not.
            raise BrokenLink(f"entry:{stamp.last}", "root")
        if token is not None:
            self._take_token(batch, compact, token)
        self._stamps, self._stamp, self._unstamped = batch, stamp.hash, rest
        return stamp

    def finish(self, position: int = 0) -> Audited:
        """What held. `position` is how far the log must reach by what is known from elsewhere, a receipt say."""
        self._name_torn(None)
        if self._position < position:
            raise BrokenLink(f"entry:{self._position + 1}", "missing")
        return Audited(
            entries=self._position,
            stamped=self._position - len(self._unstamped),
            stamps=self._stamps,
            tokens=self._tokens,
            head=self._head,
            stamp=self._stamp,
            timestamped_at=self._timestamped_at,
        )

    def _tear(self, entry: Entry) -> None:
        """Remember where the links part, or name the place if there is no doubt: what a stamp covers is intact."""
        torn = _Torn(entry.position, bytes.fromhex(entry.prev))
        if not self._unstamped:
            raise torn.named(intact=False)
        self._torn = torn

    def _name_torn(self, prev: str | None) -> None:
        """Raise where links part before the last entry: the next one's `prev` is known now, or None comes."""
        if self._torn is not None:
            raise self._torn.named(intact=prev == self._head)

    def _take_seal(self, entry: Entry, compact: str) -> None:
        where = f"seal:{entry.position}"
        try:
            seal = self._seal(entry, compact)
        except SealBroken as broken:
            raise BrokenLink(where, broken.code, broken.claim) from None
        chain = self._chains.setdefault(seal.sender, ChainAudit(seal.sender, ()))
        if entry.is_of(seal):
            chain.follow(seal, where)
            return
        # A seal that has its place in its sender's chain is not the one that is wrong.
        at_fault = "entry" if chain.stands(seal) is Place.FOLLOWS else "seal"
        raise BrokenLink(f"{at_fault}:{entry.position}", "mismatch")

    def _seal(self, entry: Entry, compact: str) -> Seal:
        """The seal by its entry's sender; if it is none of theirs, by the one it names: that tells which is wrong."""
        try:
            return read_seal(compact, self._node_keys(entry.sender))
        except SealBroken:
            return read_seal(compact, self._node_keys(seal_in(compact).sender))

    def _take_token(self, batch: int, compact: str, token: bytes) -> None:
        try:
            if self._authorities:
                self._timestamped_at = check_timestamp(token, compact, self._authorities)
            else:
                check_imprint(token, compact)
        except TimestampBroken as broken:
            raise BrokenLink(f"token:{batch}", broken.code) from None
        self._tokens += 1
