"""One side of a link, over real gRPC: the other node's words come in as exchange brings them."""

import asyncio
from typing import Any

import pytest

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.api.directory.v1 import links_pb2 as pb
from sangkien.api.directory.v1.links_pb2_grpc import LinkServiceStub
from sangkien.contracts.events import PersonLinkChanged
from sangkien.directory.adapters.asserted_store import StoredAsserted
from sangkien.directory.adapters.signing_key import signing_key
from sangkien.directory.domain.succession import AssertedOrganisation
from sangkien.directory.domain.validity import ALWAYS
from sangkien.messaging.outbox import OUTBOX, SENT
from sangkien.rpc import RemoteRefusal, TokenMinter, connect, service_subject

OLD, NEW, THEIRS, LATER = "ba-dinh:OLD", "ba-dinh:NEW", "ba-dinh:01JTHEIRS", "tay-ho:OLD"
SYMBOL = "1656/NQ-UBTVQH15"


class Desk:
    """The registrars, and exchange, at a directory with one ward and one person in it."""

    def __init__(self, directory: Any, unit: str, person: str) -> None:
        host, telemetry = directory.running.host, directory.running.telemetry
        minter = TokenMinter("local", signing_key(host.settings.signing_key_path))

        def stub(subject: str, role: str) -> LinkServiceStub:
            async def token() -> str:
                return minter.mint(subject, [role], "", 3600)

            return LinkServiceStub(connect(host.target, telemetry=telemetry, token=token, timeout=20))

        self.registrar = stub("local:REGISTRAR", "secretary")
        self.other = stub("local:OTHER", "secretary")
        self.exchange = stub(service_subject("exchange"), "service")
        self.author = stub(person, "author")
        self.directory, self.unit, self.person = directory, unit, person

    async def link(self, link_id: str) -> pb.Link:
        listed = await self.registrar.ListLinks(pb.ListLinksRequest())
        return next(link for link in listed.links if link.link_id == link_id)

    def propose(self, **changed: str) -> pb.ProposeLinkRequest:
        said = {"person_id": self.person, "predecessor_id": OLD, "their_person_id": THEIRS}
        return pb.ProposeLinkRequest(**(said | changed))

    async def receive(self, link_id: str = "ba-dinh/1", **sought: str) -> str:
        said = sought or {"full_name": "Nguyễn Thị Minh Khai", "birth_date": "1980-02-29"}
        await self.exchange.ReceiveProposal(self.received(link_id, **said))
        return link_id

    def received(self, link_id: str = "ba-dinh/1", **sought: str) -> pb.ReceiveProposalRequest:
        grounds = pb.LinkGrounds(
            predecessor_id=self.unit,
            successor_id=NEW,
            successor_name="Phường Ngọc Hà",
            on="2025-07-01",
            document=SYMBOL,
        )
        return pb.ReceiveProposalRequest(
            link_id=link_id, node="ba-dinh", their_person_id=THEIRS, sought=pb.SoughtPerson(**sought),
            grounds=grounds, on="2025-07-02",
        )  # fmt: skip

    async def hears(self, link_id: str, answer: str, person: str = "", node: str = "ba-dinh") -> None:
        await self.exchange.ReceiveAnswer(
            pb.ReceiveAnswerRequest(
                link_id=link_id, node=node, answer=answer, their_person_id=person, asks_too=True, on="2025-07-03"
            )
        )

    async def said(self) -> list[tuple[str, bool]]:
        """What the others hear of links: the state, and whether it was decided here; oldest first."""
        store = self.directory.running.host._store
        where = {"type": PersonLinkChanged.TYPE}
        rows = {row["_id"]: row for coll in (OUTBOX, SENT) for row in await store.find(coll, where, limit=100)}
        bodies = [PersonLinkChanged.from_bytes(rows[id]["body"]) for id in sorted(rows)]
        return [(body.state, body.by_us) for body in bodies]


@pytest.fixture
async def desk(directory: Any) -> Desk:
    """Phường Phúc Tân follows an organisation of ba-dinh, whose name came with an announcement before."""
    unit = await directory.organisation("Phường Phúc Tân", kind="PHUONG_XA")
    person = await directory.person(unit, birth_date="1980-02-29", staff_code="GV-07")
    for id in (OLD, LATER):
        await asserted(directory, id, "Quận cũ")
    request = api.ReorganiseRequest(
        predecessor_ids=[OLD, LATER], successor_ids=[unit], on="2025-07-01", document=SYMBOL
    )
    await directory.operator.Reorganise(request)
    return Desk(directory, unit, person)


async def asserted(directory: Any, id: str, name: str) -> None:
    store = directory.running.host._store
    one = AssertedOrganisation(id, id.partition(":")[0], 1, "QUAN", name, "", ALWAYS)
    await store.apply([StoredAsserted(store).save(one)])


async def code(call: Any) -> str:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.code


async def test_same_proposal_is_one_link_and_says_no_more_than_the_other_node_needs(desk: Desk) -> None:
    answers = await asyncio.gather(*[desk.registrar.ProposeLink(desk.propose()) for _ in range(4)])
    described = await desk.registrar.ProposeLink(desk.propose(their_person_id="", staff_code="BD-1"))
    letters = [
        await desk.exchange.GetLinkLetter(pb.GetLinkLetterRequest(link_id=id))
        for id in (answers[0].link_id, described.link_id)
    ]

    assert {answer.link_id for answer in answers} == {answers[0].link_id}
    assert sorted(answer.already for answer in answers) == [False, True, True, True]
    assert [letter.sought for letter in letters] == [
        pb.SoughtPerson(person_ref=THEIRS),
        pb.SoughtPerson(full_name="Nguyễn Thị Minh Khai", birth_date="1980-02-29", staff_code="BD-1"),
    ]
    assert letters[0].link.grounds == pb.LinkGrounds(
        predecessor_id=OLD, successor_id=desk.unit, successor_name="Phường Phúc Tân", on="2025-07-01", document=SYMBOL
    )
    assert await desk.said() == [("proposed", True), ("proposed", True)]


async def test_proposal_without_recorded_succession_or_too_vague_is_refused(desk: Desk) -> None:
    nameless = await desk.directory.person(desk.unit, "Trần Thị Không Ngày")
    wanted = {
        "link_grounds_missing": desk.propose(predecessor_id="ba-dinh:ANOTHER"),
        "link_within_node": desk.propose(predecessor_id=desk.unit),
        "link_not_theirs": desk.propose(their_person_id="hanoi:P"),
        "link_too_vague": desk.propose(person_id=nameless, their_person_id=""),
        "person_unknown": desk.propose(person_id="local:NOBODY"),
    }
    assert [await code(desk.registrar.ProposeLink(request)) for request in wanted.values()] == list(wanted)
    assert await code(desk.author.ProposeLink(desk.propose())) == "role_missing"
    assert await code(desk.registrar.ListLinks(pb.ListLinksRequest(state="open"))) == "link_state_unknown"
    assert await desk.said() == []


async def test_proposal_of_another_node_finds_its_person_for_the_registrar_alone(desk: Desk) -> None:
    link_id = await desk.receive()
    await desk.receive()  # delivered again
    nobody = await desk.receive("ba-dinh/2", full_name="Người Không Có", birth_date="1980-02-29")
    link, other = await desk.link(link_id), await desk.link(nobody)
    unclear = await code(desk.registrar.AnswerLink(pb.AnswerLinkRequest(link_id=nobody, confirm=True)))
    confirmed = await desk.registrar.AnswerLink(pb.AnswerLinkRequest(link_id=link_id, confirm=True))
    again = await desk.other.AnswerLink(pb.AnswerLinkRequest(link_id=link_id, confirm=True))
    late = await code(desk.other.AnswerLink(pb.AnswerLinkRequest(link_id=link_id)))

    assert [(match.person_id, match.organisation_name) for match in link.matches] == [(desk.person, "Phường Phúc Tân")]
    assert (len(other.matches), unclear) == (0, "link_person_open")
    assert (confirmed.already, again.already, late) == (False, True, "link_decided_already")
    after = await desk.link(link_id)
    assert (after.state, after.person_id, after.decided_by, after.sends, after.receives) == (
        "confirmed",
        desk.person,
        "local:REGISTRAR",
        True,
        False,
    )
    assert after.sought == pb.SoughtPerson()
    assert await desk.said() == [("proposed", False), ("proposed", False), ("confirmed", True)]


async def test_of_two_registrars_at_once_one_decides_and_the_other_hears_it(desk: Desk) -> None:
    link_id = await desk.receive()
    ends = await asyncio.gather(
        desk.registrar.AnswerLink(pb.AnswerLinkRequest(link_id=link_id, confirm=True)),
        desk.other.AnswerLink(pb.AnswerLinkRequest(link_id=link_id, reason="không phải")),
        return_exceptions=True,
    )
    lost = [end.code for end in ends if isinstance(end, RemoteRefusal)]
    assert lost == ["link_decided_already"]
    assert len([said for said in await desk.said() if said[1]]) == 1


async def test_both_sides_proposing_the_same_at_once_end_confirmed_once(desk: Desk) -> None:
    ours = (await desk.registrar.ProposeLink(desk.propose())).link_id
    theirs = await desk.receive("ba-dinh/0", person_ref=desk.person)  # the lower id: this side confirms it
    links = {id: await desk.link(id) for id in (ours, theirs)}
    repeated = await desk.registrar.ProposeLink(desk.propose())

    assert [(links[id].state, links[id].sends, links[id].receives) for id in (ours, theirs)] == [
        ("withdrawn", False, False),
        ("confirmed", True, True),
    ]
    assert (repeated.link_id, repeated.already) == (theirs, True)
    assert await desk.said() == [("proposed", True), ("withdrawn", True), ("confirmed", True)]


async def test_side_whose_proposal_has_the_lower_id_leaves_it_to_the_other(desk: Desk) -> None:
    ours = (await desk.registrar.ProposeLink(desk.propose(predecessor_id=LATER, their_person_id="tay-ho:P"))).link_id
    received = desk.received("tay-ho/1", person_ref=desk.person)
    received.node, received.their_person_id, received.grounds.successor_id = "tay-ho", "tay-ho:P", "tay-ho:NEW"
    await desk.exchange.ReceiveProposal(received)
    before = [(await desk.link(id)).state for id in (ours, "tay-ho/1")]
    await desk.exchange.ReceiveAnswer(
        pb.ReceiveAnswerRequest(
            link_id=ours, node="tay-ho", answer="confirmed", their_person_id="tay-ho:P", asks_too=True, on="2025-07-03"
        )
    )
    await desk.hears("tay-ho/1", "withdrawn", node="tay-ho")
    link = await desk.link(ours)

    assert before == ["proposed", "proposed"]
    assert (link.state, link.sends, link.receives) == ("confirmed", True, True)
    assert (await desk.link("tay-ho/1")).state == "withdrawn"


async def test_proposing_what_the_other_node_proposed_confirms_it(desk: Desk) -> None:
    theirs = await desk.receive(person_ref=desk.person)
    answer = await desk.registrar.ProposeLink(desk.propose())
    link = await desk.link(theirs)
    assert (answer.link_id, link.state, link.sends, link.receives) == (theirs, "confirmed", True, True)


async def test_words_that_are_not_the_nodes_to_say_are_refused_and_harmless(desk: Desk) -> None:
    ours = (await desk.registrar.ProposeLink(desk.propose())).link_id
    forged = desk.received("hanoi/1", full_name="An", birth_date="1980-02-29")
    of_another = desk.received()
    of_another.grounds.predecessor_id = "hanoi:U"
    unknown = desk.received("ba-dinh/9", person_ref=desk.person)
    unknown.grounds.predecessor_id = "local:NOBODY"
    answers = [
        await code(desk.exchange.ReceiveProposal(forged)),
        await code(desk.exchange.ReceiveProposal(of_another)),
        await code(desk.exchange.ReceiveProposal(unknown)),
        await code(desk.hears(ours, "confirmed", THEIRS, node="hanoi")),
        await code(desk.hears("ba-dinh/77", "confirmed", THEIRS)),
        await code(desk.hears(ours, "withdrawn")),
    ]
    assert answers == [
        "link_not_theirs",
        "link_not_theirs",
        "organisation_unknown",
        "link_answer_not_asked",
        "link_answer_not_asked",
        "link_answer_not_asked",
    ]
    assert [link.state for link in (await desk.registrar.ListLinks(pb.ListLinksRequest())).links] == ["proposed"]


async def test_asking_too_counts_only_where_that_node_did_ask(desk: Desk) -> None:
    ours = (await desk.registrar.ProposeLink(desk.propose())).link_id
    await desk.hears(ours, "confirmed", THEIRS)
    await desk.hears(ours, "confirmed", THEIRS)
    link = await desk.link(ours)
    ended = await desk.registrar.RevokeLink(pb.RevokeLinkRequest(link_id=ours, reason="nhầm người"))
    await desk.hears(ours, "revoked")

    assert (link.state, link.sends, link.receives) == ("confirmed", False, True)
    assert (ended.state, ended.already) == ("revoked", False)
    assert await desk.said() == [("proposed", True), ("confirmed", False), ("revoked", True)]
