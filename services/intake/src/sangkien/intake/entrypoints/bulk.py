"""Gathers a stream of rows into chunks: large enough to share a unit of work, soon enough for somebody who waits."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Final, TypeVar

LARGEST_CHUNK: Final = 500
LONGEST_WAIT_SECONDS: Final = 0.05
_READ_AHEAD: Final = 2 * LARGEST_CHUNK

T = TypeVar("T")


async def chunks(rows: AsyncIterable[T]) -> AsyncIterator[list[T]]:
    """The rows in order, at most 500 at a time, none held back longer than some 50 ms.

    Rows are read ahead while a chunk is being worked on, two chunks at most. An error of the stream is raised after the
    rows before it were given out.
    """
    waiting: asyncio.Queue[T | None] = asyncio.Queue(_READ_AHEAD)

    async def read() -> None:
        try:
            async for row in rows:
                await waiting.put(row)
        finally:
            await waiting.put(None)

    reader = asyncio.create_task(read())
    try:
        while (first := await waiting.get()) is not None:
            chunk, ended = await _gather(waiting, first)
            yield chunk
            if ended:
                break
        await reader
    finally:
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader


async def _gather(waiting: "asyncio.Queue[T | None]", first: T) -> tuple[list[T], bool]:
    """What came with the first row, and whether that was the end."""
    chunk = [first]
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while len(chunk) < LARGEST_CHUNK:
                row = waiting.get_nowait() if not waiting.empty() else await waiting.get()
                if row is None:
                    return chunk, True
                chunk.append(row)
    return chunk, False
