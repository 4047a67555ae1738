"""`sangkien person …`: that people of two nodes are one, and the record that follows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from sangkien.api.directory.v1 import directory_pb2 as people
from sangkien.api.directory.v1 import links_pb2 as pb
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.api.directory.v1.links_pb2_grpc import LinkServiceStub
from sangkien.api.recognition.v1 import recognition_pb2 as rec
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.console.commands.reaching import plain, worded
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
from sangkien.kernel import format_share

_PAGE = 1_000

PersonId = Annotated[str, typer.Argument(help="Mã người ở nút này · the person's id here.")]
LinkId = Annotated[str, typer.Argument(help="Mã liên kết · the link's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Lý do, chỉ lưu ở nút này · why; stays in this node.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Người ở hai nút là một, và hồ sơ theo người · one person in two nodes, and the record.")
    for name, command in (
        ("find", find),
        ("links", links),
        ("propose", propose),
        ("confirm", confirm),
        ("refuse", refuse),
        ("revoke", revoke),
        ("record", record),
    ):
        group.command(name)(command)
    app.add_typer(group, name="person", no_args_is_help=True)


def find(
    name: Annotated[str, typer.Argument(help="Họ và tên · full name.")],
    born: Annotated[str, typer.Option("--born", help="Ngày sinh · date of birth, YYYY-MM-DD.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="Mã đơn vị · the unit's id.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Tìm mã người ở nút này theo tên · a person's id here, by name."""

    async def work() -> people.FindPeopleResponse:
        async with local_node(node_at(data_dir)) as node:
            stub = DirectoryServiceStub(node.channel("directory", node.operator()))
            return await stub.FindPeople(
                people.FindPeopleRequest(full_name=name, birth_date=born, organisation_id=unit)
            )

    answer = speak(work(), as_json=as_json)
    if as_json:
        print_json({"people": [_found(one) for one in answer.people], "more": answer.more})
        return
    table = Table(title=f"Người · People: {len(answer.people)}{'+' if answer.more else ''}", title_justify="left")
    for heading in ("Mã · Id", "Họ và tên · Name", "Ngày sinh · Born", "Mã CB · Staff code", "Đơn vị · Unit"):
        table.add_column(heading, overflow="fold")
    for one in answer.people:
        cells = (
            one.person.person_id, one.person.full_name, one.birth_date, one.staff_code, one.person.organisation_name,
        )  # fmt: skip
        table.add_row(*map(escape, cells))
    out.print(table)


def _found(one: people.FoundPerson) -> dict[str, str]:
    return {**plain(one.person), "birth_date": one.birth_date, "staff_code": one.staff_code}


def links(
    person: Annotated[str, typer.Option("--person", help="Chỉ của người này · only of this person.")] = "",
    state: Annotated[str, typer.Option("--state", help="proposed, confirmed, refused, withdrawn, revoked")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Các liên kết và đề nghị đang chờ · links, and proposals that wait."""

    async def work() -> list[pb.Link]:
        found: list[pb.Link] = []
        async with _links(data_dir) as stub:
            request = pb.ListLinksRequest(person_id=person, state=state, page_size=_PAGE)
            while True:
                page = await stub.ListLinks(request)
                found.extend(page.links)
                if not page.next_page_token:
                    return found
                request.page_token = page.next_page_token

    found = speak(work(), as_json=as_json)
    if as_json:
        print_json({"links": [_link(one) for one in found]})
        return
    table = Table(title=f"Liên kết · Links: {len(found)}", title_justify="left")
    for heading in ("Mã · Id", "Trạng thái · State", "Ai · Who", "Ở nút kia · There", "Căn cứ · Grounds"):
        table.add_column(heading, overflow="fold")
    for one in found:
        grounds = one.grounds
        seen = "" if one.grounds_known else " (nút này chưa ghi · not recorded here)"
        went = f"{grounds.predecessor_name or grounds.predecessor_id} → {grounds.successor_name}"
        told = f"{grounds.document}, {grounds.on}: {went}{seen}"
        cells = (one.link_id, worded("link_state", one.state), _who(one), one.their_person_id or one.node, told)
        table.add_row(*map(escape, cells))
    out.print(table)


def propose(
    person: PersonId,
    predecessor: Annotated[str, typer.Option("--from", help="Đơn vị cũ ở nút kia · the unit that went over.")],
    successor: Annotated[str, typer.Option("--to", help="Đơn vị kế thừa ở nút này · the unit that followed.")] = "",
    theirs: Annotated[str, typer.Option("--their-id", help="Mã người ở nút kia · the id there.")] = "",
    staff_code: Annotated[str, typer.Option("--staff-code", help="Mã cán bộ ở đơn vị cũ · staff code there.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Đề nghị nút kia xác nhận là một người · ask the other node to confirm that it is one person."""

    async def work() -> pb.ProposeLinkResponse:
        async with _links(data_dir) as stub:
            request = pb.ProposeLinkRequest(
                person_id=person,
                predecessor_id=predecessor,
                successor_id=successor,
                their_person_id=theirs,
                staff_code=staff_code,
            )
            return await stub.ProposeLink(request)

    answer = speak(work(), as_json=as_json)
    if as_json:
        print_json({"link_id": answer.link_id, "already": answer.already})
    else:
        out.print(f"✓ {escape(answer.link_id)}{' (đã có · known)' if answer.already else ''}", soft_wrap=True)


def confirm(
    link: LinkId,
    person: Annotated[str, typer.Option("--person", help="Ai ở nút này · who of this node's people.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Xác nhận đề nghị của nút kia · confirm what another node proposed."""
    _answer(pb.AnswerLinkRequest(link_id=link, confirm=True, person_id=person), data_dir, as_json=as_json)


def refuse(link: LinkId, reason: Reason = "", data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Từ chối đề nghị của nút kia · refuse what another node proposed."""
    _answer(pb.AnswerLinkRequest(link_id=link, reason=reason), data_dir, as_json=as_json)


def revoke(link: LinkId, reason: Reason = "", data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Rút đề nghị của nút này, hoặc hủy liên kết · take a proposal back, or revoke a link."""

    async def work() -> pb.RevokeLinkResponse:
        async with _links(data_dir) as stub:
            return await stub.RevokeLink(pb.RevokeLinkRequest(link_id=link, reason=reason))

    answer = speak(work(), as_json=as_json)
    if as_json:
        print_json({"state": answer.state, "already": answer.already})
    else:
        out.print(f"✓ {escape(worded('link_state', answer.state))}")


def record(person: PersonId, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Sáng kiến đã công nhận của một người, cả theo lời nút khác · a person's record, with what others assert."""

    async def work() -> list[rec.RecordEntry]:
        async with local_node(node_at(data_dir)) as node:
            if "recognition" not in node.running.targets:
                raise Stop("recognition_not_here", "Nút này không công nhận sáng kiến · this node recognises nothing")
            stub = RecognitionServiceStub(node.channel("recognition", node.operator()))
            return list((await stub.GetRecord(rec.GetRecordRequest(person_id=person))).entries)

    entries = speak(work(), as_json=as_json)
    if as_json:
        print_json({"entries": [plain(one) for one in entries]})
        return
    table = Table(title=f"Sáng kiến · Initiatives: {len(entries)}", title_justify="left")
    for heading in (
        "Ngày · Day",
        "Tên · Title",
        "Cấp · Tier",
        "%",
        "Quyết định · Decision",
        "GCN",
        "Theo · Asserted by",
    ):
        table.add_column(heading, overflow="fold")
    for one in entries:
        asserted = one.asserted_by or "nút này · here"
        gone = f" (hủy · revoked {one.revoked_on})" if one.revoked_on else ""
        cells = (
            one.issued_on,
            one.title + gone,
            worded("tier", one.tier),
            format_share(one.share),
            one.decision_symbol,
            one.certificate_number or "–",
            asserted,
        )
        table.add_row(*map(escape, cells))
    out.print(table)


def _answer(request: pb.AnswerLinkRequest, data_dir: Path, *, as_json: bool) -> None:
    async def work() -> bool:
        async with _links(data_dir) as stub:
            return bool((await stub.AnswerLink(request)).already)

    already = speak(work(), as_json=as_json)
    state = "confirmed" if request.confirm else "refused"
    if as_json:
        print_json({"state": state, "already": already})
    else:
        out.print(f"✓ {escape(worded('link_state', state))}")


def _who(link: pb.Link) -> str:
    if link.person_id:
        return link.person_id
    if link.state != "proposed":
        return "–"
    fitting = [f"{one.full_name}, {one.organisation_name}: {one.person_id}" for one in link.matches]
    return "\n".join(fitting) or "không tìm thấy ai · nobody fits"


def _link(link: pb.Link) -> dict[str, object]:
    sought = plain(link.sought) if link.HasField("sought") else None
    found = [plain(one) for one in link.matches]
    return plain(link) | {"grounds": plain(link.grounds), "sought": sought, "matches": found}


@asynccontextmanager
async def _links(data_dir: Path) -> AsyncIterator[LinkServiceStub]:
    async with local_node(node_at(data_dir)) as node:
        yield LinkServiceStub(node.channel("directory", node.operator()))
