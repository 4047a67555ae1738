"""Every move of a link, on both sides, and every one that is refused."""

from collections.abc import Callable
from datetime import date

import pytest

from sangkien.directory.domain.errors import (
    DirectoryRefusal,
    LinkAnswerNotAsked,
    LinkDecidedAlready,
    LinkNotYoursToAnswer,
    LinkNotYoursToEnd,
    LinkPersonNotMeant,
)
from sangkien.directory.domain.events import LinkWasChanged
from sangkien.directory.domain.link import Grounds, LinkState, PersonLink, Sought

DAY = date(2025, 7, 1)
GROUNDS = Grounds("ba-dinh:U", "phuc-tan:U", "Phường Phúc Tân", DAY, "1656/NQ-UBTVQH15")
HERE, THERE = "phuc-tan:Q", "ba-dinh:P"
C, R, W, X = LinkState.CONFIRMED, LinkState.REFUSED, LinkState.WITHDRAWN, LinkState.REVOKED

Move = Callable[[PersonLink], bool]


def ours(ref: str = "") -> PersonLink:
    return PersonLink.propose("phuc-tan/1", "ba-dinh", HERE, Sought(ref, "An"), GROUNDS, by="phuc-tan:S", on=DAY)


def theirs(ref: str = "") -> PersonLink:
    return PersonLink.receive("ba-dinh/1", "ba-dinh", THERE, Sought(ref, "An"), GROUNDS, on=DAY)


def confirm(person: str = HERE) -> Move:
    return lambda link: link.confirm(person, by="phuc-tan:S", on=DAY)


def refuse(link: PersonLink) -> bool:
    return link.refuse(by="phuc-tan:S", reason="", on=DAY)


def end(link: PersonLink) -> bool:
    return link.end(by="phuc-tan:S", reason="", on=DAY)


def give_back(link: PersonLink) -> bool:
    return link.give_back(reason="receiver_unknown", on=DAY)


def hear(answer: LinkState, person: str = THERE) -> Move:
    return lambda link: link.hear(answer, person if answer is C else "", asked_too=False, on=DAY)


@pytest.mark.parametrize(
    ("link", "moves", "changed", "state"),
    [
        (ours(), [hear(C)], [True], C),
        (ours(), [hear(C), hear(C)], [True, False], C),
        (ours(), [hear(R), hear(R)], [True, False], R),
        (ours(), [end, end], [True, False], W),
        (ours(), [end, hear(C)], [True, False], W),  # crossed on the way: the other side hears of the withdrawal
        (ours(), [end, hear(R)], [True, False], W),
        (ours(), [hear(C), end, end], [True, True, False], X),
        (ours(), [hear(C), hear(X), hear(X)], [True, True, False], X),
        (ours(), [hear(X)], [True], X),
        (ours(), [give_back, give_back, hear(C)], [True, False, False], W),
        (ours(), [hear(C), give_back], [True, False], C),
        (theirs(), [confirm(), confirm()], [True, False], C),
        (theirs(), [refuse, refuse], [True, False], R),
        (theirs(), [hear(W), hear(W)], [True, False], W),
        (theirs(), [confirm(), hear(W)], [True, True], X),  # the other end of the crossing
        (theirs(), [confirm(), end], [True, True], X),
        (theirs(), [confirm(), hear(X)], [True, True], X),
        (theirs(), [refuse, hear(W)], [True, False], R),
    ],
)
def test_link_moves_the_same_way_however_decisions_cross(
    link: PersonLink, moves: list[Move], changed: list[bool], state: LinkState
) -> None:
    assert [move(link) for move in moves] == changed
    assert (link.state, link.sought) == (state, None)


@pytest.mark.parametrize(
    ("link", "before", "move", "refusal"),
    [
        (ours(), [], confirm(), LinkNotYoursToAnswer),
        (ours(), [], refuse, LinkNotYoursToAnswer),
        (ours(), [], hear(W), LinkAnswerNotAsked),
        (ours("ba-dinh:OTHER"), [], hear(C), LinkAnswerNotAsked),
        (ours(), [], hear(C, "hanoi:P"), LinkAnswerNotAsked),
        (ours(), [hear(R)], hear(C), LinkDecidedAlready),
        (ours(), [hear(C)], hear(R), LinkDecidedAlready),
        (ours(), [hear(R)], end, LinkDecidedAlready),
        (theirs(), [], end, LinkNotYoursToEnd),
        (theirs(), [], hear(C), LinkAnswerNotAsked),
        (theirs(), [], hear(R), LinkAnswerNotAsked),
        (theirs(), [], hear(X), LinkAnswerNotAsked),
        (theirs("phuc-tan:OTHER"), [], confirm(), LinkPersonNotMeant),
        (theirs(), [refuse], confirm(), LinkDecidedAlready),
        (theirs(), [confirm()], refuse, LinkDecidedAlready),
        (theirs(), [confirm()], confirm("phuc-tan:OTHER"), LinkDecidedAlready),
        (theirs(), [confirm(), end], confirm(), LinkDecidedAlready),
        (theirs(), [hear(W)], confirm(), LinkDecidedAlready),
    ],
)
def test_illegal_move_is_refused_and_changes_nothing(
    link: PersonLink, before: list[Move], move: Move, refusal: type[DirectoryRefusal]
) -> None:
    for each in before:
        each(link)
    state = link.state
    link.pull_events()
    with pytest.raises(refusal):
        move(link)
    assert (link.state, link.pull_events()) == (state, [])


def test_record_follows_to_the_side_that_asked_and_both_ways_where_both_did() -> None:
    asked, answered = ours(), theirs()
    asked.hear(C, THERE, asked_too=False, on=DAY)
    answered.confirm(HERE, by="phuc-tan:S", on=DAY)
    both = theirs()
    both.confirm(HERE, by="phuc-tan:S", on=DAY, asks_too=True)
    assert [(link.sends, link.receives) for link in (asked, answered, both)] == [
        (False, True),
        (True, False),
        (True, True),
    ]


def test_events_say_where_the_link_stands_and_not_who_it_is_about() -> None:
    link = theirs()
    link.confirm(HERE, by="phuc-tan:S", on=DAY)
    assert link.pull_events() == [
        LinkWasChanged("ba-dinh/1", 1, "ba-dinh", "proposed", "", sends=False, receives=False, by_us=False),
        LinkWasChanged("ba-dinh/1", 1, "ba-dinh", "confirmed", HERE, sends=True, receives=False, by_us=True),
    ]
    assert "An" not in repr(ours())
