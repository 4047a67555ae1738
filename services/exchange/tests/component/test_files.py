"""Evidence of a ward's dossier, fetched by the city: real intakes, exchanges, leaves, hub, and a wire that breaks."""

import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.intake.v1 import intake_pb2 as wire
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.crossing import FileChunk
from sangkien.contracts.events import RoundOpened
from sangkien.intake.bootstrap import SERVICE as INTAKE
from sangkien.testkit import eventually
from sangkien.testkit.neighbour import neighbour
from sangkien.testkit.service import RunningService, running_service

UNIT = "Phường Phúc Tân"
MIB = 1024 * 1024
PART = 512 * 1024
OPENED = RoundOpened(
    round_id="CITY1", council_id="C", name="Cấp Thành phố", tier="city", owner_id="hanoi:UBND",
    opens_on=date(2023, 4, 1), closes_on=date(2023, 6, 30),
)  # fmt: skip


def made(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Site:
    """A node whose intake runs all the time; its exchange runs where a test says so."""

    node: Any
    intake: RunningService
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def stub(self, *roles: str) -> IntakeServiceStub:
        return IntakeServiceStub(self.intake.channel(f"{self.node.name}:01JSOMEBODY", roles))

    async def keeps(self, content: bytes) -> wire.EvidenceFile:
        """Upload a file here."""
        officer, whole = self.stub("union_officer"), sha256(content)
        for offset in range(0, len(content), PART):
            data = content[offset : offset + PART]
            request = wire.PutFilePartRequest(sha256=whole, size=len(content), offset=offset, data=data)
            await officer.PutFilePart(request)
        return wire.EvidenceFile(sha256=whole, size=len(content), name="minh chứng.pdf")

    async def files(self, key: str, *files: wire.EvidenceFile) -> str:
        """File a dossier for the city's round; its id here."""
        draft = wire.Draft(
            round_id="CITY1", title="Ngày thứ Sáu không chờ tại bộ phận Một cửa", field="Hành chính",
            unit_name=UNIT, authors=[wire.Author(full_name="Nguyễn Thị Hoa", share=10_000)],
            filed_on="2023-05-10", files=files,
        )  # fmt: skip
        request = wire.FileDossierRequest(idempotency_key=key, dossier=draft)
        return str((await self.stub("union_officer").FileDossier(request)).dossier_id)

    async def here(self, file: wire.EvidenceFile) -> tuple[int, bool]:
        answer = await self.stub("union_officer").GetFile(wire.GetFileRequest(sha256=file.sha256))
        return answer.received, answer.complete

    async def reads(self, dossier_id: str, file: wire.EvidenceFile) -> bytes:
        """As the secretary of its council reads it."""
        request = wire.ReadFileRequest(dossier_id=dossier_id, sha256=file.sha256)
        return b"".join([each.data async for each in self.stub("secretary").ReadFile(request)])

    async def shown(self, dossier_id: str = "") -> list[tuple[str, str, int]]:
        answer = await self.node.operator.ListFiles(pb.ListFilesRequest(dossier_id=dossier_id))
        return [(one.node, one.state, one.received) for one in answer.files]


@asynccontextmanager
async def site(world: Any, name: str, profile: str, parent: str = "") -> AsyncIterator[Site]:
    node = await world.join(name, profile, parent)
    node.directory.add_unit(UNIT)
    where = node.data_dir.parent
    async with running_service(
        INTAKE, nats_url=node.nats.url, data_dir=where / "intake", directory=node.directory, file_reserve_mib=0
    ) as running:
        node.settings |= {"intake": running.host.target, "file_patience_s": 1.0}
        yield Site(node, running)


@dataclass
class Pair:
    city: Site
    ward: Site

    async def arrived(self) -> str:
        """The id at the city of the one dossier that came."""
        store = self.city.intake.host._store
        await eventually(lambda: store.count("dossiers"), value=1, timeout=60)
        [here] = await store.find("dossiers")
        return str(here["_id"])


async def open_round(city: Site) -> None:
    where = city.node.data_dir.parent
    async with neighbour("review", nats_url=city.node.nats.url, data_dir=where) as review:
        await review.says(OPENED, "CITY1", 1)


async def chunk_bodies(city: Site, ward: Site, world: Any) -> list[int]:
    """How many bodies of chunks are kept at the sender, the receiver and the hub."""
    where = {"type": FileChunk.TYPE}
    out = await ward.node.rows("outgoing", **where)
    came = await city.node.rows("incoming", **where)
    bodies = len(await ward.node.store.get_many("outgoing_bodies", [doc["_id"] for doc in out]))
    taken = len(await city.node.store.get_many("incoming_bodies", [doc["_id"] for doc in came]))
    assert len(out) == len(came) > 0
    return [bodies, taken, await world.hub.host._store.count("bodies")]


async def test_evidence_follows_its_dossier_and_the_council_reads_it(world: Any) -> None:
    content = made(3 * MIB + 17)
    async with site(world, "hanoi", "city") as city, city.node.runs():
        await open_round(city)
        async with site(world, "phuctan", "ward", "hanoi") as ward, ward.node.runs():
            rounds = ward.intake.host._store
            await eventually(lambda: rounds.count("rounds", {"node": "hanoi"}), value=1, timeout=60)
            file = await ward.keeps(content)
            there = await ward.files("key-0001", file)
            here = await Pair(city, ward).arrived()

            await eventually(lambda: city.here(file), value=(len(content), True), timeout=60)
            assert await city.reads(here, file) == content
            await eventually(lambda: ward.shown(there), value=[("hanoi", "there", len(content))], timeout=60)
            assert await city.shown(here) == [("phuctan", "held", len(content))]
            await eventually(lambda: chunk_bodies(city, ward, world), value=[0, 0, 0])
