"""What the demo shows on a narrow screen."""

import io

from rich.console import Console

from sangkien.api.reporting.v1 import reporting_pb2 as rep
from sangkien.console.demo.outcome import Outcome
from sangkien.console.demo.telling import tables

OUTCOME = Outcome(
    rounds=[
        rep.RoundSummary(
            name="Đợt 2",
            group="phòng, ban, đơn vị, phường",
            filed=12_345,
            recognised=12_043,
            not_recognised=302,
            certificates=12_063,
        )
    ],
    city=None,
    reward=rep.RewardSummary(symbol="3034/QĐ-UBND", individuals=53, individuals_vnd=28_620_000, total_vnd=28_620_000),
    notices={"inbox": {"sent": 2216}, "email": {"queued": 0, "sent": 1658, "held": 9, "failed": 0}},
    dead_letters=0,
    restarts=0,
    duration_s=9.6,
)


def cells(number: int) -> list[list[str]]:
    """The rows of a table as eighty columns show them, broken lines and all."""
    console = Console(file=io.StringIO(), width=80)
    console.print(tables(OUTCOME)[number])
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().replace("┃", "│").splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]


def test_headings_and_figures_of_a_year_are_whole_on_eighty_columns() -> None:
    assert cells(0)[:3] == [
        ["Đợt", "Nộp", "Công nhận", "Không", "Tỷ lệ", "GCN"],
        ["Round", "Filed", "Recognised", "Not", "Rate", "Certificates"],
        ["Đợt 2 phòng, ban, đơn", "12345", "12043", "302", "97,6 %", "12063"],
    ]


def test_notices_and_mails_are_told_apart_and_only_what_there_is() -> None:
    assert cells(2) == [
        ["Trạng thái · State", "Hộp thông báo · Inbox", "Thư điện tử · E-mail"],
        ["Đã gửi · Sent", "2216", "1658"],
        ["Để ngày sau · Held over", "0", "9"],
        ["Thư chết · Dead letters", "0", ""],
    ]
