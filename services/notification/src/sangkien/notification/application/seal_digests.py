"""Close digests whose time has come, and write them out: from then on they are mails like any other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sangkien.notification.application.ports import Commit, DigestLines, Mails, Now, Wording
from sangkien.store.deciding import ALREADY, Decision, decide_each

BATCH = 50
LONGEST_HEARING = timedelta(seconds=10)


class SealDigests:
    """Sealed before it is sent, so that nothing joins a digest that is on its way.

    After a start it waits for a quiet window, ten seconds at most: what was assigned meanwhile is still being heard.
    """

    def __init__(
        self, mails: Mails, lines: DigestLines, wording: Wording, commit: Commit, *, now: Now, quiet: timedelta
    ) -> None:
        self._mails = mails
        self._lines = lines
        self._wording = wording
        self._commit = commit
        self._now = now
        self._hearing = min(quiet, LONGEST_HEARING)
        self._begun: datetime | None = None

    async def __call__(self) -> None:
        """Seal a batch. Raises StoreUnavailable."""
        now = self._now()
        self._begun = self._begun or now
        if now - self._begun < self._hearing:
            return

        async def decide(ids: Sequence[str]) -> list[Decision]:
            stored = await self._mails.get_many(ids)
            decisions: list[Decision] = []
            for id in ids:
                digest = stored[id]
                if not digest.gathers or digest.next_at > now:  # it took another meanwhile, or a replica was faster
                    decisions.append(ALREADY)
                    continue
                digest.seal(*self._wording.digest(await self._lines.of(id)), now)
                decisions.append([self._mails.save(digest)])
            return decisions

        await decide_each([digest.id for digest in await self._mails.ripe(now, BATCH)], decide, self._commit)
