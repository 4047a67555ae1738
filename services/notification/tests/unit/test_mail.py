from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from sangkien.notification.domain.errors import MailSettled
from sangkien.notification.domain.mail import STATES, Mail, State, Window
from sangkien.notification.domain.notice import digest_id, notice_id

NOW = datetime(2023, 12, 20, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

WINDOW = Window(MINUTE, 5 * MINUTE)

MOVES: dict[str, Callable[[Mail], None]] = {
    "sent": Mail.was_sent,
    "refused": lambda mail: mail.was_refused(550),
    "no_address": Mail.had_no_address,
    "put_off": lambda mail: mail.was_put_off(451, NOW, MINUTE),
    "not_handed_over": lambda mail: mail.was_not_handed_over(NOW),
    "claim": lambda mail: mail.claim(NOW),
    "queue_again": lambda mail: mail.queue_again(NOW),
    "took_another": lambda mail: mail.took_another(NOW, WINDOW),
    "seal": lambda mail: mail.seal("s", "t", NOW),
}
ALLOWED: dict[tuple[str, State], State] = {
    ("sent", "queued"): "sent",
    ("refused", "queued"): "failed",
    ("no_address", "queued"): "no_address",
    ("put_off", "queued"): "queued",
    ("not_handed_over", "queued"): "queued",
    ("claim", "queued"): "queued",
    ("queue_again", "failed"): "queued",
    ("queue_again", "no_address"): "queued",
    ("took_another", "gathering"): "gathering",
    ("took_another", "held"): "held",
    ("seal", "gathering"): "queued",
    ("seal", "held"): "queued",
}


def mail(state: State = "queued") -> Mail:
    return Mail("m", "p", "dossier_received", "D1", "s", "t", state, 0, NOW, NOW, "", "")


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", STATES)
def test_mail_moves_as_the_table_says(move: str, state: State) -> None:
    one = mail(state)
    if (move, state) in ALLOWED:
        MOVES[move](one)
        assert one.state == ALLOWED[move, state]
    else:
        with pytest.raises(MailSettled) as refused:
            MOVES[move](one)
        assert (refused.value.facts, one.state) == ({"state": state}, state)


def test_mail_put_off_waits_ever_longer_and_fails_after_five_days() -> None:
    one, now, waits = mail(), NOW, []
    while True:
        one.was_put_off(451, now, MINUTE)
        if one.state != "queued":
            break
        waits.append(one.next_at - now)
        now = one.next_at
    assert waits[:9] == [MINUTE * 2**n for n in range(8)] + [timedelta(hours=4)]
    assert (one.state, one.last_error) == ("failed", "smtp 451")
    assert timedelta(days=5) <= now - NOW < timedelta(days=5, hours=4)


def test_mail_waits_for_an_absent_server_without_giving_up() -> None:
    one = mail()
    one.was_not_handed_over(NOW + timedelta(days=30))
    assert (one.state, one.attempts, one.last_error) == ("queued", 1, "unreachable")


def test_digest_leaves_when_nothing_more_comes_but_does_not_wait_for_ever() -> None:
    one, leaves = mail("gathering"), []
    for minutes in (0, 0.5, 1, 4.5):
        one.took_another(NOW + minutes * MINUTE, WINDOW)
        leaves.append((one.next_at - NOW) / MINUTE)
    assert leaves == [1, 1.5, 2, 5]


def test_held_digest_keeps_its_hour() -> None:
    one = mail("held")
    one.next_at = NOW + timedelta(hours=9)
    one.took_another(NOW, WINDOW)
    assert one.next_at == NOW + timedelta(hours=9)


def test_ids_fit_a_message_id() -> None:
    assert notice_id("01E", "ba-dinh:01P", "email") == "01E.ba-dinh_01P.email"
    assert digest_id("01R", "ba-dinh:01P", date(2023, 5, 8)) == "01R.ba-dinh_01P.20230508.digest"
