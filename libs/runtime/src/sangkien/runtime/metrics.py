"""Metrics for Prometheus: a closed set of names, one page a process, a `service` label on everything."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from prometheus_client import Counter, Histogram

CounterName = Literal["rpc_calls", "messages_handled", "events_published", "dead_letters"]
HistogramName = Literal["rpc_seconds", "batch_seconds"]
GaugeName = Literal["outbox_depth", "outbox_oldest_seconds", "consumer_pending", "spans_dropped", "stamp_wait_seconds"]
PeerGaugeName = Literal[
    "link_connected",
    "link_backlog",
    "link_oldest_seconds",
    "link_receipt_seconds",
    "link_refused",
    "link_discarded",
    "files_missing",
    "certificate_seconds_left",
]
"""Gauges of the links between nodes, each with the one label `peer`: a node's id, or `hub`."""

_COUNTERS: Mapping[CounterName, tuple[str, tuple[str, ...]]] = {
    "rpc_calls": ("Finished gRPC calls", ("method", "code")),
    "messages_handled": ("Messages taken: done, duplicate, later, retry or dead", ("consumer", "outcome")),
    "events_published": ("Outbox rows the broker acknowledged", ("stream",)),
    "dead_letters": ("Messages given up on", ("consumer", "reason")),
}
_HISTOGRAMS: Mapping[HistogramName, tuple[str, tuple[str, ...]]] = {
    "rpc_seconds": ("Duration of gRPC calls, in seconds", ("method",)),
    "batch_seconds": ("Duration of handled batches, in seconds", ("consumer",)),
}
_GAUGES: Mapping[GaugeName, tuple[str, tuple[str, ...]]] = {
    "outbox_depth": ("Events committed and not yet published, in rows", ()),
    "outbox_oldest_seconds": ("Age of the oldest of them, in seconds", ()),
    "consumer_pending": ("Messages not yet delivered", ("consumer",)),
    "spans_dropped": ("Spans lost since the start", ()),
    "stamp_wait_seconds": ("Age of the oldest entry of the hub's log without a stamp, 0 for none, in seconds", ()),
}
_PEER_GAUGES: Mapping[PeerGaugeName, str] = {
    "link_connected": "1 while the link to the peer stands, else 0",
    "link_backlog": "Messages for the peer that it, or the hub before it, has not confirmed",
    "link_oldest_seconds": "Age of the oldest of them, 0 for none, in seconds",
    "link_receipt_seconds": "Time since the peer last confirmed anything, in seconds",
    "link_refused": "Messages refused: at the hub those of the peer since its start, at a member those to the peer",
    "link_discarded": "Messages of the peer that were nobody's, since the hub's start: bad seals, wrong senders",
    "files_missing": "Files that dossiers of the peer name and that are not here: waiting, coming or failed",
    "certificate_seconds_left": "Until the certificate ends with which the peer is reached, or reaches us, in seconds",
}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class MetricsPage:
    """The metrics of one process, whichever services it holds."""

    def __init__(self) -> None:
        # With an HTTP server in it, of no use to a process whose metrics nobody reads: over a megabyte.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = CollectorRegistry()
        self._registry = registry
        self._server: WSGIServer | None = None
        self.counters = {
            name: Counter(name, text, ("service", *labels), registry=registry)
            for name, (text, labels) in _COUNTERS.items()
        }
        self.histograms = {
            name: Histogram(name, text, ("service", *labels), registry=registry, buckets=_SECONDS)
            for name, (text, labels) in _HISTOGRAMS.items()
        }
        self.gauges = {
            name: Gauge(name, text, ("service", *labels), registry=registry) for name, (text, labels) in _GAUGES.items()
        }
        self.peer_gauges = {
            name: Gauge(name, text, ("service", "peer"), registry=registry) for name, text in _PEER_GAUGES.items()
        }

    def of(self, service: str) -> "Metrics":
        """The metrics one service of the process reports to."""
        return Metrics(service, self)

    def serve(self, port: int) -> int:
        """Serve the page over HTTP on all addresses, from a thread; 0 lets the system choose. Returns the port."""
        from prometheus_client import start_http_server

        self._server, _ = start_http_server(port, registry=self._registry)
        return self._server.server_port

    def close(self) -> None:
        """Stop serving the page."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Metrics:
    """Where one service counts. Every label of a metric is given, by its name; a missing one is a `ValueError`.

    Without a page nobody could read them, and nothing is counted.
    """

    def __init__(self, service: str, page: MetricsPage | None) -> None:
        self._service = service
        self._page = page
        self._counters: dict[tuple[str, ...], Counter] = {}
        self._histograms: dict[tuple[str, ...], Histogram] = {}
        self._peers: dict[PeerGaugeName, frozenset[str]] = {}

    def count(self, name: CounterName, amount: int = 1, **labels: str) -> None:
        if self._page is None:
            return
        key = (name, *labels.values())
        child = self._counters.get(key)
        if child is None:
            child = self._counters[key] = self._page.counters[name].labels(service=self._service, **labels)
        child.inc(amount)

    def observe(self, name: HistogramName, seconds: float, **labels: str) -> None:
        if self._page is None:
            return
        key = (name, *labels.values())
        child = self._histograms.get(key)
        if child is None:
            child = self._histograms[key] = self._page.histograms[name].labels(service=self._service, **labels)
        child.observe(seconds)

    def set(self, name: GaugeName, value: float, **labels: str) -> None:
        if self._page is not None:
            self._page.gauges[name].labels(service=self._service, **labels).set(value)

    def set_peers(self, name: PeerGaugeName, values: Mapping[str, float]) -> None:
        """Set the gauge of each peer and forget those not named: a node that left must not alarm for ever."""
        if self._page is None:
            return
        gauge = self._page.peer_gauges[name]
        for gone in self._peers.get(name, frozenset()) - values.keys():
            gauge.remove(self._service, gone)
        self._peers[name] = frozenset(values)
        for peer, value in values.items():
            gauge.labels(service=self._service, peer=peer).set(value)
