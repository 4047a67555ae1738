"""Evidence files: taken in by content, looked for when a dossier names them, read with it."""

from collections.abc import AsyncGenerator, Collection, Sequence

from sangkien.intake.application.ports import Caller
from sangkien.intake.domain.errors import EvidenceMissing, EvidenceTooLarge
from sangkien.intake.domain.evidence import MIB, EvidenceFile
from sangkien.store.files import FileSizeDiffers, FileStore, Progress


class Evidence:
    """The node's evidence files. One file may be `most_mib` MiB. Raises StoreUnavailable everywhere."""

    def __init__(self, files: FileStore, *, most_mib: int) -> None:
        self._files = files
        self._most_mib = most_mib

    async def put(self, sha256: str, size: int, offset: int, data: bytes) -> Progress:
        """Take in the next part; see `FileStore.put_part`. Raises EvidenceTooLarge and what that raises."""
        self._check_size("size", size)
        return await self._files.put_part(sha256, size, offset, data)

    async def progress(self, sha256: str) -> Progress:
        """How much is here. Raises FileNameMalformed."""
        return await self._files.progress(sha256)

    async def check(self, files: Sequence[EvidenceFile], caller: Caller) -> None:
        """Accept files that a dossier is to name.

        They are here whole, but for those of a dossier that exchange files: what crosses between nodes comes after.
        Asking keeps them from being swept. Raises EvidenceTooLarge, EvidenceMissing, FileSizeDiffers.
        """
        if not files:
            return
        for place, file in enumerate(files):
            self._check_size(f"dossier.files[{place}].size", file.size)
        here = await self._files.sizes([file.sha256 for file in files], renew=True)
        for place, file in enumerate(files):
            size = here.get(file.sha256)
            if size is None and not caller.service:
                raise EvidenceMissing(field=f"dossier.files[{place}]", position=place + 1)
            if size not in (None, file.size):
                raise FileSizeDiffers(field=f"dossier.files[{place}].size", size=file.size, held=size or 0)

    async def held(self, files: Sequence[EvidenceFile]) -> Collection[str]:
        """Those that are here whole, by SHA-256."""
        return (await self._files.sizes([file.sha256 for file in files])).keys()

    def read(self, file: EvidenceFile, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """Its bytes from `offset` on, at most `length` (0: to the end). Raises FileGone when it is not here whole."""
        return self._files.read(file.sha256, offset=offset, length=length)

    def _check_size(self, field: str, size: int) -> None:
        if size > self._most_mib * MIB:
            raise EvidenceTooLarge(field=field, most_mib=self._most_mib)
