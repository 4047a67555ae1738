from datetime import date

from sangkien.exchange.domain.reorganised import OwnOrganisation, Step, batch_of, is_of, neighbours, parts

PARENTS = {
    "hanoi": "",
    "badinh": "hanoi",
    "caugiay": "hanoi",
    "phuctan": "badinh",
    "ngocha": "badinh",
    "to-1": "phuctan",
    "nghean": "",
}


def around(me: str, parents: dict[str, str] = PARENTS) -> set[str]:
    return set(neighbours(me, list(parents.items()), lambda node: parents.get(node, "")))


def test_node_tells_those_above_right_below_and_beside_it() -> None:
    assert around("phuctan") == {"hanoi", "badinh", "ngocha", "to-1"}
    assert around("badinh") == {"hanoi", "caugiay", "phuctan", "ngocha"}
    assert around("hanoi") == {"badinh", "caugiay"}
    assert around("nghean") == set()  # two at the top are not beside each other


def test_circle_in_the_registry_ends_the_way_up() -> None:
    assert around("a", {"a": "b", "b": "c", "c": "a"}) == {"b", "c"}


def test_authority_is_told_by_the_whole_name_of_the_node() -> None:
    assert [is_of(id, "ba") for id in ("ba:U", "ba-dinh:U", "ba", "U", ":U")] == [True, False, False, False, False]


def test_batch_is_the_same_for_the_same_organisations_at_the_same_versions() -> None:
    first = OwnOrganisation("ba:1", 1, "QUAN", "A", "", None, None)
    second = OwnOrganisation("ba:2", 1, "QUAN", "B", "", None, date(2025, 6, 30))
    assert batch_of([first, second]) == batch_of([second, first])
    assert batch_of([first]) != batch_of([OwnOrganisation("ba:1", 2, "QUAN", "A", "", None, None)])


def test_parts_hold_so_many_organisations_and_so_many_successions() -> None:
    step = Step("ba:9", "whole", date(2025, 7, 1), "1656/NQ")
    plain = OwnOrganisation("ba:1", 1, "QUAN", "A", "", None, None)
    long = OwnOrganisation("ba:2", 1, "QUAN", "B", "", None, None, successors=(step,) * 2, predecessors=(step,))
    assert parts([], most=2, most_steps=4) == []
    assert parts([plain, plain, plain], most=2, most_steps=4) == [[plain, plain], [plain]]
    assert parts([long, plain, long, long], most=9, most_steps=4) == [[long, plain], [long], [long]]
    assert parts([long], most=9, most_steps=1) == [[long]]
