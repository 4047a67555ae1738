"""Reaching a node from a command: the one that runs on the folder, or one started for as long as the command lasts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc

from sangkien.api.directory.v1 import directory_pb2, directory_pb2_grpc
from sangkien.console.node.folder import NodeFolder, Running
from sangkien.console.node.plan import Options, plan
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

    Raises NotReady, NodeFolderError and UnknownService.
    """
    async with AsyncExitStack() as stack:
        telemetry = Telemetry.create(
            "console", node=folder.identity().node, spans_dir=folder.path / "spans", otlp_endpoint=None
        )
        stack.push_async_callback(telemetry.shutdown)
        running = None if always_own else folder.running()
        supervisor = None
        if running is None:
            folder.claim()
            stack.callback(folder.withdraw)
            running, children = plan(folder, options or Options())
            folder.announce(running)
            supervisor = Supervisor(children, on_restart=on_restart)
            await supervisor.start()
            stack.push_async_callback(supervisor.stop)
        yield LocalNode(folder, running, telemetry, supervisor, stack)
