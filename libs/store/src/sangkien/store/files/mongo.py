"""The MongoDB adapter: heads and chunks in two collections of the store's own database, for any number of processes.

Not GridFS: its uploads live in the memory of one process until they end, and its chunks are of one size, so that
nothing goes on after kill -9. Here every part is a chunk of its own, inserted exactly where the one before it ended
and never written again: of two writers at one place the second meets a taken key and looks again.
"""

import hashlib
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, OperationFailure

from sangkien.store.errors import StoreUnavailable
from sangkien.store.files.port import (
    MOST_READ,
    FileGone,
    FileHashDiffers,
    Named,
    Progress,
    StorageFull,
    Swept,
    check_name,
    check_part,
    check_same_size,
)
from sangkien.store.mongo.failures import translated
from sangkien.store.port import Document

HEADS: Final = "file_heads"
CHUNKS: Final = "file_chunks"
_ATTEMPTS: Final = 20
_AT_ONCE: Final = 100
_OUT_OF_DISK_SPACE: Final = (14031, 39)  # OutOfDiskSpace, FileStreamFailed


class MongoFiles:
    """Keeps ``sangkien.store.files.FileStore``'s promises in a database.

    A head `<sha256>` is a whole file, a head `<sha256>-<size>` an upload under way. Either names its `upload`, whose
    chunks are `<upload>:<offset>`; `at` is seconds since 1970.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._heads = database[HEADS]
        self._chunks = database[CHUNKS]

    async def put_part(self, sha256: str, size: int, offset: int, data: bytes) -> Progress:
        check_name(sha256)
        check_part(size, offset, data)
        with translated():
            for _ in range(_ATTEMPTS):
                whole = await self._whole(sha256)
                if whole is not None:
                    check_same_size(size, whole["size"])
                    return Progress(size, complete=True)
                head = await self._begun(sha256, size)
                received = await self._received(head["upload"])
                fresh = data[received - offset :] if offset <= received < offset + len(data) else b""
                try:
                    await self._add(head["upload"], received, fresh)
                except DuplicateKeyError:
                    continue  # somebody else sent what belongs here
                received += len(fresh)
                return await self._finish(head) if received == size else Progress(received, complete=False)
        raise StoreUnavailable("others kept writing the same file")

    async def progress(self, sha256: str) -> Progress:
        check_name(sha256)
        with translated():
            whole = await self._whole(sha256)
            if whole is not None:
                return Progress(whole["size"], complete=True)
            longest = 0
            for head in await self._heads.find(_of(f"{sha256}-", f"{sha256}.")).to_list():
                received = await self._received(head["upload"])
                if received == head["size"]:  # killed between the last part and its answer
                    try:
                        return await self._finish(head)
                    except FileHashDiffers:
                        continue
                longest = max(longest, received)
            return Progress(longest, complete=False)

    async def sizes(self, sha256s: Sequence[str], *, renew: bool = False) -> Mapping[str, int]:
        wanted = {"_id": {"$in": [check_name(one) for one in sha256s]}}
        if not sha256s:
            return {}
        with translated():
            if renew:
                await self._heads.update_many(wanted, {"$set": {"at": time.time()}})
            return {head["_id"]: head["size"] async for head in self._heads.find(wanted)}

    async def read(self, sha256: str, *, offset: int = 0, length: int = 0) -> AsyncGenerator[bytes, None]:
        with translated():
            head = await self._heads.find_one({"_id": check_name(sha256)})
        if head is None:
            raise FileGone(field="sha256")
        upload, end = head["upload"], head["size"] if not length else min(offset + length, head["size"])
        at, chunk = offset, None
        while at < end:
            with translated():
                if chunk is None:  # the one that holds the first byte
                    chunk = await self._chunks.find_one(_of(f"{upload}:", _key(upload, at + 1)), sort=[("_id", -1)])
                else:
                    chunk = await self._chunks.find_one({"_id": _key(upload, at)})
            if chunk is None:
                raise FileGone(field="sha256")
            begin, data = chunk["end"] - len(chunk["data"]), chunk["data"]
            piece = data[at - begin : end - begin]
            for start in range(0, len(piece), MOST_READ):
                yield bytes(piece[start : start + MOST_READ])
            at = begin + len(data)

    async def sweep(self, *, partial_before: datetime, whole_before: datetime, named: Named) -> Swept:
        with translated():
            partial = await self._sweep_partial(partial_before.timestamp())
            unnamed, after, before = 0, "", whole_before.timestamp()
            while True:
                wanted = {"_id": {"$gt": after}, "whole": True, "at": {"$lt": before}}
                old = await self._heads.find(wanted).sort("_id", 1).limit(_AT_ONCE).to_list()
                if not old:
                    break
                after = old[-1]["_id"]
                kept = set(await named([head["_id"] for head in old]))
                for head in old:
                    # Only while it is still old: one that was asked for meanwhile is about to be named.
                    if head["_id"] not in kept:
                        gone = await self._heads.delete_one({"_id": head["_id"], "at": {"$lt": before}})
                        unnamed += gone.deleted_count
                        if gone.deleted_count:
                            await self._drop_chunks(head["upload"])
            await self._sweep_orphans(partial_before.timestamp())
            return Swept(partial, unnamed)

    async def _whole(self, sha256: str) -> Document | None:
        """The head of a whole file, young again."""
        whole = await self._heads.find_one({"_id": sha256})
        if whole is not None:
            await self._heads.update_one({"_id": sha256}, {"$set": {"at": time.time()}})
        return whole

    async def _begun(self, sha256: str, size: int) -> Document:
        """The head of the upload under way, begun if there is none."""
        id = f"{sha256}-{size}"
        found = await self._heads.find_one({"_id": id})
        if found is not None:
            return found
        head = {"_id": id, "size": size, "upload": f"{id}-{uuid.uuid4().hex}", "whole": False, "at": time.time()}
        try:
            await self._heads.insert_one(head)
        except DuplicateKeyError:
            return await self._begun(sha256, size)
        return head

    async def _received(self, upload: str) -> int:
        last = await self._last(upload)
        return int(last["end"]) if last is not None else 0

    async def _last(self, upload: str) -> Document | None:
        return await self._chunks.find_one(_chunks_of(upload), {"end": 1, "at": 1}, sort=[("_id", -1)])

    async def _add(self, upload: str, offset: int, data: bytes) -> None:
        """Raises DuplicateKeyError when there is a chunk at that place, StorageFull."""
        if not data:
            return
        chunk = {"_id": _key(upload, offset), "end": offset + len(data), "data": data, "at": time.time()}
        try:
            await self._chunks.insert_one(chunk)
        except DuplicateKeyError:
            raise
        except OperationFailure as error:
            if error.code in _OUT_OF_DISK_SPACE:
                raise StorageFull(field="data") from None
            raise

    async def _finish(self, head: Document) -> Progress:
        """Make an upload that has all its bytes a whole file, or drop it. Raises FileHashDiffers."""
        size, upload, sha256 = head["size"], head["upload"], head["_id"].partition("-")[0]
        digest = hashlib.sha256()
        async for chunk in self._chunks.find(_chunks_of(upload)).sort("_id", 1):
            digest.update(chunk["data"])
        right = digest.hexdigest() == sha256
        kept = upload
        if right:
            whole = {"_id": sha256, "size": size, "upload": upload, "whole": True, "at": time.time()}
            try:
                await self._heads.insert_one(whole)
            except DuplicateKeyError:
                held = await self._heads.find_one({"_id": sha256})
                kept = held["upload"] if held is not None else upload
        ended = await self._heads.delete_one({"_id": head["_id"], "upload": upload})
        if not right or kept != upload:
            await self._drop_chunks(upload)
        if right or (not ended.deleted_count and await self._whole(sha256) is not None):
            return Progress(size, complete=True)
        raise FileHashDiffers(field="sha256")

    async def _drop_chunks(self, upload: str) -> None:
        await self._chunks.delete_many(_chunks_of(upload))

    async def _sweep_partial(self, before: float) -> int:
        removed = 0
        async for head in self._heads.find({"whole": False, "at": {"$lt": before}}):
            last = await self._last(head["upload"])
            if last is not None and last["at"] >= before:
                continue
            whole = await self._heads.find_one({"_id": head["_id"].partition("-")[0], "upload": head["upload"]})
            gone = await self._heads.delete_one({"_id": head["_id"], "upload": head["upload"]})
            if whole is None and gone.deleted_count:
                await self._drop_chunks(head["upload"])
                removed += 1
        return removed

    async def _sweep_orphans(self, before: float) -> None:
        """Chunks without a head: of a process that was killed while it dropped them, or wrote to what was dropped."""
        after = ""
        while chunk := await self._chunks.find_one({"_id": {"$gt": after}}, {"at": 1}, sort=[("_id", 1)]):
            upload = chunk["_id"].partition(":")[0]
            after = f"{upload};"
            sha256, size, _ = upload.split("-")
            heads = {"_id": {"$in": [sha256, f"{sha256}-{size}"]}, "upload": upload}
            if chunk["at"] < before and await self._heads.find_one(heads) is None:
                await self._drop_chunks(upload)


def _key(upload: str, offset: int) -> str:
    return f"{upload}:{offset:015}"


def _of(first: str, beyond: str) -> dict[str, Any]:
    return {"_id": {"$gte": first, "$lt": beyond}}


def _chunks_of(upload: str) -> dict[str, Any]:
    return _of(f"{upload}:", f"{upload};")  # ";" is the character after ":"
