"""What the competent node's answers make of a dossier: order, standing and who may speak."""

from datetime import date
from typing import Any

import pytest

from sangkien.intake.domain.dossier import Dossier, State
from sangkien.intake.domain.draft import Author, Draft
from sangkien.intake.domain.foreign import Answered, learn_answer
from sangkien.intake.domain.rounds import Round

DAY = date(2023, 5, 10)


def dossier(node: str = "hanoi") -> Dossier:
    author = Author("local:A", "", 10_000)
    draft = Draft("F1", "", "", "Ngày thứ Sáu không chờ", "", "local:U", "", (author,), None, DAY)
    within = Round("F1", "Cấp Thành phố", "city", "hanoi:U", DAY, DAY, node=node)
    return Dossier.file(draft, within, dossier_id="01D", filed_by="", answer_due=DAY, fingerprint="x", traceparent="")


def said(answer: Any, order: int, **changed: Any) -> Answered:
    facts: dict[str, Any] = {"node": "hanoi", "version": 1}
    return Answered(answer=answer, order=order, **(facts | changed))


@pytest.mark.parametrize(
    ("answers", "stands"),
    [
        (["accepted"], (State.ACCEPTED, "", "")),
        (["supplement_requested", "accepted"], (State.ACCEPTED, "", "")),
        (["refused"], (State.REFUSED, "", "X")),
        (["refused", "not_received"], (State.REFUSED, "", "X")),
        (["accepted", "supplement_requested"], (State.ACCEPTED, "", "")),
        (["voted", "recognised"], (State.ACCEPTED, "recognised", "X")),
        (["recognised", "voted"], (State.ACCEPTED, "recognised", "X")),
        (["voted", "refused"], (State.ACCEPTED, "voted", "")),
        (["withdrawn", "accepted"], (State.WITHDRAWN, "", "")),
    ],
)
def test_answers_move_a_dossier_only_where_it_can_go(answers: list[str], stands: tuple[State, str, str]) -> None:
    one = dossier()
    taken = [learn_answer(one, said(answer, order, reasons=("X",))) for order, answer in enumerate(answers, start=1)]

    assert taken == [True] * len(answers)
    assert (one.state, one.outcome, one.refusal_reason) == stands


def test_old_news_and_the_words_of_others_change_nothing() -> None:
    one, own = dossier(), dossier(node="")
    assert learn_answer(one, said("accepted", 5))

    late = [said("refused", 5), said("refused", 4), said("refused", 9, node="evil"), said("refused", 9, version=2)]
    assert [learn_answer(one, each) for each in late] == [False] * 4
    assert [learn_answer(own, said("refused", 1, node=node)) for node in ("", "hanoi")] == [False, False]
    assert (one.state, own.state) == (State.ACCEPTED, State.FILED)
