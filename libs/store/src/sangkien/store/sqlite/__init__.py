"""The embedded store: one SQLite file, one owning process."""

from sangkien.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
