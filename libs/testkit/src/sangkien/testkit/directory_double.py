"""A stand-in for the directory service, over real gRPC: tokens, keys, people and units that a test puts there.

It keeps the promises of `directory.proto` that other services rely on; the directory's own contract suite runs on it.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1 import directory_pb2_grpc
from sangkien.api.errors.v1.errors_pb2 import ItemError
from sangkien.rpc import TokenMinter, new_signing_key, public_keys, service_subject
from sangkien.runtime import new_id
from sangkien.text import fold, same_name

NODE_SECRET = "a-secret-of-this-test-node-only"  # noqa: S105 (a test's own)
_DAY_S = 86_400


class DirectoryDouble(directory_pb2_grpc.DirectoryServiceServicer):
    """Put people and units in with `add_person` and `add_unit`, take tokens with `token`."""

    def __init__(self, node: str = "local") -> None:
        self.node = node
        self.target = ""
        self.calls: list[str] = []
        self._key = new_signing_key()
        self._minter = TokenMinter(node, self._key)
        self._units: dict[str, pb.Organisation] = {}
        self._people: dict[str, pb.Person] = {}
        self._emails: dict[str, str] = {}
        self._known: dict[tuple[str, str, str], str] = {}

    def token(self, subject: str, roles: Iterable[str], organisation: str = "") -> Callable[[], Any]:
        """A token source for `connect`, for a person's id or a service's subject."""
        minted = self._minter.mint(subject, roles, organisation, _DAY_S)

        async def source() -> str:
            return minted

        return source

    def add_unit(self, name: str, *, kind: str = "PHONG_BAN", email: str = "", parent_id: str = "") -> str:
        """Register a unit that has always stood; returns its id."""
        unit_id = f"{self.node}:{new_id()}"
        self._units[unit_id] = pb.Organisation(organisation_id=unit_id, kind=kind, name=name, parent_id=parent_id)
        self._emails[unit_id] = email
        return unit_id

    def add_person(self, full_name: str, unit_id: str, *, email: str = "", birth_date: str = "") -> str:
        """Register a person; returns the id."""
        person_id = f"{self.node}:{new_id()}"
        unit = self._units.get(unit_id)
        self._people[person_id] = pb.Person(
            person_id=person_id,
            full_name=full_name,
            organisation_id=unit_id,
            organisation_name=unit.name if unit else "",
        )
        self._emails[person_id] = email
        self._known[unit_id, same_name(full_name), birth_date] = person_id
        return person_id

    async def _operators_only(self, request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the stand-in takes units and people by add_…")

    RegisterOrganisations = ListOrganisations = Reorganise = FindPeople = _operators_only
    GrantRoles = SetPassword = SignIn = _operators_only

    async def GetKeys(self, request: pb.GetKeysRequest, context: Any) -> pb.GetKeysResponse:
        return pb.GetKeysResponse(jwks=json.dumps(public_keys([self._key])))

    async def IssueServiceToken(
        self, request: pb.IssueServiceTokenRequest, context: Any
    ) -> pb.IssueServiceTokenResponse:
        if request.node_secret != NODE_SECRET:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong node secret")
        token = self._minter.mint(service_subject(request.service), ["service"], "", _DAY_S)
        return pb.IssueServiceTokenResponse(token=token)

    async def GetOrganisations(self, request: pb.GetOrganisationsRequest, context: Any) -> pb.GetOrganisationsResponse:
        self.calls.append("GetOrganisations")
        known = (self._units.get(unit_id) for unit_id in request.organisation_ids)
        return pb.GetOrganisationsResponse(organisations=[unit for unit in known if unit])

    async def ResolveUnits(self, request: pb.ResolveUnitsRequest, context: Any) -> pb.ResolveUnitsResponse:
        self.calls.append("ResolveUnits")
        by_name = {fold(unit.name): unit for unit in self._units.values()}
        answer = pb.ResolveUnitsResponse()
        for name in request.names:
            unit = by_name.get(fold(name))
            if unit:
                answer.matches.add(organisation_id=unit.organisation_id, name=unit.name)
            else:
                answer.matches.add(suggestions=[u.name for u in self._units.values()][:3])
        return answer

    async def RegisterPeople(self, request: pb.RegisterPeopleRequest, context: Any) -> pb.RegisterPeopleResponse:
        self.calls.append("RegisterPeople")
        answer = pb.RegisterPeopleResponse()
        for person in request.people:
            if person.email and "@" not in person.email:
                answer.results.add(error=ItemError(code="email_malformed", field="email"))
                continue
            key = (person.organisation_id, same_name(person.full_name), person.birth_date or person.staff_code)
            known = self._known.get(key)
            if known is None:
                self._known[key] = self.add_person(person.full_name, person.organisation_id, email=person.email)
            answer.results.add(person_id=self._known[key], already=known is not None)
        return answer

    async def GetPeople(self, request: pb.GetPeopleRequest, context: Any) -> pb.GetPeopleResponse:
        self.calls.append("GetPeople")
        known = (self._people.get(person_id) for person_id in request.person_ids)
        return pb.GetPeopleResponse(people=[person for person in known if person])

    async def GetContacts(self, request: pb.GetContactsRequest, context: Any) -> pb.GetContactsResponse:
        self.calls.append("GetContacts")
        answer = pb.GetContactsResponse()
        for each in request.ids:
            if each in self._emails:
                name = self._people[each].full_name if each in self._people else self._units[each].name
                answer.contacts.add(id=each, display_name=name, email=self._emails[each])
        return answer


@asynccontextmanager
async def directory_double(node: str = "local") -> AsyncIterator[DirectoryDouble]:
    """Serve a stand-in on a free loopback port; `target` says where."""
    double = DirectoryDouble(node)
    server = grpc.aio.server()
    directory_pb2_grpc.add_DirectoryServiceServicer_to_server(double, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    double.target = f"127.0.0.1:{port}"
    try:
        yield double
    finally:
        await server.stop(None)
