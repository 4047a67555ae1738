"""What the node answers whose council is competent for a dossier. That node asserts it; nobody here decided it."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from sangkien.intake.domain.dossier import Dossier, State

EXCHANGE: Final = "service/exchange"
"""Who files here what came from other nodes."""

Answer = Literal[
    "received",
    "not_received",
    "accepted",
    "supplement_requested",
    "refused",
    "voted",
    "recognised",
    "not_recognised",
    "withdrawn",
]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer about one version of a dossier. `order` counts what that node says; `reasons` are codes.

    `due` is when that node must answer next, or until when what is asked for may be mended.
    """

    node: str
    version: int
    order: int
    answer: Answer
    code: str = ""
    due: date | None = None
    reasons: tuple[str, ...] = ()
    decision_symbol: str = ""


def learn_answer(dossier: Dossier, said: Answered) -> bool:
    """Let the dossier stand where the competent node says. False when that is not for this node to say, or old news.

    What was not received, because the receiver does not know the unit for example, can be mended like any other
    shortcoming and goes out again as the next version. What was withdrawn here stays withdrawn. News of a version that
    has been mended since changes nothing but the order.
    """
    if not said.node or said.node != dossier.competent_node or said.version > dossier.revision:
        return False
    if not dossier.newer(said.order):
        return False
    dossier.remote_code = said.code or dossier.remote_code
    match said.answer:
        case "received":
            if dossier.state is State.FILED and said.version == dossier.revision:
                dossier.answer_due = said.due or dossier.answer_due
        case "not_received" | "supplement_requested":
            _ask(dossier, said)
        case "accepted":
            _move(dossier, State.ACCEPTED)
        case "refused":
            _refuse(dossier, said)
        case "withdrawn":
            dossier.settle(State.WITHDRAWN)
        case "voted" | "recognised" | "not_recognised":
            _decide(dossier, said)
    return True


def _ask(dossier: Dossier, said: Answered) -> None:
    if dossier.state is State.FILED and said.version == dossier.revision:
        dossier.state = State.SUPPLEMENT_ASKED
        dossier.shortcomings = said.reasons
        dossier.supplement_due = said.due


def _move(dossier: Dossier, state: State) -> None:
    if dossier.state in (State.FILED, State.SUPPLEMENT_ASKED):
        dossier.settle(state)


def _refuse(dossier: Dossier, said: Answered) -> None:
    if not dossier.voted and dossier.state is not State.WITHDRAWN:
        dossier.refusal_reason = ",".join(said.reasons)
        dossier.settle(State.REFUSED)


def _decide(dossier: Dossier, said: Answered) -> None:
    """A vote moves it; a decision, which may come first, is the last word."""
    if dossier.state is State.WITHDRAWN:
        return
    dossier.voted = True
    dossier.settle(State.ACCEPTED)
    if said.answer != "voted":
        dossier.outcome = said.answer
        dossier.decision_symbol = said.decision_symbol
        dossier.refusal_reason = ",".join(said.reasons)
    elif not dossier.outcome:
        dossier.outcome = said.answer
