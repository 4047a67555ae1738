"""Who stands above whom, and what is kept of rounds that are heard of in any order."""

from datetime import date

import pytest

from sangkien.exchange.domain.foreign import AnswerNotTheirs, Arrival, OwnRound, Sent, stands_above

PARENTS = {"hanoi": "", "badinh": "hanoi", "xa": "badinh", "loop": "pool", "pool": "loop"}


@pytest.mark.parametrize(
    ("node", "other", "above"),
    [
        ("badinh", "xa", True),
        ("hanoi", "xa", True),
        ("xa", "badinh", False),
        ("xa", "xa", False),
        ("hanoi", "stranger", False),
        ("hanoi", "loop", False),
    ],
)
def test_only_a_parent_and_its_parents_stand_above(node: str, other: str, above: bool) -> None:
    assert stands_above(node, other, lambda one: PARENTS.get(one, "")) is above


def test_round_heard_of_in_any_order_stands_the_same() -> None:
    opened = OwnRound("R1", 1, "Đợt 1", "city", "hanoi:U", date(2023, 4, 1), date(2023, 6, 30), told=True)
    closed = OwnRound("R1", 2, closed_on=date(2023, 6, 1))

    assert opened.after(closed) == closed.after(opened)
    assert (closed.after(opened).name, closed.after(opened).version, closed.told) == ("Đợt 1", 2, False)


def test_only_the_node_that_a_dossier_was_sent_to_speaks_of_it() -> None:
    sent = Sent("D1", "hanoi", 1, "SK-2023-0000-0000")

    sent.check_competent("hanoi")
    with pytest.raises(AnswerNotTheirs):
        sent.check_competent("badinh")


def test_revisions_are_called_what_the_filing_node_calls_them() -> None:
    arrival = Arrival("badinh", "THERE", "HERE", "SK", 2, {1: 2, 2: 4}, {"hanoi:1": "badinh:9"})

    assert [arrival.version_of(revision) for revision in (1, 2, 0)] == [2, 4, 4]
