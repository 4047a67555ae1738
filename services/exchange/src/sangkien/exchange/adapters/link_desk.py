"""The port `LinkDesk` over gRPC: links between people, kept by the node's own directory."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Final, TypeVar

import grpc

from sangkien.api.directory.v1 import links_pb2 as pb
from sangkien.api.directory.v1.links_pb2_grpc import LinkServiceStub
from sangkien.contracts.crossing import PersonLinkAnswered, PersonLinkProposed
from sangkien.contracts.links import Grounds, Sought
from sangkien.exchange.application.ports import NotYet
from sangkien.exchange.domain.errors import ExchangeRefusal
from sangkien.exchange.domain.reorganised import (
    LinkAnswerNotAsked,
    LinkDecidedOtherwise,
    LinkNotTheirs,
    LinkStanding,
)
from sangkien.rpc import RemoteFault, RemoteRefusal, RemoteUnavailable

_PASSING: Final = frozenset({"changed_meanwhile"})
_REFUSED: Final[Mapping[str, type[ExchangeRefusal]]] = {
    "link_not_theirs": LinkNotTheirs,
    "organisation_unknown": LinkNotTheirs,
    "link_reused": LinkNotTheirs,
    "link_unknown": LinkAnswerNotAsked,
    "link_answer_not_asked": LinkAnswerNotAsked,
}

T = TypeVar("T")


class DirectoryLinks:
    """Asks with this service's own token. Raises NotYet where asking again makes sense."""

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def proposed(self, sender: str, message: PersonLinkProposed) -> None:
        sought, grounds = message.sought, message.grounds
        request = pb.ReceiveProposalRequest(
            link_id=message.link_id,
            node=sender,
            their_person_id=message.asking_ref,
            sought=pb.SoughtPerson(
                person_ref=sought.person_ref,
                full_name=sought.full_name,
                birth_date=sought.birth_date.isoformat() if sought.birth_date else "",
                staff_code=sought.staff_code,
            ),
            grounds=pb.LinkGrounds(
                predecessor_id=grounds.predecessor_id,
                successor_id=grounds.successor_id,
                successor_name=grounds.successor_name,
                on=grounds.on.isoformat(),
                document=grounds.document,
            ),
            on=message.on.isoformat(),
        )
        await _asked(self._stub.ReceiveProposal(request))

    async def answered(self, sender: str, message: PersonLinkAnswered) -> None:
        request = pb.ReceiveAnswerRequest(
            link_id=message.link_id,
            node=sender,
            answer=message.answer,
            their_person_id=message.person_ref,
            asks_too=message.asks_too,
            on=message.on.isoformat(),
        )
        await _asked(self._stub.ReceiveAnswer(request))

    async def returned(self, link_id: str, code: str) -> None:
        await _asked(self._stub.ReturnProposal(pb.ReturnProposalRequest(link_id=link_id, code=code)))

    async def standing(self, link_id: str) -> LinkStanding | None:
        letter = await self._letter(link_id)
        if letter is None:
            return None
        link = letter.link
        return LinkStanding(link.link_id, link.node, link.state, link.person_id, link.receives)

    async def proposal(self, link_id: str, on: date) -> PersonLinkProposed | None:
        letter = await self._letter(link_id)
        if letter is None or letter.link.state != "proposed":
            return None
        link, sought = letter.link, letter.sought
        return PersonLinkProposed(
            link_id=link.link_id,
            asking_ref=link.person_id,
            sought=Sought(
                person_ref=sought.person_ref,
                full_name=sought.full_name,
                birth_date=date.fromisoformat(sought.birth_date) if sought.birth_date else None,
                staff_code=sought.staff_code,
            ),
            grounds=Grounds(
                predecessor_id=link.grounds.predecessor_id,
                successor_id=link.grounds.successor_id,
                successor_name=link.grounds.successor_name,
                on=date.fromisoformat(link.grounds.on),
                document=link.grounds.document,
            ),
            on=on,
        )

    async def _letter(self, link_id: str) -> pb.GetLinkLetterResponse | None:
        try:
            return await _asked(self._stub.GetLinkLetter(pb.GetLinkLetterRequest(link_id=link_id)))
        except LinkAnswerNotAsked:
            return None

    @property
    def _stub(self) -> "LinkServiceStub":
        return LinkServiceStub(self._channel())


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await call
    except (RemoteUnavailable, RemoteFault):
        raise NotYet("directory_unavailable") from None
    except RemoteRefusal as refusal:
        if refusal.kind == "unauthenticated" or refusal.code in _PASSING:
            raise NotYet(refusal.code) from None
        raise _REFUSED.get(refusal.code, LinkDecidedOtherwise) from None
