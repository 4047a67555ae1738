"""The one interceptor of a server: authority, deadline, trace, errors and log for every kind of call (ADR 0004).

Authority is settled before a byte of the request is read. Everything else happens around the handler, in one frame,
because each unary call pays for it.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from sangkien.kernel import Refusal
from sangkien.rpc.faults import Translate, fault_of
from sangkien.rpc.policy import PUBLIC, Rule, permit
from sangkien.rpc.principal import Principal, current_principal
from sangkien.rpc.refusals import DeadlineRequired, RequestMalformed, TokenMissing
from sangkien.rpc.remote import RemoteRefusal
from sangkien.rpc.tokens import TokenVerifier
from sangkien.runtime import Metrics, Telemetry, describe, log_line, new_id

# Generic in the type stubs alone.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_BEARER = "Bearer "

_traceparent: ContextVar[str] = ContextVar("incoming_traceparent", default="")


@dataclass(frozen=True, slots=True)
class _Method:
    """What the server knows of a method before any call of it."""

    rule: Rule
    guarded: Handler
    turned_away: "Callable[[Exception], Handler]"


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
        self._verifier = verifier
        self._methods: dict[str, _Method] = {}
        for name, handler in handlers.items():
            begin = _Beginning(name, telemetry, translate, metrics)
            self._methods[name] = _Method(rules(name), _guarded(handler, begin), _refusing(begin))

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        method = self._methods.get(handler_call_details.method)
        if method is None:
            return await continuation(handler_call_details)
        authorization = ""
        for key, value in handler_call_details.invocation_metadata:
            if key == "authorization":
                authorization = str(value)
            elif key == "traceparent":
                _traceparent.set(str(value))
        if method.rule is PUBLIC:
            return method.guarded
        try:
            caller = await self._caller(authorization)
            permit(method.rule, caller)
        except Exception as error:  # noqa: BLE001 (whatever goes wrong here, the caller is not let in)
            return method.turned_away(error)
        current_principal.set(caller)
        return method.guarded

    async def _caller(self, authorization: str) -> Principal:
        if authorization[:7].title() != _BEARER:
            raise TokenMissing
        token = authorization[7:]
        return self._verifier.remembered(token) or await self._verifier.verify(token)


class _Beginning:
    """Begins the calls of one method."""

    def __init__(self, method: str, telemetry: Telemetry, translate: Translate, metrics: Metrics | None) -> None:
        self.method = method
        self.telemetry = telemetry
        self.translate = translate
        self.metrics = metrics
        self.span_name = method.rpartition(".")[2]

    def __call__(self, context: Context) -> "_Call":
        return _Call(self, context)


class _Call:
    """One call under way: its span, then its error if any, then its one line in the log."""

    __slots__ = ("_context", "_of", "_span", "_started")

    def __init__(self, of: _Beginning, context: Context) -> None:
        self._of = of
        self._context = context
        self._started = time.perf_counter()
        self._span = of.telemetry.span(of.span_name, parent=_traceparent.get(), kind="server")
        self._span.__enter__()

    def done(self) -> None:
        """The servicer came to its end."""
        status: grpc.StatusCode | None = self._context.code()  # None unless the servicer set one
        self._end("OK" if status is None else status.name, None, "")

    async def failed(self, error: BaseException) -> None:
        """Tell the caller, unless there is no caller any more. Raises gRPC's own `AbortError` when there is."""
        if isinstance(error, grpc.aio.AbortError):
            self.done()
        elif isinstance(error, Exception) and not isinstance(error, grpc.aio.BaseError):
            error = self._of.translate(error)
            incident = new_id()
            fault = fault_of(error, incident)
            self._end(fault.status.name, error, incident)
            await self._context.abort(fault.status, fault.text, fault.trailers())
        else:  # the caller went away, or the patience of a draining server ran out
            self._end("CANCELLED", error, "")

    def _end(self, code: str, error: BaseException | None, incident: str) -> None:
        of, seconds, caller = self._of, time.perf_counter() - self._started, current_principal.get()
        line: dict[str, Any] = {
            "method": of.method,
            "code": code,
            "duration_ms": round(seconds * 1000, 3),
            "subject": "" if caller is None else caller.subject,
        }
        if error is None:
            log_line("info", "call", line)
        elif isinstance(error, (Refusal, RemoteRefusal)):
            log_line("info", "call", {**line, "reason": error.code})
        elif code == "INTERNAL":
            log_line("error", "call", {**line, "incident": incident, **describe(error, error.__traceback__)})
        else:
            log_line("warning", "call", {**line, "error_type": type(error).__name__})
        if of.metrics is not None:
            of.metrics.count("rpc_calls", method=of.method, code=code)
            of.metrics.observe("rpc_seconds", seconds, method=of.method)
        self._span.__exit__(type(error) if error else None, error, None)


def _refusing(begin: _Beginning) -> Callable[[Exception], Handler]:
    """Makes handlers of the kind that reads nothing. For the caller all kinds end alike."""

    def refusing(error: Exception) -> Handler:
        async def refuse(_: object, context: Context) -> None:
            await begin(context).failed(error)

        return grpc.stream_stream_rpc_method_handler(refuse)

    return refusing


def _guarded(handler: Handler, begin: _Beginning) -> Handler:
    """The handler inside a call. Requests are parsed and single answers built inside it too: their errors are ours."""
    parse = _parser(handler.request_deserializer)
    build = handler.response_serializer
    if handler.unary_unary is not None:
        return grpc.unary_unary_rpc_method_handler(_once(handler.unary_unary, parse, build, begin))
    if handler.unary_stream is not None:
        return grpc.unary_stream_rpc_method_handler(
            _many(handler.unary_stream, parse, begin), response_serializer=build
        )
    if handler.stream_unary is not None:
        return grpc.stream_unary_rpc_method_handler(
            _once(handler.stream_unary, _as_is, build, begin), request_deserializer=parse
        )
    return grpc.stream_stream_rpc_method_handler(
        _many(handler.stream_stream, _as_is, begin), request_deserializer=parse, response_serializer=build
    )


def _once(behave: Any, parse: Any, build: Any, begin: _Beginning) -> Any:
    async def answer(request: Any, context: Context) -> bytes:
        call = begin(context)
        try:
            if context.time_remaining() is None:
                raise DeadlineRequired
            built: bytes = build(await behave(parse(request), context))
        except BaseException as error:
            await call.failed(error)
            raise
        call.done()
        return built

    return answer


def _many(behave: Any, parse: Any, begin: _Beginning) -> Any:
    # A coroutine that writes, around a generator too: cut off while it writes, a generator would be finished later, in
    # a context that is not the call's.
    async def answer(request: Any, context: Context) -> None:
        call = begin(context)
        try:
            if context.time_remaining() is None:
                raise DeadlineRequired
            answers = behave(parse(request), context)
            if isawaitable(answers):
                await answers
            else:
                async with aclosing(answers):
                    async for each in answers:
                        await context.write(each)
        except BaseException as error:
            await call.failed(error)
            raise
        call.done()

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
