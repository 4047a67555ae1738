"""Evidence files that dossiers of other nodes name: asked for a window at a time, put into intake chunk by chunk."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from sangkien.contracts.crossing import (
    MOST_WINDOW_BYTES,
    AttachedFile,
    FileChunk,
    FileGone,
    FileHeld,
    FileWanted,
)
from sangkien.exchange.application.file_ports import FileDesk, Files, Part, Spoiled
from sangkien.exchange.application.link_ports import Outgoings
from sangkien.exchange.application.ports import Commit, NotYet, Outbound, Taken, World
from sangkien.exchange.domain.files import GONE, Fetch, FileNotWanted, FileState, FileUnknown
from sangkien.exchange.domain.foreign import NotTaken
from sangkien.exchange.domain.outgoing import OutState, outgoing_id
from sangkien.store import Op
from sangkien.store.deciding import decided_again

MOST_OF_ONE: Final = 2
"""Files of one node on their way at once."""
MOST_AT_ONCE: Final = 4
"""Files of all nodes that flow at once; those of a node that does not answer do not count."""

Post = Callable[[Sequence[Outbound]], Awaitable[Sequence[Op]]]
"""The operations that post messages; what was posted before is left out."""


class FetchFiles:
    """Notes what is wanted, takes what comes, and asks: in `__call__` for what waits, and for what does not come.

    `patience`: how long the next chunk may take, once the question was delivered.
    """

    def __init__(
        self,
        files: Files,
        desk: FileDesk,
        outgoings: Outgoings,
        world: World,
        post: Post,
        commit: Commit,
        *,
        patience: timedelta,
    ) -> None:
        self._patience = patience
        self._files = files
        self._desk = desk
        self._outgoings = outgoings
        self._world = world
        self._post = post
        self._commit = commit

    async def note(self, sender: str, dossier_id: str, attached: Sequence[AttachedFile]) -> list[Op]:
        """The operations by which a dossier that came, here under this id, wants its files, and none beside them."""
        now = self._world.now()
        sizes = {file.sha256: file.size for file in attached}
        known = await self._files.fetches(sender, list(sizes))
        ops: list[Op] = []
        for sha256, size in sizes.items():
            before = known.get(sha256)
            after = before.noted(size, now) if before is not None else Fetch(sender, sha256, size, now)
            if after != before:
                ops.append(self._files.keep(after))
        unnamed, unlinks = await self._files.unnamed(dossier_id, sender, sizes.keys())
        ops += [self._files.keep(one.dropped()) for one in unnamed if one.state is not FileState.HELD]
        return [*ops, *unlinks, *await self._files.unlinked(dossier_id, sender, sizes.keys())]

    async def came(self, sender: str, chunk: FileChunk) -> Taken:
        """Raises FileNotWanted. What comes twice changes nothing, and what intake cannot take now is asked for again:
        parts of files hold up nothing.
        """
        fetch = (await self._files.fetches(sender, [chunk.sha256])).get(chunk.sha256)
        if fetch is None:
            raise FileNotWanted(node=sender)
        if not fetch.awaits(chunk.attempt):
            return Taken()
        content = chunk.content
        fetch.check_chunk(size=chunk.size, offset=chunk.offset, length=len(content))
        if chunk.offset > fetch.received:
            return Taken()  # one before it was lost: the window is asked for again from there
        try:
            part = await self._desk.put(fetch.sha256, fetch.size, chunk.offset, content)
        except NotYet as later:
            return self._taken(fetch.interrupted(later.reason, self._world.now(), self._patience))
        except Spoiled:
            return self._taken(fetch.begun_anew(self._world.now()))
        except NotTaken as refusal:
            return self._taken(fetch.failed(refusal.code))
        if part.received < chunk.offset:  # intake was set back
            return self._asked(fetch.set_back(part.received), part)
        return self._here(fetch, part)

    async def gone(self, sender: str, said: FileGone) -> Taken:
        """The sender does not have it any more. Raises FileNotWanted."""
        fetch = (await self._files.fetches(sender, [said.sha256])).get(said.sha256)
        if fetch is None:
            raise FileNotWanted(node=sender)
        return self._taken(fetch.failed(GONE)) if fetch.awaits(said.attempt) else Taken()

    async def retry(self, sha256: str) -> int:
        """Fetch a file that failed once more, "" all that failed; how many. Raises FileUnknown, FileNotFailed."""
        return await decided_again(lambda: self._retry(sha256))

    async def _retry(self, sha256: str) -> int:
        found = await self._files.of_hash(sha256) if sha256 else await self._files.missing()
        if not found and sha256:
            raise FileUnknown(field="sha256")
        now = self._world.now()
        failed = [one for one in found if one.state is FileState.FAILED]
        again = [one.retried(now) for one in failed or (found[:1] if sha256 else ())]
        if again:
            await self._commit([self._files.keep(one) for one in again])
        return len(again)

    async def __call__(self) -> int:
        """Ask for what is due; how many. Raises NotYet while intake is away, Conflict when a chunk came meanwhile."""
        now = self._world.now()
        coming = await self._files.coming()
        due = [one for one in coming if one.is_due(now)]
        for fetch in due:
            await self._remind(fetch)
        fresh = await self._next(coming)
        for fetch in fresh:
            await self._begin(fetch)
        return len(due) + len(fresh)

    async def _next(self, coming: Sequence[Fetch]) -> Sequence[Fetch]:
        """Whose turn it is: of each node few, in the order they were noted, and of one content one at a time."""
        room = MOST_AT_ONCE - sum(one.flows for one in coming)
        busy, hashes = Counter(one.node for one in coming), {one.sha256 for one in coming if one.flows}
        chosen: list[Fetch] = []
        for node in sorted(await self._files.wanted()) if room > 0 else ():
            for one in await self._files.wanted_of(node, MOST_AT_ONCE):
                if len(chosen) == room:
                    return chosen
                if busy[node] < MOST_OF_ONE and one.sha256 not in hashes:
                    busy[node] += 1
                    hashes.add(one.sha256)
                    chosen.append(one)
        return chosen

    async def _begin(self, fetch: Fetch) -> None:
        try:
            part = await self._desk.here(fetch.sha256, fetch.size)
        except Spoiled:
            await self._write(self._taken(fetch.begun_anew(self._world.now())))
        except NotTaken as refusal:
            await self._write(self._taken(fetch.failed(refusal.code)))
        else:
            await self._write(self._asked(fetch, part))

    async def _remind(self, fetch: Fetch) -> None:
        """Nothing came for a while. Before the question was delivered nothing can come."""
        question = await self._outgoings.get(outgoing_id(fetch.node, fetch.asked))
        if question is not None and question.state is OutState.REFUSED:
            await self._write(self._taken(fetch.failed(question.reason)))
            return
        if question is not None and question.state is not OutState.DELIVERED:
            await self._write(self._taken(fetch.later(self._world.now(), self._patience)))
            return
        after = fetch.again()
        if after.open:
            await self._begin(after)
        else:
            await self._write(self._taken(after))

    def _here(self, fetch: Fetch, part: Part) -> Taken:
        """After a chunk was put: so much is here, and the next window is asked for when this one is."""
        after = fetch.came(part.received, self._world.now(), self._patience)
        if part.complete or after.window_is_here:
            return self._asked(after, part)
        return self._taken(after) if after != fetch else Taken()

    def _asked(self, fetch: Fetch, part: Part) -> Taken:
        """The next window, or word that there is none to ask for."""
        if part.complete:
            said = FileHeld(sha256=fetch.sha256, attempt=fetch.attempt)
            return self._taken(fetch.held(), Outbound(fetch.node, said))
        asking = fetch.asking(part.received, MOST_WINDOW_BYTES, self._world.now(), self._patience)
        question = FileWanted(
            sha256=fetch.sha256,
            offset=asking.received,
            length=asking.until - asking.received,
            attempt=asking.attempt,
        )
        return self._taken(asking.named(question.key()), Outbound(fetch.node, question))

    def _taken(self, fetch: Fetch, *outbound: Outbound) -> Taken:
        return Taken([self._files.keep(fetch)], outbound)

    async def _write(self, taken: Taken) -> None:
        await self._commit([*taken.ops, *await self._post(taken.outbound)])
