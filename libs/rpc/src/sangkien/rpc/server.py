"""A gRPC server that is closed by default: it is not even built while one of its methods has no policy."""

from collections.abc import Callable, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from sangkien.rpc.accepting import Server
from sangkien.rpc.faults import Translate
from sangkien.rpc.guard import Guard, Handler
from sangkien.rpc.policy import Policy, PolicyError
from sangkien.rpc.tokens import TokenVerifier
from sangkien.runtime import Health, Metrics, Telemetry

AddServicer = Callable[[Any, Any], None]
"""The generated `add_<Service>Servicer_to_server`."""

READY = "ready"
"""The health service's name for "serving, and everything it depends on answers"."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class ListenFailed(Exception):
    """The address cannot be listened on: it is taken, not this machine's, or not allowed."""


class _Methods:
    """Stands in for the server while servicers add themselves, to learn their methods before anything is served."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.services: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Generated code registers everything twice; the other time names the methods."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler]) -> None:
        self.services.append(service)
        self.handlers.update({f"/{service}/{name}": handler for name, handler in handlers.items()})


class _Unregistered:
    """Takes a servicer's methods for a server, but not into its core, where each would be waited for apart."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler]) -> None:
        """They are among the generic ones, too."""


class _HealthServicer(health.aio.HealthServicer):  # type: ignore[misc] # grpc_health ships no types
    """grpc.health.v1. "" and each service say whether this process serves; "ready" asks its dependencies as well."""

    def __init__(self, dependencies: Health) -> None:
        super().__init__()
        self._dependencies = dependencies
        self._server_status[""] = _NOT_SERVING

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 (named in the proto file)
        if request.service != READY or self._server_status[""] != _SERVING:
            return await super().Check(request, context)
        answers = await self._dependencies.check()
        return health_pb2.HealthCheckResponse(status=_SERVING if all(answers.values()) else _NOT_SERVING)


def create_server(  # noqa: PLR0913 (the parts of a server, each given by name)
    listen: str,
    *,
    servicers: Sequence[tuple[AddServicer, object]],
    policy: Policy,
    verifier: TokenVerifier,
    telemetry: Telemetry,
    health: Health,
    reflection: bool = False,
    translate: Translate = lambda error: error,
    metrics: Metrics | None = None,
    max_message_bytes: int = 4 * 1024 * 1024,
    max_concurrent: int | None = None,
    credentials: grpc.ServerCredentials | None = None,
) -> "RpcServer":
    """A server of these servicers, guarded by the policy, not yet listening.

    `listen` is host:port (port 0: any) or unix:/path. `translate` turns errors this library must not know into a
    `Refusal` or `Unavailable`. Calls above `max_concurrent` at a time are answered RESOURCE_EXHAUSTED. With
    `credentials` it speaks TLS and nothing else.
    Raises `PolicyError` unless the policy has an entry for every method served and for no other.
    """
    methods = _Methods()
    for add, servicer in servicers:
        before = len(methods.handlers)
        add(servicer, methods)
        if len(methods.handlers) == before:
            raise PolicyError(f"{type(servicer).__name__} adds no methods by name")
    policy.require_exactly(methods.handlers)
    guard = Guard(methods.handlers, policy.rule, verifier, telemetry, translate=translate, metrics=metrics)
    options = [
        ("grpc.so_reuseport", 0),  # else a second process on the same port would quietly take half of the calls
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # what `connect` sends to notice a dead peer
    ]
    return RpcServer(
        listen, guard, methods.services, _HealthServicer(health), reflection, options, max_concurrent, credentials
    )


class RpcServer:
    """A server to start once and drain once."""

    def __init__(
        self,
        listen: str,
        guard: Guard,
        services: Sequence[str],
        health_servicer: _HealthServicer,
        reflection: bool,  # noqa: FBT001 (built by `create_server` alone)
        options: Sequence[tuple[str, Any]],
        max_concurrent: int | None,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self._listen = listen
        self._guard = guard
        self._services = services
        self._health = health_servicer
        self._reflection = reflection
        self._options = options
        self._max_concurrent = max_concurrent
        self._credentials = credentials
        self._server: grpc.aio.Server | None = None
        self.port = 0
        """The TCP port listened on, once started; 0 on a Unix socket."""

    @property
    def target(self) -> str:
        """What a client on this machine connects to, once started."""
        return self._listen if not self.port else f"{self._listen.rpartition(':')[0]}:{self.port}"

    async def start(self) -> None:
        """Listen and serve; from now on health says SERVING. Raises `ListenFailed`."""
        server = Server(interceptors=[self._guard], options=self._options, maximum_concurrent_rpcs=self._max_concurrent)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, _Unregistered(server))
        if self._reflection:
            from grpc_reflection.v1alpha import reflection as grpc_reflection  # for who explores a node, if at all

            names = (*self._services, health.SERVICE_NAME, grpc_reflection.SERVICE_NAME)
            grpc_reflection.enable_server_reflection(names, server)
        try:
            if self._credentials is None:
                port = server.add_insecure_port(self._listen)
            else:
                port = server.add_secure_port(self._listen, self._credentials)
        except RuntimeError:
            raise ListenFailed(
                f"cannot listen on {self._listen}: another process has it, or it is not an address of this machine;"
                " stop that process or set another address"
            ) from None
        self.port = 0 if self._listen.startswith("unix:") else port
        await server.start()
        self._server = server
        for name in ("", *self._services):
            await self._health.set(name, _SERVING)

    async def drain(self, grace: float = 10.0) -> None:
        """Say NOT_SERVING, take no new calls, let those under way finish for `grace` seconds, then cut them off."""
        if self._server is None:
            return
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
