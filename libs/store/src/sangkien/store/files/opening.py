"""Where a file store is chosen: it is of the same kind as the store it stands beside."""

from sangkien.store.files.folder import RESERVE_BYTES, FolderFiles
from sangkien.store.files.port import FileStore
from sangkien.store.port import Store
from sangkien.store.sqlite import SqliteStore


def open_files(store: Store, *, reserve: int = RESERVE_BYTES) -> FileStore:
    """The files beside an open store; they need no closing of their own.

    Beside SQLite a folder (`<dir>/<database>.files`) that leaves `reserve` bytes of the disk free for the documents,
    in MongoDB two collections of the same database. Raises TypeError for a store of another kind.
    """
    if isinstance(store, SqliteStore):
        return FolderFiles(store.path.with_suffix(".files"), reserve=reserve)
    from sangkien.store.files.mongo import MongoFiles  # the driver costs memory that an SQLite node need not pay
    from sangkien.store.mongo import MongoStore

    if isinstance(store, MongoStore):
        return MongoFiles(store.database)
    raise TypeError(f"{type(store).__name__} keeps no files")
