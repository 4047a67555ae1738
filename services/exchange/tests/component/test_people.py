"""A district goes over into a ward on another node, and a teacher's record follows: through directories, recognitions,
exchanges, leaves and the hub.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sangkien.api.directory.v1 import directory_pb2 as org
from sangkien.api.directory.v1 import links_pb2 as pb
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.api.directory.v1.links_pb2_grpc import LinkServiceStub
from sangkien.api.recognition.v1 import recognition_pb2 as rec
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.contracts.crossing import (
    AssertedOrganisation,
    OrganisationChanged,
    PersonLinkAnswered,
    PersonLinkProposed,
    PersonRecord,
)
from sangkien.contracts.events import AuthorShare, CertificateIssued, InitiativeRecognised, RecordLine
from sangkien.contracts.links import Grounds, Sought
from sangkien.directory.adapters.asserted_store import StoredAsserted
from sangkien.directory.adapters.signing_key import signing_key
from sangkien.directory.bootstrap import SERVICE as DIRECTORY
from sangkien.directory.domain.succession import AssertedOrganisation as AssertedHere
from sangkien.directory.domain.validity import ALWAYS
from sangkien.recognition.bootstrap import SERVICE as RECOGNITION
from sangkien.rpc import TokenMinter
from sangkien.testkit import eventually
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service

SYMBOL, DAY = "1656/NQ-UBTVQH15", date(2025, 7, 1)


@dataclass
class RealDirectory:
    """A running directory where tests put a stand-in."""

    node: str
    target: str
    minter: TokenMinter

    def token(self, subject: str, roles: Iterable[str], organisation: str = "") -> Callable[[], Any]:
        minted = self.minter.mint(subject, roles, organisation, 3_600)

        async def source() -> str:
            return minted

        return source


@dataclass
class Office:
    """A node with its directory and recognition."""

    node: Any
    directory: RunningService
    recognition: RunningService
    council: Neighbour

    @property
    def tree(self) -> DirectoryServiceStub:
        return DirectoryServiceStub(self._channel(self.directory, "operator"))

    @property
    def links(self) -> LinkServiceStub:
        return LinkServiceStub(self._channel(self.directory, "secretary"))

    def _channel(self, service: RunningService, role: str) -> Any:
        service.directory = self.node.directory  # whose tokens it takes
        return service.channel(f"{self.node.name}:01JREGISTRAR", [role])

    async def unit(self, name: str, kind: str, valid_from: str = "") -> str:
        new = org.NewOrganisation(kind=kind, name=name, valid_from=valid_from)
        answer = await self.tree.RegisterOrganisations(org.RegisterOrganisationsRequest(organisations=[new]))
        return str(answer.results[0].organisation_id)

    async def person(self, unit: str, name: str, born: str) -> str:
        new = org.NewPerson(organisation_id=unit, full_name=name, birth_date=born)
        answer = await self.tree.RegisterPeople(org.RegisterPeopleRequest(people=[new]))
        return str(answer.results[0].person_id)

    async def told_of(self, id: str, *, valid_to: str = "") -> org.Organisation:
        """The organisation of another node, once it is asserted so."""

        async def now() -> org.Organisation | None:
            listed = await self.tree.ListOrganisations(org.ListOrganisationsRequest(asserted_by="*"))
            found = {one.organisation_id: one for one in listed.organisations}
            return found[id] if id in found and found[id].valid_to == valid_to else None

        told: org.Organisation = await eventually(now, what=f"{id} to be asserted")
        return told

    async def link(self, link_id: str, state: str) -> pb.Link:
        async def now() -> pb.Link | None:
            listed = await self.links.ListLinks(pb.ListLinksRequest(state=state))
            return next((one for one in listed.links if one.link_id == link_id), None)

        found: pb.Link = await eventually(now, what=f"the link to be {state}")
        return found

    async def record(self, person: str) -> list[tuple[str, int, str, str]]:
        stub = RecognitionServiceStub(self._channel(self.recognition, "secretary"))
        entries = (await stub.GetRecord(rec.GetRecordRequest(person_id=person))).entries
        return [(one.title, one.share, one.certificate_number, one.asserted_by) for one in entries]

    async def published(self) -> str:
        """Every event of its services, and every span they wrote."""
        assert self.node.running is not None
        stores = [each.host._store for each in (self.directory, self.recognition, self.node.running)]
        rows = [row for store in stores for coll in ("outbox", "outbox_sent") for row in await store.find(coll)]
        spans = [file for file in self.node.data_dir.parent.rglob("spans/**/*") if file.is_file()]
        assert rows
        assert spans
        return "".join([*[str(row) for row in rows], *[file.read_bytes().decode(errors="replace") for file in spans]])

    async def failures(self, sender: str) -> list[str]:
        rows = await self.node.rows("incoming", sender=sender, state="failed")
        return [row["reason"] for row in sorted(rows, key=lambda row: int(row["n"]))]


@asynccontextmanager
async def office(world: Any, name: str, profile: str, parent: str = "") -> AsyncIterator[Office]:
    node = await world.join(name, profile, parent)
    where = node.data_dir.parent
    async with AsyncExitStack() as stack:
        told: dict[str, Any] = {"nats_url": node.nats.url}
        directory = await stack.enter_async_context(
            running_service(DIRECTORY, data_dir=where / "directory", directory=node.directory, **told)
        )
        key = signing_key(directory.host.settings.signing_key_path)  # type: ignore[attr-defined]
        node.directory = RealDirectory(name, directory.host.target, TokenMinter(name, key))
        recognition = await stack.enter_async_context(
            running_service(RECOGNITION, data_dir=where / "recognition", directory=node.directory, **told)
        )
        council = await stack.enter_async_context(neighbour("recognition", nats_url=node.nats.url, data_dir=where))
        await stack.enter_async_context(node.runs())
        yield Office(node, directory, recognition, council)


def recognised(person: str, initiative: str = "I1") -> InitiativeRecognised:
    return InitiativeRecognised(
        initiative_id=initiative, dossier_id=f"D-{initiative}", decision_id="Q1", decision_symbol="7/QĐ-UBND",
        round_id="R1", tier="grassroots", title=f"Tủ sách lưu động {initiative}", unit_id="U",
        authors=(AuthorShare(person_id=person, share=10_000),), recognised_on=date(2024, 5, 19),
    )  # fmt: skip


def certificate(person: str, initiative: str = "I1") -> CertificateIssued:
    return CertificateIssued(
        certificate_id=f"C-{initiative}", initiative_id=initiative, dossier_id=f"D-{initiative}", round_id="R1",
        person_id=person, number="7.0001/GCN-UBND", data_sha256="0" * 64, issued_on=date(2024, 5, 19),
    )  # fmt: skip


async def test_record_follows_its_person_over_a_confirmed_succession_until_the_link_is_revoked(world: Any) -> None:
    async with office(world, "badinh", "district") as old, office(world, "phuctan", "ward", "badinh") as new:
        district = await old.unit("Quận Ba Đình", "QUAN")
        ward = await new.unit("Phường Phúc Tân", "PHUONG_XA", "2025-07-01")
        there = await old.person(district, "Nguyễn Thị Hoa", "1980-02-29")
        here = await new.person(ward, "Nguyễn Thị Hoa", "1980-02-29")
        await old.told_of(ward)
        went = org.ReorganiseRequest(predecessor_ids=[district], successor_ids=[ward], on="2025-07-01", document=SYMBOL)
        await old.tree.Reorganise(went)
        closed = await new.told_of(district, valid_to="2025-06-30")

        asked = pb.ProposeLinkRequest(person_id=here, predecessor_id=district)
        link_id = (await new.links.ProposeLink(asked)).link_id
        waiting = await old.link(link_id, "proposed")
        await old.council.says(recognised(there), "I1:grassroots", 1)
        await old.links.AnswerLink(pb.AnswerLinkRequest(link_id=link_id, confirm=True))
        at_new = await new.link(link_id, "confirmed")
        first = await eventually(lambda: shown(new, here, 1))
        await old.council.says(certificate(there), "C-I1", 1)
        await old.council.says(recognised(there, "I2"), "I2:grassroots", 1)
        both = await eventually(lambda: shown(new, here, 2, numbered=1))
        of_old = await old.record(there)

        await new.links.RevokeLink(pb.RevokeLinkRequest(link_id=link_id, reason="nhầm người"))
        at_old = await old.link(link_id, "revoked")
        await eventually(lambda: shown(new, here, 0))
        kept = await new.recognition.host._store.get("person_records", here)
        sent = [await each.node.rows("outgoing", type=PersonRecord.TYPE) for each in (old, new)]
        failed = [await old.failures("phuctan"), await new.failures("badinh")]
        heard = "".join([await each.published() for each in (old, new)])

    assert [(one.organisation_id, one.document) for one in closed.successors] == [(ward, SYMBOL)]
    assert (waiting.grounds.document, waiting.grounds_known) == (SYMBOL, True)
    assert [match.person_id for match in waiting.matches] == [there]
    assert (at_new.their_person_id, at_new.person_id) == (there, here)
    assert first == [("Tủ sách lưu động I1", 10_000, "", "badinh")]
    asserted = [("Tủ sách lưu động I1", 10_000, "7.0001/GCN-UBND"), ("Tủ sách lưu động I2", 10_000, "")]
    assert both == [(*line, "badinh") for line in asserted]
    assert of_old == [(*line, "") for line in asserted]
    assert (at_old.person_id, at_old.sends) == (there, True)
    assert kept is not None
    assert len(kept["asserted"][0][1]) == 2  # not shown any more, and not forgotten
    assert [len(rows) for rows in sent] == [3, 0]
    assert failed == [[], []]
    assert '"state":"confirmed"' in heard
    assert [word for word in ("Hoa", "1980-02-29", "nhầm người") if word in heard] == []


async def shown(one: Office, person: str, count: int, *, numbered: int = 0) -> list[Any] | bool | None:
    found = await one.record(person)
    fits = len(found) == count and len([each for each in found if each[2]]) >= numbered
    return (found or True) if fits else None


async def test_proposal_that_the_hub_does_not_forward_comes_back_to_its_registrar(world: Any) -> None:
    async with office(world, "phuctan", "ward") as new:
        ward = await new.unit("Phường Phúc Tân", "PHUONG_XA")
        here = await new.person(ward, "Nguyễn Thị Hoa", "1980-02-29")
        gone = AssertedHere("da-roi:U", "da-roi", 1, "QUAN", "Quận đã rời", "", ALWAYS)
        store = new.directory.host._store
        await store.apply([StoredAsserted(store).save(gone)])
        old = ["da-roi:U"]
        step = org.ReorganiseRequest(predecessor_ids=old, successor_ids=[ward], on="2025-07-01", document=SYMBOL)
        await new.tree.Reorganise(step)
        asked = pb.ProposeLinkRequest(person_id=here, predecessor_id="da-roi:U")
        link_id = (await new.links.ProposeLink(asked)).link_id
        link = await new.link(link_id, "withdrawn")
        said = await new.node.rows("outgoing", type=PersonLinkAnswered.TYPE)

    assert (link.reason, link.decided_by, link.grounds.predecessor_name) == ("receiver_unknown", "", "Quận đã rời")
    assert said == []


async def test_what_a_node_may_not_say_of_organisations_and_people_is_refused_and_harmless(world: Any) -> None:
    liar = "tayho"
    async with office(world, "badinh", "district") as old:
        district = await old.unit("Quận Ba Đình", "QUAN")
        there = await old.person(district, "Nguyễn Thị Hoa", "1980-02-29")
        attacker = await world.join(liar, "ward", "badinh")
        async with attacker.runs():
            line = RecordLine(
                initiative_id="I", tier="city", version=1, title="Bịa", share=10_000, decision_symbol="1/QĐ",
                issued_on=DAY,
            )  # fmt: skip
            grounds = Grounds(
                predecessor_id=district, successor_id="tayho:W", successor_name="W", on=DAY, document=SYMBOL
            )
            proposal = PersonLinkProposed(
                link_id="tayho/1", asking_ref="tayho:P", sought=Sought(person_ref=there), grounds=grounds, on=DAY
            )
            says = [
                organisations(district),
                organisations("hanoi:U"),
                organisations("tayho:W", district),
                PersonLinkAnswered(link_id="badinh/1", answer="confirmed", person_ref="tayho:P", on=DAY),
                proposal.model_copy(update={"link_id": "hanoi/1"}),
                PersonRecord(link_id="tayho/9", number=1, lines=(line,)),
                proposal,
                PersonRecord(link_id="tayho/1", number=1, lines=(line,)),
                PersonLinkAnswered(link_id="tayho/1", answer="confirmed", person_ref="tayho:P", on=DAY),
                organisations("tayho:W"),
            ]
            await attacker.says("badinh", *says)
            await old.told_of("tayho:W")
            await eventually(lambda: settled(old, liar), value=len(says))
            refused = await old.failures(liar)
            link = await old.link("tayho/1", "proposed")
            told = await attacker.rows("incoming", sender="badinh", type=PersonLinkAnswered.TYPE)
            listed = (await old.tree.ListOrganisations(org.ListOrganisationsRequest())).organisations
            record = await old.record(there)

    assert refused == [
        *["exchange_organisation_not_theirs"] * 3,
        "exchange_link_answer_not_asked",
        "exchange_link_not_theirs",
        *["exchange_record_not_linked"] * 2,
        "exchange_link_answer_not_asked",
    ]
    assert [(one.organisation_id, one.valid_to) for one in listed] == [(district, "")]
    assert (link.state, link.person_id, told, record) == ("proposed", "", [], [])


def organisations(*ids: str) -> OrganisationChanged:
    some = tuple([AssertedOrganisation(organisation_id=id, version=9, kind="QUAN", name="Của tôi") for id in ids])
    return OrganisationChanged(organisations=some, batch=sha256("".join(ids).encode()).hexdigest(), epoch=1)


async def settled(one: Office, sender: str) -> int:
    rows = await one.node.rows("incoming", sender=sender)
    business = [row for row in rows if row["state"] in ("applied", "failed")]
    return len(business)
