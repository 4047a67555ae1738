"""A node that is started again on its folder: its certificates, its trace, its processes."""

import asyncio
import io
import os

from pypdf import PdfReader

from sangkien.api.recognition.v1 import recognition_pb2 as pb
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.console.node.local import LocalNode
from sangkien.console.node.sample import signed_in
from sangkien.testkit.command import Played, sangkien
from sangkien.testkit.holdings import sqlite_documents

CROSSED = {"intake", "review", "recognition", "reward", "notification", "reporting"}


async def test_certificate_renders_and_its_code_verifies(year: Played, node: LocalNode) -> None:
    stored = sqlite_documents(year.folder)("recognition", "certificates")[100]
    staff = RecognitionServiceStub(node.channel("recognition", signed_in(node, "secretary")))
    public = RecognitionServiceStub(node.channel("recognition"))

    document = await staff.GetCertificateDocument(pb.GetCertificateDocumentRequest(certificate_id=stored["_id"]))
    again = await staff.GetCertificateDocument(pb.GetCertificateDocumentRequest(certificate_id=stored["_id"]))
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(document.pdf)).pages)
    typed = f"{stored['check_code'][:5].lower()} {stored['check_code'][5:]}"
    verified = await public.VerifyCertificate(pb.VerifyCertificateRequest(check_code=typed))

    assert again == document
    assert [word for word in (stored["number"], stored["check_code"]) if word not in text] == []
    assert (verified.valid, verified.number, verified.data_sha256) == (True, stored["number"], stored["data_sha256"])


async def test_code_of_no_certificate_is_not_valid(node: LocalNode) -> None:
    public = RecognitionServiceStub(node.channel("recognition"))

    assert await public.VerifyCertificate(
        pb.VerifyCertificateRequest(check_code="ZZZZZ22222")
    ) == pb.VerifyCertificateResponse(valid=False)


async def test_trace_of_a_dossier_crosses_every_service_from_one_root(year: Played, node: LocalNode) -> None:
    dossier = sqlite_documents(year.folder)("recognition", "initiatives")[0]["dossier_id"]
    status, trace = await asyncio.to_thread(sangkien, "trace", dossier, "--json", "--data-dir", node.folder.path)

    spans = {each["span_id"]: each for each in trace["spans"]}
    roots = [each for each in spans.values() if each["parent_id"] not in spans]
    mentioned = {each["attributes"].get("aggregate_id") for each in roots}
    assert (status, len(spans)) == (0, len(trace["spans"]))
    assert [(each["service"], each["name"], each["parent_id"]) for each in roots] == [("intake", "intake.file", "")]
    assert mentioned == {dossier}
    assert {each["service"] for each in spans.values()} == CROSSED


async def test_demo_is_not_played_twice_in_one_folder(year: Played) -> None:
    before = sqlite_documents(year.folder)("directory", "outbox_sent")
    status, answer = await asyncio.to_thread(sangkien, "demo", "ba-dinh-2023", "--json", "--data-dir", year.folder)

    assert (status, answer["error"]["code"]) == (1, "demo_folder_used")
    assert sqlite_documents(year.folder)("directory", "outbox_sent") == before


async def test_threads_of_a_service_do_not_interrupt_each_other(node: LocalNode) -> None:
    assert node.supervisor is not None
    services = {name: pid for name, pid in node.supervisor.pids().items() if name in CROSSED}
    assert {name: os.sched_getscheduler(pid) for name, pid in services.items()} == dict.fromkeys(
        CROSSED, os.SCHED_BATCH
    )
