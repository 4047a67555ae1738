"""Dossiers per second from the first filing to the last notice, through all seven services as processes of their own.

Authority and traces are on, stores at synchronous=FULL, every notice goes to an inbox and, by a mail of its own or in a
reviewer's digest, to a real SMTP server. At the end everything is killed with SIGKILL, and what the stores hold
afterwards is counted in their files.
"""

import argparse
import asyncio
import os
import signal
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psutil
from ceilings import commits_per_s, publishes_per_s
from harness import Result, helper, main, median
from journey import MEMBERS, Journey
from plain_pipeline import plain_dossiers_per_s

from sangkien.console.demo.council import REVIEWERS
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import SERVICES, Options
from sangkien.console.node.supervisor import Supervisor

ROUNDS = 3
MAIL_SERVERS = {"lean": "smtp_sink.py", "aiosmtpd": "smtp_library_sink.py"}
EXACTLY_ONE = (
    "intake.dossiers intake.dossier_versions intake.filing_keys intake.authorships intake.outbox_sent "
    "review.cases review.inbox recognition.candidates recognition.initiatives recognition.certificates "
    "reward.entitlements reward.inbox notification.dossiers reporting.filed reporting.checked reporting.voted "
    "reporting.decided reporting.certificates reporting.entitlements reporting.payments"
).split()
"""Collections with one row a dossier, no more and no less."""
SEVERAL = {
    "review.sheets": 2,
    "review.ballots": MEMBERS - 1,
    "reward.ledger": 2,
    "notification.notices": 7,
    "notification.digest_lines": 2,
    "notification.inbox": 5,
}
"""Collections with more. Told are: author and officer, author, two reviewers, author, author; one member is away."""
MAILS = 5
"""Sent for each dossier. Its reviewers are told in digests: one for each member, however many dossiers."""


async def measure(chosen: argparse.Namespace) -> Result:
    runs = [await one_run(chosen.dossiers, chosen.mail_server) for _ in range(chosen.runs)]
    middle = sorted(runs, key=lambda run: run["dossiers_per_s"])[len(runs) // 2]
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        folder = Path(name)
        publishing = [
            await publishes_per_s(folder / f"nats-{turn}", min(middle["events"], 20_000), middle["event_bytes"])
            for turn in range(ROUNDS)
        ]
        committing = [
            commits_per_s(folder / f"rows-{turn}.db", min(middle["rows"], 50_000), middle["row_bytes"])
            for turn in range(ROUNDS)
        ]
        plain = await plain_dossiers_per_s(folder / "plain", chosen.plain)
    events_ceiling = median(publishing) * chosen.dossiers / middle["events"]
    rows_ceiling = median(committing) * chosen.dossiers / middle["rows"]
    ours = middle["dossiers_per_s"]
    return {
        **middle,
        "runs": [run["dossiers_per_s"] for run in runs],
        "ceiling_publish": {"events_per_s": median(publishing), "dossiers_per_s": round(events_ceiling, 1)},
        "ceiling_store": {"rows_per_s": median(committing), "dossiers_per_s": round(rows_ceiling, 1)},
        "ratio_to_ceiling": round(ours / min(events_ceiling, rows_ceiling), 3),
        "plain_dossiers_per_s": round(plain, 2),
        "ratio_to_plain": round(ours / plain, 2),
    }


async def one_run(dossiers: int, mail_server: str = "lean") -> Result:
    """A node from nothing, the journey, the kill, the count."""
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        folder = NodeFolder(Path(name))
        async with (
            helper(MAIL_SERVERS[mail_server]) as port,
            local_node(folder, Options(smtp=f"smtp://127.0.0.1:{port}"), always_own=True) as node,
        ):
            journey = Journey(node, dossiers)
            await journey.prepare()
            before, busy_before = cpu_seconds(node), busy_seconds()
            seconds = await journey.travel()
            busy = busy_seconds() - busy_before
            spent = {name: cpu - before[name] for name, cpu in cpu_seconds(node).items()}
            await kill_all(node)
            await journey.come_to_rest()
        counted = count_stores(folder.path / "stores")
    expect(counted, dossiers)
    events, event_bytes = counted.pop("events"), counted.pop("event_bytes")
    rows, row_bytes = counted.pop("all_rows"), counted.pop("all_bytes")
    return {
        "dossiers": dossiers,
        "mail_server": mail_server,
        "dossiers_per_s": round(dossiers / seconds, 1),
        "seconds": round(seconds, 2),
        "stages_s": journey.stages.seconds,
        "dossiers_per_core_second": round(dossiers / sum(spent.values()), 1),
        "cores_ours": round(sum(spent.values()) / seconds, 2),
        "cores_of_others": round((busy - sum(spent.values())) / seconds, 2),
        "cpu_ms_per_dossier": {name: round(1000 * cpu / dossiers, 2) for name, cpu in spent.items()},
        "events": events,
        "event_bytes": event_bytes // events,
        "rows": rows,
        "row_bytes": row_bytes // rows,
        "counted_after_kill": counted,
    }


def cpu_seconds(node: LocalNode) -> dict[str, float]:
    """Processor time spent so far by every process of the node, by this driver and by the SMTP server."""
    processes = {name: psutil.Process(pid) for name, pid in supervisor_of(node).pids().items()}
    processes["driver"] = psutil.Process()
    for child in psutil.Process().children():
        if any(part.endswith("_sink.py") for part in child.cmdline()):
            processes["smtp_sink"] = child
    return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}


def busy_seconds() -> float:
    """Processor time the whole machine has spent on anything."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


async def kill_all(node: LocalNode) -> None:
    """SIGKILL to every process of the node at once, broker included; the supervisor sees each dead and starts it."""
    children = supervisor_of(node).children
    assert len(children) == len(SERVICES) + 1
    for pid in supervisor_of(node).pids().values():
        os.kill(pid, signal.SIGKILL)
    while not all(child.exits for child in children):  # noqa: ASYNC110 (the supervisor tells nobody)
        await asyncio.sleep(0.01)
    assert all(child.exits == [-signal.SIGKILL] for child in children), "a process had ended by itself before"


def supervisor_of(node: LocalNode) -> Supervisor:
    """The node's supervisor, which runs in this process."""
    assert node.supervisor is not None
    return node.supervisor


def count_stores(stores: Path) -> dict[str, int]:
    """Rows of every collection that says what became of a dossier, read from the files."""
    counted: dict[str, int] = dict.fromkeys(("events", "event_bytes", "all_rows", "all_bytes"), 0)
    for name in SERVICES:
        with closing(sqlite3.connect(f"file:{stores / name}.db?mode=ro", uri=True)) as db:
            tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
            for table in tables:
                query = f'select count(*), coalesce(sum(length(cast(body as blob))), 0) from "{table}"'  # noqa: S608
                rows, size = db.execute(query).fetchone()
                counted["all_rows"] += rows
                counted["all_bytes"] += size
                counted[f"{name}.{table}"] = rows
            bodies = (
                "select count(*), coalesce(sum(length(cast(json_extract(body, '$.body') as blob))), 0) from outbox_sent"
            )
            sent, size = db.execute(bodies).fetchone()
            counted["events"] += sent
            counted["event_bytes"] += size
            if name == "notification":
                told = "select json_extract(body, '$.state'), count(*) from mails group by 1"
                counted |= {f"notification.mails_{state}": number for state, number in db.execute(told)}
    return counted


def expect(counted: Mapping[str, int], dossiers: int) -> None:
    """Every dossier left every trace it must, once, and nothing waits. Fails naming all that differ."""
    wanted = {name: times * dossiers for name, times in (dict.fromkeys(EXACTLY_ONE, 1) | SEVERAL).items()}
    wanted |= {f"{name}.outbox": 0 for name in SERVICES}
    mails = MAILS * dossiers + min(MEMBERS, REVIEWERS * dossiers)
    wanted |= {"reporting.inbox": counted["events"], "notification.mails_sent": mails}
    wanted |= {"notification.mails": mails + counted.get("notification.mails_held", 0)}  # assigned after a digest left
    wrong = {name: (counted[name], number) for name, number in wanted.items() if counted[name] != number}
    assert not wrong, f"found and wanted differ: {wrong}"


if __name__ == "__main__":
    main(
        measure,
        ("--dossiers", {"type": int, "default": 2_000}),
        ("--runs", {"type": int, "default": 1}),
        ("--mail-server", {"choices": list(MAIL_SERVERS), "default": "lean"}),
        ("--plain", {"type": int, "default": 100}),
    )
