"""The port: files come in parts, in order, and count only once they are whole, durable and what their name says.

What it refuses:

    Refusal
    ├── FileNameMalformed   the name is no SHA-256
    ├── FilePartMalformed   a part that cannot be of that file
    ├── FileSizeDiffers     a whole file of that name has another size
    ├── FileHashDiffers     all parts came, and they are not what the name says
    ├── FileGone            no whole file of that name is here
    └── StorageFull         there is no room
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sangkien.kernel import Refusal

MOST_PART: Final = 512 * 1024
"""Bytes of a part, at most."""
MOST_READ: Final = 256 * 1024
"""Bytes that a reader gets at a time, at most."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class FileNameMalformed(Refusal):
    """A file is named by its SHA-256: 64 hexadecimal digits in lower case."""

    code = "file_name_malformed"
    kind = "invalid"


class FilePartMalformed(Refusal):
    """The part is too long, or reaches beyond the file's size, or the size is not above 0. Facts: `most`, bytes."""

    code = "file_part_malformed"
    kind = "invalid"


class FileSizeDiffers(Refusal):
    """The file is here whole, and has another size than the caller says. Facts: `size`, `held`, bytes."""

    code = "file_size_differs"
    kind = "invalid"


class FileHashDiffers(Refusal):
    """Every part came, but together they are not what the name says. All were dropped: send the file again."""

    code = "file_hash_differs"
    kind = "invalid"


class FileGone(Refusal):
    """No whole file of that name is here."""

    code = "file_gone"
    kind = "not_found"


class StorageFull(Refusal):
    """The part was not kept, because there is no room for it. What was kept before is untouched."""

    code = "storage_full"
    kind = "exhausted"


@dataclass(frozen=True, slots=True)
class Progress:
    """`received` bytes from the beginning are here. `complete`: all of them, durable, and the hash is right."""

    received: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Swept:
    """How many were removed: uploads that never became whole, and whole files that nothing names."""

    partial: int
    unnamed: int


Named = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Which of these files something still names."""


class FileStore(Protocol):
    """Immutable files by SHA-256. Every method may raise StoreUnavailable; names are 64 digits in lower case."""

    async def put_part(self, sha256: str, size: int, offset: int, data: bytes) -> Progress:
        """Keep the next part of a file of `size` bytes.

        What is here already changes nothing, and nothing of a part that leaves a gap is kept: the answer says where the
        next part begins. Parts of the same file from several callers are one file. `complete` is answered once the file
        is durable and was found to be what its name says; before that a crash may take back parts, never more.
        Raises FileNameMalformed, FilePartMalformed, FileSizeDiffers, FileHashDiffers, StorageFull.
        """
        ...

    async def progress(self, sha256: str) -> Progress:
        """How much of the file is here; of several uploads under one name the longest. Raises FileNameMalformed."""
        ...

    async def sizes(self, sha256s: Sequence[str], *, renew: bool = False) -> Mapping[str, int]:
        """Bytes of each of these files that is here whole. `renew` makes them young again for `sweep`."""
        ...

    def read(self, sha256: str, *, offset: int = 0, length: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from `offset` on, at most `length` (0: to the end), MOST_READ at a time. Raises FileGone.

        Close it when you stop before its end. What comes from a disk is not verified again: whoever takes a file away
        compares its hash.
        """
        ...

    async def sweep(self, *, partial_before: datetime, whole_before: datetime, named: Named) -> Swept:
        """Remove uploads that took no part since `partial_before`, and whole files that were neither completed nor
        renewed since `whole_before` and that `named` does not name.
        """
        ...


def check_name(sha256: str) -> str:
    """The name, if it is one. Raises FileNameMalformed."""
    if not _SHA256.fullmatch(sha256):
        raise FileNameMalformed(field="sha256")
    return sha256


def check_part(size: int, offset: int, data: bytes) -> None:
    """Accept a part that can be of a file of `size` bytes. Raises FilePartMalformed."""
    if len(data) > MOST_PART:
        raise FilePartMalformed(field="data", most=MOST_PART)
    if size < 1:
        raise FilePartMalformed(field="size", most=MOST_PART)
    if offset < 0 or offset + len(data) > size:
        raise FilePartMalformed(field="offset", most=MOST_PART)


def check_same_size(size: int, held: int) -> None:
    """Accept the size of what is here whole. Raises FileSizeDiffers."""
    if size != held:
        raise FileSizeDiffers(field="size", size=size, held=held)
