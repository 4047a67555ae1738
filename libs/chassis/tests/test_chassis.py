import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from sangkien.api.ops.v1 import ops_pb2, ops_pb2_grpc
from sangkien.api.reporting.v1 import reporting_pb2 as pb
from sangkien.api.reporting.v1 import reporting_pb2_grpc
from sangkien.chassis import Context, Definition, Parts
from sangkien.contracts.events import DossierWithdrawn
from sangkien.messaging import outbox_row
from sangkien.rpc import Policy, RemoteRefusal, RemoteUnavailable
from sangkien.runtime import ServiceSettings
from sangkien.store import Insert, Schema, StoreUnavailable
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.service import RunningService, running_service

SERVICE = "/sangkien.api.reporting.v1.ReportingService/"
METHODS = [m.name for m in pb.DESCRIPTOR.services_by_name["ReportingService"].methods]
POLICY = Policy({f"{SERVICE}{name}": {"secretary"} for name in METHODS})


class Sample(reporting_pb2_grpc.ReportingServiceServicer):
    """Stands for any service: a method that commits, one whose store is away, one that is slow."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def GetTimeline(self, request: pb.GetTimelineRequest, context: object) -> pb.GetTimelineResponse:
        about = request.dossier_id
        event = DossierWithdrawn(dossier_id=about, version=1, withdrawn_on=self._context.today())
        row = outbox_row(
            event,
            event_id=self._context.new_id(),
            aggregate_id=about,
            aggregate_version=1,
            at=self._context.now(),
            traceparent=self._context.telemetry.traceparent(),
        )
        await self._context.commit([Insert("things", {"_id": about}), row])
        return pb.GetTimelineResponse()

    async def GetRoundReport(self, request: pb.GetRoundReportRequest, context: object) -> pb.GetRoundReportResponse:
        raise StoreUnavailable("away")

    async def GetRewardReport(self, request: pb.GetRewardReportRequest, context: object) -> pb.GetRewardReportResponse:
        return pb.GetRewardReportResponse()

    async def GetNodeReport(self, request: pb.GetNodeReportRequest, context: object) -> pb.GetNodeReportResponse:
        return pb.GetNodeReportResponse()

    async def Rebuild(self, request: pb.RebuildRequest, context: object) -> pb.RebuildResponse:
        self.entered.set()
        await self.release.wait()
        return pb.RebuildResponse(events=1)


class Watched:
    """A definition whose servicer and background loop a test can see."""

    def __init__(self, background: Sequence[str] = ()) -> None:
        self.servicer: Sample
        self.cancelled = asyncio.Event()
        self._background = background

    def definition(self) -> Definition:
        return Definition("intake", ServiceSettings, Schema(("things",)), self._build)

    def _build(self, context: Context) -> Parts:
        self.servicer = Sample(context)
        parts = Parts([(reporting_pb2_grpc.add_ReportingServiceServicer_to_server, self.servicer)], POLICY)
        if "ends" in self._background:
            parts = replace(parts, background=[self._ends])
        if "waits" in self._background:
            parts = replace(parts, background=[self._waits])
        if "gives up" in self._background:
            parts = replace(parts, background=[self._gives_up])
        return parts

    async def _ends(self) -> None:
        raise ValueError

    async def _gives_up(self) -> None:
        with suppress(asyncio.CancelledError):  # as the NATS client does at times
            await self._waits()

    async def _waits(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


def operations(running: RunningService) -> ops_pb2_grpc.OpsServiceStub:
    return ops_pb2_grpc.OpsServiceStub(running.channel("local:O", ["operator"]))


def sample(running: RunningService) -> reporting_pb2_grpc.ReportingServiceStub:
    return reporting_pb2_grpc.ReportingServiceStub(running.channel("local:S", ["secretary"]))


async def test_commit_publishes_and_the_operator_sees_state_and_trace(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    async with running_service(
        Watched().definition(), nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory
    ) as running:
        await sample(running).GetTimeline(pb.GetTimelineRequest(dossier_id="R1"))

        async def emptied() -> bool:
            return (await operations(running).GetStatus(ops_pb2.GetStatusRequest())).outbox_depth == 0

        await eventually(emptied)
        status = await operations(running).GetStatus(ops_pb2.GetStatusRequest())
        traces = (await operations(running).FindTraces(ops_pb2.FindTracesRequest(aggregate_id="R1"))).trace_ids
        spans = (await operations(running).GetTrace(ops_pb2.GetTraceRequest(trace_id=traces[0]))).spans

    assert (status.service, status.store_ok, status.broker_ok, status.dead_letters) == ("intake", True, True, 0)
    assert len(traces) == 1
    assert sorted(span.name for span in spans) == [
        "ReportingService/GetTimeline",
        "ev.intake.dossier.withdrawn.v1 publish",
        "intake apply",
    ]


async def test_operations_are_closed_to_everybody_else(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    async with running_service(
        Watched().definition(), nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory
    ) as running:
        stub = ops_pb2_grpc.OpsServiceStub(running.channel("local:S", ["secretary"]))
        with pytest.raises(RemoteRefusal) as refused:
            await stub.GetStatus(ops_pb2.GetStatusRequest())

    assert refused.value.code == "role_missing"


async def test_store_that_is_away_and_key_that_is_taken_are_no_faults(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    async with running_service(
        Watched().definition(), nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory
    ) as running:
        with pytest.raises(RemoteUnavailable):
            await sample(running).GetRoundReport(pb.GetRoundReportRequest())
        await sample(running).GetTimeline(pb.GetTimelineRequest(dossier_id="R1"))
        with pytest.raises(RemoteRefusal) as refused:
            await sample(running).GetTimeline(pb.GetTimelineRequest(dossier_id="R1"))

    assert (refused.value.code, refused.value.kind) == ("changed_meanwhile", "conflict")


async def test_drain_finishes_calls_and_cancels_background_work(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    watched = Watched(["waits"])
    async with running_service(
        watched.definition(), nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory
    ) as running:
        call = asyncio.ensure_future(sample(running).Rebuild(pb.RebuildRequest()))
        await watched.servicer.entered.wait()
        drain = asyncio.create_task(running.host.life.drain())
        await asyncio.sleep(0)
        watched.servicer.release.set()

        assert await call == pb.RebuildResponse(events=1)
        assert await drain == []
        assert watched.cancelled.is_set()


async def test_background_work_that_ends_when_asked_stops_nothing(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    watched = Watched(["gives up"])
    async with running_service(
        watched.definition(), nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory
    ) as running:
        await asyncio.sleep(0)
    assert (watched.cancelled.is_set(), running.fatal) == (True, [])


async def test_background_work_that_ends_stops_the_service(
    own_nats_server: NatsServer, tmp_path: Path, directory: DirectoryDouble
) -> None:
    async with running_service(
        Watched(["ends"]).definition(), nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory
    ) as running:

        async def told() -> bool:
            return running.fatal == ["background work ended: ValueError"]

        await eventually(told)

        assert running.fatal == ["background work ended: ValueError"]
