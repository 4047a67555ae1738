from urllib.request import urlopen

import pytest

from sangkien.runtime import MetricsPage


def test_metrics_page_shows_what_each_service_of_the_process_counted() -> None:
    page = MetricsPage()
    intake, review = page.of("intake"), page.of("review")
    intake.count("rpc_calls", method="/a.B/C", code="OK")
    intake.count("rpc_calls", 2, method="/a.B/C", code="OK")
    review.count("rpc_calls", method="/a.B/C", code="INTERNAL")
    intake.observe("rpc_seconds", 0.003, method="/a.B/C")
    review.set("outbox_depth", 12)
    with urlopen(f"http://127.0.0.1:{page.serve(0)}/metrics") as answer:
        shown = {line for line in answer.read().decode().splitlines() if not line.startswith("#")}
    page.close()
    assert {line for line in shown if line.startswith(("rpc_calls_total", "outbox_depth", "rpc_seconds_count"))} == {
        'rpc_calls_total{code="OK",method="/a.B/C",service="intake"} 3.0',
        'rpc_calls_total{code="INTERNAL",method="/a.B/C",service="review"} 1.0',
        'rpc_seconds_count{method="/a.B/C",service="intake"} 1.0',
        'outbox_depth{service="review"} 12.0',
    }


def test_metric_refuses_a_label_left_out() -> None:
    with pytest.raises(ValueError, match="label"):
        MetricsPage().of("intake").count("rpc_calls", method="/a.B/C")


def test_gauge_of_peers_forgets_who_left_and_nobody_elses() -> None:
    page = MetricsPage()
    hub, exchange = page.of("hub"), page.of("exchange")
    exchange.set_peers("link_backlog", {"a": 9})
    hub.set_peers("link_backlog", {"a": 1, "b": 2})
    hub.set_peers("link_backlog", {"b": 3})
    with urlopen(f"http://127.0.0.1:{page.serve(0)}/metrics") as answer:
        shown = {line for line in answer.read().decode().splitlines() if line.startswith("link_backlog")}
    page.close()
    assert shown == {'link_backlog{peer="a",service="exchange"} 9.0', 'link_backlog{peer="b",service="hub"} 3.0'}
