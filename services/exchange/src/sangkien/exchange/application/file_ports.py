"""What files on their way need of the world: the books of them, and this node's intake, which holds the files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sangkien.exchange.domain.files import Fetch, Named
from sangkien.store import Op


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a file is here, in bytes from the beginning; `complete` once all is and its hash is right."""

    received: int
    complete: bool


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Of the files that one node's dossiers name: not here yet or failed, here, and bytes of what is here."""

    missing: int = 0
    held: int = 0
    bytes: int = 0


class Spoiled(Exception):
    """All of a file is here and is not what its hash says: intake has dropped it."""


class FileDesk(Protocol):
    """Intake. Raises NotTaken for what it refuses for good, and NotYet where asking again makes sense."""

    async def here(self, sha256: str, size: int) -> Part: ...

    async def put(self, sha256: str, size: int, offset: int, content: bytes) -> Part:
        """The next part. One that is here already, or that leaves a gap, changes nothing. Raises Spoiled."""
        ...

    async def read(self, dossier_id: str, sha256: str, offset: int, length: int) -> bytes:
        """Less than `length` bytes where the file ends, or is not here whole."""
        ...


class Files(Protocol):
    """The books. Mappings are by hash; methods named `keep` and `unlinked` return operations."""

    async def fetches(self, node: str, hashes: Sequence[str]) -> Mapping[str, Fetch]: ...

    async def named(self, node: str, hashes: Sequence[str]) -> Mapping[str, Named]: ...

    async def coming(self) -> Sequence[Fetch]: ...

    async def wanted(self) -> Mapping[str, int]:
        """How many wait for their turn, by node."""
        ...

    async def wanted_of(self, node: str, limit: int) -> Sequence[Fetch]:
        """Those that wait longest."""
        ...

    async def missing(self) -> Sequence[Fetch]:
        """Those that wait, come or failed, at most 1,000."""
        ...

    async def of_hash(self, sha256: str) -> Sequence[Fetch]: ...

    async def of_dossier(self, dossier_id: str) -> tuple[Sequence[Fetch], Sequence[Named]]:
        """What is fetched for a dossier here, and what another node may fetch of it."""
        ...

    async def counts(self) -> Mapping[str, FileCounts]:
        """By the node they come from."""
        ...

    async def unnamed(
        self, dossier_id: str, node: str, hashes: Collection[str]
    ) -> tuple[Sequence[Fetch], Sequence[Op]]:
        """Of what a dossier here named before beside these: files that no other one names, and the operations by which
        it names none of it any more.
        """
        ...

    async def unlinked(self, dossier_id: str, node: str, hashes: Collection[str]) -> Sequence[Op]:
        """The operations by which a dossier here names these; none for those it is known to name."""
        ...

    def keep(self, one: Fetch | Named) -> Op: ...
