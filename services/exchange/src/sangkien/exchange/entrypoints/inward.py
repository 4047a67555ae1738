"""Messages of other nodes, and what they do here."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sangkien.contracts.crossing import (
    CertificateSent,
    DecisionSummarised,
    DossierAnswered,
    DossierFiled,
    DossierTakenBack,
    RoundAnnounced,
)
from sangkien.contracts.events import (
    Event,
    ForeignAnswerReceived,
    ForeignCertificateReceived,
    ForeignDecisionSummarised,
    ForeignRoundAnnounced,
)
from sangkien.exchange.application.ports import (
    Commit,
    CustodyStep,
    CustodySteps,
    Message,
    NotYet,
    Outbound,
    Registry,
    Taken,
    World,
)
from sangkien.exchange.domain.foreign import (
    FILER_NOT_BELOW,
    ROUND_NOT_OURS,
    AnswerNotTheirs,
    Arrival,
    Expected,
    MessageNotForUs,
    NotTaken,
    RoundNotTheirs,
    Sent,
    Standing,
    SummaryNotTheirs,
    rank_of,
    stands_above,
)
from sangkien.exchange.entrypoints.dealings import Books, Desk, hanoi_day, parent_of
from sangkien.kernel.spoken_codes import code_of_hash
from sangkien.messaging import outbox_row
from sangkien.runtime import first_id
from sangkien.store import Op

if TYPE_CHECKING:
    from sangkien.custody import Seal


CLOCKS_APART = timedelta(minutes=1)
"""By how much the clocks of one node's services may differ at most."""


class Business:
    """The port `Inward`. A dossier that cannot be taken is answered so; nothing of it holds up what follows."""

    def __init__(
        self, books: Books, desk: Desk, steps: CustodySteps, registry: Registry, world: World, commit: Commit
    ) -> None:
        self._books = books
        self._desk = desk
        self._steps = steps
        self._registry = registry
        self._world = world
        self._commit = commit

    async def take(self, sender: str, message: Message, seal: "Seal") -> Taken:
        match message:
            case RoundAnnounced():
                return self._announced(sender, message, seal)
            case DossierFiled():
                return await self._filed(sender, message, seal)
            case DossierTakenBack():
                return await self._taken_back(sender, message)
            case DossierAnswered():
                return await self._answered(sender, message, seal)
            case CertificateSent():
                return await self._certified(sender, message, seal)
            case DecisionSummarised():
                return self._summarised(sender, message, seal)
        raise MessageNotForUs(type=message.TYPE)

    def _announced(self, sender: str, message: RoundAnnounced, seal: "Seal") -> Taken:
        if not self._above(sender, self._registry.me.node):
            raise RoundNotTheirs(node=sender)
        event = ForeignRoundAnnounced(node=sender, **message.model_dump(exclude={"version", "epoch"}))
        return Taken([self._told(event, message.round_id, message.version, seal)])

    async def _filed(self, sender: str, filed: DossierFiled, seal: "Seal") -> Taken:
        code = await self._refused(sender, filed)
        if code:
            return Taken(outbound=[self._not_received(sender, filed, code, seal)])
        arrival = await self._books.arrival(sender, filed.dossier_id)
        if arrival is not None and filed.version <= arrival.version:
            return Taken()  # this or a later version is here, and was answered
        try:
            standing = await self._file(sender, filed, arrival, seal)
        except NotTaken as refusal:
            refused = self._not_received(sender, filed, refusal.code, seal)
            return Taken([self._books.settle(sender, filed.dossier_id)], [refused])
        return self._received(sender, filed, standing, arrival, seal)

    async def _refused(self, sender: str, filed: DossierFiled) -> str:
        """Why this node takes nothing of the kind, "" when it does."""
        if not self._above(self._registry.me.node, sender):
            return FILER_NOT_BELOW
        return "" if filed.round_id in await self._books.rounds([filed.round_id]) else ROUND_NOT_OURS

    async def _file(self, sender: str, filed: DossierFiled, arrival: Arrival | None, seal: "Seal") -> Standing:
        if arrival is None:
            if not await self._books.expects(sender, filed.dossier_id):
                expected = Expected(filed.round_id, first_id(self._world.now() - CLOCKS_APART))
                await self._commit([self._books.expect(sender, filed.dossier_id, expected)])
            try:
                return await self._desk.file(sender, filed)
            except (NotYet, NotTaken):
                raise
            except Exception:  # a bug: the message is put aside, and nobody waits for its arrival
                await self._commit([self._books.settle(sender, filed.dossier_id)])
                raise
        return await self._desk.supplement(arrival.local_id, arrival.revision, filed, hanoi_day(seal.at))

    def _received(
        self, sender: str, filed: DossierFiled, standing: Standing, before: Arrival | None, seal: "Seal"
    ) -> Taken:
        refs = {here: author.ref for here, author in zip(standing.authors, filed.authors, strict=False)}
        arrival = Arrival(
            node=sender,
            dossier_id=filed.dossier_id,
            local_id=standing.dossier_id,
            code=standing.code,
            revision=standing.revision,
            versions={**(before.versions if before else {}), standing.revision: filed.version},
            authors={**(before.authors if before else {}), **refs},
            stored=before.stored if before else 0,
        )
        today = self._world.today()
        step = CustodyStep(
            dossier_id=standing.dossier_id,
            node=self._registry.me.node,
            what="received",
            at=self._world.now(),
            detail=sender,
            code=standing.code,
            remote_id=filed.dossier_id,
            answer_from=self._registry.me.node,
            answer_due=standing.answer_due,
        )
        return Taken(
            [
                self._books.keep(arrival),
                self._books.settle(sender, filed.dossier_id),
                self._steps.recorded(step),
            ],
            [Outbound(sender, each, seal.trace) for each in _standing_answers(filed, standing, today)],
        )

    def _not_received(self, sender: str, filed: DossierFiled, code: str, seal: "Seal") -> Outbound:
        message = DossierAnswered(
            dossier_id=filed.dossier_id,
            version=filed.version,
            answer="not_received",
            reason=code,
            on=self._world.today(),
        )
        return Outbound(sender, message, seal.trace)

    async def _taken_back(self, sender: str, message: DossierTakenBack) -> Taken:
        """The event of the withdrawal answers. What never came, or has been decided, stays as it is."""
        arrival = await self._books.arrival(sender, message.dossier_id)
        if arrival is not None:
            try:
                await self._desk.withdraw(arrival.local_id, min(message.on, self._world.today()))
            except NotTaken:
                return Taken()
        return Taken()

    async def _answered(self, sender: str, message: DossierAnswered, seal: "Seal") -> Taken:
        sent = await self._ours(sender, message.dossier_id)
        told = message.model_dump(exclude={"initiative_id"})
        rank = rank_of(seal.epoch, seal.n)
        event = ForeignAnswerReceived(node=sender, author_ids=sent.authors, **told)
        ops = [
            self._told(event, message.dossier_id, rank, seal),
            self._steps.recorded(self._step(sent, message, seal.at)),
            self._books.keep(
                replace(
                    sent,
                    remote_id=message.remote_id or sent.remote_id,
                    remote_code=message.code or sent.remote_code,
                    rank=max(rank, sent.rank),
                )
            ),
        ]
        return Taken(ops)

    async def _certified(self, sender: str, message: CertificateSent, seal: "Seal") -> Taken:
        """Kept and told of. A person who is no author of the dossier is nobody whom that node may have told."""
        sent = await self._ours(sender, message.dossier_id)
        person = message.author_ref if message.author_ref in sent.authors else ""
        event = ForeignCertificateReceived(
            node=sender,
            person_id=person,
            told_ids=(person,) if person else sent.authors,
            check_code=code_of_hash(message.data_sha256),
            **message.model_dump(exclude={"author_ref"}),
        )
        kept = self._books.keep_certificate(sender, message.certificate_id, event.model_dump(mode="json"))
        return Taken([kept, self._told(event, message.certificate_id, rank_of(seal.epoch, seal.n), seal)])

    def _summarised(self, sender: str, message: DecisionSummarised, seal: "Seal") -> Taken:
        if not self._above(self._registry.me.node, sender):
            raise SummaryNotTheirs(node=sender)
        event = ForeignDecisionSummarised(node=sender, **message.model_dump())
        kept = self._books.keep_summary(sender, message.decision_id, message.model_dump(mode="json"))
        return Taken([kept, self._told(event, message.decision_id, rank_of(seal.epoch, seal.n), seal)])

    def _step(self, sent: Sent, message: DossierAnswered, at: datetime) -> CustodyStep:
        me = self._registry.me.node
        back = message.answer in ("not_received", "supplement_requested")
        waits = sent.node if message.answer in ("received", "accepted") else me if back else ""
        return CustodyStep(
            dossier_id=sent.dossier_id,
            node=me if back else sent.node,
            what=message.answer,
            at=at,
            detail=message.decision_symbol or message.reason or message.code,
            code=sent.code,
            remote_id=message.remote_id or sent.remote_id,
            answer_from=waits,
            answer_due=message.answer_due if waits else None,
        )

    async def _ours(self, sender: str, dossier_id: str) -> Sent:
        """The dossier of ours that the sender decides about. Raises AnswerNotTheirs."""
        sent = (await self._books.sent([dossier_id])).get(dossier_id)
        if sent is None:
            raise AnswerNotTheirs(node=sender)
        sent.check_competent(sender)
        return sent

    def _above(self, node: str, other: str) -> bool:
        return stands_above(node, other, parent_of(self._registry))

    def _told(self, event: Event, about: str, version: int, seal: "Seal") -> Op:
        return outbox_row(
            event,
            event_id=self._world.new_id(),
            aggregate_id=about,
            aggregate_version=version,
            at=self._world.now(),
            traceparent=seal.trace,
        )


def _standing_answers(filed: DossierFiled, standing: Standing, on: date) -> list[DossierAnswered]:
    """That it was received, and where it stands already.

    If this node went down between filing and keeping the arrival, what review said meanwhile was not heard as an
    answer. What is said twice has one key and crosses once.
    """
    received = DossierAnswered(
        dossier_id=filed.dossier_id,
        version=filed.version,
        answer="received",
        remote_id=standing.dossier_id,
        code=standing.code,
        answer_due=standing.answer_due,
        on=on,
    )
    since: dict[str, object]
    match standing.state:
        case "CHAP_NHAN_DON":
            since = {"answer": "accepted", "answer_due": None}
        case "YEU_CAU_BO_SUNG":
            shortcomings = ",".join(standing.shortcomings)
            since = {
                "answer": "supplement_requested",
                "reason": shortcomings,
                "answer_due": standing.supplement_due,
            }
        case "TU_CHOI_DON":
            since = {"answer": "refused", "reason": standing.refusal_reason, "answer_due": None}
        case "RUT":
            since = {"answer": "withdrawn", "answer_due": None}
        case _:
            return [received]
    return [received, received.model_copy(update=since)]
