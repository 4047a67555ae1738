"""Evidence files over real gRPC and a real store: who may bring, name and read them, and what is kept."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import SupplementRequested
from sangkien.rpc import RemoteRefusal, RemoteUnavailable
from sangkien.store import Store
from sangkien.testkit import eventually
from sangkien.testkit.neighbour import Neighbour
from sangkien.testkit.service import RunningService

NewDraft = Callable[..., pb.Draft]

PART = 512 * 1024
PHOTO = b"\x89PNG" + bytes(range(256)) * 4_000
PLAN = b"%PDF-1.7 " + b"so do " * 500


def evidence(content: bytes, name: str = "minh chứng.pdf") -> pb.EvidenceFile:
    return pb.EvidenceFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content), name=name)


def held(content: bytes, name: str = "minh chứng.pdf", *, here: bool = True) -> pb.EvidenceFile:
    file = evidence(content, name)
    file.held = here
    return file


async def upload(stub: IntakeServiceStub, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    at: Any = await stub.GetFile(pb.GetFileRequest(sha256=sha256))
    while not at.complete:
        data = content[at.received : at.received + PART]
        request = pb.PutFilePartRequest(sha256=sha256, size=len(content), offset=at.received, data=data)
        at = await stub.PutFilePart(request)
    assert at.received == len(content)


async def read(stub: IntakeServiceStub, dossier_id: str, content: bytes, offset: int = 0, length: int = 0) -> bytes:
    sha256 = hashlib.sha256(content).hexdigest()
    request = pb.ReadFileRequest(dossier_id=dossier_id, sha256=sha256, offset=offset, length=length)
    pieces = [answer.data async for answer in stub.ReadFile(request)]
    assert all(len(piece) <= 256 * 1024 for piece in pieces)
    return b"".join(pieces)


async def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.code, caught.value.field


async def files_of(stub: IntakeServiceStub, dossier_id: str) -> list[pb.EvidenceFile]:
    return list((await stub.GetDossier(pb.GetDossierRequest(dossier_id=dossier_id))).dossier.content.files)


@pytest.fixture
def file(officer: IntakeServiceStub, round_one: str, draft: NewDraft) -> Callable[..., Any]:
    """Files a dossier with these files."""

    async def filed(*files: pb.EvidenceFile, key: str = "key-0001", stub: IntakeServiceStub = officer) -> str:
        request = pb.FileDossierRequest(idempotency_key=key, dossier=draft(files=files))
        return str((await stub.FileDossier(request)).dossier_id)

    return filed


async def test_dossier_is_filed_with_its_files_and_they_are_read_as_they_were_sent(
    officer: IntakeServiceStub, file: Callable[..., Any], store: Store
) -> None:
    await upload(officer, PHOTO)
    await upload(officer, PLAN)
    files = [evidence(PHOTO, "Ảnh trước, sau.PNG"), evidence(PLAN)]
    dossier_id = await file(*files)

    assert await file(*files) == dossier_id
    assert await files_of(officer, dossier_id) == [held(PHOTO, "Ảnh trước, sau.PNG"), held(PLAN)]
    assert await read(officer, dossier_id, PHOTO) == PHOTO
    assert await read(officer, dossier_id, PHOTO, 300_000, 300_000) == PHOTO[300_000:600_000]
    assert (await refusal(file(evidence(PLAN))))[0] == "key_reused"
    await eventually(lambda: store.count("outbox_sent"), value=1)
    [sent] = await store.find("outbox_sent")
    assert not any(word in sent["body"] for word in ("Ảnh", files[0].sha256, "files"))


async def test_file_that_is_not_whole_here_stops_its_dossier_alone(
    officer: IntakeServiceStub, round_one: str, draft: NewDraft, file: Callable[..., Any], store: Store
) -> None:
    await upload(officer, PLAN)
    half = pb.PutFilePartRequest(sha256=evidence(PHOTO).sha256, size=len(PHOTO), offset=0, data=PHOTO[:PART])
    assert await officer.PutFilePart(half) == pb.PutFilePartResponse(received=PART)

    assert await refusal(file(evidence(PLAN), evidence(PHOTO, "a.png"))) == ("evidence_missing", "dossier.files[1]")
    lying = evidence(PLAN)
    lying.size += 1
    assert await refusal(file(lying)) == ("file_size_differs", "dossier.files[0].size")
    rows = [
        pb.FileDossiersRequest(row=row, idempotency_key=f"row:{row:06}", dossier=draft(files=files))
        for row, files in enumerate(([evidence(PLAN)], [evidence(PHOTO, "a.png")], []), start=2)
    ]
    answers = [answer async for answer in officer.FileDossiers(iter(rows))]
    assert [(a.row, a.error.code) for a in answers] == [(2, ""), (3, "evidence_missing"), (4, "")]
    assert await store.count("dossiers") == 2
    assert await files_of(officer, answers[0].filed.dossier_id) == [held(PLAN)]


@pytest.mark.parametrize(
    ("files", "code", "field"),
    [
        ([evidence(PLAN, "../../etc/mật khẩu.pdf")], "evidence_name_invalid", "dossier.files[0].name"),
        ([evidence(PLAN, "a" * 197 + ".pdf")], "evidence_name_invalid", "dossier.files[0].name"),
        ([evidence(PLAN, "chạy ngay.exe")], "evidence_type_forbidden", "dossier.files[0].name"),
        ([evidence(PLAN, "pdf")], "evidence_type_forbidden", "dossier.files[0].name"),
        ([evidence(PLAN), evidence(PLAN, "bản sao.pdf")], "evidence_twice", "dossier.files[1]"),
        ([pb.EvidenceFile(sha256="A" * 64, size=1, name="a.pdf")], "evidence_malformed", "dossier.files[0]"),
        ([evidence(bytes([n]), "a.pdf") for n in range(21)], "evidence_too_many", "dossier.files"),
        (
            [pb.EvidenceFile(sha256=f"{n:064x}", size=50 * 2**20, name="a.pdf") for n in range(5)],
            "evidence_together_too_large",
            "dossier.files",
        ),
        (
            [pb.EvidenceFile(sha256="0" * 64, size=50 * 2**20 + 1, name="a.pdf")],
            "evidence_too_large",
            "dossier.files[0].size",
        ),
    ],
)
async def test_what_may_not_come_as_evidence_is_refused(
    officer: IntakeServiceStub, file: Callable[..., Any], files: list[pb.EvidenceFile], code: str, field: str
) -> None:
    await upload(officer, PLAN)
    assert await refusal(file(*files)) == (code, field)


async def test_too_large_a_file_is_refused_with_its_first_part_and_wrong_content_with_its_last(
    officer: IntakeServiceStub, intake: RunningService
) -> None:
    name = evidence(PLAN).sha256
    large = pb.PutFilePartRequest(sha256=name, size=50 * 2**20 + 1, data=b"x")
    wrong = pb.PutFilePartRequest(sha256=name, size=len(PLAN), data=bytes(len(PLAN)))

    assert await refusal(officer.PutFilePart(large)) == ("evidence_too_large", "size")
    assert await refusal(officer.PutFilePart(wrong)) == ("file_hash_differs", "sha256")
    assert await officer.GetFile(pb.GetFileRequest(sha256=name)) == pb.GetFileResponse()


async def test_whoever_may_not_read_a_dossiers_names_learns_nothing_of_its_files(
    officer: IntakeServiceStub, secretary: IntakeServiceStub, intake: RunningService, file: Callable[..., Any]
) -> None:
    await upload(officer, PHOTO)
    dossier_id = await file(evidence(PHOTO, "Nguyễn Thị Hoa.png"))

    async def told(subject: str, *roles: str) -> str:
        stub = IntakeServiceStub(intake.channel(subject, roles, "local:ELSEWHERE"))
        here, other = [(await refusal(read(stub, dossier_id, content)))[0] for content in (PHOTO, PLAN)]
        assert here == other
        return here

    assert await told("local:STRANGER", "author") == "dossier_unknown"
    assert await told("local:RIVAL", "union_officer") == "dossier_unknown"
    member = IntakeServiceStub(intake.channel("local:MEMBER", ["council_member"], "local:ELSEWHERE"))
    with pytest.raises(RemoteUnavailable):  # only review knows who judges, and there is none here
        await read(member, dossier_id, PHOTO)
    assert await told("local:OPERATOR", "operator") == "evidence_forbidden"
    assert await told("service/review", "service") == "evidence_forbidden"
    assert await told("service/exchange", "service") == "evidence_forbidden"
    author = IntakeServiceStub(intake.channel("local:AUTHOR", ["author"], "local:UNIT"))
    for reader in (officer, secretary, author):
        assert await read(reader, dossier_id, PHOTO) == PHOTO
        assert (await refusal(read(reader, dossier_id, PLAN)))[0] == "evidence_unknown"
    operator = IntakeServiceStub(intake.channel("local:OPERATOR", ["operator"], "local:UNIT"))
    assert await files_of(operator, dossier_id) == [pb.EvidenceFile(size=len(PHOTO), held=True)]


async def test_only_who_may_file_may_send_files(intake: RunningService) -> None:
    for subject, role, code in (
        ("local:LEADER", "leader", "role_missing"),
        ("local:MEMBER", "council_member", "role_missing"),
        ("service/review", "service", "filing_forbidden"),
    ):
        stub = IntakeServiceStub(intake.channel(subject, [role], "local:UNIT"))
        part = pb.PutFilePartRequest(sha256=evidence(PLAN).sha256, size=len(PLAN), data=PLAN)
        assert (await refusal(stub.PutFilePart(part)))[0] == code
        assert (await refusal(stub.GetFile(pb.GetFileRequest(sha256=part.sha256))))[0] == code


async def test_files_of_another_nodes_dossier_come_after_it(
    intake: RunningService, secretary: IntakeServiceStub, file: Callable[..., Any]
) -> None:
    exchange = IntakeServiceStub(intake.channel("service/exchange", ["service"]))
    dossier_id = await file(evidence(PHOTO, "a.png"), stub=exchange)

    assert await files_of(secretary, dossier_id) == [held(PHOTO, "a.png", here=False)]
    assert await refusal(read(secretary, dossier_id, PHOTO)) == ("file_gone", "sha256")
    await upload(exchange, PHOTO)
    assert await files_of(exchange, dossier_id) == [held(PHOTO, "", here=True)]
    assert await read(secretary, dossier_id, PHOTO) == PHOTO


async def test_supplement_brings_files_of_its_own_and_those_before_it_are_kept(
    officer: IntakeServiceStub, review: Neighbour, draft: NewDraft, file: Callable[..., Any], store: Store
) -> None:
    await upload(officer, PLAN)
    dossier_id = await file(evidence(PLAN))
    asked = SupplementRequested(
        dossier_id=dossier_id,
        dossier_version=1,
        round_id="R1",
        author_ids=("local:AUTHOR",),
        shortcomings=("THIEU_MINH_CHUNG",),
        due=date(9999, 1, 1),
    )
    await review.says(asked, dossier_id, 1)
    await eventually(lambda: store.count("dossiers", {"state": "YEU_CAU_BO_SUNG"}), value=1)
    request = pb.SupplementDossierRequest(
        dossier_id=dossier_id,
        expected_version=1,
        dossier=draft(files=[evidence(PHOTO, "a.png"), evidence(PLAN)], filed_on=""),
    )

    assert await refusal(officer.SupplementDossier(request)) == ("evidence_missing", "dossier.files[0]")
    await upload(officer, PHOTO)
    assert (await officer.SupplementDossier(request)).version == 2
    assert await files_of(officer, dossier_id) == [held(PHOTO, "a.png"), held(PLAN)]
    named = {f"{evidence(content).sha256}/{dossier_id}" for content in (PHOTO, PLAN)}
    assert {row["_id"] for row in await store.find("evidence")} == named


async def test_sweeping_removes_what_no_dossier_names(
    officer: IntakeServiceStub, intake: RunningService, file: Callable[..., Any], tmp_path: Path
) -> None:
    await upload(officer, PLAN)
    await upload(officer, PHOTO)
    dossier_id = await file(evidence(PLAN))
    [sweeping] = intake.host._parts.background
    sweep = sweeping._sweep  # type: ignore[attr-defined]
    sweep._unnamed = timedelta(days=-1)

    await sweep()

    assert await read(officer, dossier_id, PLAN) == PLAN
    assert await officer.GetFile(pb.GetFileRequest(sha256=evidence(PHOTO).sha256)) == pb.GetFileResponse()
    assert [path.name for path in (tmp_path / "intake" / "intake.files").glob("??/*")] == [evidence(PLAN).sha256]
