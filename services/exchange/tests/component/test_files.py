"""Evidence of a ward's dossier, fetched by the city: real intakes, exchanges, leaves, hub, and a wire that breaks."""

import asyncio
import hashlib
import random
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from subprocess import Popen
from typing import Any

import pytest

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.intake.v1 import intake_pb2 as wire
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.crossing import (
    AttachedFile,
    Crossing,
    DossierFiled,
    FileChunk,
    FiledAuthor,
    FileHeld,
    FileWanted,
)
from sangkien.contracts.events import RoundOpened
from sangkien.exchange.adapters.stored_files import StoredFiles
from sangkien.exchange.domain.files import Named
from sangkien.federation.wire import Wire
from sangkien.intake.application.evidence import Evidence
from sangkien.intake.bootstrap import SERVICE as INTAKE
from sangkien.intake.domain.evidence import EvidenceFile
from sangkien.rpc import RemoteRefusal
from sangkien.store.files import Progress, StorageFull
from sangkien.testkit import eventually
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.neighbour import neighbour
from sangkien.testkit.service import RunningService, running_service
from sangkien.testkit.service_process import service_process

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
async def site(
    world: Any, name: str, profile: str, parent: str = "", *, file_patience_s: float = 1.0
) -> AsyncIterator[Site]:
    node = await world.join(name, profile, parent)
    node.directory.add_unit(UNIT)
    where = node.data_dir.parent
    async with running_service(
        INTAKE, nats_url=node.nats.url, data_dir=where / "intake", directory=node.directory, file_reserve_mib=0
    ) as running:
        node.settings |= {"intake": running.host.target, "file_patience_s": file_patience_s}
        yield Site(node, running)


async def open_round(city: Site) -> None:
    where = city.node.data_dir.parent
    async with neighbour("review", nats_url=city.node.nats.url, data_dir=where) as review:
        await review.says(OPENED, "CITY1", 1)


async def round_known(ward: Site) -> None:
    store = ward.intake.host._store
    await eventually(lambda: store.count("rounds", {"node": "hanoi"}), value=1)


async def arrived(city: Site, count: int = 1) -> list[str]:
    """The ids at the city of the dossiers that came, in the order they did."""
    store = city.intake.host._store
    await eventually(lambda: store.count("dossiers"), value=count)
    return sorted(str(doc["_id"]) for doc in await store.find("dossiers"))


async def failure(node: Any, message: Crossing) -> str:
    """Why a message that came was put aside, once it was."""

    async def reason() -> str:
        rows = await node.rows("incoming", key=message.key(), state="failed")
        return rows[0]["reason"] if rows else ""

    found: str = await eventually(reason, what=f"{message.TYPE} put aside")
    return found


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
            await round_known(ward)
            file = await ward.keeps(content)
            there = await ward.files("key-0001", file)
            [here] = await arrived(city)

            await eventually(lambda: city.here(file), value=(len(content), True))
            assert await city.reads(here, file) == content
            await eventually(lambda: ward.shown(there), value=[("hanoi", "there", len(content))])
            assert await city.shown(here) == [("phuctan", "held", len(content))]
            await eventually(lambda: chunk_bodies(city, ward, world), value=[0, 0, 0])

            again = await ward.files("key-0002", file)
            await arrived(city, 2)
            await eventually(lambda: ward.shown(again), value=[("hanoi", "there", len(content))])
            await eventually(city.shown, value=[])
            assert len(await ward.node.rows("outgoing", type=FileChunk.TYPE)) == 13


async def test_nobody_learns_of_a_file_that_no_dossier_sent_to_them_names(world: Any) -> None:
    async with site(world, "hanoi", "city") as city, city.node.runs():
        await open_round(city)
        async with site(world, "phuctan", "ward", "hanoi") as ward, ward.node.runs():
            await round_known(ward)
            named, private = await ward.keeps(made(1000)), await ward.keeps(made(1000, seed=2))
            await ward.files("key-0001", named)
            await eventually(lambda: city.here(named), value=(1000, True))
            stranger = await world.join("khac", "ward")
            async with stranger.runs():
                questions = [
                    (stranger, asked(named.sha256)),
                    (city.node, asked(private.sha256)),
                    (city.node, asked("0" * 64)),
                    (city.node, FileHeld(sha256=private.sha256, attempt=1)),
                ]
                for node, question in questions:
                    await node.says("phuctan", question)
                reasons = [await failure(ward.node, question) for _, question in questions]

            answered = await ward.node.rows("outgoing", receiver="khac")
            chunks = await ward.node.rows("outgoing", type=FileChunk.TYPE)

    assert reasons == ["exchange_file_not_theirs"] * 4
    assert (answered, len(chunks)) == ([], 1)


def asked(sha256: str, *, offset: int = 0, attempt: int = 1) -> FileWanted:
    return FileWanted(sha256=sha256, offset=offset, length=1000, attempt=attempt)


def part(content: bytes, of: bytes, *, offset: int = 0, size: int = 0, attempt: int = 1) -> FileChunk:
    """A chunk as a node may send it that does not mean well."""
    return FileChunk(
        sha256=sha256(of), offset=offset, size=size or len(of), data=b64encode(content).decode(), attempt=attempt
    )


async def test_file_that_the_sender_lost_is_told_and_fetched_once_it_is_back(world: Any) -> None:
    """The ward believes that its dossier names the file; its intake knows better until the dossier is mended."""
    content = made(2 * MIB + 1)
    async with site(world, "hanoi", "city") as city, city.node.runs():
        await open_round(city)
        async with site(world, "phuctan", "ward", "hanoi") as ward, ward.node.runs():
            await round_known(ward)
            there = await ward.files("key-0001")
            [first] = await arrived(city)
            named = Named("hanoi", sha256(content), len(content), there)
            await ward.node.store.apply([StoredFiles(ward.node.store).keep(named)])
            await ward.node.says("hanoi", letter(AttachedFile(sha256=sha256(content), size=len(content), name="a.pdf")))
            [here] = {*await arrived(city, 2)} - {first}
            await eventually(lambda: city.shown(here), value=[("phuctan", "failed", 0)])
            lost = (await city.node.operator.ListFiles(pb.ListFilesRequest())).files[0].reason

            back = await ward.files("key-0002", await ward.keeps(content))
            await arrived(city, 3)
            await city.node.operator.FetchFile(pb.FetchFileRequest())
            await eventually(lambda: city.shown(here), value=[("phuctan", "held", len(content))])
            await eventually(lambda: ward.shown(back), value=[("hanoi", "there", len(content))])

    assert lost == "gone"


def letter(file: AttachedFile) -> DossierFiled:
    return DossierFiled(
        dossier_id="X1", version=1, code="SK-1", round_id="CITY1", tier="city", title="Không gian lịch sử",
        field="Giáo dục", unit_name=UNIT, authors=(FiledAuthor(ref="p", full_name="Lê Văn An", share=10_000),),
        filed_on=date(2023, 5, 10), files=(file,),
    )  # fmt: skip


async def test_what_does_not_fit_changes_nothing_and_a_false_file_fails_until_somebody_retries(world: Any) -> None:
    """The test speaks for the ward, whose exchange knows of no such dossier and answers no question."""
    content = made(1000)
    false = content[:-1] + bytes([content[-1] ^ 1])
    async with site(world, "hanoi", "city", file_patience_s=600.0) as city, city.node.runs():
        await open_round(city)
        ward = await world.join("phuctan", "ward", "hanoi")
        async with ward.runs():

            async def answers(attempt: int, *chunks: FileChunk) -> None:
                question = asked(sha256(content), attempt=attempt).key()
                await eventually(lambda: ward.rows("incoming", key=question), what=question)
                await ward.says("hanoi", *chunks)

            await ward.says("hanoi", letter(AttachedFile(sha256=sha256(content), size=1000, name="a.pdf")))
            [here] = await arrived(city)
            stray, larger = part(made(10), made(10)), part(content, content, size=1001)
            beyond = part(content, content, offset=500)
            await answers(1, stray, larger, beyond)
            reasons = [await failure(city.node, one) for one in (stray, larger, beyond)]
            gap, first = part(content[900:], content, offset=900), part(content[:300], content)
            await ward.says("hanoi", gap, first, part(content[:300], content, attempt=9))
            await eventually(lambda: city.shown(here), value=[("phuctan", "coming", 300)])
            await ward.says("hanoi", part(false[300:], content, offset=300))
            for attempt in (2, 3, 4):
                await answers(attempt, part(false, content, attempt=attempt))
            await eventually(lambda: city.shown(here), value=[("phuctan", "failed", 0)])
            failed = await city.node.operator.ListFiles(pb.ListFilesRequest())
            await city.node.operator.FetchFile(pb.FetchFileRequest(sha256=sha256(content)))
            await answers(5, part(content, content, attempt=4), part(content, content, attempt=5))
            await eventually(lambda: city.shown(here), value=[("phuctan", "held", 1000)])
            with pytest.raises(RemoteRefusal) as refused:
                await city.node.operator.FetchFile(pb.FetchFileRequest(sha256=sha256(content)))
            bodies = await city.node.rows("incoming", type=FileChunk.TYPE, kept=1)
            read = await city.reads(here, wire.EvidenceFile(sha256=sha256(content)))

    assert reasons == ["exchange_file_not_wanted"] * 3
    assert [(one.reason, one.attempt) for one in failed.files] == [("hash_wrong", 4)]
    assert (refused.value.code, bodies, read) == ("exchange_file_not_failed", [], content)


@contextmanager
def process(one: Site) -> Iterator[Popen[bytes]]:
    """The site's exchange as a process that may be killed."""
    told = {name: str(value) for name, value in one.node.told.items()}
    node = one.node
    with service_process(
        "exchange", nats_url=node.nats.url, data_dir=node.data_dir, port=free_port(), directory=node.directory,
        node=node.name, **told,
    ) as child:  # fmt: skip
        yield child


async def died(child: Popen[bytes]) -> None:
    assert await asyncio.to_thread(child.wait, 60) == -9


class Blows:
    """What strikes behind the n-th part that an intake took, or gave, and before it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.puts = self.reads = 0
        self.struck: list[str] = []
        self._planted: dict[tuple[str, int], Callable[[], None]] = {}
        kept, served = Evidence.put, Evidence.read

        async def put(evidence: Evidence, whole: str, size: int, offset: int, data: bytes) -> Progress:
            done = await kept(evidence, whole, size, offset, data)
            self.puts += bool(data)
            self._strike("put", self.puts)
            return done

        async def read(evidence: Evidence, file: EvidenceFile, offset: int, length: int) -> AsyncGenerator[bytes, None]:
            async for piece in served(evidence, file, offset, length):
                yield piece
            self.reads += 1
            self._strike("read", self.reads)

        monkeypatch.setattr(Evidence, "put", put)
        monkeypatch.setattr(Evidence, "read", read)

    def at_put(self, further: int, blow: Callable[[], None]) -> None:
        self._planted["put", self.puts + further] = blow

    def at_read(self, further: int, blow: Callable[[], None]) -> None:
        self._planted["read", self.reads + further] = blow

    def _strike(self, what: str, place: int) -> None:
        if blow := self._planted.pop((what, place), None):
            self.struck.append(what)
            blow()


def disk_full() -> None:
    raise StorageFull(field="data")


async def test_file_comes_whole_through_kills_a_full_disk_a_cut_link_and_an_intake_that_is_away(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each blow falls behind a call that was done and before its answer: what followed from it is not committed."""
    content = made(6 * MIB)
    async with AsyncExitStack() as stack:
        city = await stack.enter_async_context(site(world, "hanoi", "city"))
        ward = await stack.enter_async_context(site(world, "phuctan", "ward", "hanoi"))
        async with city.node.runs(), ward.node.runs():
            await open_round(city)
            await round_known(ward)
        way = stack.enter_context(Wire(int(city.node.settings["intake"].rpartition(":")[2])))
        city.node.settings["intake"] = f"127.0.0.1:{way.port}"
        file = await ward.keeps(content)
        blows = Blows(monkeypatch)
        await ward.files("key-0001", file)
        with process(ward) as below:
            with process(city) as above:
                blows.at_put(3, above.kill)
                await died(above)
            with process(city):
                blows.at_read(1, below.kill)
                await died(below)
        with process(city), process(ward):
            blows.at_put(3, disk_full)
            blows.at_put(5, ward.node.member.wire.cut)
            await eventually(lambda: blows.struck[3:], what="a cut link")
            at_cut = await city.here(file)
            ward.node.member.wire.heal()
            blows.at_put(5, way.cut)
            await eventually(lambda: blows.struck[4:], what="an intake that is away")
            way.heal()
            await eventually(lambda: city.here(file), value=(len(content), True), timeout=90)
            [here] = await arrived(city)
            read_here = await city.reads(here, file)

    assert blows.struck == ["put", "read", "put", "put", "put"]
    assert 0 < at_cut[0] < len(content)
    assert read_here == content
