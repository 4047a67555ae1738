"""Links between real servers that tests may cut: a wire, a hub's server, and members' servers behind wires."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sangkien.federation import HubBroker, HubFolder, LeafBroker, MemberFolder
from sangkien.runtime import utc_now
from sangkien.testkit.nats_server import NatsServer, free_port

_CHUNK = 65_536
_THREAD_SECONDS = 10.0


class Wire:
    """A TCP proxy on 127.0.0.1 that can be cut and healed; it runs in a thread of its own.

    `cut()` breaks what is open and refuses what comes, `freeze()` stops the bytes and says nothing, as a pulled cable
    does. `heal()` undoes both, and raises AssertionError if a byte passed meanwhile: an outage that was none proves
    nothing. `refused` counts connections turned away, `passed` bytes let through.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self.port = free_port()
        self.passed = 0
        self.refused = 0
        self._down = False
        self._passed_at_cut = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"wire-{self.port}", daemon=True)
        self._ready = threading.Event()

    def start(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_THREAD_SECONDS):
            raise RuntimeError(f"the wire on port {self.port} did not start")
        return self

    def cut(self) -> None:
        """Return once nothing is open and nothing passes any more."""
        self._call(self._cut)

    def freeze(self) -> None:
        """Let nothing pass, and leave what is open as it is."""
        self._call(self._freeze)

    def heal(self) -> None:
        self._call(self._heal)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_THREAD_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, what: Callable[[], None]) -> None:
        async def run() -> None:
            what()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(_THREAD_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._flows.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._abort()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def _cut(self) -> None:
        self._down, self._passed_at_cut = True, self.passed
        self._abort()

    def _freeze(self) -> None:
        self._passed_at_cut = self.passed
        self._flows.clear()

    def _heal(self) -> None:
        if not self._down and self._flows.is_set():
            return
        leaked = self.passed - self._passed_at_cut
        self._down = False
        self._flows.set()
        if leaked:
            raise AssertionError(f"{leaked} bytes passed a wire that was down")

    def _open(self) -> bool:
        return not self._down

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open():
            self.refused += 1
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        if not self._open():  # cut while it connected
            self._abort()
            return
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(self._copy(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                await self._flows.wait()
                if self._down or writer.transport.is_closing():
                    return
                self.passed += len(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)


class LinkServer(NatsServer):
    """A nats-server on a configuration that a folder wrote; it is read anew at each start."""

    def __init__(self, configuration: Path, *, name: str, port: int) -> None:
        super().__init__(configuration.parent / "server", port=port)
        self._file = configuration
        self._name = name

    @property
    def log(self) -> str:
        return (self.directory / "nats.log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def reload(self) -> None:
        """SIGHUP."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def _configuration(self) -> str:
        return self._file.read_text(encoding="utf-8")


class HubServer:
    """A hub's folder and its server on ports of loopback."""

    def __init__(self, directory: Path) -> None:
        self.folder = HubFolder.create(directory, name="Test", hosts=["127.0.0.1", "localhost"])
        self.client_port, self.leaf_port = free_port(), free_port()
        self.server = LinkServer(
            self.folder.config(self.client_port, "127.0.0.1", self.leaf_port), name="hub", port=self.client_port
        )

    @property
    def url(self) -> str:
        """For `HubBroker`."""
        return f"nats://127.0.0.1:{self.client_port}"


class Member:
    """A member's folder, its server, the wire to the hub and the broker a service would use."""

    def __init__(self, directory: Path, node: str, hub: HubServer) -> None:
        self.node = node
        self.folder = MemberFolder(directory)
        self.wire = Wire(hub.leaf_port).start()
        self.port = free_port()
        self._server: LinkServer | None = None
        self._broker: LeafBroker | None = None

    @property
    def server(self) -> LinkServer:
        """Made from the folder's configuration when first asked for."""
        if self._server is None:
            self._server = LinkServer(self.folder.config(self.port), name=f"leaf-{self.node}", port=self.port)
        return self._server

    @property
    def broker(self) -> LeafBroker:
        if self._broker is None:
            self._broker = LeafBroker(self.folder.broker_url(self.port), self.node)
        return self._broker

    def install(self, hub: HubServer, user_jwt: str, csr_pem: str, *, epoch: int = 1) -> None:
        """What the hub answers to a join, without the service that does it."""
        authority = hub.folder.authority
        self.folder.install(
            certificate_pem=authority.sign_csr(csr_pem, self.node, utc_now()),
            authority_pem=authority.certificate_pem,
            user_jwt=user_jwt,
            leaf_url=f"tls://127.0.0.1:{self.wire.port}",
            hub_key=hub.folder.seal_key.public,
            node=self.node,
            epoch=epoch,
            profile="ward",
            name=f"Node {self.node}",
        )

    async def start(self) -> Self:
        """Start the server, connect the broker, make the streams."""
        self.server.start()
        await self.broker.connect()
        await self.broker.ensure()
        return self

    async def close(self) -> None:
        if self._broker is not None:
            await self._broker.close()
        if self._server is not None:
            self._server.kill()
        self.wire.close()


class Federation:
    """A hub with its broker, and the members that joined it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.hub = HubServer(directory / "hub")
        self.broker = HubBroker(self.hub.url, self.hub.folder)
        self.members: dict[str, Member] = {}

    async def join(self, node: str) -> Member:
        """A new member, running. Its link may still be on its way up: wait for `broker.connected()`."""
        member = Member(self._directory / node, node, self.hub)
        self.members[node] = member
        keys = member.folder.make_keys(node)
        user_jwt = await self.broker.add(node, user_public=keys.user_public)
        member.install(self.hub, user_jwt, keys.csr_pem)
        return await member.start()

    async def new_broker(self) -> HubBroker:
        """As after a restart of the hub service: everything known is opened again."""
        await self.broker.close()
        self.broker = HubBroker(self.hub.url, self.hub.folder)
        await self.broker.connect()
        for node in self.members:
            await self.broker.open(node)
        return self.broker


@asynccontextmanager
async def federation(directory: Path) -> AsyncIterator[Federation]:
    """A running hub without members; everything started is ended."""
    made = Federation(directory)
    try:
        made.hub.server.start()
        await made.broker.connect()
        yield made
    finally:
        for member in made.members.values():
            await member.close()
        await made.broker.close()
        made.hub.server.kill()
