"""Where a store is chosen: by its URL."""

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sangkien.store.checks import check_database
from sangkien.store.errors import Invalid
from sangkien.store.port import Store


async def open_store(url: str, *, database: str) -> Store:
    """Open ``database`` at ``sqlite:///abs/dir`` (the file ``<dir>/<database>.db``) or at a ``mongodb://`` URL.

    The store belongs to the running event loop. SQLite raises StoreInUse while another owner lives; MongoDB is not
    contacted before the first call. Raises Invalid for another URL or database name.
    """
    check_database(database)
    scheme = url.partition(":")[0]
    if scheme in ("mongodb", "mongodb+srv"):
        from sangkien.store.mongo import MongoStore  # the driver costs memory that an SQLite node need not pay

        return MongoStore(url, database)
    parts = urlsplit(url)
    if scheme != "sqlite" or parts.netloc or not parts.path.startswith("/"):
        raise Invalid(f"store URL of scheme {scheme!r}: use sqlite:///absolute/dir or mongodb://…")
    from sangkien.store.sqlite import SqliteStore

    return await asyncio.to_thread(SqliteStore.open, Path(unquote(parts.path)), database, asyncio.get_running_loop())
