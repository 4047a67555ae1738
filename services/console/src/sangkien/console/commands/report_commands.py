"""`sangkien report round|reward|nodes`."""

from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from rich.markup import escape
from rich.table import Table

from sangkien.api.reporting.v1 import reporting_pb2 as rep
from sangkien.api.reporting.v1 import reporting_pb2_grpc
from sangkien.console.commands.reaching import worded
from sangkien.console.commands.speaking import DEFAULT_DATA_DIR, AsJson, DataDir, node_at, out, print_json, speak
from sangkien.console.node.local import local_node
from sangkien.text.formats import vnd


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    report = typer.Typer(help="Báo cáo tính từ nhật ký sự kiện · reports computed from the journal of events.")
    report.command("round")(by_round)
    report.command("reward")(by_decision)
    report.command("nodes")(by_node)
    app.add_typer(report, name="report", no_args_is_help=True)


def by_round(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Số liệu từng đợt · figures of each round."""

    async def work() -> rep.GetRoundReportResponse:
        async with local_node(node_at(data_dir)) as node:
            stub = reporting_pb2_grpc.ReportingServiceStub(node.channel("reporting", node.operator()))
            return await stub.GetRoundReport(rep.GetRoundReportRequest())

    report = speak(work(), as_json=as_json)
    if as_json:
        print_json({"rounds": [_plain(each) for each in report.rounds], "events": report.events, "as_of": report.as_of})
        return
    table = Table(title="Theo đợt · By round", title_justify="left")
    names = ("filed", "accepted", "refused_at_check", "withdrawn", "passed", "failed", "recognised", "certificates")
    for heading in ("Đợt · Round", "Nộp", "Chấp nhận", "Từ chối", "Rút", "Đạt", "Không đạt", "Công nhận", "GCN"):
        table.add_column(heading, justify="left" if heading.startswith("Đợt") else "right")
    for each in report.rounds:
        table.add_row(escape(f"{each.name} {each.group}".strip()), *(str(getattr(each, name)) for name in names))
    out.print(table)


def by_decision(
    year: Annotated[int, typer.Option("--year", help="Chỉ năm này · only this year.")] = 0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Quyết định khen thưởng và số tiền · reward decisions and sums."""

    async def work() -> rep.GetRewardReportResponse:
        async with local_node(node_at(data_dir)) as node:
            stub = reporting_pb2_grpc.ReportingServiceStub(node.channel("reporting", node.operator()))
            return await stub.GetRewardReport(rep.GetRewardReportRequest(year=year))

    report = speak(work(), as_json=as_json)
    if as_json:
        print_json({"decisions": [_plain(each) for each in report.decisions]})
        return
    table = Table(title="Khen thưởng · Rewards", title_justify="left")
    for heading in ("Quyết định · Decision", "Ngày · On", "Tập thể", "Cá nhân", "Tổng · Total", "Đã chi · Paid"):
        table.add_column(heading, justify="left" if " · " in heading and heading[0] in "QN" else "right")
    for each in report.decisions:
        table.add_row(
            escape(each.symbol),
            each.issued_on,
            str(each.collectives),
            str(each.individuals),
            vnd(each.total_vnd),
            vnd(each.paid_vnd),
        )
    out.print(table)


def by_node(
    year: Annotated[int, typer.Option("--year", help="Chỉ năm này · only this year.")] = 0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Quyết định của các nút cấp dưới đã báo cáo lên · what the nodes below decided, as they reported it."""

    async def work() -> rep.GetNodeReportResponse:
        async with local_node(node_at(data_dir)) as node:
            stub = reporting_pb2_grpc.ReportingServiceStub(node.channel("reporting", node.operator()))
            return await stub.GetNodeReport(rep.GetNodeReportRequest(year=year))

    report = speak(work(), as_json=as_json)
    if as_json:
        rounds, totals = ([_plain(each) for each in some] for some in (report.rounds, report.totals))
        print_json({"rounds": rounds, "totals": totals, "total": _plain(report.total)})
        return
    table = Table(title="Nút cấp dưới · Nodes below", title_justify="left")
    for heading in ("Nút · Node", "Cấp · Tier", "Đợt · Round"):
        table.add_column(heading, overflow="fold")
    for heading in ("Quyết định\nDecisions", "Công nhận\nRecognised", "Không\nNot"):
        table.add_column(heading, justify="right", no_wrap=True)
    for total in report.totals:
        for each in [one for one in report.rounds if one.node == total.node]:
            table.add_row(
                *map(escape, (each.node, worded("tier", each.tier), each.round_name or each.round_id)), *_counts(each)
            )
        table.add_row(escape(total.node), "", "Cộng · Total", *_counts(total), end_section=True)
    table.add_row("Tổng · All", "", "", *_counts(report.total))
    out.print(table)


def _counts(each: rep.NodeSummary) -> list[str]:
    return [str(each.decisions), str(each.recognised), str(each.refused)]


def _plain(summary: rep.RoundSummary | rep.RewardSummary | rep.NodeSummary) -> dict[str, Any]:
    """Every field, zeros too, integers as numbers (protobuf's JSON writes 64-bit ones as text)."""
    plain: dict[str, Any] = MessageToDict(
        summary, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return {key: int(value) if key.endswith("_vnd") else value for key, value in plain.items()}
