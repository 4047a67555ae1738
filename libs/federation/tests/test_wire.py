"""A wire that was down let nothing pass."""

import asyncio
import gc
import socket
import warnings
from collections.abc import AsyncIterator

import pytest

from sangkien.federation.wire import Wire
from sangkien.testkit import eventually

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """To a server that gives back what it is given."""
    writers: list[asyncio.StreamWriter] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while data := await reader.read(100):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    with Wire(server.sockets[0].getsockname()[1]) as made:
        yield made
    server.close()
    await eventually(lambda: all(writer.transport.is_closing() for writer in writers))


async def echoed(ends: Ends, word: bytes) -> bytes:
    ends[1].write(word)
    async with asyncio.timeout(60):
        return await ends[0].readexactly(len(word))


async def test_wire_carries_until_it_is_cut_and_again_when_healed(wire: Wire) -> None:
    first = await asyncio.open_connection("127.0.0.1", wire.port)
    assert await echoed(first, b"one") == b"one"

    wire.cut()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await echoed(first, b"two")
    second = await asyncio.open_connection("127.0.0.1", wire.port)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await echoed(second, b"three")
    wire.heal()

    assert (wire.passed, wire.refused) == (6, 1)
    third = await asyncio.open_connection("127.0.0.1", wire.port)
    assert await echoed(third, b"four") == b"four"
    for _, writer in (first, second, third):
        writer.close()


async def test_frozen_wire_holds_what_is_said_until_it_is_healed(wire: Wire) -> None:
    ends = await asyncio.open_connection("127.0.0.1", wire.port)
    assert await echoed(ends, b"one") == b"one"

    wire.freeze()
    ends[1].write(b"two")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await ends[0].readexactly(3)
    wire.heal()

    assert await ends[0].readexactly(3) == b"two"
    ends[1].close()


async def test_stranded_connection_stays_silent_while_a_new_one_passes(wire: Wire) -> None:
    old = await asyncio.open_connection("127.0.0.1", wire.port)
    assert await echoed(old, b"one") == b"one"

    wire.strand()
    old[1].write(b"two")
    new = await asyncio.open_connection("127.0.0.1", wire.port)

    assert await echoed(new, b"three") == b"three"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await old[0].readexactly(3)
    assert not old[0].at_eof()
    old[1].close()
    new[1].close()


async def test_wire_that_leaked_while_down_says_so(wire: Wire) -> None:
    wire.cut()
    wire.passed += 1

    with pytest.raises(AssertionError, match="1 bytes passed"):
        wire.heal()


async def test_wire_closed_while_it_connects_leaves_nothing_open() -> None:
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        for _ in range(30):
            with Wire(server.sockets[0].getsockname()[1]) as wire:
                near = socket.create_connection(("127.0.0.1", wire.port))
            near.close()
        gc.collect()
    server.close()
    for writer in held:
        writer.transport.abort()
    await asyncio.sleep(0)
    assert [str(each.message) for each in left_open] == []
