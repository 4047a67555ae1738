"""A dossier of a ward for the city's council, through intakes, exchanges, leaves, a wire that breaks and the hub."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.intake.v1 import intake_pb2 as wire
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import DossierAccepted, RoundOpened
from sangkien.intake.bootstrap import SERVICE as INTAKE
from sangkien.testkit import eventually
from sangkien.testkit.neighbour import Neighbour, neighbour
from sangkien.testkit.service import RunningService, running_service

UNIT = "Phường Phúc Tân"
OPENED = RoundOpened(
    round_id="CITY1", council_id="C", name="Cấp Thành phố", tier="city", owner_id="hanoi:UBND",
    opens_on=date(2023, 4, 1), closes_on=date(2023, 6, 30),
)  # fmt: skip


@dataclass
class Works:
    """A node with its intake, and a review that says what the test wants said."""

    node: Any
    intake: RunningService
    review: Neighbour

    def stub(self, *roles: str) -> IntakeServiceStub:
        return IntakeServiceStub(self.intake.channel(f"{self.node.name}:01JSOMEBODY", roles))

    async def dossier(self, id: str, *, state: str) -> wire.Dossier:
        async def now() -> wire.Dossier | None:
            found = (await self.stub("secretary").GetDossier(wire.GetDossierRequest(dossier_id=id))).dossier
            return found if found.state == state else None

        found: wire.Dossier = await eventually(now, what=state)
        return found


@asynccontextmanager
async def at_work(world: Any, name: str, profile: str, parent: str = "") -> AsyncIterator[Works]:
    node = await world.join(name, profile, parent)
    node.directory.add_unit(UNIT)
    async with AsyncExitStack() as stack:
        where = node.data_dir.parent
        running = await stack.enter_async_context(
            running_service(INTAKE, nats_url=node.nats.url, data_dir=where / "intake", directory=node.directory)
        )
        node.settings["intake"] = running.host.target
        review = await stack.enter_async_context(neighbour("review", nats_url=node.nats.url, data_dir=where))
        await stack.enter_async_context(node.runs())
        yield Works(node, running, review)


async def test_dossier_crosses_once_and_its_answer_comes_back(world: Any) -> None:
    async with at_work(world, "hanoi", "city") as city:
        await city.review.says(OPENED, "CITY1", 1)
        async with at_work(world, "phuctan", "ward", "hanoi") as ward:
            rounds = ward.intake.host._store
            await eventually(lambda: rounds.count("rounds", {"node": "hanoi"}), value=1)
            ward.node.member.wire.cut()
            draft = wire.Draft(
                round_id="CITY1", title="Ngày thứ Sáu không chờ tại bộ phận Một cửa", field="Hành chính",
                unit_name=UNIT, authors=[wire.Author(full_name="Nguyễn Thị Hoa", share=10_000)],
                filed_on="2023-05-10",
            )  # fmt: skip
            request = wire.FileDossierRequest(idempotency_key="key-0001", dossier=draft)
            there = (await ward.stub("union_officer").FileDossier(request)).dossier_id
            await eventually(lambda: ward.node.store.count("sent_dossiers"), value=1)
            held = await ward.node.operator.GetCustody(pb.GetCustodyRequest(dossier_id=there))
            ward.node.member.wire.heal()

            city_store = city.intake.host._store
            await eventually(lambda: city_store.count("dossiers"), value=1)
            [here] = [str(doc["_id"]) for doc in await city_store.find("dossiers")]
            accepted = DossierAccepted(
                dossier_id=here, dossier_version=1, round_id="CITY1", author_ids=(), accepted_on=date(2023, 5, 20),
                decide_by=date(2023, 8, 20),
            )  # fmt: skip
            await city.review.says(accepted, here, 2)
            at_ward = await ward.dossier(there, state="CHAP_NHAN_DON")
            at_city = await city.dossier(here, state="CHAP_NHAN_DON")
            custody = await ward.node.operator.GetCustody(pb.GetCustodyRequest(dossier_id=there))

    assert (held.holder, held.answer_from) == ("phuctan", "hanoi")
    assert (at_ward.remote_code, at_ward.competent_node) == (at_city.code, "hanoi")
    assert [author.full_name for author in at_city.content.authors] == ["Nguyễn Thị Hoa"]
    steps = [step.what for step in custody.steps if step.what not in ("in_custody", "delivered")]
    assert steps == ["filed", "sent", "received", "accepted"]
    assert (custody.holder, custody.answer_from, custody.answer_due) == ("hanoi", "hanoi", "2023-08-20")
