"""What a node holds, read from outside: its stores document by document, its streams message by message.

Nothing here asks a service. SQLite stores are opened read-only, also while their owner runs.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from sangkien.testkit.nats_server import NatsServer

SERVICES = ("directory", "intake", "review", "recognition", "reward", "notification", "reporting")
_FETCH = 500
_PROGRESS = (
    "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_sent)",
    "SELECT count(*) FROM inbox",
)
_MAILED = ("SELECT count(*) FROM mails WHERE json_extract(body, '$.state') = 'sent'",)

Documents = Callable[[str, str], list[dict[str, Any]]]
"""Service and collection → its documents, in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a stream as the broker holds it."""

    stream: str
    sequence: int
    subject: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The event id: the same for every time it was offered."""
        return self.headers.get("ce-id", "")


def sqlite_documents(folder: Path) -> Documents:
    """The stores of the node in `folder`."""

    def read(service: str, collection: str) -> list[dict[str, Any]]:
        path = folder / "stores" / f"{service}.db"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
            rows = store.execute(f'SELECT body FROM "{collection}" ORDER BY id')  # noqa: S608 (a name of ours)
            return [json.loads(body) for (body,) in rows]

    return read


def mongo_documents(uri: str, folder: Path) -> Documents:
    """The databases on the server at `uri` that belong to the node in `folder`."""
    import pymongo

    instance = json.loads((folder / "node.json").read_text())["instance"]

    def read(service: str, collection: str) -> list[dict[str, Any]]:
        with pymongo.MongoClient[dict[str, Any]](uri) as client:
            return list(client[f"{service}_{instance}"][collection].find().sort("_id"))

    return read


def progress(folder: Path) -> int:
    """How far the work of the node in `folder` has come: events committed, effects committed, mails sent.

    It only grows, and its end is the same for every run of a scenario.
    """
    found = 0
    for service in SERVICES:
        path = folder / "stores" / f"{service}.db"
        if not path.exists():
            continue
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
            for query in (*_PROGRESS, *(_MAILED if service == "notification" else ())):
                try:
                    found += int(store.execute(query).fetchone()[0])
                except sqlite3.OperationalError:
                    continue  # the file is there before its tables are
    return found


async def messages_of(nats_url: str) -> list[Said]:
    """Every message of every stream on a server, each stream in its order. Nothing is acknowledged or removed."""
    client = await nats.connect(nats_url)
    try:
        js = client.jetstream()
        found: list[Said] = []
        for info in await js.streams_info():
            assert info.config.name is not None  # noqa: S101 (every stream has one)
            if info.state.messages:
                found += await _stream(js, info.config.name)
        return found
    finally:
        await client.close()


async def kept_messages(folder: Path, workdir: Path) -> list[Said]:
    """The same for a node that does not run: a server of our own reads a copy of its store, below `workdir`."""
    shutil.copytree(folder / "nats" / "store", workdir / "store")
    with NatsServer(workdir) as server:
        return await messages_of(server.url)


async def _stream(js: Any, name: str) -> list[Said]:
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL)
    reader = await js.pull_subscribe("", stream=name, config=config)
    found: list[Said] = []
    left = 1
    while left:
        for message in await reader.fetch(_FETCH, timeout=10):
            left = message.metadata.num_pending
            sequence = message.metadata.sequence.stream
            found.append(Said(name, sequence, message.subject, dict(message.headers or {}), message.data))
    await reader.unsubscribe()
    return found
