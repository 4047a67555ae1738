"""The lock that makes one process the owner of a store file."""

import fcntl
import os
from pathlib import Path

from sangkien.store.errors import StoreInUse


def take_lock(path: Path) -> int:
    """Lock ``path`` and return its descriptor; closing it, or any end of the process, gives the lock back.

    The kernel holds the lock, so kill -9 leaves nothing to clean up. Raises StoreInUse.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        raise StoreInUse(
            f"{path.with_suffix('.db')} is in use by process {owner}: an SQLite store has one owner. "
            "Stop that process, choose another data directory, or use mongodb:// for several replicas."
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd
