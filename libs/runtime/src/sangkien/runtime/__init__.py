"""What every process of the network stands on: settings, ids, logs, traces, metrics, health and its life cycle."""

from sangkien.runtime.health import Health
from sangkien.runtime.identifiers import first_id, new_id, utc_now
from sangkien.runtime.lifecycle import Lifecycle, run
from sangkien.runtime.logs import configure_logging, describe, flush_logs, log_line
from sangkien.runtime.metrics import Metrics, MetricsPage
from sangkien.runtime.settings import Address, ServiceSettings, SettingsInvalid
from sangkien.runtime.span_store import SpanRecord, SpanStore
from sangkien.runtime.telemetry import Telemetry, traceparent_of

__all__ = [
    "Address",
    "Health",
    "Lifecycle",
    "Metrics",
    "MetricsPage",
    "ServiceSettings",
    "SettingsInvalid",
    "SpanRecord",
    "SpanStore",
    "Telemetry",
    "configure_logging",
    "describe",
    "first_id",
    "flush_logs",
    "log_line",
    "new_id",
    "run",
    "traceparent_of",
    "utc_now",
]
