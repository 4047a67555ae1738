"""What a node may do in which state."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sangkien.hub.domain.errors import (
    HubRefusal,
    JoinInvitationExpired,
    JoinOtherKeys,
    JoinSecretWrong,
    NodeIdMalformed,
    NodeIdReserved,
    NodeRegistered,
    NodeStateRefused,
)
from sangkien.hub.domain.node import Credentials, Invitation, Node, State, check_id

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECRET = hashlib.sha256(b"secret").hexdigest()
CREDENTIALS = Credentials("pem", "jwt", NOW + timedelta(days=365))


def invitation(epoch: int = 1, keys: str = "") -> Invitation:
    return Invitation(SECRET, NOW + timedelta(hours=1), epoch, keys)


def invited() -> Node:
    return Node.invited("ba-dinh", "Quận Ba Đình", "district", "", invitation(), NOW)


def active() -> Node:
    return invited().joined("K1", "seal-1", CREDENTIALS, "1.0").proved()


@pytest.mark.parametrize(
    "id", ["", "Ba-Dinh", "-a", "a-", "a.b", "a b", "ba_dinh", "a" * 64, "ba\n", "đống-đa", "*", ">"]
)
def test_node_id_that_could_mean_something_else_is_refused(id: str) -> None:
    with pytest.raises(NodeIdMalformed):
        check_id(id)


def test_name_of_the_hub_is_no_node_id() -> None:
    with pytest.raises(NodeIdReserved):
        check_id("hub")


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True).filter(lambda id: id != "hub"))
def test_node_id_of_the_promised_form_is_taken(id: str) -> None:
    assert check_id(id) == id


def test_wrong_secret_is_refused_before_anything_else_is_told() -> None:
    late = NOW + timedelta(days=30)
    with pytest.raises(JoinSecretWrong):
        invited().check_secret(hashlib.sha256(b"guess").hexdigest(), "K1", late)


def test_secret_is_good_until_its_last_second() -> None:
    end = NOW + timedelta(hours=1)
    assert invited().check_secret(SECRET, "K1", end - timedelta(seconds=1)) == invitation()
    with pytest.raises(JoinInvitationExpired):
        invited().check_secret(SECRET, "K1", end)


def test_used_invitation_answers_its_own_keys_alone() -> None:
    node = active()
    assert node.check_secret(SECRET, "K1", NOW).keys == "K1"
    with pytest.raises(JoinOtherKeys):
        node.check_secret(SECRET, "K2", NOW)


def test_member_cannot_be_invited_as_if_it_were_new() -> None:
    with pytest.raises(NodeRegistered):
        active().invited_anew("Quận Ba Đình", "district", "", invitation())


def test_next_life_has_its_own_keys_and_begins_with_the_join() -> None:
    again = active().invited_again(invitation(epoch=2))
    assert (again.state, again.epoch, again.in_force) == (State.ACTIVE, 1, ("seal-1",))

    second = again.joined("K2", "seal-2", CREDENTIALS, "1.1")
    assert (second.state, second.epoch, second.in_force) == (State.JOINING, 2, ("seal-2",))
    assert second.every_key == ("seal-2", "seal-1")


def test_retired_key_is_good_for_what_was_sealed_before() -> None:
    node = active().rotated("seal-2", CREDENTIALS, NOW)
    assert node.in_force == ("seal-2", "seal-1")
    assert node.sealed_in_time("seal-1", NOW - timedelta(days=3))
    assert not node.sealed_in_time("seal-1", NOW + timedelta(minutes=2))
    assert node.sealed_in_time("seal-2", NOW + timedelta(days=3))


def test_reinstated_node_stands_where_it_stood() -> None:
    joining = invited().joined("K1", "seal-1", CREDENTIALS, "1.0")
    assert joining.suspended("too loud").reinstated().state is State.JOINING
    assert active().suspended("too loud").reinstated().state is State.ACTIVE


MOVES: dict[str, Callable[[Node], Node]] = {
    "rotate": lambda node: node.rotated("seal-9", CREDENTIALS, NOW),
    "suspend": lambda node: node.suspended("why"),
    "reinstate": lambda node: node.reinstated(),
    "gone": lambda node: node.gone("why"),
}
ALLOWED = {
    State.INVITED: {"gone"},
    State.JOINING: {"rotate", "suspend", "gone"},
    State.ACTIVE: {"rotate", "suspend", "gone"},
    State.SUSPENDED: {"reinstate", "gone"},
    State.LEAVING: {"gone"},
    State.LEFT: set(),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", MOVES)
def test_move_is_allowed_in_its_states_and_refused_in_others(state: State, move: str) -> None:
    node = replace(active(), state=state)
    if move in ALLOWED[state]:
        assert MOVES[move](node).revision == node.revision + 1
    else:
        with pytest.raises(NodeStateRefused):
            MOVES[move](node)


class Lives(RuleBasedStateMachine):
    """Whatever is done to a node, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.node = invited()
        self.past = [self.node]

    def _try(self, move: Callable[[Node], Node]) -> None:
        try:
            self.node = move(self.node)
        except HubRefusal:
            return
        self.past.append(self.node)

    @rule()
    def invite_again(self) -> None:
        self._try(lambda node: node.invited_again(invitation(node.epoch + 1)))

    @rule(key=st.sampled_from(["a", "b", "c"]))
    def join(self, key: str) -> None:
        self._try(lambda node: node.joined(key, f"seal-{key}", CREDENTIALS, "1"))

    @rule(move=st.sampled_from(sorted(MOVES)))
    def move(self, move: str) -> None:
        self._try(MOVES[move])

    @rule()
    def prove(self) -> None:
        self._try(lambda node: node.proved())

    @invariant()
    def revisions_and_epochs_never_go_back(self) -> None:
        steps = [(one.epoch, one.revision) for one in self.past]
        assert steps == sorted(steps)

    @invariant()
    def keys_of_the_present_life_exist_once_it_joined(self) -> None:
        if self.node.state in (State.JOINING, State.ACTIVE, State.SUSPENDED):
            assert self.node.in_force


TestLives = Lives.TestCase
