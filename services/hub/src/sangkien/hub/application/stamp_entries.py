"""Stamp what the log gained: a Merkle root under the hub's signature, and an authority's time where there is one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sangkien.custody import leaf_hash, make_stamp, read_entry, read_stamp, root
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.ports import Signer, StoredStamp

MOST_IN_BATCH = 10_000

TimeStamp = Callable[[str], Awaitable[bytes]]
"""An authority's token over a stamp (RFC 3161), b"" where none is configured. Raises Away."""


class StampEntries:
    """The only writer of stamps."""

    def __init__(self, desk: Desk, signer: Signer, time_stamp: TimeStamp) -> None:
        self._desk = desk
        self._signer = signer
        self._time_stamp = time_stamp

    async def __call__(self) -> bool:
        """Stamp the oldest entries that have none; False when all have. Raises Away, StoreUnavailable, Conflict.

        The authority is asked before the desk is taken: the log grows meanwhile.
        """
        desk, log = self._desk, self._desk.log
        if log.stamped == log.position:
            return False
        lines = await desk.shelf.lines_from(log.stamped + 1, MOST_IN_BATCH)
        now = desk.world.now()
        compact = make_stamp(
            self._signer.hub_key,
            batch=log.batch + 1,
            first=log.stamped + 1,
            last=lines[-1].position,
            root=root([leaf_hash(line.raw) for line in lines]),
            at=now,
            prev=log.stamp_hash,
        )
        token = await self._time_stamp(compact)
        stamp = read_stamp(compact, self._signer.hub_key.public)
        following = await desk.shelf.line(stamp.last + 1)
        async with desk.turn() as turn:
            if turn.log.batch != log.batch:
                return True
            open_since = turn.log.unstamped_since if turn.log.position > stamp.last else None
            turn.write(desk.shelf.add_stamp(StoredStamp(stamp.batch, stamp.first, stamp.last, compact, token)))
            turn.put_log(
                replace(
                    turn.log,
                    batch=stamp.batch,
                    stamp_hash=stamp.hash,
                    stamped=stamp.last,
                    stamped_at=stamp.at,
                    unstamped_since=open_since and (read_entry(following.raw).at if following else now),
                )
            )
            await turn.commit()
        desk.to_receipt.ring(*{line.sender for line in lines})
        return True
