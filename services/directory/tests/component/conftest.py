"""A directory as it runs, and callers of every standing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.directory.bootstrap import SERVICE
from sangkien.rpc import connect
from sangkien.testkit import NatsServer
from sangkien.testkit.directory_double import NODE_SECRET, directory_double
from sangkien.testkit.service import RunningService, running_service

PASSWORD = "con đường có lá me bay"


@dataclass
class Directory:
    """The stubs a test calls: without a token, as the console's operator, and as a service."""

    running: RunningService
    anyone: DirectoryServiceStub
    operator: DirectoryServiceStub
    service: DirectoryServiceStub

    async def with_token(self, token: str) -> DirectoryServiceStub:
        async def source() -> str:
            return token

        return DirectoryServiceStub(connect(self.running.host.target, telemetry=self.running.telemetry, token=source))

    async def organisation(self, name: str = "Quận Ba Đình", kind: str = "QUAN", parent_id: str = "") -> str:
        new = api.NewOrganisation(kind=kind, name=name, parent_id=parent_id)
        answer = await self.operator.RegisterOrganisations(api.RegisterOrganisationsRequest(organisations=[new]))
        return str(answer.results[0].organisation_id)

    async def person(self, organisation_id: str, full_name: str = "Nguyễn Thị Minh Khai", **facts: str) -> str:
        new = api.NewPerson(organisation_id=organisation_id, full_name=full_name, **facts)
        answer = await self.service.RegisterPeople(api.RegisterPeopleRequest(people=[new]))
        return str(answer.results[0].person_id)

    async def account(self, organisation_id: str, login: str) -> str:
        person_id = await self.person(organisation_id, f"Người của {login}")
        await self.operator.SetPassword(api.SetPasswordRequest(person_id=person_id, login=login, password=PASSWORD))
        return person_id


@pytest.fixture
async def start(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Directory]]]:
    """Starts a directory on the test's own store; the one started before is drained first."""
    async with directory_double() as double, AsyncExitStack() as last:
        stack = AsyncExitStack()
        last.push_async_callback(stack.aclose)

        async def begin() -> Directory:
            await stack.aclose()
            running = await stack.enter_async_context(
                running_service(SERVICE, nats_url=nats_server.url, data_dir=tmp_path, directory=double)
            )

            def stub(service: str) -> DirectoryServiceStub:
                anyone = DirectoryServiceStub(running.channel())

                async def token() -> str:
                    asked = api.IssueServiceTokenRequest(service=service, node_secret=NODE_SECRET)
                    return str((await anyone.IssueServiceToken(asked)).token)

                channel = connect(running.host.target, telemetry=running.telemetry, token=token)
                stack.push_async_callback(channel.close)
                return DirectoryServiceStub(channel)

            return Directory(running, DirectoryServiceStub(running.channel()), stub("console"), stub("intake"))

        yield begin


@pytest.fixture
async def directory(start: Callable[[], Awaitable[Directory]]) -> Directory:
    return await start()
