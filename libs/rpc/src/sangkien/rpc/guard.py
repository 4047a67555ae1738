"""The one interceptor of a server: authority, deadline, trace, errors and log for every kind of call (ADR 0004).

Authority is settled before a byte of the request is read. Everything else happens around the handler, in one frame,
because each unary call pays for it.
"""

import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from sangkien.kernel import Refusal
from sangkien.rpc.faults import Translate, fault_of
from sangkien.rpc.policy import PUBLIC, Rule, permit
from sangkien.rpc.principal import Principal, current_principal
from sangkien.rpc.refusals import DeadlineRequired, RequestMalformed, TokenMissing
from sangkien.rpc.remote import RemoteRefusal
from sangkien.rpc.tokens import TokenVerifier
from sangkien.runtime import Metrics, Telemetry, new_id

# Generic in the type stubs alone.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_BEARER = "bearer "

_log = structlog.get_logger("sangkien.rpc")
_traceparent: ContextVar[str] = ContextVar("incoming_traceparent", default="")


@dataclass(frozen=True, slots=True)
class _Method:
    """What the server knows of one method before any call of it."""

    name: str
    """`/package.Service/Method`."""
    span_name: str
    rule: Rule
    guarded: Handler


class Guard(grpc.aio.ServerInterceptor):
    """Guards the methods it was built with. Others (health, reflection) pass untouched."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        rules: Callable[[str], Rule],
        verifier: TokenVerifier,
        telemetry: Telemetry,
        *,
        translate: Translate,
        metrics: Metrics | None,
    ) -> None:
        self.telemetry = telemetry
        self.translate = translate
        self._verifier = verifier
        self._metrics = metrics
        self._methods: dict[str, _Method] = {}
        for name, handler in handlers.items():
            span_name = name.rpartition(".")[2]
            self._methods[name] = _Method(name, span_name, rules(name), _guarded(handler, self._watch(name, span_name)))

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        method = self._methods.get(handler_call_details.method)
        if method is None:
            return await continuation(handler_call_details)
        authorization = traceparent = ""
        for key, value in handler_call_details.invocation_metadata:
            if key == "authorization":
                authorization = str(value)
            elif key == "traceparent":
                traceparent = str(value)
        _traceparent.set(traceparent)
        if method.rule is PUBLIC:
            return method.guarded
        try:
            caller = await self._caller(authorization)
            permit(method.rule, caller)
        except Exception as error:  # noqa: BLE001 (whatever goes wrong here, the caller is not let in)
            return self._turned_away(method, error)
        current_principal.set(caller)
        return method.guarded

    def _watch(self, name: str, span_name: str) -> "Callable[[Context], _Watch]":
        return lambda context: _Watch(self, name, span_name, context)

    async def _caller(self, authorization: str) -> Principal:
        if authorization[: len(_BEARER)].lower() != _BEARER:
            raise TokenMissing
        token = authorization[len(_BEARER) :]
        return self._verifier.remembered(token) or await self._verifier.verify(token)

    def _turned_away(self, method: _Method, error: Exception) -> Handler:
        """A handler of the kind that reads nothing; for the caller all kinds end alike."""

        async def refuse(_: object, context: Context) -> None:
            async with _Watch(self, method.name, method.span_name, context):
                raise error

        return grpc.stream_stream_rpc_method_handler(refuse)

    def finished(self, watch: "_Watch", code: str, error: BaseException | None, incident: str) -> None:
        """Write the one line of the call, and count it. Ids, codes and figures; no bodies."""
        seconds = time.perf_counter() - watch.started
        caller = current_principal.get()
        fields: dict[str, Any] = {
            "method": watch.method,
            "code": code,
            "duration_ms": round(seconds * 1000, 3),
            "subject": caller.subject if caller else "",
        }
        if isinstance(error, (Refusal, RemoteRefusal)):
            fields["reason"] = error.code
        elif error is not None and code != "CANCELLED":
            fields["error_type"] = type(error).__name__
        if code == "INTERNAL":
            _log.error("call", incident=incident, exc_info=error, **fields)
        elif code == "UNAVAILABLE":
            _log.warning("call", **fields)
        else:
            _log.info("call", **fields)
        if self._metrics is not None:
            self._metrics.count("rpc_calls", method=watch.method, code=code)
            self._metrics.observe("rpc_seconds", seconds, method=watch.method)


class _Watch:
    """Around one call: its span, its deadline, its error and its log line."""

    __slots__ = ("_context", "_guard", "_span", "method", "started")

    def __init__(self, guard: Guard, method: str, span_name: str, context: Context) -> None:
        self._guard = guard
        self._context = context
        self.method = method
        self.started = time.perf_counter()
        self._span = guard.telemetry.span(span_name, parent=_traceparent.get(), kind="server")

    async def __aenter__(self) -> None:
        self._span.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        fault, incident = None, ""
        if error is None or isinstance(error, grpc.aio.AbortError):
            status: grpc.StatusCode | None = self._context.code()  # None unless the servicer set one
            code = status.name if status is not None else "OK"
        elif isinstance(error, Exception) and not isinstance(error, grpc.aio.BaseError):
            error = self._guard.translate(error)
            incident = new_id()
            fault = fault_of(error, incident)
            code = fault.status.name
        else:
            code = "CANCELLED"  # the caller went away, or the server's patience ran out
        self._guard.finished(self, code, error, incident)
        self._span.__exit__(type(error) if error else None, error, where)
        if fault is not None:
            await self._context.abort(fault.status, fault.text, fault.trailers())


def _guarded(handler: Handler, watch: Callable[[Context], _Watch]) -> Handler:
    """The handler inside a watch. Requests are parsed and unary answers built inside it too: their errors are ours."""
    parse = _parser(handler.request_deserializer)
    build = handler.response_serializer
    if handler.unary_unary is not None:
        return grpc.unary_unary_rpc_method_handler(_once(handler.unary_unary, parse, build, watch))
    if handler.unary_stream is not None:
        return grpc.unary_stream_rpc_method_handler(
            _many(handler.unary_stream, parse, watch), response_serializer=build
        )
    if handler.stream_unary is not None:
        return grpc.stream_unary_rpc_method_handler(
            _once(handler.stream_unary, _as_is, build, watch), request_deserializer=parse
        )
    return grpc.stream_stream_rpc_method_handler(
        _many(handler.stream_stream, _as_is, watch), request_deserializer=parse, response_serializer=build
    )


def _once(behave: Any, parse: Any, build: Any, watch: Callable[[Context], _Watch]) -> Any:
    async def answer(request: Any, context: Context) -> bytes:
        async with watch(context):
            if context.time_remaining() is None:
                raise DeadlineRequired
            built: bytes = build(await behave(parse(request), context))
            return built

    return answer


def _many(behave: Any, parse: Any, watch: Callable[[Context], _Watch]) -> Any:
    # A coroutine that writes, also around a generator: cut off while it writes, a generator would be finished later, in
    # a context that is not the call's.
    async def answer(request: Any, context: Context) -> None:
        async with watch(context):
            if context.time_remaining() is None:
                raise DeadlineRequired
            answers = behave(parse(request), context)
            if inspect.isawaitable(answers):
                await answers
                return
            async with aclosing(answers):
                async for each in answers:
                    await context.write(each)

    return answer


def _parser(read: Any) -> Callable[[bytes], Any]:
    def parse(raw: bytes) -> Any:
        try:
            return read(raw)
        except DecodeError:
            raise RequestMalformed from None

    return parse


def _as_is(requests: Any) -> Any:
    return requests
