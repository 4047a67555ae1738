"""What a person sees: a progress bar while it runs, then tables."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from sangkien.console.demo.outcome import STATES, Outcome
from sangkien.text.catalogue import label
from sangkien.text.formats import vnd


class Bars:
    """One bar for each step the driver names, as it begins; finished ones stay."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", table_column=Column(no_wrap=False)),
            BarColumn(bar_width=16),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),  # on a narrow screen the words wrap, not the figures
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def said(self, what: str, done: int, of: int) -> None:
        """Show that `done` of `of` are done."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(escape(what), total=of)
        self._progress.update(self._tasks[what], completed=done, total=max(of, done))

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._progress.console.print(text)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def tables(outcome: Outcome) -> list[Table]:
    """The year's figures, Vietnamese first."""
    rounds = Table(title="Sáng kiến theo đợt · Initiatives by round", title_justify="left")
    rounds.add_column("Đợt\nRound", overflow="fold")
    for heading in ("Nộp\nFiled", "Công nhận\nRecognised", "Không\nNot", "Tỷ lệ\nRate", "GCN\nCertificates"):
        rounds.add_column(heading, justify="right", no_wrap=True)  # on a narrow screen the names wrap, not the figures
    city = [outcome.city] if outcome.city else []
    for each in [*outcome.rounds, *city]:
        share = f"{each.recognised * 100 / each.filed:.1f} %".replace(".", ",") if each.filed else "–"
        rounds.add_row(
            escape(f"{each.name} {each.group}".strip()),
            str(each.filed),
            str(each.recognised),
            str(each.not_recognised),
            share,
            str(each.certificates),
        )
    rounds.add_section()
    filed, recognised = (sum(getattr(each, name) for each in outcome.rounds) for name in ("filed", "recognised"))
    rounds.add_row("Cả năm (cấp quận) · Year", str(filed), str(recognised), "", "", str(outcome.certificates))
    if outcome.evidence_files:
        size = f"{outcome.evidence_bytes / 1024:.0f} KiB"
        rounds.caption = f"Minh chứng · Evidence: {outcome.evidence_files} tệp · files, {size}"
        rounds.caption_justify = "left"
    reward = Table(title=f"Khen thưởng · Rewards: {escape(outcome.reward.symbol)}", title_justify="left")
    for heading in ("Đối tượng · Holder", "Số lượng · Number", "Thành tiền · Sum"):
        reward.add_column(heading, justify="left" if heading.startswith("Đối") else "right")
    reward.add_row("Tập thể · Collectives", str(outcome.reward.collectives), vnd(outcome.reward.collectives_vnd))
    reward.add_row("Cá nhân · Individuals", str(outcome.reward.individuals), vnd(outcome.reward.individuals_vnd))
    reward.add_section()
    reward.add_row("Tổng · Total", "", vnd(outcome.reward.total_vnd))
    notices = Table(title="Thông báo · Notices", title_justify="left")
    notices.add_column("Trạng thái · State")
    for channel in outcome.notices:
        notices.add_column(_both(f"channel.{channel}"), justify="right")
    for state in STATES:
        counts = [channel.get(state, 0) for channel in outcome.notices.values()]
        if any(counts) or state == "sent":
            notices.add_row(_both(f"delivery.{state}"), *map(str, counts))
    notices.add_section()
    notices.add_row("Thư chết · Dead letters", str(outcome.dead_letters))
    return [rounds, reward, notices]


def _both(name: str) -> str:
    return f"{label(name)} · {label(name, 'en')}"
