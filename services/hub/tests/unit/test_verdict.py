"""What becomes of a message whose seal was verified."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.contracts.crossing import RIGHTS, may_send
from sangkien.hub.domain.node import RECEIVING, Invitation, Node, State
from sangkien.hub.domain.verdict import Facts, Fate, Place, judge

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LIMIT = 1_000


def node(id: str, profile: str, state: State = State.ACTIVE) -> Node:
    invitation = Invitation("", NOW + timedelta(hours=1), 1)
    return replace(Node.invited(id, id, profile, "", invitation, NOW), state=state)


UNION, DISTRICT = node("union", "union"), node("district", "district")
FILED = Facts("follows", "dossier.filed.v1", "district", 100)


@pytest.mark.parametrize(
    ("facts", "sender", "receiver", "code"),
    [
        (FILED, UNION, DISTRICT, ""),
        (replace(FILED, size=LIMIT), UNION, DISTRICT, ""),
        (replace(FILED, size=LIMIT + 1), UNION, DISTRICT, "body_too_large"),
        (replace(FILED, fault="malformed"), UNION, DISTRICT, "body_malformed"),
        (FILED, UNION, None, "receiver_unknown"),
        (replace(FILED, receiver="union"), UNION, UNION, "receiver_is_sender"),
        (FILED, UNION, replace(DISTRICT, state=State.LEFT), "receiver_left"),
        (FILED, UNION, replace(DISTRICT, state=State.LEAVING), "receiver_left"),
        (FILED, UNION, replace(DISTRICT, state=State.SUSPENDED), ""),
        (FILED, UNION, replace(DISTRICT, state=State.INVITED), ""),
        (FILED, replace(UNION, state=State.LEAVING), DISTRICT, "sender_leaving"),
        (replace(FILED, type="decision.summarised.v1"), UNION, DISTRICT, "not_allowed"),
        (replace(FILED, type="dossier.filed.v9"), UNION, DISTRICT, "not_allowed"),
        (replace(FILED, type="registry.changed.v1"), UNION, DISTRICT, "not_allowed"),
        (replace(FILED, receiver="hub"), UNION, None, "not_allowed"),
        (replace(FILED, type="node.echo.v1"), UNION, DISTRICT, "not_allowed"),
    ],
)
def test_message_that_follows_is_entered_with_its_verdict(
    facts: Facts, sender: Node, receiver: Node | None, code: str
) -> None:
    verdict = judge(facts, sender, receiver, may_send, LIMIT)
    assert (verdict.fate, verdict.code) == (Fate.REFUSE if code else Fate.FORWARD, code)
    assert verdict.words == (f"refused:{code}" if code else "forwarded")


@pytest.mark.parametrize(
    ("place", "fate"),
    [
        ("repeat", Fate.KNOWN),
        ("gap", Fate.OFFER_AGAIN),
        ("fork", Fate.RECONCILE),
        ("other_epoch", Fate.LEAVE_OUT),
    ],
)
def test_message_that_does_not_follow_changes_nothing(place: Place, fate: Fate) -> None:
    unreadable = replace(FILED, place=place, type="nonsense", size=LIMIT + 1, fault="malformed")
    joining = replace(UNION, state=State.JOINING)
    assert judge(unreadable, joining, None, may_send, LIMIT) == replace(
        judge(replace(FILED, place=place), joining, DISTRICT, may_send, LIMIT), fate=fate
    )


def test_first_echo_makes_a_joining_node_active() -> None:
    joining = replace(UNION, state=State.JOINING)
    echo = Facts("follows", "node.echo.v1", "hub", 10)
    assert judge(echo, joining, None, may_send, LIMIT).sender.state is State.ACTIVE
    assert judge(replace(echo, fault="malformed"), joining, None, may_send, LIMIT).sender is joining
    assert judge(FILED, joining, DISTRICT, may_send, LIMIT).sender is joining


def test_goodbye_ends_what_a_node_may_send() -> None:
    goodbye = Facts("follows", "node.leaving.v1", "hub", 10)
    leaving = judge(goodbye, UNION, None, may_send, LIMIT).sender
    assert leaving.state is State.LEAVING
    assert judge(FILED, leaving, DISTRICT, may_send, LIMIT).code == "sender_leaving"


@given(
    kind=st.sampled_from([*RIGHTS, "nonsense.v1"]),
    state=st.sampled_from(list(State)),
    size=st.integers(0, 2 * LIMIT),
    fault=st.sampled_from(["", "malformed"]),
    place=st.sampled_from(["follows", "repeat", "gap", "fork", "other_epoch"]),
)
def test_nothing_is_forwarded_that_may_not_be_sent(
    kind: str, state: State, size: int, fault: str, place: Place
) -> None:
    receiver = replace(DISTRICT, state=state)
    verdict = judge(Facts(place, kind, "district", size, fault), UNION, receiver, may_send, LIMIT)
    if verdict.fate is Fate.FORWARD:
        assert (place, fault, size <= LIMIT) == ("follows", "", True)
        assert state in RECEIVING
        assert may_send(kind, "union", "district")
