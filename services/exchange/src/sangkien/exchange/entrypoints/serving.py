"""Evidence files of this node, for the nodes to which dossiers went that name them."""

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sangkien.contracts.crossing import MOST_CHUNK_BYTES, DossierFiled, FileChunk, FileGone, FileHeld, FileWanted
from sangkien.exchange.application.file_ports import FileDesk, Files
from sangkien.exchange.application.link_ports import Outgoings
from sangkien.exchange.application.ports import Heard, NotYet, Outbound, Outward, Taken
from sangkien.exchange.domain.files import FileNotTheirs, Named
from sangkien.exchange.domain.foreign import NotTaken
from sangkien.exchange.domain.outgoing import VERDICT_UNKNOWN, OutState, outgoing_id

if TYPE_CHECKING:
    from sangkien.custody import Seal

_SETTLED: Final = (OutState.DELIVERED, OutState.REFUSED)


class NamingFiles:
    """The port `Outward` around another one: what a dossier names that goes to a node, that node may fetch."""

    def __init__(self, outward: Outward, files: Files) -> None:
        self._outward = outward
        self._files = files

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        said = await self._outward(heard)
        filed = [(one.receiver, one.message) for one in said.outbound if isinstance(one.message, DossierFiled)]
        changed: dict[tuple[str, str], Named] = {}
        links: dict[tuple[str, str], set[str]] = {}
        for node, dossier in filed:
            known = await self._files.named(node, [each.sha256 for each in dossier.files])
            for file in dossier.files:
                fresh = Named(node, file.sha256, file.size, dossier.dossier_id)
                before = changed.get((node, file.sha256)) or known.get(file.sha256) or fresh
                changed[node, file.sha256] = before.of(dossier.dossier_id)
                links.setdefault((dossier.dossier_id, node), set()).add(file.sha256)
        ops = [self._files.keep(one) for one in changed.values()]
        for (dossier_id, node), hashes in links.items():
            ops += await self._files.unlinked(dossier_id, node, hashes)
        return Taken([*said.ops, *ops], said.outbound)


class ServeFiles:
    """Answers questions for files a window at a time. Who was sent no dossier that names it learns nothing."""

    def __init__(self, files: Files, desk: FileDesk, outgoings: Outgoings) -> None:
        self._files = files
        self._desk = desk
        self._outgoings = outgoings

    async def wanted(self, sender: str, question: FileWanted, seal: "Seal") -> Taken:
        """Raises FileNotTheirs, FileNotWanted, and NotYet while the window before is on its way or intake is away."""
        named = await self._theirs(sender, question.sha256)
        named.check_offset(question.offset)
        if not named.goes_on(question.offset) and await self._on_its_way(named):
            raise NotYet("file_on_its_way")
        until = min(named.size, question.offset + question.length)
        try:
            content = await self._desk.read(named.dossier_id, named.sha256, question.offset, until - question.offset)
        except NotTaken:
            content = b""
        if len(content) < until - question.offset:
            gone = FileGone(sha256=named.sha256, attempt=question.attempt)
            return Taken([self._files.keep(named.is_gone())], [Outbound(sender, gone, seal.trace)])
        chunks = _chunks(named, question, content)
        kept = named.sent(question.offset, until, chunks[-1].key())
        return Taken([self._files.keep(kept)], [Outbound(sender, chunk, seal.trace) for chunk in chunks])

    async def held(self, sender: str, said: FileHeld) -> Taken:
        """Raises FileNotTheirs."""
        named = await self._theirs(sender, said.sha256)
        return Taken([self._files.keep(named.is_there())])

    async def _theirs(self, sender: str, sha256: str) -> Named:
        named = (await self._files.named(sender, [sha256])).get(sha256)
        if named is None:
            raise FileNotTheirs(node=sender)
        return named

    async def _on_its_way(self, named: Named) -> bool:
        """Whether what was asked for before may still arrive: asked once more, it would come twice."""
        last = await self._outgoings.get(outgoing_id(named.node, named.last)) if named.last else None
        return last is not None and last.state not in _SETTLED and last.reason != VERDICT_UNKNOWN


def _chunks(named: Named, question: FileWanted, content: bytes) -> list[FileChunk]:
    return [
        FileChunk(
            sha256=named.sha256,
            offset=question.offset + start,
            size=named.size,
            data=b64encode(content[start : start + MOST_CHUNK_BYTES]).decode(),
            attempt=question.attempt,
        )
        for start in range(0, len(content), MOST_CHUNK_BYTES)
    ]
