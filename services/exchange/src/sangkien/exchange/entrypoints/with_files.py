"""What the files of dossiers add to the messages of other nodes."""

from typing import TYPE_CHECKING

from sangkien.contracts.crossing import DossierAnswered, DossierFiled, FileChunk, FileGone, FileHeld, FileWanted
from sangkien.exchange.application.ports import Inward, Message, Taken
from sangkien.exchange.entrypoints.fetching import FetchFiles
from sangkien.exchange.entrypoints.serving import ServeFiles

if TYPE_CHECKING:
    from sangkien.custody import Seal


class WithFiles:
    """The port `Inward` around another one: a dossier that was received has its files fetched."""

    def __init__(self, inward: Inward, fetching: FetchFiles, serving: ServeFiles) -> None:
        self._inward = inward
        self._fetching = fetching
        self._serving = serving

    async def take(self, sender: str, message: Message, seal: "Seal") -> Taken:
        match message:
            case FileWanted():
                return await self._serving.wanted(sender, message, seal)
            case FileHeld():
                return await self._serving.held(sender, message)
            case FileChunk():
                return await self._fetching.came(sender, message)
            case FileGone():
                return await self._fetching.gone(sender, message)
        taken = await self._inward.take(sender, message, seal)
        if not isinstance(message, DossierFiled):
            return taken
        answers = [one.message for one in taken.outbound if isinstance(one.message, DossierAnswered)]
        here = next((answer.remote_id for answer in answers if answer.answer == "received"), "")
        if not here:
            return taken
        noted = await self._fetching.note(sender, here, message.files)
        return Taken([*taken.ops, *noted], taken.outbound)
