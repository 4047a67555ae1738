"""Alerts, dashboards and scrape configuration speak of what the services really export."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sangkien.chassis import Definition
from sangkien.runtime import MetricsPage

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
OF_PROMETHEUS = {"up": {"job", "instance"}}
KEYWORDS = {"and", "or", "unless", "on", "ignoring", "offset", "bool", "group_left", "group_right", "inf", "nan"}
GROUPINGS = r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)"


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Series name → labels, from a running metrics page."""
    page = MetricsPage()
    metrics = [*page.counters.items(), *page.histograms.items(), *page.gauges.items(), *page.peer_gauges.items()]
    labels: dict[str, set[str]] = {name: set(metric._labelnames) for name, metric in metrics}
    port = page.serve(0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
    finally:
        page.close()
    series = {f"{family.name}{suffix}": labels[family.name] for family in families for suffix in SUFFIXES[family.type]}
    return series | OF_PROMETHEUS


@pytest.fixture(scope="module")
def expressions(root: Path) -> dict[str, str]:
    """Every PromQL expression of alerts and dashboards, by where it stands."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in rules(root)}
    for file in sorted((root / "deploy/observability/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text("utf-8"))["panels"]:
            for target in panel["targets"]:
                found[f"{file.stem} {panel['title']} {target['refId']}"] = target["expr"]
    return found


def rules(root: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load((root / "deploy/observability/alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def names_in(expression: str) -> set[str]:
    """The series an expression reads: identifiers that are no function, keyword, label or text."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', " ", re.sub(r'"[^"]*"', '""', expression))
    bare = re.sub(GROUPINGS, " ", bare)
    bare = re.sub(r"\boffset\s+\w+", " ", bare)
    return {name for name in re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*(?!\w*\s*\()", bare) if name not in KEYWORDS}


def labels_in(expression: str) -> set[str]:
    """The labels an expression selects or groups by."""
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    grouped = [label.strip() for labels in re.findall(GROUPINGS, expression) for label in labels.split(",")]
    return {*selected, *grouped} - {"le"}


def test_names_and_labels_of_an_expression_are_found() -> None:
    planted = (
        'sum by (le, job) (rate(made_up_total{service=~"$service", code!="OK"}[5m])) / other unless other offset 5m > 3'
    )
    assert names_in(planted) == {"made_up_total", "other"}
    assert labels_in(planted) == {"job", "service", "code"}


def test_expressions_read_only_series_that_exist(exported: dict[str, set[str]], expressions: dict[str, str]) -> None:
    assert len(expressions) > 20
    assert {where: unknown for where, text in expressions.items() if (unknown := names_in(text) - set(exported))} == {}


def test_expressions_use_only_labels_their_series_have(
    exported: dict[str, set[str]], expressions: dict[str, str]
) -> None:
    unknown = {}
    for where, text in expressions.items():
        known = {label for name in names_in(text) for label in exported[name]}
        if labels_in(text) - known:
            unknown[where] = labels_in(text) - known
    assert unknown == {}


def test_every_series_is_watched_or_shown(exported: dict[str, set[str]], expressions: dict[str, str]) -> None:
    read = {name for text in expressions.values() for name in names_in(text)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported}
    assert {family for family in families if not {family, f"{family}_bucket"} & read} == set()


def test_alerts_lead_to_a_section_of_the_runbook(root: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", (root / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = {rule["alert"]: rule["annotations"]["runbook"] for rule in rules(root)}
    assert {alert: link for alert, link in links.items() if not link.startswith("docs/operations.md#")} == {}
    assert {alert: link for alert, link in links.items() if link.partition("#")[2] not in anchors} == {}


def test_prometheus_asks_every_service_where_it_answers(
    root: Path, compose: dict[str, Any], definitions: dict[str, Definition], everything: dict[str, Definition]
) -> None:
    configuration = yaml.safe_load((root / "deploy/observability/prometheus.yml").read_text("utf-8"))
    asked = {job["job_name"]: job["dns_sd_configs"][0] for job in configuration["scrape_configs"]}
    ports = {name: int(compose["services"][name]["environment"][f"{name.upper()}_METRICS_PORT"]) for name in everything}
    assert {name: how["port"] for name, how in asked.items()} == ports | {"collector": 8888}
    assert {name: how["names"] for name, how in asked.items()} == {name: [name] for name in asked}
    missing = next(rule["expr"] for rule in rules(root) if rule["alert"] == "ServiceMissing")
    assert set(re.findall(r'job="(\w+)"', missing)) == set(definitions)
    gone = next(rule["expr"] for rule in rules(root) if rule["alert"] == "FederationServiceMissing")
    assert set(re.findall(r'job=~"([^"]+)"', gone)) == {"|".join(sorted(set(everything) - set(definitions)))}


def test_spans_find_their_way_to_jaeger(root: Path, compose: dict[str, Any], everything: dict[str, Definition]) -> None:
    collector = yaml.safe_load((root / "deploy/observability/collector.yaml").read_text("utf-8"))
    ends = {compose["services"][name]["environment"][f"{name.upper()}_OTLP_ENDPOINT"] for name in everything}
    port = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert {urlsplit(end).netloc for end in ends} == {f"collector:{port}"}
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(collector[kind])
    assert [exporter["endpoint"] for exporter in collector["exporters"].values()] == ["jaeger:4317"]
    assert "jaeger" in compose["services"]


def test_dashboards_have_identities_and_known_sources(root: Path) -> None:
    sources = yaml.safe_load((root / "deploy/observability/grafana/datasources.yaml").read_text("utf-8"))
    known = {source["uid"] for source in sources["datasources"]}
    boards = {
        file.stem: json.loads(file.read_text("utf-8"))
        for file in (root / "deploy/observability/dashboards").glob("*.json")
    }
    generated = yaml.safe_load((root / "deploy/observability/kustomization.yaml").read_text("utf-8"))
    files = {entry for made in generated["configMapGenerator"] for entry in made["files"]}
    assert {name: board["uid"] for name, board in boards.items()} == {name: f"sangkien-{name}" for name in boards}
    assert {f"dashboards/{name}.json" for name in boards} == {
        entry for entry in files if entry.startswith("dashboards/")
    }
    for board in boards.values():
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert {panel["datasource"]["uid"] for panel in board["panels"]} <= known


def test_links_that_stay_broken_are_told_of_in_the_promised_time(root: Path) -> None:
    found = {rule["alert"]: (" ".join(rule["expr"].split()), rule.get("for")) for rule in rules(root)}
    assert {name: found[name] for name in ("LinkDown", "StampOverdue", "CertificateEnds", "MessagesDiscarded")} == {
        "LinkDown": ("max by (service, peer) (link_connected) == 0", "15m"),
        "StampOverdue": ("max by (service) (stamp_wait_seconds) > 600", "1m"),
        "CertificateEnds": ("min by (service, peer) (certificate_seconds_left) < 14 * 86400", None),
        "MessagesDiscarded": ("sum by (peer) (increase(link_discarded[1h])) > 0", None),
    }
