"""About sessions: who sits, the agenda, ballots, minutes."""

from sangkien.kernel import Refusal


class SessionNotFound(Refusal):
    """No session has this id."""

    code = "session_not_found"
    kind = "not_found"


class SessionOpenAlready(Refusal):
    """The round has a session that is not closed yet: a dossier is on one agenda at a time."""

    code = "session_open_already"
    kind = "conflict"


class NoQuorum(Refusal):
    """Too few members are present. Facts: `members`, `needed`, `present`."""

    code = "no_quorum"
    kind = "precondition"


class NobodyPresides(Refusal):
    """Neither the chair nor a vice-chair is present."""

    code = "nobody_presides"
    kind = "precondition"


class HeadAuthorMayNotSit(Refusal):
    """A head of unit who is an author of a state-funded dossier on the agenda is present. Facts: `position`."""

    code = "head_author_may_not_sit"
    kind = "precondition"


class AgendaEmpty(Refusal):
    """No dossier of the round is ready for a session."""

    code = "agenda_empty"
    kind = "precondition"


class AgendaTooLong(Refusal):
    """More dossiers than one session's minutes can hold. Facts: `limit`, `items`."""

    code = "agenda_too_long"
    kind = "exhausted"


class CaseNotReady(Refusal):
    """A dossier of the agenda is not of this round or not ready for its session. Facts: `position`, `state`."""

    code = "case_not_ready"
    kind = "precondition"


class NotOnAgenda(Refusal):
    """The dossier is not on the session's agenda, or none the caller may know of."""

    code = "not_on_agenda"
    kind = "not_found"


class SessionNotOpen(Refusal):
    """Ballots are no longer taken. Facts: `state`."""

    code = "session_not_open"
    kind = "precondition"


class NotPresent(Refusal):
    """The caller is not among the members present at the session."""

    code = "not_present"
    kind = "forbidden"


class BallotMissing(Refusal):
    """A vote says neither yes, nor no, nor abstain."""

    code = "ballot_missing"
    kind = "invalid"


class BallotCast(Refusal):
    """The caller cast another ballot on the dossier: it cannot be changed."""

    code = "ballot_cast"
    kind = "conflict"


class MinutesNotFixed(Refusal):
    """The session has no minutes before it is closed. Facts: `state`."""

    code = "minutes_not_fixed"
    kind = "precondition"
