"""Drops the bodies of what was delivered or applied long ago. Seals stay: they are the chain."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from sangkien.exchange.application.link_ports import Incomings, Outgoings
from sangkien.exchange.application.ports import Commit, World

PAGE: Final = 200


class PruneBodies:
    """One call drops all that is older than `keep`."""

    def __init__(
        self, outgoings: Outgoings, incomings: Incomings, world: World, commit: Commit, *, keep: timedelta
    ) -> None:
        self._outgoings = outgoings
        self._incomings = incomings
        self._world = world
        self._commit = commit
        self._keep = keep

    async def __call__(self) -> int:
        """How many bodies were dropped. Raises Conflict when another writer was faster; the next call goes on."""
        before = self._world.now() - self._keep
        count = 0
        while sent := await self._outgoings.old(before, PAGE):
            ops = [self._outgoings.stored(replace(message, kept=False)) for message in sent]
            await self._commit([*ops, *[self._outgoings.without_body(message.id) for message in sent]])
            count += len(sent)
        while taken := await self._incomings.old(before, PAGE):
            done = [self._incomings.stored(replace(message, kept=False)) for message in taken]
            await self._commit([*done, *[self._incomings.without_body(message.id) for message in taken]])
            count += len(taken)
        return count
