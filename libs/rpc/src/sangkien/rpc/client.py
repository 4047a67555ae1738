"""Channels to other services: a deadline, a trace and a token on every call, and errors as our own tree."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from grpc.aio import ClientCallDetails
from opentelemetry import trace

from sangkien.rpc.remote import RemoteUnavailable, remote_error
from sangkien.runtime import Telemetry

TokenSource = Callable[[], Awaitable[str]]

_OPTIONS = [
    ("grpc.enable_http_proxy", 0),  # services of a node are neighbours; a proxy of the environment is for the web
    ("grpc.initial_reconnect_backoff_ms", 100),  # a restarted service is found again within a second,
    ("grpc.max_reconnect_backoff_ms", 1_000),  # not within gRPC's own two minutes
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


def connect(
    target: str,
    *,
    telemetry: Telemetry,
    token: TokenSource | None = None,
    timeout: float = 10.0,
    max_message_bytes: int = 4 * 1024 * 1024,
) -> grpc.aio.Channel:
    """A channel for generated stubs. It connects when first used, and again whenever it must; keep it, and close it.

    Every call, streams too, ends within its own `timeout=` or else within `timeout` seconds; the token of
    `await token()` and the current span travel with it. A call fails with a `RemoteError`, and an error raised by the
    caller's own request iterator comes back as itself.
    """
    calls = _Calls(telemetry, token, timeout)
    options = [
        *_OPTIONS,
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
    ]
    interceptors: list[grpc.aio.ClientInterceptor] = [
        _UnaryUnary(calls),
        _UnaryStream(calls),
        _StreamUnary(calls),
        _StreamStream(calls),
    ]
    return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)


class _Calls:
    """What the four interceptors of one channel share."""

    def __init__(self, telemetry: Telemetry, token: TokenSource | None, timeout: float) -> None:
        self._telemetry = telemetry
        self._token = token
        self._timeout = timeout
        self._names: dict[Any, tuple[str, str]] = {}

    def name(self, method: str | bytes) -> str:
        return self._named(method)[0]

    def span(self, method: str | bytes) -> trace.Span:
        return self._telemetry.span(self._named(method)[1], kind="client")

    async def prepared(self, details: ClientCallDetails) -> ClientCallDetails:
        """The call with deadline, token and trace. Call it inside the call's span."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        if self._token is not None:
            metadata.add("authorization", f"Bearer {await self._token()}")
        traceparent = self._telemetry.traceparent()
        if traceparent:
            metadata.add("traceparent", traceparent)
        return ClientCallDetails(
            method=details.method,
            timeout=self._timeout if details.timeout is None else details.timeout,
            metadata=metadata,
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
        )

    def _named(self, method: str | bytes) -> tuple[str, str]:
        named = self._names.get(method)
        if named is None:
            name = method.decode() if isinstance(method, bytes) else method
            named = self._names[method] = (name, name.rpartition(".")[2])
        return named


class _Requests:
    """The caller's request iterator. gRPC answers its errors by cancelling the call; this remembers what they were."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests
        self.error: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            if hasattr(self._requests, "__aiter__"):
                async for request in self._requests:
                    yield request
            else:
                for request in self._requests:
                    yield request
        except Exception as error:
            self.error = error
            raise


class _Interceptor:
    def __init__(self, calls: _Calls) -> None:
        self._calls = calls

    async def _begin(self, continuation: Any, details: ClientCallDetails, requests: Any) -> Any:
        span = self._calls.span(details.method)
        try:
            with trace.use_span(span):
                call = await continuation(await self._calls.prepared(details), requests)
        except BaseException:
            span.end()
            raise
        return _Stream(self._calls.name(details.method), call, requests, span)


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, details: ClientCallDetails, request: Any) -> Any:
        with self._calls.span(details.method):
            call = await continuation(await self._calls.prepared(details), request)
            try:
                await call
            except grpc.aio.AioRpcError as error:
                raise remote_error(self._calls.name(details.method), error) from None
            return call


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, details: ClientCallDetails, request: Any) -> Any:
        return (await self._begin(continuation, details, request)).answers()


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, details: ClientCallDetails, requests: Any) -> Any:
        return await self._begin(continuation, details, _Requests(requests))


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, details: ClientCallDetails, requests: Any) -> Any:
        return (await self._begin(continuation, details, _Requests(requests))).answers()


class _Stream:
    """A streaming call under way: its errors are ours, and its span ends with its last answer.

    It stands in for gRPC's own call where requests are still to be written while the answer is awaited.
    """

    def __init__(self, method: str, call: Any, requests: Any, span: trace.Span) -> None:
        self._method = method
        self._call = call
        self._requests = requests
        self._span = span

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __await__(self) -> Any:
        return self._answer().__await__()

    async def answers(self) -> AsyncIterator[Any]:
        try:
            async for answer in self._call:
                yield answer
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            raise self._told(error) from None
        finally:
            self._span.end()

    async def _answer(self) -> Any:
        try:
            return await self._call
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            raise self._told(error) from None
        finally:
            self._span.end()

    def _told(self, error: grpc.aio.AioRpcError | asyncio.CancelledError) -> BaseException:
        told: BaseException = error
        if isinstance(self._requests, _Requests) and self._requests.error is not None:
            told = self._requests.error
        elif isinstance(error, grpc.aio.AioRpcError):
            told = remote_error(self._method, error)
        elif not _being_cancelled():
            told = RemoteUnavailable(self._method, "CANCELLED")
        self._span.record_exception(told)
        return told


def _being_cancelled() -> bool:
    """Whether it is the caller who is cancelled.

    grpc.aio cancels a call by itself when the server dies while the last request is sent off, and tells it like this.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
