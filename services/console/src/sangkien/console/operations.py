"""What the operator sees of a node: every service's state, and one trace across all of them."""

import asyncio
from collections.abc import Sequence

from sangkien.api.ops.v1 import ops_pb2, ops_pb2_grpc
from sangkien.console.node.local import LocalNode
from sangkien.rpc import RemoteError, TokenSource


class Operations:
    """The operations interface of every service of a node, called with the operator's token."""

    def __init__(self, node: LocalNode, token: TokenSource | None = None) -> None:
        self._node = node
        source = token or node.operator()
        self.stubs = {
            service: ops_pb2_grpc.OpsServiceStub(node.channel(service, source)) for service in node.running.targets
        }

    async def statuses(self) -> dict[str, ops_pb2.GetStatusResponse | None]:
        """The state of each service; None for one that does not answer."""

        async def status(service: str) -> ops_pb2.GetStatusResponse | None:
            try:
                return await self.stubs[service].GetStatus(ops_pb2.GetStatusRequest(), timeout=5)
            except RemoteError:
                return None

        return dict(zip(self.stubs, await asyncio.gather(*map(status, self.stubs)), strict=True))

    async def traces_of(self, aggregate_id: str) -> list[str]:
        """Trace ids any service knows for a dossier, round or decision, the most widely known first."""
        known: dict[str, int] = {}
        for stub in self.stubs.values():
            request = ops_pb2.FindTracesRequest(aggregate_id=aggregate_id)
            for trace_id in (await stub.FindTraces(request)).trace_ids:
                known[trace_id] = known.get(trace_id, 0) + 1
        return sorted(known, key=lambda trace_id: (-known[trace_id], trace_id))

    async def spans(self, trace_id: str) -> list[ops_pb2.Span]:
        """The spans of one trace from every service and from this console, in order of their start."""
        from sangkien.chassis.operations import span_message

        await self._node.telemetry.flush()
        request = ops_pb2.GetTraceRequest(trace_id=trace_id)
        answers = await asyncio.gather(*(stub.GetTrace(request) for stub in self.stubs.values()))
        spans = [span for answer in answers for span in answer.spans]
        own = self._node.telemetry.store
        spans.extend(map(span_message, own.spans_of(trace_id) if own else ()))
        return sorted(spans, key=lambda span: span.start_ns)


def quiet(statuses: dict[str, ops_pb2.GetStatusResponse | None]) -> bool:
    """Whether nothing is on its way: every service answers, no outbox holds a row, no consumer is behind."""
    return all(
        status is not None
        and status.broker_ok
        and status.outbox_depth == 0
        and all(lag.pending == 0 and lag.unacknowledged == 0 for lag in status.consumers)
        for status in statuses.values()
    )


def children_of(spans: Sequence[ops_pb2.Span]) -> dict[str, list[ops_pb2.Span]]:
    """Spans by their parent; a span whose parent nobody holds is a root, under ""."""
    known = {span.span_id for span in spans}
    tree: dict[str, list[ops_pb2.Span]] = {}
    for span in spans:
        tree.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    return tree
