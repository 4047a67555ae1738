"""Accounts made on this machine: passwords that exist only in the node's folder, for its owner to read and change."""

import json
import os
from dataclasses import asdict, dataclass

from sangkien.console.node.folder import NodeFolder


@dataclass(frozen=True, slots=True)
class Account:
    """A local account. `role` is what it was made for."""

    role: str
    login: str
    password: str


def save(folder: NodeFolder, accounts: list[Account]) -> None:
    """Write them, readable by the owner alone, in place of those before."""
    file = folder.path / "accounts.json"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        json.dump([asdict(each) for each in accounts], out, ensure_ascii=False, indent=1)


def load(folder: NodeFolder) -> dict[str, Account]:
    """The first account of each role; empty when none were made here."""
    file = folder.path / "accounts.json"
    if not file.exists():
        return {}
    found: dict[str, Account] = {}
    for raw in json.loads(file.read_text()):
        account = Account(**raw)
        found.setdefault(account.role, account)
    return found
