"""When a file is asked for, again, anew, or not any more; and how its questions and answers are told apart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from sangkien.contracts.crossing import MOST_CHUNK_BYTES, RIGHTS, FileChunk, FileWanted
from sangkien.exchange.domain.files import (
    LONGEST_WAIT,
    MOST_IN_VAIN,
    MOST_SPOILED,
    Fetch,
    FileNotFailed,
    FileNotWanted,
    FileState,
    Named,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WAIT = timedelta(seconds=10)
HASH = "a" * 64


def wanted(size: int = 1000) -> Fetch:
    return Fetch("phuctan", HASH, size, NOW)


def test_windows_follow_each_other_to_the_end_of_the_file() -> None:
    fetch, ends = wanted(), []
    while fetch.received < fetch.size:
        fetch = fetch.asking(fetch.received, 400, NOW, WAIT)
        ends.append((fetch.received, fetch.until, fetch.attempt))
        fetch = fetch.came(fetch.until, NOW, WAIT)

    assert ends == [(0, 400, 1), (400, 800, 1), (800, 1000, 1)]
    assert fetch.held().is_due(NOW + LONGEST_WAIT) is False


def test_silence_is_waited_for_twice_as_long_each_time_and_fails_at_last() -> None:
    fetch, waits = wanted().asking(0, 400, NOW, WAIT), []
    while fetch.state is FileState.COMING:
        assert fetch.due_at is not None
        waits.append(fetch.due_at - NOW)
        fetch = fetch.again()
        fetch = fetch.asking(0, 400, NOW, WAIT) if fetch.open else fetch

    assert waits == [min(WAIT * 2**turn, LONGEST_WAIT) for turn in range(MOST_IN_VAIN + 1)]
    assert (fetch.state, fetch.reason, fetch.attempt) == (FileState.FAILED, "unanswered", MOST_IN_VAIN + 1)


def test_what_cannot_be_put_away_is_asked_for_more_and_more_seldom_and_says_why() -> None:
    fetch, waits = wanted().asking(0, 400, NOW, WAIT), []
    for _ in range(3):
        fetch = fetch.interrupted("storage_full", NOW, WAIT)
        assert fetch.due_at is not None
        waits.append(fetch.due_at - NOW)
        fetch = fetch.again().asking(0, 400, NOW, WAIT)

    assert (waits, fetch.reason, fetch.came(1, NOW, WAIT).reason) == ([WAIT, WAIT * 2, WAIT * 4], "storage_full", "")
    assert replace(fetch, in_vain=MOST_IN_VAIN).again().reason == "storage_full"


def test_progress_ends_the_count_of_what_was_in_vain() -> None:
    tired = wanted().asking(0, 400, NOW, WAIT).again().again()

    moved = tired.came(100, NOW, WAIT)

    assert (moved.in_vain, moved.due_at, moved.came(100, NOW + WAIT, WAIT)) == (0, NOW + WAIT, moved)


def test_cut_off_node_is_neither_blamed_nor_keeps_others_waiting() -> None:
    fetch = wanted().asking(0, 400, NOW, WAIT)

    cut_off = fetch.later(NOW, WAIT)

    assert (cut_off.attempt, cut_off.in_vain) == (fetch.attempt, 0)
    assert (fetch.flows, cut_off.flows, cut_off.came(1, NOW, WAIT).flows) == (True, False, True)


def test_spoiled_file_is_begun_anew_a_few_times_and_what_came_before_counts_no_more() -> None:
    fetch = wanted()
    for turn in range(MOST_SPOILED):
        fetch = fetch.asking(0, 1000, NOW, WAIT).begun_anew(NOW)
        assert (fetch.state, fetch.received, fetch.attempt) == (FileState.WANTED, 0, turn + 2)
    last = fetch.asking(0, 1000, NOW, WAIT)

    assert [last.awaits(attempt) for attempt in (1, 3, 4)] == [False, False, True]
    assert (last.begun_anew(NOW).state, last.begun_anew(NOW).reason) == (FileState.FAILED, "hash_wrong")


def test_only_what_failed_is_retried_and_under_an_attempt_of_its_own() -> None:
    failed = wanted().asking(0, 400, NOW, WAIT).failed("gone")

    again = failed.retried(NOW)

    assert (again.state, again.attempt, again.reason) == (FileState.WANTED, 2, "")
    assert again.asking(0, 400, NOW, WAIT).awaits(1) is False
    with pytest.raises(FileNotFailed):
        again.retried(NOW)


def test_another_dossier_wants_what_failed_or_is_held_and_leaves_what_comes_alone() -> None:
    coming = wanted().asking(0, 400, NOW, WAIT)

    assert coming.noted(1000, NOW) is coming
    held, failed = coming.held().noted(7, NOW), coming.failed("gone").noted(7, NOW)
    assert [(one.state, one.size, one.attempt) for one in (held, failed)] == [
        (FileState.WANTED, 1000, 2),
        (FileState.WANTED, 7, 2),
    ]


@pytest.mark.parametrize(("size", "offset", "length"), [(999, 0, 10), (1000, 390, 11), (1000, 400, 1)])
def test_chunk_that_was_not_asked_for_is_refused(size: int, offset: int, length: int) -> None:
    with pytest.raises(FileNotWanted):
        wanted().asking(0, 400, NOW, WAIT).check_chunk(size=size, offset=offset, length=length)


def test_sender_knows_a_question_that_goes_on_from_one_that_comes_again() -> None:
    named = Named("hanoi", HASH, 1000, "D1").sent(0, 400, "last")

    assert [named.goes_on(offset) for offset in (400, 0, 300)] == [True, False, False]
    with pytest.raises(FileNotWanted):
        named.check_offset(1000)


def test_each_question_and_each_chunk_of_an_answer_is_said_once() -> None:
    questions = [
        FileWanted(sha256=HASH, offset=offset, length=1, attempt=attempt).key()
        for offset, attempt in ((0, 1), (0, 2), (5, 1))
    ]

    assert len({*questions, FileChunk(sha256=HASH, offset=0, size=1, data="YQ==", attempt=1).key()}) == 4


@pytest.mark.parametrize("data", ["", "YQ=", "Y\nQ==", "%%%%", "QUFB" * (MOST_CHUNK_BYTES // 3 + 1)])
def test_chunk_holds_some_bytes_in_base64_and_not_too_many(data: str) -> None:
    with pytest.raises(ValidationError):
        FileChunk(sha256=HASH, offset=0, size=10, data=data, attempt=1)


def test_only_councils_ask_and_any_node_answers() -> None:
    asking, answering = RIGHTS["file.wanted.v1"], RIGHTS["file.chunk.v1"]

    assert (asking.senders, asking.receivers) == (answering.receivers, answering.senders)
    assert answering.senders - asking.senders == {"union"}
