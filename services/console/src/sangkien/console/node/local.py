"""Reaching a node from a command: the one that runs on the folder, or one started for as long as the command lasts."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

import grpc

from sangkien.api.directory.v1 import directory_pb2, directory_pb2_grpc
from sangkien.console.node.folder import NodeFolder, Running
from sangkien.console.node.plan import FEDERATION, LinkServer, Options, plan, services, usual
from sangkien.console.node.supervisor import Supervisor
from sangkien.rpc import RenewedToken, TokenSource, connect, retrying
from sangkien.runtime import Telemetry

CALL_S = 30.0


@dataclass
class LocalNode:
    """A node this command can call. `supervisor` is set when this command runs the node itself."""

    folder: NodeFolder
    running: Running
    telemetry: Telemetry
    supervisor: Supervisor | None
    _stack: AsyncExitStack

    def channel(self, service: str, token: TokenSource | None = None) -> grpc.aio.Channel:
        """A channel to a service, closed with the node; without a token source nobody is signed in."""
        channel = connect(
            self.running.targets[service],
            telemetry=self.telemetry,
            token=token,
            timeout=CALL_S,
            max_message_bytes=16 * 1024 * 1024,
        )
        self._stack.push_async_callback(channel.close)
        return channel

    def operator(self) -> TokenSource:
        """Tokens of the operator at this console: who may read the folder may have them."""
        identity = self.folder.identity()
        directory = directory_pb2_grpc.DirectoryServiceStub(self.channel("directory"))

        async def fetch() -> str:
            answer = await retrying(
                lambda: directory.IssueServiceToken(
                    directory_pb2.IssueServiceTokenRequest(service="console", node_secret=identity.node_secret)
                ),
                deadline=60,
            )
            return str(answer.token)

        return RenewedToken(fetch)


@asynccontextmanager
async def local_node(
    folder: NodeFolder,
    options: Options | None = None,
    *,
    on_restart: Callable[[str], None] = lambda _: None,
    always_own: bool = False,
) -> AsyncIterator[LocalNode]:
    """The node of the folder. Started here when it does not run, or when `always_own` asks for one of our own.

    Without `options` it consists of what its profile says. `exchange` runs once the node has joined; a node with the
    hub joins its own. Raises NotReady, NodeFolderError, UnknownService and Stop.
    """
    async with AsyncExitStack() as stack:
        telemetry = Telemetry.create(
            "console", node=folder.identity().node, spans_dir=folder.path / "spans", otlp_endpoint=None
        )
        stack.push_async_callback(telemetry.shutdown)
        running = None if always_own else folder.running()
        if running is not None:
            yield LocalNode(folder, running, telemetry, None, stack)
            return
        folder.claim()
        stack.callback(folder.withdraw)
        yield await _Start(folder, options or usual(folder), telemetry, stack).run(on_restart)


@dataclass
class _Start:
    """Starting a node here; what it takes is given back to the stack."""

    folder: NodeFolder
    options: Options
    telemetry: Telemetry
    stack: AsyncExitStack

    async def run(self, on_restart: Callable[[str], None]) -> LocalNode:
        federated = set(FEDERATION) & set(self.options.services)
        ready = self.options
        servers: list[LinkServer] = []
        if federated:
            from sangkien.console.node.links import joined, link_servers

            if not joined(self.folder):
                ready = replace(ready, services=tuple(each for each in ready.services if each != "exchange"))
            servers = link_servers(self.folder, ready.services)
        running, children = plan(self.folder, ready, servers)
        self.folder.announce(running)
        supervisor = Supervisor(children, on_restart=on_restart)
        await supervisor.start()
        self.stack.push_async_callback(supervisor.stop)
        node = LocalNode(self.folder, running, self.telemetry, supervisor, self.stack)
        if federated == set(FEDERATION) and "exchange" not in running.targets:
            await self._join_own_hub(node, supervisor)
        if federated:
            self._keep_up(supervisor)
        return node

    async def _join_own_hub(self, node: LocalNode, supervisor: Supervisor) -> None:
        """The first start of a node with the hub: it is a member as well, and says so to itself."""
        from sangkien.console.node.joining import join_own_hub
        from sangkien.console.node.links import leaf_server
        from sangkien.runtime.ports import free_ports

        await join_own_hub(node)
        leaf = leaf_server(self.folder)
        node.running = replace(
            node.running,
            targets=node.running.targets | {"exchange": f"127.0.0.1:{free_ports(1)[0]}"},
            links={**node.running.links, **leaf.links},
        )
        alone = replace(self.options, one_process=False)
        exchange = services(self.folder, node.running, alone, ["exchange"], leaf.settings)
        await supervisor.add([leaf.child, *exchange])
        self.folder.announce(node.running)

    def _keep_up(self, supervisor: Supervisor) -> None:
        """Renew what runs out, and take up what another command renewed, which says so with SIGHUP."""
        from sangkien.console.node.upkeep import LINK_CHILDREN, Upkeep

        def restart(children: tuple[str, ...]) -> None:
            supervisor.restart(*children)

        upkeep = asyncio.create_task(Upkeep(self.folder, restart).run(), name="upkeep")
        self.stack.push_async_callback(_end, upkeep)
        hangup = partial(restart, LINK_CHILDREN)
        _ON_HANGUP.append(hangup)
        self.stack.callback(_ON_HANGUP.remove, hangup)
        with suppress(ValueError, RuntimeError):  # only the main thread may
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _hang_up)


_ON_HANGUP: list[Callable[[], None]] = []
"""Of each node that runs in this process."""


def _hang_up() -> None:
    for each in _ON_HANGUP:
        each()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
