"""What is answered to the node that filed a dossier here."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from sangkien.contracts.crossing import CertificateSent, DossierAnswered
from sangkien.contracts.events import (
    CertificateIssued,
    DossierAccepted,
    DossierRefused,
    DossierVoted,
    InitiativeRecognised,
    InitiativeRefused,
    SupplementRequested,
)
from sangkien.exchange.application.ports import CustodyStep, CustodySteps, Heard, Outbound, Registry, Taken, Waits
from sangkien.exchange.domain.foreign import Arrival, Expected
from sangkien.exchange.entrypoints.dealings import Books, hanoi_day
from sangkien.store import Op

_Word = Literal["accepted", "supplement_requested", "refused", "voted", "recognised", "not_recognised", "withdrawn"]


class Answers:
    """What is said of a dossier to the node that filed it; nothing of those that were filed here.

    While a dossier of another node is being filed its id here is not known: what is about one that may be it waits.
    """

    def __init__(self, books: Books, steps: CustodySteps, registry: Registry) -> None:
        self._books = books
        self._steps = steps
        self._registry = registry

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        ids = [id for one in heard if (id := _dossier_id(one.event))]
        expecting = await self._books.expecting()  # asked first: what is settled after this is among the arrivals
        came = await self._books.arrivals(ids)
        if waiting := [one.id for one in heard if _may_be_one_of(expecting, came, one.event)]:
            raise Waits(waiting)
        ops: list[Op] = []
        outbound: list[Outbound] = []
        for one in heard:
            arrival = came.get(_dossier_id(one.event))
            if arrival is None:
                continue
            if isinstance(one.event, CertificateIssued):
                outbound.append(Outbound(arrival.node, _certificate(arrival, one.event), one.trace))
                continue
            message = _worded(arrival, one)
            outbound.append(Outbound(arrival.node, message, one.trace))
            ops.append(self._steps.recorded(self._step(arrival, message, one)))
        return Taken(ops, outbound)

    def _step(self, arrival: Arrival, message: DossierAnswered, one: Heard) -> CustodyStep:
        me = self._registry.me.node
        asked = message.answer == "supplement_requested"
        accepted = message.answer == "accepted"
        return CustodyStep(
            dossier_id=arrival.local_id,
            node=arrival.node if asked else me,
            what=message.answer,
            at=one.at,
            detail=message.decision_symbol or message.reason,
            code=arrival.code,
            remote_id=arrival.dossier_id,
            answer_from=arrival.node if asked else me if accepted else "",
            answer_due=message.answer_due,
        )


def _dossier_id(event: object) -> str:
    return str(getattr(event, "dossier_id", ""))


def _may_be_one_of(expecting: Sequence[Expected], came: Mapping[str, Arrival], event: object) -> bool:
    id, round_id = _dossier_id(event), str(getattr(event, "round_id", ""))
    return bool(id) and id not in came and any(one.may_be(id, round_id) for one in expecting)


def _worded(arrival: Arrival, one: Heard) -> DossierAnswered:
    match one.event:
        case DossierAccepted() as event:
            said = answer(arrival, "accepted", event.accepted_on, revision=event.dossier_version)
            return said.model_copy(update={"answer_due": event.decide_by})
        case SupplementRequested() as event:
            said = answer(arrival, "supplement_requested", hanoi_day(one.at), revision=event.dossier_version)
            return said.model_copy(update={"reason": ",".join(event.shortcomings), "answer_due": event.due})
        case DossierRefused() as event:
            said = answer(arrival, "refused", event.refused_on, revision=event.dossier_version)
            return said.model_copy(update={"reason": event.reason})
        case DossierVoted() as event:
            return answer(arrival, "voted", event.held_on)
        case InitiativeRecognised() as event:
            said = answer(arrival, "recognised", event.recognised_on)
            words = {"decision_symbol": event.decision_symbol, "initiative_id": event.initiative_id}
            return said.model_copy(update=words)
        case InitiativeRefused() as event:
            said = answer(arrival, "not_recognised", event.decided_on)
            return said.model_copy(update={"decision_symbol": event.decision_symbol, "reason": event.reason})
        case _:
            raise TypeError(f"nothing is answered to {one.type}")


def answer(arrival: Arrival, answer: _Word, on: date, *, revision: int = 0) -> DossierAnswered:
    return DossierAnswered(
        dossier_id=arrival.dossier_id,
        version=arrival.version_of(revision),
        answer=answer,
        remote_id=arrival.local_id,
        code=arrival.code,
        on=on,
    )


def _certificate(arrival: Arrival, event: CertificateIssued) -> CertificateSent:
    return CertificateSent(
        dossier_id=arrival.dossier_id,
        certificate_id=event.certificate_id,
        number=event.number,
        author_ref=arrival.authors.get(event.person_id, ""),
        data_sha256=event.data_sha256,
        issued_on=event.issued_on,
    )
