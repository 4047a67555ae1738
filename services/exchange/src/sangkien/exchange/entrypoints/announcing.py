"""Rounds of this node's council, told to the nodes that file to it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, Literal, cast

from sangkien.contracts.crossing import RoundAnnounced, may_send
from sangkien.exchange.application.ports import Commit, KnownNode, Outbound, Registry, World
from sangkien.exchange.domain.foreign import OwnRound
from sangkien.exchange.entrypoints.dealings import Books
from sangkien.store import Op

_MISSED: Final = timedelta(days=400)
"""How long ago a round may have ended that a node is told of which comes back: it may still think it open."""
_Tier = Literal["grassroots", "district", "city", "national"]

Post = Callable[[Sequence[Outbound]], Awaitable[Sequence[Op]]]
"""The operations that post messages; what was posted before is left out."""


def announcements(rounds: Sequence[OwnRound], me: KnownNode, child: KnownNode, trace: str = "") -> list[Outbound]:
    """What a child is told of rounds; nothing unless it is active and may be told."""
    if child.state != "active" or not may_send(RoundAnnounced.TYPE, me.profile, child.profile):
        return []
    return [Outbound(child.node, _announced(one, child.epoch), trace) for one in rounds if one.told]


class AnnounceToNewcomers:
    """Tells a child that joined, or came back, of the rounds whose opening or closing it missed."""

    def __init__(self, books: Books, registry: Registry, world: World, post: Post, commit: Commit) -> None:
        self._books = books
        self._registry = registry
        self._world = world
        self._post = post
        self._commit = commit
        self._told: frozenset[tuple[str, int]] = frozenset()

    async def __call__(self) -> int:
        """Tell those who are active now and were not when last looked; how many. Raises Conflict and Duplicate when
        the same was posted meanwhile: look again.
        """
        active = {(one.node, one.epoch): one for one in self._registry.children() if one.state == "active"}
        fresh = [active[key] for key in sorted(active.keys() - self._told)]
        if fresh:
            rounds = await self._books.rounds_since(self._world.today() - _MISSED)
            messages = [each for child in fresh for each in announcements(rounds, self._registry.me, child)]
            await self._commit(await self._post(messages))
        self._told = frozenset(active)
        return len(fresh)


def _announced(one: OwnRound, epoch: int) -> RoundAnnounced:
    return RoundAnnounced(
        round_id=one.round_id,
        version=one.version,
        name=one.name,
        tier=cast("_Tier", one.tier),
        owner_id=one.owner_id,
        opens_on=one.opens_on,
        closes_on=one.closes_on,
        closed_on=one.closed_on,
        epoch=epoch,
    )
