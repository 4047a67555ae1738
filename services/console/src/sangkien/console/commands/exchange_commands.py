"""`sangkien exchange peers|message|…`: what stands between nodes, the fate of one message, files still to come."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from sangkien.api.exchange.v1 import exchange_pb2 as ex
from sangkien.api.hub.v1 import hub_pb2 as hub
from sangkien.console.commands.file_table import file_table
from sangkien.console.commands.reaching import (
    exchange_of,
    federated_folder,
    hub_at,
    hub_of,
    member_at,
    plain,
    since,
    told,
    worded,
)
from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Stop,
    out,
    print_json,
    speak,
)
from sangkien.console.node.local import local_node
from sangkien.rpc import RemoteRefusal
from sangkien.runtime import utc_now
from sangkien.text.catalogue import label

MessageId = Annotated[str, typer.Argument(help="Mã thư · the message's id.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    exchange = typer.Typer(help="Trao đổi giữa các nút · what goes between nodes.")
    exchange.command("peers")(peers)
    exchange.command("message")(message)
    exchange.command("replay")(replay)
    exchange.command("proof")(proof)
    exchange.command("files")(files)
    exchange.command("fetch")(fetch)
    app.add_typer(exchange, name="exchange", no_args_is_help=True)


def peers(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Việc tồn đọng với từng nút; tại trung tâm: với mọi nút · the backlog with each peer; at the hub, of all nodes."""

    async def work() -> tuple[ex.ListPeersResponse | None, hub.ListPeersResponse | None]:
        async with local_node(federated_folder(data_dir)) as node:
            targets = node.running.targets
            mine = await exchange_of(node).ListPeers(ex.ListPeersRequest()) if "exchange" in targets else None
            all_ = await hub_of(node).ListPeers(hub.ListPeersRequest()) if "hub" in targets else None
            return mine, all_

    mine, everyone = speak(work(), as_json=as_json)
    if as_json:
        found: dict[str, Any] = {}
        if mine is not None:
            found["peers"] = [plain(each) for each in mine.peers]
        if everyone is not None:
            stamped = everyone.stamped_at.ToJsonString() if everyone.stamped_at.seconds else None
            nodes = [plain(each) for each in everyone.peers]
            found["hub"] = {"state": everyone.state, "stamped_at": stamped, "peers": nodes}
        print_json(found)
        return
    if mine is not None:
        out.print(_members(mine))
    if everyone is not None:
        for table in _nodes(everyone):
            out.print(table)
        out.print(
            f"Trung tâm · hub: {escape(everyone.state)}; đóng dấu lần cuối · last stamp: {told(everyone.stamped_at)}"
        )


def message(message_id: MessageId, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Số phận của một thư, theo mã thư hoặc mã nghiệp vụ · the fate of one message, by its id or business key."""

    async def work() -> dict[str, Any]:
        async with local_node(federated_folder(data_dir)) as node:
            found: dict[str, Any] = {}
            refusal: RemoteRefusal | None = None
            if "exchange" in node.running.targets:
                try:
                    answer = await exchange_of(node).GetMessage(ex.GetMessageRequest(id=message_id))
                    found["message"] = plain(answer.message)
                except RemoteRefusal as error:
                    refusal = error
            if "hub" in node.running.targets:
                try:
                    held = await hub_of(node).GetMessage(hub.GetMessageRequest(id=message_id))
                    found["custody"] = _custody(held)
                except RemoteRefusal as error:
                    refusal = refusal or error
            if not found and refusal is not None:
                raise refusal
            return found

    found = speak(work(), as_json=as_json)
    if as_json:
        print_json(found)
        return
    for title, part in (("Ở nút này · At this node", "message"), ("Ở trung tâm · At the hub", "custody")):
        if part not in found:
            continue
        table = Table(title=title, title_justify="left", show_header=False)
        for key, value in found[part].items():
            shown = worded("message_state", value) if key in {"state", "fate"} else str(value)
            table.add_row(key, escape(shown) if value not in {None, ""} else "–")
        out.print(table)


def replay(message_id: MessageId, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Xử lý lại một thư đến đã hỏng, sau khi sửa nguyên nhân · apply a message that failed once more, after mending."""

    async def work() -> None:
        async with member_at(data_dir) as (_, stub):
            await stub.ReplayMessage(ex.ReplayMessageRequest(id=message_id))

    speak(work(), as_json=as_json)
    if as_json:
        print_json({"id": message_id, "replayed": True})
    else:
        out.print(f"✓ {escape(message_id)}: sẽ xử lý lại · will be applied again")


def proof(
    message_id: MessageId,
    file: Annotated[Path, typer.Option("--out", help="Tệp bằng chứng · where to write the proof.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Xuất bằng chứng của một thư (tại trung tâm); ai cũng kiểm được · export the proof of one message (at the hub)."""

    async def work() -> str:
        async with hub_at(data_dir) as (_, stub):
            answer = await stub.GetProof(hub.GetProofRequest(id=message_id))
            key = (await stub.ListStamps(hub.ListStampsRequest(page_size=1))).hub_key
        try:
            file.write_text(answer.proof + "\n", encoding="utf-8")
        except OSError as error:
            raise Stop(
                "proof_unwritable",
                f"{file}: không ghi được tệp · the file cannot be written: {error.strerror}",
                "chọn tệp khác · choose another file: --out",
            ) from error
        return str(key)

    key = speak(work(), as_json=as_json)
    if as_json:
        print_json({"id": message_id, "proof": str(file), "hub_key": key})
        return
    out.print(f"✓ {escape(str(file))}", soft_wrap=True)
    out.print(f"  sangkien audit proof {file} --hub-key {key}", markup=False, highlight=False, soft_wrap=True)


def files(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Tệp minh chứng còn chờ, đang về hoặc lấy hỏng · evidence files that wait, come or failed."""

    async def work() -> ex.ListFilesResponse:
        async with member_at(data_dir) as (_, stub):
            return await stub.ListFiles(ex.ListFilesRequest())

    found = speak(work(), as_json=as_json)
    if as_json:
        print_json({"files": [plain(one) for one in found.files]})
    elif found.files:
        out.print(file_table(found.files))
    else:
        out.print("Không có tệp nào còn thiếu · no file is missing")


def fetch(
    sha256: Annotated[
        str,
        typer.Argument(help="SHA-256 (8 số đầu đủ · 8 digits do); bỏ trống · empty: mọi tệp hỏng · all that failed."),
    ] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Lấy lại tệp đã lấy hỏng từ nút nộp hồ sơ · fetch a file that failed once more from the node that filed it."""

    async def work() -> int:
        async with member_at(data_dir) as (_, stub):
            listed = (await stub.ListFiles(ex.ListFilesRequest())).files if 8 <= len(sha256) < 64 else ()
            meant = {one.sha256 for one in listed if one.sha256.startswith(sha256.lower())}
            [which] = meant if len(meant) == 1 else [sha256]
            return int((await stub.FetchFile(ex.FetchFileRequest(sha256=which))).files)

    count = speak(work(), as_json=as_json)
    if as_json:
        print_json({"files": count})
    else:
        out.print(f"✓ {count} tệp sẽ lấy lại · files will be fetched once more")


def _custody(held: hub.GetMessageResponse) -> dict[str, Any]:
    """The hub's view of one message, entry and seal as the texts they are."""
    return {
        "position": held.entry.position,
        "fate": held.fate,
        "taken_at": held.taken_at.ToJsonString() if held.taken_at.seconds else None,
        "delivered_at": held.entry.delivered_at.ToJsonString() if held.entry.delivered_at.seconds else None,
        "batch": held.batch,
        "entry": held.entry.entry.decode(),
        "seal": held.entry.seal,
    }


def _members(answer: ex.ListPeersResponse) -> Table:
    title = "Với các nút khác · With other nodes: gửi · sent, chờ · waiting, chưa giao · undelivered, từ chối · refused"
    table = _table(title, ("Nút", "Trạng thái", "Gửi", "Chờ", "Cũ nhất", "Chưa giao", "Từ chối", "Nhận", "Tệp"))
    now = utc_now()
    for each in answer.peers:
        table.add_row(
            "\n".join(escape(word) for word in (each.node, each.name) if word),
            _state(each.state),
            str(each.sent),
            str(each.waiting),
            since(each.oldest_waiting, now),
            str(each.undelivered),
            str(each.refused),
            str(each.received),
            f"{each.files_held}" + (f" (thiếu {each.files_missing})" if each.files_missing else ""),
        )
    return table


def _nodes(answer: hub.ListPeersResponse) -> list[Table]:
    """What is on its way, then how each node is."""
    title = "Mọi nút · Every node: vào · in, ra · out, cũ nhất · oldest, biên nhận · last receipt, gửi lại · again"
    way = _table(title, ("Nút", "Trạng thái", "Nối", "Vào", "Ra", "Cũ nhất", "/phút", "Biên nhận", "Gửi lại"))
    title = (
        "Phiên bản · version, chứng thư đến · certificate until, lệch giờ · clock, từ chối · refused, bỏ · discarded"
    )
    kept = _table(title, ("Nút", "Số", "Phiên bản", "Chứng thư đến", "Lệch giờ", "Từ chối", "Bỏ"))
    now = utc_now()
    for each in answer.peers:
        way.add_row(
            escape(each.node),
            _state(each.state),
            "[green]✓[/green]" if each.connected else "[red]✗[/red]",
            str(each.backlog_in),
            str(each.backlog_out),
            since(each.oldest_out, now),
            f"{each.rate_per_minute:.1f}",
            since(each.last_receipt, now),
            str(each.retries),
        )
        kept.add_row(
            escape(each.node),
            str(each.chain_number),
            escape(each.version),
            told(each.certificate_until)[:10],
            f"{each.clock_skew_s:+.1f} s",
            str(each.refused),
            str(each.discarded),
        )
    return [way, kept]


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading != "Nút")
    return table


def _state(state: str) -> str:
    return label(f"node_state.{state}") if state else "–"
