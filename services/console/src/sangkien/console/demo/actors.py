"""Who acts in the demo: people with accounts, each calling with their own token."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1 import directory_pb2_grpc
from sangkien.console.demo.cast import PersonDraft
from sangkien.console.demo.scenario import Scenario
from sangkien.console.node.accounts import Account
from sangkien.console.node.local import LocalNode
from sangkien.console.patience import patiently
from sangkien.rpc import RenewedToken, TokenSource

STOOD_SINCE = "2008-08-01"
"""From when the demo's organisations are valid: Hà Nội in its borders of today."""
_CHUNK = 500


class DemoFailed(Exception):
    """A service answered something the demo cannot go on with. The text says which step and what."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person with an account."""

    person_id: str
    organisation_id: str
    token: TokenSource


class Registrar:
    """The operator at the node's console, who registers units, people and accounts."""

    def __init__(self, node: LocalNode) -> None:
        self._directory = directory_pb2_grpc.DirectoryServiceStub(node.channel("directory", node.operator()))
        self._public = directory_pb2_grpc.DirectoryServiceStub(node.channel("directory"))
        self.accounts: list[Account] = []
        """Every account made, with the role it was made for."""

    async def units(self, drafts: Sequence[pb.NewOrganisation]) -> list[str]:
        """Register organisations and return their ids, in order."""
        found: list[str] = []
        for start in range(0, len(drafts), _CHUNK):
            request = pb.RegisterOrganisationsRequest(organisations=drafts[start : start + _CHUNK])
            answer = await patiently(self._directory.RegisterOrganisations, request)
            found.extend(_id(result, result.organisation_id) for result in answer.results)
        return found

    async def top(self, scenario: Scenario) -> tuple[str, str]:
        """Register the city and the district; returns both ids."""
        ends = scenario.district_valid_to.isoformat() if scenario.district_valid_to else ""
        [city] = await self.units([pb.NewOrganisation(kind="UBND_TP", name="Thành phố Hà Nội", valid_from=STOOD_SINCE)])
        district = pb.NewOrganisation(
            kind="PHUONG_XA" if scenario.of_ward else "QUAN",
            name=scenario.district,
            parent_id=city,
            valid_from=STOOD_SINCE,
            valid_to=ends,
            email="van-thu@quan.example",
        )
        return city, (await self.units([district]))[0]

    async def below(self, parent_id: str, names: Sequence[str]) -> list[str]:
        """Register units of a district by name; returns their ids, in order."""
        return await self.units(
            [
                pb.NewOrganisation(
                    kind=_kind(name),
                    name=name,
                    parent_id=parent_id,
                    valid_from=STOOD_SINCE,
                    email=f"don-vi-{number}@don-vi.example",
                )
                for number, name in enumerate(names)
            ]
        )

    async def person(self, draft: PersonDraft, organisation_id: str) -> str:
        """Register one person and return the id."""
        new = pb.NewPerson(
            organisation_id=organisation_id,
            full_name=draft.name,
            birth_date=draft.birth_date.isoformat(),
            email=draft.email,
            job_title=draft.job,
        )
        answer = await patiently(self._directory.RegisterPeople, pb.RegisterPeopleRequest(people=[new]))
        return _id(answer.results[0], answer.results[0].person_id)

    async def actor(self, draft: PersonDraft, organisation_id: str, roles: Sequence[str]) -> Actor:
        """Register a person with roles and an account, whose password exists only for this run."""
        person_id = await self.person(draft, organisation_id)
        await patiently(
            self._directory.GrantRoles,
            pb.GrantRolesRequest(person_id=person_id, roles=roles, organisation_id=organisation_id),
        )
        login, password = person_id.rpartition(":")[2].lower(), secrets.token_urlsafe(18)
        self.accounts.append(Account(roles[0], login, password))
        await patiently(
            self._directory.SetPassword, pb.SetPasswordRequest(person_id=person_id, login=login, password=password)
        )

        async def sign_in() -> str:
            request = pb.SignInRequest(login=login, password=password)
            return str((await patiently(self._public.SignIn, request)).token)

        return Actor(person_id, organisation_id, RenewedToken(sign_in))


def _kind(name: str) -> str:
    if name.startswith("Phường"):
        return "PHUONG_XA"
    return "DON_VI_SU_NGHIEP" if name.startswith(("Trường", "Tổ ")) else "PHONG_BAN"


def _id(result: pb.OrganisationResult | pb.PersonResult, found: str) -> str:
    if result.HasField("error"):
        raise DemoFailed(f"directory refused: {result.error.message_vi}")
    return found
