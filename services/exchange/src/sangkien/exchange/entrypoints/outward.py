"""Events of this node's services, and what they have to say to other nodes: one handler for each consumer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sangkien.contracts.crossing import (
    DecisionSummarised,
    DossierTakenBack,
    may_send,
)
from sangkien.contracts.events import (
    DecisionIssued,
    DossierSubmitted,
    DossierSupplemented,
    DossierWithdrawn,
    InitiativeRecognised,
    RoundClosed,
    RoundOpened,
)
from sangkien.exchange.application.ports import (
    CustodyStep,
    CustodySteps,
    Heard,
    Outbound,
    Registry,
    Taken,
)
from sangkien.exchange.domain.foreign import OwnRound, Sent
from sangkien.exchange.entrypoints.announcing import announcements
from sangkien.exchange.entrypoints.answering import Answers, answer
from sangkien.exchange.entrypoints.dealings import Books, Letters
from sangkien.store import Op


class FromIntake:
    """Consumer `exchange__intake`: dossiers for other nodes' councils, and withdrawals."""

    def __init__(self, books: Books, letters: Letters, steps: CustodySteps, registry: Registry) -> None:
        self._books = books
        self._letters = letters
        self._steps = steps
        self._registry = registry

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        filed = [(one, away) for one in heard if (away := _for_another_node(one.event)) is not None]
        withdrawn = [(one, one.event) for one in heard if isinstance(one.event, DossierWithdrawn)]
        ops, outbound = await self._send(filed)
        came = await self._books.arrivals([event.dossier_id for _, event in withdrawn])
        for one, event in withdrawn:
            arrival = came.get(event.dossier_id)
            if event.competent_node:
                back = DossierTakenBack(dossier_id=event.dossier_id, version=event.version, on=event.withdrawn_on)
                outbound.append(Outbound(event.competent_node, back, one.trace))
            elif arrival is not None:
                message = answer(arrival, "withdrawn", event.withdrawn_on, revision=event.version)
                outbound.append(Outbound(arrival.node, message, one.trace))
        return Taken(ops, outbound)

    async def _send(
        self, filed: Sequence[tuple[Heard, DossierSubmitted | DossierSupplemented]]
    ) -> tuple[list[Op], list[Outbound]]:
        if not filed:
            return [], []
        facts = [event for _, event in filed]
        symbols = await self._books.symbols([event.initiative_id for event in facts if event.initiative_id])
        letters = await self._letters.written(facts, symbols)
        sent = dict(await self._books.sent([event.dossier_id for event in facts]))
        ops: list[Op] = []
        outbound: list[Outbound] = []
        touched: dict[str, Sent] = {}
        for (one, event), letter in zip(filed, letters, strict=True):
            if letter is None:
                continue  # the next version, or the withdrawal, is on its way
            before = sent.get(event.dossier_id)
            node = event.competent_node
            if before is not None and letter.version <= before.version:
                continue
            kept = replace(
                before or Sent(event.dossier_id, node, letter.version, event.code),
                version=letter.version,
                authors=tuple([author.person_id for author in event.authors]),
            )
            sent[event.dossier_id] = touched[event.dossier_id] = kept
            outbound.append(Outbound(node, letter, one.trace))
            due = event.answer_due if isinstance(event, DossierSubmitted) else None
            step = CustodyStep(
                dossier_id=event.dossier_id, node=self._registry.me.node, what="filed", at=one.at, code=event.code
            )
            if before is None:
                ops.append(self._steps.recorded(replace(step, detail=event.code)))
            ops.append(
                self._steps.recorded(
                    replace(
                        step,
                        what="sent",
                        detail=node,
                        answer_from=node,
                        answer_due=due,
                        message_receiver=node,
                        message_key=letter.key(),
                    )
                )
            )
        return [*ops, *[self._books.keep(one) for one in touched.values()]], outbound


class FromReview:
    """Consumer `exchange__review`: rounds for the nodes below, and what becomes of what they filed."""

    def __init__(self, books: Books, steps: CustodySteps, registry: Registry) -> None:
        self._books = books
        self._registry = registry
        self._answers = Answers(books, steps, registry)

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        rounds = await self._rounds([one for one in heard if isinstance(one.event, RoundOpened | RoundClosed)])
        answered = await self._answers([one for one in heard if not isinstance(one.event, RoundOpened | RoundClosed)])
        return Taken([*rounds.ops, *answered.ops], [*rounds.outbound, *answered.outbound])

    async def _rounds(self, heard: Sequence[Heard]) -> Taken:
        told = [(one, _round(one)) for one in heard]
        known = dict(await self._books.rounds([round_.round_id for _, round_ in told]))
        touched: dict[str, tuple[OwnRound, str]] = {}
        for one, round_ in told:
            before = known.get(round_.round_id)
            after = before.after(round_) if before is not None else round_
            if after != before:
                known[round_.round_id] = after
                touched[round_.round_id] = (after, one.trace)
        outbound = [
            message
            for round_, trace in touched.values()
            for child in self._registry.children()
            for message in announcements([round_], self._registry.me, child, trace)
        ]
        return Taken([self._books.keep(round_) for round_, _ in touched.values()], outbound)


class FromRecognition:
    """Consumer `exchange__recognition`: decisions about what other nodes filed, certificates, sums for the parent."""

    def __init__(self, books: Books, steps: CustodySteps, registry: Registry) -> None:
        self._books = books
        self._registry = registry
        self._answers = Answers(books, steps, registry)

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        answered = await self._answers([one for one in heard if not isinstance(one.event, DecisionIssued)])
        issued = [(one.event, one.trace) for one in heard if isinstance(one.event, DecisionIssued)]
        rounds = await self._books.rounds([event.round_id for event, _ in issued])
        names = {id: round_.name for id, round_ in rounds.items()}
        summaries = [said for event, trace in issued if (said := self._summary(event, names, trace)) is not None]
        return Taken([*await self._symbols(heard), *answered.ops], [*answered.outbound, *summaries])

    async def _symbols(self, heard: Sequence[Heard]) -> list[Op]:
        """What recognised an initiative, for when it is filed upwards."""
        recognised = {
            one.event.initiative_id: one.event.decision_symbol
            for one in heard
            if isinstance(one.event, InitiativeRecognised)
        }
        known = await self._books.symbols(list(recognised))
        return [self._books.keep_symbol(id, symbol) for id, symbol in recognised.items() if id not in known]

    def _summary(self, event: DecisionIssued, names: Mapping[str, str], trace: str) -> Outbound | None:
        parent = self._registry.parent()
        if parent is None or not may_send(DecisionSummarised.TYPE, self._registry.me.profile, parent.profile):
            return None
        message = DecisionSummarised(
            decision_id=event.decision_id,
            symbol=event.symbol,
            round_id=event.round_id,
            round_name=names.get(event.round_id, "")[:300],
            tier=event.tier,
            recognised=event.recognised,
            refused=event.refused,
            issued_on=event.issued_on,
        )
        return Outbound(parent.node, message, trace)


def _for_another_node(event: object) -> DossierSubmitted | DossierSupplemented | None:
    if isinstance(event, DossierSubmitted | DossierSupplemented) and event.competent_node:
        return event
    return None


def _round(one: Heard) -> OwnRound:
    match one.event:
        case RoundOpened() as opened:
            return OwnRound(
                opened.round_id,
                one.aggregate_version,
                opened.name,
                opened.tier,
                opened.owner_id,
                opened.opens_on,
                opened.closes_on,
                told=True,
            )
        case RoundClosed() as closed:
            return OwnRound(closed.round_id, one.aggregate_version, closed_on=closed.closed_on)
        case _:
            raise TypeError(f"no round is told of by {one.type}")
