"""Where nodes join: TLS on an address of its own, for who has nothing yet but a bundle."""

import asyncio
from pathlib import Path

import grpc
from joserfc.jwk import KeySet

from sangkien.api.hub.v1.hub_pb2_grpc import add_JoinServiceServicer_to_server
from sangkien.hub.application.ports import Away
from sangkien.hub.entrypoints.grpc_service import JOIN_POLICY, JoinServicer
from sangkien.rpc import RpcServer, TokenVerifier, Unavailable, create_server
from sangkien.runtime import Health, Telemetry
from sangkien.store import StoreUnavailable

_MOST_CALLS = 16
_MOST_BYTES = 64 * 1024


class JoinListener:
    """The TLS listener, as a loop of the hub's background."""

    def __init__(
        self, listen: str, servicer: JoinServicer, certificate: tuple[Path, Path], node: str, telemetry: Telemetry
    ) -> None:
        self._listen = listen
        self._servicer = servicer
        self._certificate = certificate
        self._node = node
        self._telemetry = telemetry
        self.target = ""
        """Where it listens, "" until it does."""

    async def __call__(self) -> None:
        """Serve until cancelled. Raises ListenFailed."""
        server = self._built()
        await server.start()
        self.target = server.target
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await server.drain(1.0)

    def _built(self) -> RpcServer:
        certificate, key = (path.read_bytes() for path in self._certificate)
        return create_server(
            self._listen,
            servicers=[(add_JoinServiceServicer_to_server, self._servicer)],
            policy=JOIN_POLICY,
            verifier=TokenVerifier(self._node, _no_keys),
            telemetry=self._telemetry,
            health=Health(),
            translate=_translate,
            max_message_bytes=_MOST_BYTES,
            max_concurrent=_MOST_CALLS,
            credentials=grpc.ssl_server_credentials([(key, certificate)]),
        )


async def _no_keys() -> KeySet:
    """Nobody brings a token here."""
    return KeySet([])


def _translate(error: BaseException) -> BaseException:
    if isinstance(error, Away):
        return Unavailable("broker")
    return Unavailable("store") if isinstance(error, StoreUnavailable) else error
