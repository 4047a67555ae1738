"""DirectoryService over gRPC: decode, ask the use case, answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sangkien.api.directory.v1 import directory_pb2 as api
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceServicer
from sangkien.directory.application.batches import Registered, check_batch
from sangkien.directory.application.grant_roles import Grant, GrantRoles
from sangkien.directory.application.issue_service_token import IssueServiceToken
from sangkien.directory.application.ports import AssertedOrganisations, Organisations, People
from sangkien.directory.application.register_organisations import NewOrganisation, RegisterOrganisations
from sangkien.directory.application.register_people import NewPerson, RegisterPeople
from sangkien.directory.application.reorganise import Reorganise
from sangkien.directory.application.resolve_units import ResolveUnits
from sangkien.directory.application.set_password import NewPassword, SetPassword
from sangkien.directory.application.sign_in import SignIn
from sangkien.directory.domain.errors import DirectoryRefusal, ValidityMalformed
from sangkien.directory.domain.organisation import Organisation
from sangkien.directory.domain.person import Person
from sangkien.directory.domain.succession import AssertedOrganisation, Reorganisation, Step
from sangkien.directory.domain.validity import first_day, last_day, parse_day
from sangkien.rpc import AUTHENTICATED, PUBLIC, Policy, item_error, page_size, principal
from sangkien.text import nfc, same_name

_EVERY_OTHER = "*"
_MOST_FOUND = 20
_SERVICE = "/sangkien.api.directory.v1.DirectoryService/"

POLICY = Policy(
    {
        _SERVICE + "RegisterOrganisations": {"operator"},
        _SERVICE + "GetOrganisations": AUTHENTICATED,
        _SERVICE + "ListOrganisations": AUTHENTICATED,
        _SERVICE + "Reorganise": {"operator"},
        _SERVICE + "ResolveUnits": AUTHENTICATED,
        _SERVICE + "RegisterPeople": {"service", "operator", "secretary", "union_officer"},
        _SERVICE + "GetPeople": {"service", "secretary", "leader", "operator"},
        _SERVICE + "FindPeople": {"secretary", "operator"},
        _SERVICE + "GetContacts": {"service"},
        _SERVICE + "GrantRoles": {"operator"},
        _SERVICE + "SetPassword": AUTHENTICATED,  # an operator's, or one's own: the use case decides
        _SERVICE + "SignIn": PUBLIC,
        _SERVICE + "IssueServiceToken": PUBLIC,
        _SERVICE + "GetKeys": PUBLIC,
    }
)


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the service can do; the two ports are for plain reads."""

    organisations: Organisations
    asserted: AssertedOrganisations
    people: People
    reorganise: Reorganise
    register_organisations: RegisterOrganisations
    register_people: RegisterPeople
    resolve_units: ResolveUnits
    grant_roles: GrantRoles
    set_password: SetPassword
    sign_in: SignIn
    issue_service_token: IssueServiceToken


class DirectoryServicer(DirectoryServiceServicer):
    """The servicer."""

    def __init__(self, use_cases: UseCases, public_keys: Mapping[str, Any]) -> None:
        self._do = use_cases
        self._jwks = json.dumps(public_keys)

    async def RegisterOrganisations(
        self, request: api.RegisterOrganisationsRequest, context: object
    ) -> api.RegisterOrganisationsResponse:
        asked = [
            NewOrganisation(
                each.kind, each.name, each.parent_id, each.valid_from, each.valid_to, each.email, tuple(each.aliases)
            )
            for each in request.organisations
        ]
        answers = await self._do.register_organisations(asked)
        return api.RegisterOrganisationsResponse(
            results=[
                api.OrganisationResult(organisation_id=each.id, already=each.already)
                if isinstance(each, Registered)
                else api.OrganisationResult(error=item_error(each))
                for each in answers
            ]
        )

    async def GetOrganisations(
        self, request: api.GetOrganisationsRequest, context: object
    ) -> api.GetOrganisationsResponse:
        check_batch(request.organisation_ids, "organisation_ids")
        found = await self._do.organisations.get_many(request.organisation_ids)
        return api.GetOrganisationsResponse(organisations=map(_organisation, found.values()))

    async def ListOrganisations(
        self, request: api.ListOrganisationsRequest, context: object
    ) -> api.ListOrganisationsResponse:
        limit = page_size(request.page_size)
        on = parse_day(request.on, "on")
        if request.asserted_by:
            node = request.asserted_by if request.asserted_by != _EVERY_OTHER else ""
            items, token = await self._do.asserted.page(
                node, request.kind, request.parent_id, on, limit, request.page_token
            )
            return api.ListOrganisationsResponse(organisations=map(_organisation, items), next_page_token=token)
        page = await self._do.organisations.page(request.kind, request.parent_id, on, limit, request.page_token)
        return api.ListOrganisationsResponse(organisations=map(_organisation, page.items), next_page_token=page.next)

    async def Reorganise(self, request: api.ReorganiseRequest, context: object) -> api.ReorganiseResponse:
        on = parse_day(request.on, "on")
        if on is None:
            raise ValidityMalformed(field="on")
        step = Reorganisation(
            tuple(dict.fromkeys(request.predecessor_ids)),
            tuple(dict.fromkeys(request.successor_ids)),
            request.share or "whole",
            on,
            nfc(request.document),
            request.stand_on,
        )
        return api.ReorganiseResponse(already=await self._do.reorganise(step))

    async def ResolveUnits(self, request: api.ResolveUnitsRequest, context: object) -> api.ResolveUnitsResponse:
        matches = await self._do.resolve_units(request.names, parse_day(request.on, "on"))
        return api.ResolveUnitsResponse(
            matches=[
                api.UnitMatch(
                    organisation_id=each.organisation_id,
                    name=each.name,
                    suggestions=each.suggestions,
                    ambiguous=each.ambiguous,
                )
                for each in matches
            ]
        )

    async def RegisterPeople(self, request: api.RegisterPeopleRequest, context: object) -> api.RegisterPeopleResponse:
        asked = [
            NewPerson(
                each.organisation_id, each.full_name, each.birth_date, each.staff_code, each.email, each.job_title
            )
            for each in request.people
        ]
        return api.RegisterPeopleResponse(results=_person_results(await self._do.register_people(asked)))

    async def GetPeople(self, request: api.GetPeopleRequest, context: object) -> api.GetPeopleResponse:
        check_batch(request.person_ids, "person_ids")
        people = await self._do.people.get_many(request.person_ids)
        units = await self._do.organisations.get_many({each.organisation_id for each in people.values()})
        return api.GetPeopleResponse(people=[_person(each, units) for each in people.values()])

    async def FindPeople(self, request: api.FindPeopleRequest, context: object) -> api.FindPeopleResponse:
        born = parse_day(request.birth_date, "birth_date") if request.birth_date else None
        key = same_name(nfc(request.full_name).strip())
        found = await self._do.people.named(key, born, request.organisation_id, _MOST_FOUND + 1) if key else ()
        units = await self._do.organisations.get_many({each.organisation_id for each in found})
        return api.FindPeopleResponse(
            people=[
                api.FoundPerson(
                    person=_person(each, units),
                    birth_date=_day(each.birth_date),
                    staff_code=each.staff_code,
                )
                for each in found[:_MOST_FOUND]
            ],
            more=len(found) > _MOST_FOUND,
        )

    async def GetContacts(self, request: api.GetContactsRequest, context: object) -> api.GetContactsResponse:
        check_batch(request.ids, "ids")
        people = await self._do.people.get_many(request.ids)
        rest = [id for id in request.ids if id not in people]
        units = await self._do.organisations.get_many(rest) if rest else {}
        return api.GetContactsResponse(
            contacts=[
                *(api.Contact(id=id, display_name=each.full_name, email=each.email) for id, each in people.items()),
                *(api.Contact(id=id, display_name=each.name, email=each.email) for id, each in units.items()),
            ]
        )

    async def GrantRoles(self, request: api.GrantRolesRequest, context: object) -> api.GrantRolesResponse:
        await self._do.grant_roles(
            Grant(
                request.person_id,
                tuple(request.roles),
                request.organisation_id,
                request.valid_from,
                request.valid_to,
            )
        )
        return api.GrantRolesResponse()

    async def SetPassword(self, request: api.SetPasswordRequest, context: object) -> api.SetPasswordResponse:
        caller = principal()
        await self._do.set_password(
            NewPassword(
                request.person_id,
                request.login,
                request.password,
                caller_id=caller.subject,
                caller_is_operator="operator" in caller.roles,
            )
        )
        return api.SetPasswordResponse()

    async def SignIn(self, request: api.SignInRequest, context: object) -> api.SignInResponse:
        signed_in = await self._do.sign_in(request.login, request.password)
        return api.SignInResponse(
            token=signed_in.token, expires_at=int(signed_in.expires_at.timestamp()), person_id=signed_in.person_id
        )

    async def IssueServiceToken(
        self, request: api.IssueServiceTokenRequest, context: object
    ) -> api.IssueServiceTokenResponse:
        issued = self._do.issue_service_token(request.service, request.node_secret)
        return api.IssueServiceTokenResponse(token=issued.token, expires_at=int(issued.expires_at.timestamp()))

    async def GetKeys(self, request: api.GetKeysRequest, context: object) -> api.GetKeysResponse:
        return api.GetKeysResponse(jwks=self._jwks)


def _organisation(organisation: Organisation | AssertedOrganisation) -> api.Organisation:
    return api.Organisation(
        organisation_id=organisation.id,
        kind=organisation.kind,
        name=organisation.name,
        parent_id=organisation.parent_id,
        valid_from=_day(first_day(organisation.validity)),
        valid_to=_day(last_day(organisation.validity)),
        asserted_by=organisation.node if isinstance(organisation, AssertedOrganisation) else "",
        successors=map(_step, organisation.successors),
        predecessors=map(_step, organisation.predecessors),
    )


def _step(step: Step) -> api.SuccessionStep:
    return api.SuccessionStep(
        organisation_id=step.organisation_id, share=step.share, on=step.on.isoformat(), document=step.document
    )


def _person_results(answers: Sequence[Registered | DirectoryRefusal]) -> list[api.PersonResult]:
    return [
        api.PersonResult(person_id=each.id, already=each.already)
        if isinstance(each, Registered)
        else api.PersonResult(error=item_error(each))
        for each in answers
    ]


def _person(person: Person, units: Mapping[str, Organisation]) -> api.Person:
    return api.Person(
        person_id=person.id,
        full_name=person.full_name,
        organisation_id=person.organisation_id,
        organisation_name=units[person.organisation_id].name,
        job_title=person.job_title,
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
