"""The port `NodeBook`: nodes in the store, answered from memory."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from sangkien.exchange.adapters.documents import LEDGER, NODES, node_document, read_node
from sangkien.exchange.application.ports import Commit, KnownNode
from sangkien.federation import Link
from sangkien.store import Op, Store, save

SEED_FILE: Final = "registry.json"
"""Beside the member's keys: the registry as the hub gave it when the node joined."""
_MOST_NODES: Final = 100_000

_log = structlog.get_logger("sangkien.exchange")


class StoredBook:
    """`load` before anything is asked. `me` is what the member folder says until the hub says more."""

    def __init__(self, store: Store, commit: Commit, link: Link, seal_key: str, folder: Path) -> None:
        self._store = store
        self._commit = commit
        self._folder = folder
        self._me = KnownNode(link.node, link.name, link.profile, "", "joining", link.epoch, (seal_key,), 0)
        self._nodes: dict[str, KnownNode] = {}
        self._versions: dict[str, int] = {}

    async def load(self) -> None:
        """Read what is stored, and what the hub said when this node joined, which is newer at the start of a life."""
        await self._read()
        chain = await self._store.get(LEDGER, "chain")
        fresh = chain is None or chain["epoch"] < self._me.epoch
        for node in _seeds(self._folder / SEED_FILE):
            known = self._nodes.get(node.node)
            if known is None or fresh:
                seed = replace(node, version=known.version) if known else node
                await self._commit([self._op(seed)])
        await self._read()

    async def _read(self) -> None:
        for doc in await self._store.find(NODES, limit=_MOST_NODES):
            self._nodes[doc["_id"]] = read_node(doc)
            self._versions[doc["_id"]] = doc["ver"]

    @property
    def me(self) -> KnownNode:
        known = self._nodes.get(self._me.node)
        if known is None or known.epoch < self._me.epoch:
            return replace(self._me, parent=known.parent) if known else self._me
        return known

    def node(self, node: str) -> KnownNode | None:
        return self._nodes.get(node)

    def parent(self) -> KnownNode | None:
        return self._nodes.get(self.me.parent)

    def children(self) -> Sequence[KnownNode]:
        return [node for node in self.everyone() if node.parent == self._me.node]

    def everyone(self) -> Sequence[KnownNode]:
        return [self._nodes[node] for node in sorted(self._nodes)]

    def changed(self, node: KnownNode) -> Op | None:
        return self._op(node) if self._is_newer(node) else None

    def learn(self, nodes: Sequence[KnownNode]) -> None:
        for node in nodes:
            self._nodes[node.node] = node
            self._versions[node.node] = self._versions.get(node.node, 0) + 1

    def _is_newer(self, node: KnownNode) -> bool:
        known = self._nodes.get(node.node)
        return known is None or node.version > known.version

    def _op(self, node: KnownNode) -> Op:
        return save(NODES, node_document(node), self._versions.get(node.node, 0))


def _seeds(file: Path) -> list[KnownNode]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return [
            KnownNode(
                node=str(one["node"]),
                name=str(one["name"]),
                profile=str(one["profile"]),
                parent=str(one.get("parent", "")),
                state=one["state"],
                epoch=int(one["epoch"]),
                seal_keys=tuple(str(key) for key in one["seal_keys"]),
                version=0,
            )
            for one in found
        ]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        _log.error("registry_seed_unreadable", file=file.name)
        return []
