"""Who may do what to whom, by people with accounts on a node whose year is done."""

import hashlib
from collections.abc import Awaitable
from datetime import date
from typing import Any

import pytest

from sangkien.api.directory.v1 import directory_pb2 as people
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.api.intake.v1 import intake_pb2 as intake
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.api.notification.v1 import notification_pb2 as notes
from sangkien.api.notification.v1.notification_pb2_grpc import NotificationServiceStub
from sangkien.api.recognition.v1 import recognition_pb2 as recognition
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.api.review.v1 import review_pb2 as review
from sangkien.api.review.v1.review_pb2_grpc import ReviewServiceStub
from sangkien.api.reward.v1 import reward_pb2 as reward
from sangkien.api.reward.v1.reward_pb2_grpc import RewardServiceStub
from sangkien.console.demo.actors import Registrar
from sangkien.console.demo.cast import PersonDraft
from sangkien.console.node.local import LocalNode
from sangkien.console.node.sample import signed_in
from sangkien.rpc import RemoteRefusal, TokenSource
from sangkien.testkit.command import Played
from sangkien.testkit.holdings import sqlite_documents

PASSWORD = "mật khẩu của một tác giả"


async def refused(call: Awaitable[Any]) -> str:
    """The code the call is refused with."""
    with pytest.raises(RemoteRefusal) as refusal:
        await call
    return refusal.value.code


def cases(year: Played) -> list[dict[str, Any]]:
    """Dossiers that have been reviewed and voted on, so that there is something to hide."""
    found = [each for each in sqlite_documents(year.folder)("review", "cases") if each["state"] == "DA_HOP"]
    return [each for each in found if each["tier"] == "district"]


async def author_of(node: LocalNode, person_id: str) -> TokenSource:
    """Sign in as an author: a person of the directory with an account and no role but that one."""
    directory = DirectoryServiceStub(node.channel("directory", node.operator()))
    unit = (await directory.GetPeople(people.GetPeopleRequest(person_ids=[person_id]))).people[0].organisation_id
    await directory.GrantRoles(people.GrantRolesRequest(person_id=person_id, roles=["author"], organisation_id=unit))
    login = person_id.rpartition(":")[2].lower()
    await directory.SetPassword(people.SetPasswordRequest(person_id=person_id, login=login, password=PASSWORD))
    signed = await DirectoryServiceStub(node.channel("directory")).SignIn(
        people.SignInRequest(login=login, password=PASSWORD)
    )

    async def token() -> str:
        return str(signed.token)

    return token


async def test_author_reads_the_own_dossier_and_nothing_of_its_review(year: Played, node: LocalNode) -> None:
    case = cases(year)[0]
    own, other = case["_id"], cases(year)[50]["_id"]
    session = sqlite_documents(year.folder)("review", "sessions")[0]["_id"]
    person = case["facts"]["authors"][0][0]
    authored = [d["_id"] for d in sqlite_documents(year.folder)("intake", "dossiers") if person in d["author_ids"]]
    author = await author_of(node, person)
    council = ReviewServiceStub(node.channel("review", author))
    dossiers = IntakeServiceStub(node.channel("intake", author))

    seen = await dossiers.ListDossiers(intake.ListDossiersRequest())

    assert sorted(each.dossier_id for each in seen.dossiers) == authored
    assert await refused(dossiers.GetDossier(intake.GetDossierRequest(dossier_id=other))) == "dossier_unknown"
    assert await refused(council.GetCase(review.GetCaseRequest(dossier_id=own))) == "role_missing"
    assert await refused(council.ListCases(review.ListCasesRequest(round_id=case["round_id"]))) == "role_missing"
    assert await refused(council.GetMinutes(review.GetMinutesRequest(session_id=session))) == "role_missing"
    reviewers = {each["reviewer_id"] for each in sqlite_documents(year.folder)("review", "sheets")}
    assert [each for each in reviewers if each.encode() in seen.SerializeToString()] == []


async def test_council_member_reads_what_the_own_council_judges_with_its_evidence_and_no_more(
    year: Played, node: LocalNode
) -> None:
    read = sqlite_documents(year.folder)
    version = next(each for each in read("intake", "dossier_versions") if each.get("files"))
    judged = version["_id"].partition(":")[0]
    city = next(each["_id"] for each in read("review", "cases") if each["tier"] == "city")
    member = IntakeServiceStub(node.channel("intake", signed_in(node, "council_member")))
    secretary = IntakeServiceStub(node.channel("intake", signed_in(node, "secretary")))

    seen = (await member.GetDossier(intake.GetDossierRequest(dossier_id=judged))).dossier
    file = seen.content.files[0]
    asked = intake.ReadFileRequest(dossier_id=judged, sha256=file.sha256)
    content = b"".join([part.data async for part in member.ReadFile(asked)])

    assert seen == (await secretary.GetDossier(intake.GetDossierRequest(dossier_id=judged))).dossier
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)
    assert await refused(member.GetDossier(intake.GetDossierRequest(dossier_id=city))) == "dossier_unknown"
    assert await refused(member.ListDossiers(intake.ListDossiersRequest())) == "role_missing"


async def test_author_reads_no_certificate_and_no_notice_of_another(year: Played, node: LocalNode) -> None:
    certificates = sqlite_documents(year.folder)("recognition", "certificates")
    own, other = certificates[10], next(c for c in certificates if c["person_id"] != certificates[10]["person_id"])
    author = await author_of(node, own["person_id"])
    register = RecognitionServiceStub(node.channel("recognition", author))
    inbox = NotificationServiceStub(node.channel("notification", author))

    listed = await register.ListCertificates(recognition.ListCertificatesRequest(person_id=own["person_id"]))

    assert [each.certificate_id for each in listed.certificates] == [own["_id"]]
    assert {
        await refused(
            register.ListCertificates(recognition.ListCertificatesRequest(person_id=other["person_id"])),
        ),
        await refused(
            register.GetCertificateDocument(recognition.GetCertificateDocumentRequest(certificate_id=other["_id"]))
        ),
    } == {"certificate_not_yours"}
    asked = notes.ListInboxRequest(recipient_id=other["person_id"])
    assert await refused(inbox.ListInbox(asked)) == "inbox_not_yours"


async def test_secretary_casts_no_ballot_and_fills_in_no_sheet_for_a_member(year: Played, node: LocalNode) -> None:
    read = sqlite_documents(year.folder)
    session = read("review", "sessions")[0]
    dossier = session["agenda"][0]
    secretary = ReviewServiceStub(node.channel("review", signed_in(node, "secretary")))
    ballot = review.CastBallotsRequest(
        session_id=session["_id"], votes=[review.Vote(dossier_id=dossier, ballot=review.BALLOT_NO)]
    )
    sheet = review.SubmitSheetsRequest(sheets=[review.Sheet(dossier_id=dossier)])

    assert await refused(secretary.CastBallots(ballot)) == "role_missing"
    assert await refused(secretary.SubmitSheets(sheet)) == "role_missing"
    now = sqlite_documents(node.folder.path)
    assert (now("review", "ballots"), now("review", "sheets")) == (read("review", "ballots"), read("review", "sheets"))
    named = {field.name for field in (*review.CastBallotsRequest.DESCRIPTOR.fields, *review.Vote.DESCRIPTOR.fields)}
    assert named == {"session_id", "votes", "dossier_id", "ballot"}  # whose ballot it is, only the token says


async def test_who_drafted_a_reward_decision_does_not_sign_it(year: Played, node: LocalNode) -> None:
    decision = sqlite_documents(year.folder)("reward", "decisions")[0]
    unit = sqlite_documents(year.folder)("reward", "entitlements")[0]["holder_id"]
    both = await Registrar(node).actor(
        PersonDraft("Kiêm Nhiệm Hai Vai", date(1970, 1, 1), "Chánh Văn phòng", "kiem-nhiem@don-vi.example"),
        decision["issuer_id"],
        ["secretary", "leader"],
    )
    drafting = RewardServiceStub(node.channel("reward", both.token))
    drafted = await drafting.DraftRewardDecision(
        reward.DraftRewardDecisionRequest(
            idempotency_key="two hats",
            issuer_id=decision["issuer_id"],
            suffix=decision["suffix"],
            form="giay-khen-quan",
            recipients=[reward.Recipient(holder=reward.HOLDER_COLLECTIVE, holder_id=unit)],
            occasion="Thử hai vai",
        )
    )
    await drafting.SubmitRewardDecision(reward.SubmitRewardDecisionRequest(decision_id=drafted.decision_id))
    issue = reward.IssueRewardDecisionRequest(
        decision_id=drafted.decision_id, issued_on="2023-12-25", signing_mode="TM", signer_title="Chủ tịch"
    )

    assert await refused(drafting.IssueRewardDecision(issue)) == "reward_signer_is_drafter"
    signing = RewardServiceStub(node.channel("reward", signed_in(node, "leader")))
    assert (await signing.IssueRewardDecision(issue)).symbol == "3035/QĐ-UBND"
