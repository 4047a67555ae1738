"""How a service proves who it is, and learns whom to believe: both from the node's directory."""

import json

import grpc
from joserfc.jwk import KeySet

from sangkien.api.directory.v1 import directory_pb2, directory_pb2_grpc
from sangkien.rpc import RenewedToken, TokenVerifier, connect
from sangkien.runtime import ServiceSettings, Telemetry


class Identity:
    """A service's own token and the node's public keys, fetched from directory when first needed and renewed."""

    def __init__(self, service: str, settings: ServiceSettings, telemetry: Telemetry) -> None:
        self._service = service
        self._secret = settings.node_secret
        self._channel: grpc.aio.Channel = connect(settings.directory, telemetry=telemetry)
        self._directory = directory_pb2_grpc.DirectoryServiceStub(self._channel)
        self.token = RenewedToken(self._fetch_token)
        self.verifier = TokenVerifier(settings.node, self._fetch_keys)

    async def _fetch_token(self) -> str:
        answer = await self._directory.IssueServiceToken(
            directory_pb2.IssueServiceTokenRequest(service=self._service, node_secret=self._secret.get_secret_value())
        )
        return str(answer.token)

    async def _fetch_keys(self) -> KeySet:
        answer = await self._directory.GetKeys(directory_pb2.GetKeysRequest())
        return KeySet.import_key_set(json.loads(answer.jwks))

    async def close(self) -> None:
        """Close the channel to directory."""
        await self._channel.close()
