"""Collections of review's store and the indexes its queries need.

`bars` holds one row for each person who may not judge a dossier (an author, or a declared conflict): by it such cases
are left out of lists and counts without being read. `sessions.open_round` is the round while the session is not closed:
its unique index keeps a dossier off two agendas.
"""

from typing import Final

from sangkien.store import Index, Schema

COUNCILS: Final = "councils"
ROUNDS: Final = "rounds"
CASES: Final = "cases"
BARS: Final = "bars"
SHEETS: Final = "sheets"
SESSIONS: Final = "sessions"
SEATS: Final = "seats"
BALLOTS: Final = "ballots"
MINUTES: Final = "minutes"
REGISTERS: Final = "minutes_registers"

SCHEMA: Final = Schema(
    (COUNCILS, ROUNDS, CASES, BARS, SHEETS, SESSIONS, SEATS, BALLOTS, MINUTES, REGISTERS),
    (
        Index(COUNCILS, ("key",), unique=True),
        Index(ROUNDS, ("key",), unique=True),
        Index(ROUNDS, ("opens_on",)),
        Index(CASES, ("round_id", "state")),
        Index(CASES, ("round_id", "outcome")),
        Index(BARS, ("person_id", "round_id")),
        Index(SESSIONS, ("key",), unique=True),
        Index(SESSIONS, ("open_round",), unique=True),
        Index(SESSIONS, ("state",)),
        Index(BALLOTS, ("session_id", "dossier_id")),
        Index(MINUTES, ("council_id", "year", "number"), unique=True),
    ),
)
