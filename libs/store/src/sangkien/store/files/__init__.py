"""Whole files beside the documents of a store, named by what they contain: one port, two adapters (ADR 0009)."""

from sangkien.store.files.opening import open_files
from sangkien.store.files.port import (
    MOST_PART,
    MOST_READ,
    FileGone,
    FileHashDiffers,
    FileNameMalformed,
    FilePartMalformed,
    FileSizeDiffers,
    FileStore,
    Progress,
    StorageFull,
    Swept,
)

__all__ = [
    "MOST_PART",
    "MOST_READ",
    "FileGone",
    "FileHashDiffers",
    "FileNameMalformed",
    "FilePartMalformed",
    "FileSizeDiffers",
    "FileStore",
    "Progress",
    "StorageFull",
    "Swept",
    "open_files",
]
