"""LinkService over gRPC: decode, ask the use case, answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.api.directory.v1 import links_pb2 as api
from sangkien.api.directory.v1.links_pb2_grpc import LinkServiceServicer
from sangkien.directory.application.decide_link import DecideLink
from sangkien.directory.application.hear_link import Answered, HearLink, Proposed
from sangkien.directory.application.ports import AssertedOrganisations, Links, Organisations, Today
from sangkien.directory.application.propose_link import Proposal, ProposeLink
from sangkien.directory.domain.errors import LinkStateUnknown, LinkUnknown, ValidityMalformed
from sangkien.directory.domain.link import Grounds, LinkState, PersonLink, Sought
from sangkien.directory.domain.organisation import Organisation
from sangkien.directory.domain.person import Person
from sangkien.directory.domain.validity import parse_day
from sangkien.rpc import Policy, page_size, principal
from sangkien.text import nfc

_SERVICE = "/sangkien.api.directory.v1.LinkService/"
_REGISTRARS = {"secretary", "operator"}

LINK_POLICY = Policy(
    {
        _SERVICE + "ProposeLink": _REGISTRARS,
        _SERVICE + "AnswerLink": _REGISTRARS,
        _SERVICE + "RevokeLink": _REGISTRARS,
        _SERVICE + "ListLinks": _REGISTRARS,
        _SERVICE + "GetLinkLetter": {"service"},
        _SERVICE + "ReceiveProposal": {"service"},
        _SERVICE + "ReturnProposal": {"service"},
        _SERVICE + "ReceiveAnswer": {"service"},
    }
)


@dataclass(frozen=True, slots=True)
class LinkUseCases:
    """What the service can do; the ports are for plain reads."""

    propose: ProposeLink
    decide: DecideLink
    hear: HearLink
    links: Links
    organisations: Organisations
    asserted: AssertedOrganisations
    today: Today


class LinkServicer(LinkServiceServicer):
    """The servicer."""

    def __init__(self, use_cases: LinkUseCases) -> None:
        self._do = use_cases

    async def ProposeLink(self, request: api.ProposeLinkRequest, context: object) -> api.ProposeLinkResponse:
        asked = Proposal(
            request.person_id,
            request.predecessor_id,
            request.successor_id,
            request.their_person_id,
            nfc(request.staff_code),
            by=principal().subject,
        )
        proposed = await self._do.propose(asked)
        return api.ProposeLinkResponse(link_id=proposed.id, already=proposed.already)

    async def AnswerLink(self, request: api.AnswerLinkRequest, context: object) -> api.AnswerLinkResponse:
        by = principal().subject
        if request.confirm:
            already = await self._do.decide.confirm(request.link_id, request.person_id, by=by)
        else:
            already = await self._do.decide.refuse(request.link_id, nfc(request.reason), by=by)
        return api.AnswerLinkResponse(already=already)

    async def RevokeLink(self, request: api.RevokeLinkRequest, context: object) -> api.RevokeLinkResponse:
        state, already = await self._do.decide.end(request.link_id, nfc(request.reason), by=principal().subject)
        return api.RevokeLinkResponse(state=state, already=already)

    async def ListLinks(self, request: api.ListLinksRequest, context: object) -> api.ListLinksResponse:
        state = _state(request.state, "state") if request.state else None
        limit = page_size(request.page_size)
        links, token = await self._do.links.page(request.person_id, state, limit, request.page_token)
        wanted = {id for link in links for id in (link.grounds.predecessor_id, link.grounds.successor_id)}
        own = await self._do.organisations.get_many(wanted)
        foreign = await self._do.asserted.get_many(wanted - own.keys())
        names = {id: one.name for id, one in own.items()} | {id: one.name for id, one in foreign.items()}
        found = [await self._do.decide.fitting(None if link.ours else link.sought) for link in links]
        units = await self._do.organisations.get_many({one.organisation_id for some in found for one in some})
        answer = [
            _link(link, known=_recorded(link, own), matches=_matches(some, units), audit=True)
            for link, some in zip(links, found, strict=True)
        ]
        for one in answer:
            one.grounds.predecessor_name = names.get(one.grounds.predecessor_id, "")
        return api.ListLinksResponse(links=answer, next_page_token=token)

    async def GetLinkLetter(self, request: api.GetLinkLetterRequest, context: object) -> api.GetLinkLetterResponse:
        link = await self._do.links.get(request.link_id)
        if link is None:
            raise LinkUnknown(field="link_id")
        sought = _sought(link.sought) if link.ours and link.sought else None
        return api.GetLinkLetterResponse(link=_link(link), sought=sought)

    async def ReceiveProposal(
        self, request: api.ReceiveProposalRequest, context: object
    ) -> api.ReceiveProposalResponse:
        sought, grounds = request.sought, request.grounds
        await self._do.hear.proposed(
            Proposed(
                request.link_id,
                request.node,
                request.their_person_id,
                Sought(
                    sought.person_ref,
                    nfc(sought.full_name),
                    parse_day(sought.birth_date, "sought.birth_date"),
                    nfc(sought.staff_code),
                ),
                Grounds(
                    grounds.predecessor_id,
                    grounds.successor_id,
                    nfc(grounds.successor_name),
                    _day(grounds.on, "grounds.on"),
                    nfc(grounds.document),
                ),
                _day(request.on, "on"),
            )
        )
        return api.ReceiveProposalResponse()

    async def ReturnProposal(self, request: api.ReturnProposalRequest, context: object) -> api.ReturnProposalResponse:
        await self._do.hear.returned(request.link_id, request.code, self._do.today())
        return api.ReturnProposalResponse()

    async def ReceiveAnswer(self, request: api.ReceiveAnswerRequest, context: object) -> api.ReceiveAnswerResponse:
        await self._do.hear.answered(
            Answered(
                request.link_id,
                request.node,
                _state(request.answer, "answer"),
                request.their_person_id,
                request.asks_too,
                _day(request.on, "on"),
            )
        )
        return api.ReceiveAnswerResponse()


def _state(text: str, field: str) -> LinkState:
    if text not in set(LinkState):
        raise LinkStateUnknown(field=field, states=", ".join(LinkState))
    return LinkState(text)


def _day(text: str, field: str) -> date:
    day = parse_day(text, field)
    if day is None:
        raise ValidityMalformed(field=field)
    return day


def _recorded(link: PersonLink, own: Mapping[str, Organisation]) -> bool:
    """Whether this node itself recorded the step that the grounds name."""
    grounds = link.grounds
    here, there = grounds.predecessor_id, grounds.successor_id
    if link.ours:
        here, there = there, here
    one = own.get(here)
    steps = (one.predecessors if link.ours else one.successors) if one else ()
    return any((step.organisation_id, step.on) == (there, grounds.on) for step in steps)


def _matches(people: Sequence[Person], units: Mapping[str, Organisation]) -> list[api.LinkMatch]:
    return [
        api.LinkMatch(person_id=one.id, full_name=one.full_name, organisation_name=units[one.organisation_id].name)
        for one in people
    ]


def _sought(sought: Sought) -> api.SoughtPerson:
    return api.SoughtPerson(
        person_ref=sought.person_ref,
        full_name=sought.full_name,
        birth_date=sought.birth_date.isoformat() if sought.birth_date else "",
        staff_code=sought.staff_code,
    )


def _link(
    link: PersonLink, *, known: bool = False, matches: Iterable[api.LinkMatch] = (), audit: bool = False
) -> api.Link:
    """With `audit`, who decided and why, and whom an open proposal of the other node means."""
    grounds = link.grounds
    return api.Link(
        link_id=link.id,
        node=link.node,
        state=link.state.value,
        ours=link.ours,
        person_id=link.person_id,
        their_person_id=link.their_person_id,
        grounds=api.LinkGrounds(
            predecessor_id=grounds.predecessor_id,
            successor_id=grounds.successor_id,
            successor_name=grounds.successor_name,
            on=grounds.on.isoformat(),
            document=grounds.document,
        ),
        grounds_known=known,
        sought=_sought(link.sought) if audit and link.sought and not link.ours else None,
        matches=matches,
        decided_by=link.decided_by if audit else "",
        reason=link.reason if audit else "",
        changed_on=link.changed_on.isoformat(),
        sends=link.sends,
        receives=link.receives,
    )
