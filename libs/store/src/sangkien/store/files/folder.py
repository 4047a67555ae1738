"""The folder adapter: whole files at `<root>/ab/abcd…`, uploads under way at `<root>/partial/<sha256>-<size>`.

The folder belongs to the one process that owns the SQLite store beside it, so locks inside the process suffice.
"""

import asyncio
import errno
import hashlib
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from sangkien.store.errors import StoreUnavailable
from sangkien.store.files.port import (
    MOST_READ,
    FileGone,
    FileHashDiffers,
    Named,
    Progress,
    StorageFull,
    Swept,
    check_name,
    check_part,
    check_same_size,
)

RESERVE_BYTES: Final = 256 * 2**20
"""What uploads leave free of the disk: a dossier must find room when no file does any more."""
_THREADS: Final = 2
_LOCKS: Final = 64
_ASKED_AT_ONCE: Final = 100
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

T = TypeVar("T")


class FolderFiles:
    """Keeps ``sangkien.store.files.FileStore``'s promises in a folder of one process.

    A part is written when it is answered and synced with the last one: kill -9 costs nothing, a power cut may cost an
    upload under way its parts, which the hash then tells.
    """

    def __init__(self, root: Path, *, reserve: int = RESERVE_BYTES) -> None:
        self._root = root
        self._partial = root / "partial"
        self._reserve = reserve
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._pool = ThreadPoolExecutor(_THREADS, "files")

    async def put_part(self, sha256: str, size: int, offset: int, data: bytes) -> Progress:
        check_name(sha256)
        check_part(size, offset, data)
        return await self._away(self._put, sha256, size, offset, data)

    async def progress(self, sha256: str) -> Progress:
        return await self._away(self._look, check_name(sha256))

    async def sizes(self, sha256s: Sequence[str], *, renew: bool = False) -> Mapping[str, int]:
        return await self._away(self._sizes, [check_name(one) for one in sha256s], renew) if sha256s else {}

    async def read(self, sha256: str, *, offset: int = 0, length: int = 0) -> AsyncGenerator[bytes, None]:
        path = self._whole(check_name(sha256))
        try:
            file: BinaryIO = await self._away(path.open, "rb")
        except FileNotFoundError:
            raise FileGone(field="sha256") from None
        left = length or None
        with file:
            await self._away(file.seek, offset)
            while left is None or left:
                data = await self._away(file.read, MOST_READ if left is None else min(left, MOST_READ))
                if not data:
                    return
                left = None if left is None else left - len(data)
                yield data

    async def sweep(self, *, partial_before: datetime, whole_before: datetime, named: Named) -> Swept:
        partial = await self._away(self._sweep_partial, partial_before.timestamp())
        old = await self._away(self._older, whole_before.timestamp())
        unnamed = 0
        for start in range(0, len(old), _ASKED_AT_ONCE):
            some = old[start : start + _ASKED_AT_ONCE]
            kept = set(await named(some))
            gone = [sha256 for sha256 in some if sha256 not in kept]
            unnamed += await self._away(self._remove_older, gone, whole_before.timestamp())
        return Swept(partial, unnamed)

    async def _away(self, work: Callable[..., T], *args: Any) -> T:
        """The work in a thread. What the disk says is said in the store's words, but for a missing file."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreUnavailable(f"files cannot be kept or read: {error.strerror}") from error

    def _whole(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    def _lock(self, sha256: str) -> threading.Lock:
        return self._locks[int(sha256[:4], 16) % _LOCKS]

    def _put(self, sha256: str, size: int, offset: int, data: bytes) -> Progress:
        with self._lock(sha256):
            held = self._size(sha256, renew=True)
            if held is not None:
                check_same_size(size, held)
                return Progress(held, complete=True)
            path = self._partial / f"{sha256}-{size}"
            if not path.exists():
                _make_folders(self._root, self._partial)
            received = self._append(path, offset, data)
            return self._finish(path) if received == size else Progress(received, complete=False)

    def _append(self, path: Path, offset: int, data: bytes) -> int:
        """Write what of the part is new, all of it or nothing. The size of the upload after that."""
        with _opened(path, os.O_WRONLY | os.O_CREAT) as fd:
            received = os.fstat(fd).st_size
            fresh = memoryview(data)[received - offset :] if offset <= received < offset + len(data) else b""
            if not fresh:
                return received
            try:
                room = os.fstatvfs(fd)
                if room.f_bavail * room.f_frsize < self._reserve + len(fresh):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written = 0
                while written < len(fresh):
                    written += os.pwrite(fd, fresh[written:], received + written)
            except OSError as error:
                os.ftruncate(fd, received)
                if error.errno in _NO_ROOM:
                    raise StorageFull(field="data") from None
                raise
            return received + len(fresh)

    def _finish(self, path: Path) -> Progress:
        """Make an upload that has all its bytes a whole file, or drop it. Raises FileHashDiffers."""
        sha256, _, size = path.name.partition("-")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found == sha256:
                os.fsync(file.fileno())
        if found != sha256:
            path.unlink()
            raise FileHashDiffers(field="sha256")
        whole = self._whole(sha256)
        _make_folders(self._root, whole.parent)
        _renew(path)
        path.replace(whole)
        _sync(whole.parent)
        _sync(self._partial)
        return Progress(int(size), complete=True)

    def _look(self, sha256: str) -> Progress:
        with self._lock(sha256):
            held = self._size(sha256, renew=True)
            if held is not None:
                return Progress(held, complete=True)
            longest = 0
            for path in self._partial.glob(f"{sha256}-*"):
                received = path.stat().st_size
                if received == int(path.name.partition("-")[2]):  # killed between the last part and its answer
                    with suppress(FileHashDiffers):
                        return self._finish(path)
                    continue
                longest = max(longest, received)
            return Progress(longest, complete=False)

    def _size(self, sha256: str, *, renew: bool) -> int | None:
        path = self._whole(sha256)
        try:
            if renew:
                _renew(path)
            return path.stat().st_size
        except FileNotFoundError:
            return None

    def _sizes(self, sha256s: Sequence[str], renew: bool) -> dict[str, int]:  # noqa: FBT001 (runs in an executor)
        found: dict[str, int] = {}
        for sha256 in sha256s:
            with self._lock(sha256):
                size = self._size(sha256, renew=renew)
            if size is not None:
                found[sha256] = size
        return found

    def _sweep_partial(self, before: float) -> int:
        removed = 0
        for path in self._partial.glob("*-*"):
            with self._lock(path.name), suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def _older(self, before: float) -> list[str]:
        found = []
        for path in self._root.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    found.append(path.name)
        return found

    def _remove_older(self, sha256s: Sequence[str], before: float) -> int:
        """Remove those still old: one that was asked for meanwhile is about to be named."""
        removed = 0
        for sha256 in sha256s:
            path = self._whole(sha256)
            with self._lock(sha256), suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def _make_folders(root: Path, folder: Path) -> None:
    """Both folders, and their names on the disk."""
    for one in (root, folder):
        if not one.exists():
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync(one.parent)


def _renew(path: Path) -> None:
    """Its age begins now, by the clock that `sweep`'s callers read: the disk's own is some milliseconds behind it."""
    moment = time.time_ns()
    os.utime(path, ns=(moment, moment))


def _sync(folder: Path) -> None:
    with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as fd:
        os.fsync(fd)
