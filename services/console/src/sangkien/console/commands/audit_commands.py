"""`sangkien audit verify|proof`: whether what was kept still is what it was."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from sangkien.console.commands.reaching import federated_folder
from sangkien.console.commands.speaking import (
    DEFAULT_DATA_DIR,
    AsJson,
    DataDir,
    Stop,
    out,
    print_json,
    speak,
)
from sangkien.text.catalogue import label

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from sangkien.console.node.auditing import Broken, Checked

TsaRoot = Annotated[
    Path | None, typer.Option("--tsa-root", help="Chứng thư gốc (PEM) của cơ quan cấp dấu thời gian · its root.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="Kiểm lại chuỗi, chữ ký và dấu thời gian · re-check chains, signatures and stamps.")
    audit.command("verify")(verify)
    audit.command("proof")(proof)
    app.add_typer(audit, name="audit", no_args_is_help=True)


def verify(
    node: Annotated[str, typer.Option("--node", help="Chỉ chuỗi của nút này · only this node's chain.")] = "",
    tsa_root: TsaRoot = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Đọc và kiểm lại tất cả; chỉ ra mắt xích hỏng đầu tiên · read and check all again; names the first bad link."""

    async def work() -> "list[Checked]":
        from sangkien.console.node.auditing import audit
        from sangkien.console.node.local import local_node

        authorities = _certificates(tsa_root)
        async with local_node(federated_folder(data_dir)) as local:
            return await audit(local, node, authorities=authorities)

    done = speak(work(), as_json=as_json)
    broken = next((each.broken for each in done if each.broken is not None), None)
    if as_json:
        print_json(
            {
                "ok": broken is None,
                "broken": _named(broken) if broken else None,
                "checked": [each.as_json() for each in done],
            }
        )
    else:
        for each in done:
            _tell(each)
    if broken is not None:
        raise typer.Exit(1)


def proof(
    file: Annotated[Path, typer.Argument(help="Tệp bằng chứng · the file of the proof.")],
    hub_key: Annotated[str, typer.Option("--hub-key", help="Khóa công khai của trung tâm · the hub's public key.")],
    body: Annotated[Path | None, typer.Option("--body", help="Nội dung thư, nếu có · the body, if at hand.")] = None,
    tsa_root: TsaRoot = None,
    as_json: AsJson = False,
) -> None:
    """Kiểm một bằng chứng, không cần nút nào chạy · check a proof; no node has to run."""

    async def work() -> dict[str, Any]:
        from sangkien.custody import ProofBroken, verify_proof

        text, content = _read(file).decode("utf-8", "replace").strip(), _read(body) if body else None
        try:
            found = verify_proof(text, [hub_key], content, authorities=_certificates(tsa_root))
        except ProofBroken as broken:
            vi, en = _meaning(broken.code)
            raise Stop(
                "proof_broken",
                f"{file}: {broken.where}: {vi} · {en} ({broken.code})",
                "kiểm tra --hub-key và nội dung kèm theo; nếu đúng, bằng chứng này không có giá trị · check --hub-key"
                " and the body; if they are right, the proof proves nothing",
            ) from broken
        return {
            "ok": True,
            "id": found.seal.id,
            "from": found.seal.sender,
            "to": found.seal.receiver,
            "type": found.seal.type,
            "key": found.seal.key,
            "sealed_at": found.seal.at.isoformat(),
            "sha256": found.seal.sha256,
            "position": found.entry.position,
            "verdict": found.entry.verdict,
            "held_no_later_than": found.stamp.at.isoformat(),
            "body_checked": found.body_checked,
            "timestamped_at": found.timestamped_at.isoformat() if found.timestamped_at else None,
        }

    found = speak(work(), as_json=as_json)
    if as_json:
        print_json(found)
        return
    out.print("[green]✓ Bằng chứng đúng · the proof holds[/green]")
    for key, value in found.items():
        if key != "ok":
            out.print(f"  {key}: {value}", markup=False, highlight=False, soft_wrap=True)


def _tell(done: "Checked") -> None:
    what = "Nhật ký của trung tâm · the hub's log" if done.of == "log" else f"Chuỗi của · chain of {done.node}"
    counted = f"{done.entries} mục · entries"
    if done.of == "log":
        counted += f", {done.stamped} đã đóng dấu · stamped, {done.stamps} dấu · stamps"
    if done.broken is None:
        out.print(f"[green]✓[/green] {escape(what)}: {counted}", soft_wrap=True)
        return
    vi, en = _meaning(done.broken.code)
    out.print(f"[red]✗[/red] {escape(what)}: {counted}", soft_wrap=True)
    out.print(
        f"  [red]{escape(done.broken.where)}[/red]: {escape(vi)} · {escape(en)} ({done.broken.code})", soft_wrap=True
    )
    out.print(
        "  → giữ nguyên hiện trạng, sao chép thư mục dữ liệu, so với bản sao lưu · keep everything as it is, copy the"
        " data folder, compare it with a backup",
        soft_wrap=True,
    )


def _named(broken: "Broken") -> dict[str, str]:
    vi, en = _meaning(broken.code)
    return {"of": broken.of, "where": broken.where, "code": broken.code, "message": f"{vi} · {en}"}


def _meaning(code: str) -> tuple[str, str]:
    """What a code of `sangkien.custody` says, in Vietnamese and English."""
    return label(f"custody.{code}"), label(f"custody.{code}", "en")


def _certificates(path: Path | None) -> "list[Certificate]":
    if path is None:
        return []
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise Stop(
            "certificate_unreadable", f"{path}: không phải chứng thư PEM · no PEM certificate", "--tsa-root goc.pem"
        ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Stop(
            "file_not_found",
            f"{path}: không đọc được · cannot be read: {error.strerror}",
            "kiểm tra tên và quyền đọc · check its name and who may read it",
        ) from error
