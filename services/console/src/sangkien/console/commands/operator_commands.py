"""`sangkien trace` and `sangkien deadletters`: looking into a node."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from sangkien.api.ops.v1 import ops_pb2
from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Stop,
    node_at,
    out,
    print_json,
    speak,
)
from sangkien.console.node.local import local_node
from sangkien.console.operations import Operations

Sequence_ = Annotated[int, typer.Argument(help="Số thứ tự trong hàng thư chết · its number.", min=1, max=2**63 - 1)]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("trace")(trace)
    letters = typer.Typer(help="Thư chết: sự kiện không xử lý được · events no consumer could handle.")
    letters.command("list")(list_letters)
    letters.command("show")(show_letter)
    letters.command("replay")(replay_letter)
    app.add_typer(letters, name="deadletters", no_args_is_help=True)


def trace(
    dossier_id: Annotated[str, typer.Argument(help="Mã hồ sơ hoặc mã dấu vết · a dossier id or a trace id.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Vẽ dấu vết của một hồ sơ qua mọi dịch vụ · draw a dossier's trace across all services."""

    async def work() -> list[ops_pb2.Span]:
        async with local_node(node_at(data_dir)) as node:
            operations = Operations(node)
            traces = [dossier_id] if len(dossier_id) == 32 else await operations.traces_of(dossier_id)
            spans = await operations.spans(traces[0]) if traces else []
            if not spans:
                raise Stop(
                    "trace_unknown",
                    f"Không còn dấu vết của {dossier_id} · no trace is held of it",
                    "mã hồ sơ là ULID ghi trên giấy biên nhận; dấu vết cũ bị bỏ dần · a dossier's id is the ULID on its"
                    " receipt; old traces are dropped",
                )
            return spans

    spans = speak(work(), as_json=as_json)
    if as_json:
        print_json({"trace_id": spans[0].trace_id, "spans": [_span(span) for span in spans]})
    else:
        from sangkien.console.trace_tree import trace_tree

        out.print(trace_tree(spans))


def list_letters(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Liệt kê · list them, oldest first."""

    async def work() -> list[ops_pb2.DeadLetter]:
        async with local_node(node_at(data_dir)) as node:
            found: list[ops_pb2.DeadLetter] = []
            for stub in Operations(node).stubs.values():
                request = ops_pb2.ListDeadLettersRequest(limit=500)
                while True:
                    page = await stub.ListDeadLetters(request)
                    found.extend(page.dead_letters)
                    if not page.next_after:
                        break
                    request = ops_pb2.ListDeadLettersRequest(limit=500, after=page.next_after)
            return sorted(found, key=lambda letter: letter.sequence)

    letters = speak(work(), as_json=as_json)
    if as_json:
        print_json({"dead_letters": [_letter(letter) for letter in letters]})
        return
    table = Table(title=f"Thư chết · Dead letters: {len(letters)}", title_justify="left")
    for heading in ("#", "Bên nhận · Consumer", "Sự kiện · Event", "Lý do · Reason", "Lúc · At"):
        table.add_column(heading, overflow="fold")
    for letter in letters:
        at = letter.dead_at.ToDatetime().isoformat(" ", "seconds")
        cells = (letter.consumer, letter.event_type, letter.reason, at)
        table.add_row(str(letter.sequence), *map(escape, cells))
    out.print(table)


def show_letter(sequence: Sequence_, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Xem một thư chết · show one, with its body."""

    async def work() -> ops_pb2.GetDeadLetterResponse:
        async with local_node(node_at(data_dir)) as node:
            stub = next(iter(Operations(node).stubs.values()))
            return await stub.GetDeadLetter(ops_pb2.GetDeadLetterRequest(sequence=sequence))

    answer = speak(work(), as_json=as_json)
    body = answer.body.decode(errors="backslashreplace")
    if as_json:
        print_json(_letter(answer.dead_letter) | {"body": body, "headers": dict(answer.headers)})
    else:
        for key, value in _letter(answer.dead_letter).items():
            out.print(f"{key}: {value}", highlight=False, markup=False)
        out.print(body, highlight=False, markup=False)


def replay_letter(sequence: Sequence_, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Gửi lại cho bên nhận đã bỏ cuộc · offer it again to the consumer that gave up."""

    async def work() -> bool:
        async with local_node(node_at(data_dir)) as node:
            stub = next(iter(Operations(node).stubs.values()))
            answer = await stub.ReplayDeadLetter(ops_pb2.ReplayDeadLetterRequest(sequence=sequence))
            return bool(answer.replayed)

    replayed = speak(work(), as_json=as_json)
    if as_json:
        print_json({"sequence": sequence, "replayed": replayed})
    else:
        out.print(f"✓ {sequence}: đã gửi lại · offered again")


def _span(span: ops_pb2.Span) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "start_ns": span.start_ns,
        "duration_ns": span.duration_ns,
        "status": span.status,
        "attributes": dict(span.attributes),
    }


def _letter(letter: ops_pb2.DeadLetter) -> dict[str, Any]:
    return {
        "sequence": letter.sequence,
        "service": letter.service,
        "consumer": letter.consumer,
        "event_type": letter.event_type,
        "event_id": letter.event_id,
        "aggregate_id": letter.aggregate_id,
        "reason": letter.reason,
        "detail": letter.detail,
        "deliveries": letter.deliveries,
        "dead_at": letter.dead_at.ToJsonString(),
        "trace_id": letter.trace_id,
    }
