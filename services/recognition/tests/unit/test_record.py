"""A person's record: what is told over which link, and what is shown, in whatever order things are heard."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import permutations

from sangkien.recognition.domain.events import RecordLine, RecordWasChanged
from sangkien.recognition.domain.record import MOST_AT_ONCE, PersonRecord, RecordEntry, RecordLink

LINE = RecordLine("I1", "grassroots", 1, "Lớp học mở", 6_000, "7/QĐ", date(2023, 12, 20), dossier_id="D1")
LINK = RecordLink("ba-dinh/1", "ba-dinh", 2, stands=True, sends=True, receives=False)
THEIRS = replace(LINK, sends=False, receives=True)


def record() -> PersonRecord:
    return PersonRecord("phuc-tan:Q", {}, {}, {}, {})


def told(one: PersonRecord) -> list[tuple[int, list[tuple[str, str]]]]:
    events = [event for event in one.pull_events() if isinstance(event, RecordWasChanged)]
    return [(event.number, [(line.key, line.certificate_number) for line in event.lines]) for event in events]


def test_lines_are_told_when_the_link_begins_and_each_change_afterwards() -> None:
    one = record()
    one.enter(LINE)
    one.enter(LINE)
    one.follow(LINK)
    one.follow(LINK)
    one.certify("D1", "7.0001/GCN")
    one.certify("D1", "7.0001/GCN")
    one.enter(replace(LINE, tier="district", dossier_id="D9"))
    one.follow(replace(LINK, version=3, stands=False))
    one.enter(replace(LINE, initiative_id="I2", dossier_id="D2"))
    assert told(one) == [
        (1, [("I1:grassroots", "")]),
        (2, [("I1:grassroots", "7.0001/GCN")]),
        (3, [("I1:district", "")]),
    ]


def test_certificate_that_comes_before_its_line_is_on_it() -> None:
    one = record()
    one.certify("D1", "7.0001/GCN")
    one.enter(LINE)
    assert [(each.line.certificate_number, each.line.version) for each in one.entries()] == [("7.0001/GCN", 1)]


def test_end_of_a_link_heard_before_its_beginning_tells_nothing() -> None:
    one = record()
    one.enter(LINE)
    one.follow(replace(LINK, version=3, stands=False))
    one.follow(LINK)
    assert told(one) == []


def test_long_record_is_told_in_parts() -> None:
    one = record()
    for number in range(MOST_AT_ONCE + 1):
        one.enter(replace(LINE, initiative_id=f"I{number}"))
    one.follow(LINK)
    assert [(number, len(lines)) for number, lines in told(one)] == [(1, MOST_AT_ONCE), (2, 1)]


def test_what_is_asserted_is_shown_at_its_latest_while_the_link_stands_in_whatever_order_it_is_heard() -> None:
    later = replace(LINE, version=2, certificate_number="7.0001/GCN")
    news: list[Callable[[PersonRecord], None]] = [
        lambda one: one.follow(THEIRS),
        lambda one: one.hear(THEIRS.link_id, [LINE]),
        lambda one: one.hear(THEIRS.link_id, [later]),
        lambda one: one.hear(THEIRS.link_id, [later]),
    ]
    for order in permutations(news):
        one = record()
        for each in order:
            each(one)
        assert one.entries() == [RecordEntry(later, "ba-dinh")]
        one.follow(replace(THEIRS, version=9, stands=False))
        assert one.entries() == []
        assert one.asserted[THEIRS.link_id] == {later.key: later}  # kept for whoever asks later what was shown


def test_record_shows_each_recognition_once_by_date() -> None:
    one = record()
    one.enter(LINE)
    one.enter(replace(LINE, initiative_id="I3", title="Sau", issued_on=date(2024, 6, 1), dossier_id="D3"))
    second = replace(THEIRS, link_id="ba-dinh/2")
    for link in (THEIRS, second):
        one.follow(link)
        one.hear(
            link.link_id,
            [
                replace(LINE, initiative_id="THERE"),  # the same decision, under the id it has there
                replace(LINE, initiative_id="I2", title="Giữa", issued_on=date(2024, 1, 5)),
            ],
        )
    one.follow(replace(THEIRS, link_id="hanoi/1", node="hanoi", receives=False))
    one.hear("hanoi/1", [replace(LINE, initiative_id="I9", title="Không hỏi")])
    assert [(each.line.title, each.asserted_by) for each in one.entries()] == [
        ("Lớp học mở", ""),
        ("Giữa", "ba-dinh"),
        ("Sau", ""),
    ]
