"""Registrars at two replicas of directory on one store, as on MongoDB, decide about links at the same moment."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from sangkien.directory.adapters import asserted_store, link_store, organisation_store, person_store
from sangkien.directory.application.batches import Registered
from sangkien.directory.application.decide_link import DecideLink
from sangkien.directory.application.hear_link import HearLink, Proposed
from sangkien.directory.application.propose_link import Proposal, ProposeLink
from sangkien.directory.domain.errors import LinkDecidedAlready
from sangkien.directory.domain.link import Grounds, LinkState, Sought
from sangkien.directory.domain.organisation import Organisation
from sangkien.directory.domain.person import Person
from sangkien.directory.domain.succession import Step
from sangkien.directory.domain.validity import ALWAYS
from sangkien.runtime import new_id
from sangkien.store import Op, Store, open_store

DAY = date(2025, 7, 1)
WARD, PERSON, OLD, THEIRS = "phuc-tan:W", "phuc-tan:Q", "ba-dinh:OLD", "ba-dinh:P"


def no_events(events: Iterable[object]) -> list[Op]:
    list(events)
    return []


@dataclass
class Replica:
    """One of several that share a store."""

    store: Store

    def __post_init__(self) -> None:
        store = self.store
        self.links = link_store.StoredLinks(store)
        people, tree = person_store.StoredPeople(store), organisation_store.StoredOrganisations(store)
        asserted = asserted_store.StoredAsserted(store)
        self.propose = ProposeLink(
            self.links, people, tree, asserted, store.apply, no_events, new_id, lambda: DAY, node="phuc-tan"
        )
        self.decide = DecideLink(self.links, people, store.apply, no_events, lambda: DAY)
        self.hear = HearLink(self.links, tree, store.apply, no_events, node="phuc-tan")


@pytest.fixture(params=["sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite://{tmp_path}" if request.param == "sqlite" else request.getfixturevalue("mongo_uri")
    chosen = await open_store(url, database=f"directory_{new_id()}")
    schemas = (organisation_store.SCHEMA, asserted_store.SCHEMA, person_store.SCHEMA, link_store.SCHEMA)
    for schema in schemas:
        await chosen.ensure(schema)
    step = Step(OLD, "whole", DAY, "1656/NQ-UBTVQH15")
    ward = Organisation(WARD, "PHUONG_XA", "Phường Phúc Tân", "", ALWAYS, "", (), predecessors=(step,))
    person = Person(PERSON, WARD, "Nguyễn Thị Hoa", "nguyễn thị hoa", date(1980, 2, 29), "", "", "")
    saved = [organisation_store.StoredOrganisations(chosen).save(ward), person_store.StoredPeople(chosen).save(person)]
    await chosen.apply(saved)
    yield chosen
    await chosen.close()


async def test_same_proposal_at_several_replicas_is_one_link(store: Store) -> None:
    asked = Proposal(PERSON, OLD, "", THEIRS, "", by="phuc-tan:S")
    answers: list[Registered] = await asyncio.gather(*[Replica(store).propose(asked) for _ in range(6)])
    assert len({answer.id for answer in answers}) == 1
    assert sorted(answer.already for answer in answers) == [False, *[True] * 5]
    [kept] = await store.find(link_store.LINKS)
    assert "Hoa" not in str(kept)


async def test_of_two_answers_one_stands_and_the_other_hears_of_it(store: Store) -> None:
    for number in range(5):
        link_id = f"ba-dinh/{number}"
        grounds = Grounds(WARD, "ba-dinh:NEW", "Phường Ngọc Hà", DAY, "1656/NQ-UBTVQH15")
        said = Proposed(link_id, "ba-dinh", f"{THEIRS}{number}", Sought(PERSON), grounds, DAY)
        first, second = Replica(store), Replica(store)
        await asyncio.gather(first.hear.proposed(said), second.hear.proposed(said))
        ends = await asyncio.gather(
            first.decide.confirm(link_id, "", by="phuc-tan:A"),
            second.decide.refuse(link_id, "", by="phuc-tan:B"),
            return_exceptions=True,
        )
        link = await first.links.get(link_id)
        assert link is not None
        won = {LinkState.CONFIRMED: 0, LinkState.REFUSED: 1}[link.state]
        assert (ends[won], type(ends[1 - won])) == (False, LinkDecidedAlready)
