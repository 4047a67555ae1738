"""How review says no. Facts are ids, codes, states and figures, never a name.

Refusal
├── about what was asked
│   CouncilComposition  MemberTwice  MemberRoleMissing  TierUnknown  RoundPeriod  ActInFuture  DateBefore
│   DateMalformed  TextEmpty  ShortcomingUnknown  RefusalReasonUnknown  VerdictMissing  BallotMissing  TooManyItems
│   NamedTwice  ScoreTwice  NobodyNamed  AgendaTooLong  PageInvalid  CaseStateUnknown
├── about what is not there (or may not be seen)
│   CouncilNotFound  ReviewRoundNotFound  CaseNotFound  SessionNotFound  NotOnAgenda
├── about what somebody already decided
│   CaseChanged  CaseStateForbids  CaseDecidedOtherwise  CaseAssignedOtherwise  SheetHandedIn  BallotCast
│   RoundClosedOtherwise  CouncilReformedOtherwise  SessionOpenAlready
├── about who may
│   NotAMember  ReviewerConflicted  NotAsked  NotPresent
└── about what has to come first
    TooFewReviewers  SupplementNotOverdue  NoQuorum  NobodyPresides  HeadAuthorMayNotSit  AgendaEmpty  CaseNotReady
    SessionNotOpen  MinutesNotFixed  CouncilNotFormed
"""

from sangkien.kernel import Refusal


class CouncilComposition(Refusal):
    """The members do not make a council. Facts: `role`, `needed`, `found`; role "member" counts all of them."""

    code = "council_composition"
    kind = "invalid"


class MemberTwice(Refusal):
    """One person stands twice in a list. Facts: `position` of the second, counted from 1."""

    code = "member_twice"
    kind = "invalid"


class MemberRoleMissing(Refusal):
    """A member has no part in the council. Facts: `position`, counted from 1."""

    code = "member_role_missing"
    kind = "invalid"


class CaseStateUnknown(Refusal):
    """There is no such state of a case. Facts: `known`."""

    code = "case_state_unknown"
    kind = "invalid"


class TierUnknown(Refusal):
    """There is no such tier on that day. Facts: `known`."""

    code = "tier_unknown"
    kind = "invalid"


class RoundPeriod(Refusal):
    """A round ends, or its evidence is due, before it opens."""

    code = "round_period"
    kind = "invalid"


class ActInFuture(Refusal):
    """A legal act bears a day that has not come. Facts: `day`."""

    code = "act_in_future"
    kind = "invalid"


class DateBefore(Refusal):
    """A legal act bears a day before the one it rests on. Facts: `day`, `earliest`."""

    code = "date_before"
    kind = "invalid"


class DateMalformed(Refusal):
    """A day is not written YYYY-MM-DD, or there is no such day."""

    code = "date_malformed"
    kind = "invalid"


class TextEmpty(Refusal):
    """A field that must be filled in is empty."""

    code = "text_empty"
    kind = "invalid"


class ShortcomingUnknown(Refusal):
    """A shortcoming is not on the list of the day. Facts: `known`."""

    code = "shortcoming_unknown"
    kind = "invalid"


class RefusalReasonUnknown(Refusal):
    """A reason of refusal is not one the law knows on that day. Facts: `known`."""

    code = "refusal_reason_unknown"
    kind = "invalid"


class VerdictMissing(Refusal):
    """A check says neither accept, nor supplement, nor refuse."""

    code = "verdict_missing"
    kind = "invalid"


class BallotMissing(Refusal):
    """A vote says neither yes, nor no, nor abstain."""

    code = "ballot_missing"
    kind = "invalid"


class TooManyItems(Refusal):
    """More items than one call takes. Facts: `limit`, `items`."""

    code = "review_batch_too_large"
    kind = "invalid"


class NamedTwice(Refusal):
    """A dossier stands twice in one call, saying different things: the first counts."""

    code = "named_twice"
    kind = "invalid"


class ScoreTwice(Refusal):
    """A sheet scores one criterion twice."""

    code = "score_twice"
    kind = "invalid"


class NobodyNamed(Refusal):
    """An assignment names no reviewer, or a session nobody present."""

    code = "nobody_named"
    kind = "invalid"


class AgendaTooLong(Refusal):
    """More dossiers than one session's minutes can hold. Facts: `limit`, `items`."""

    code = "agenda_too_long"
    kind = "exhausted"


class PageInvalid(Refusal):
    """A page token is none of this list's."""

    code = "page_invalid"
    kind = "invalid"


class CouncilNotFound(Refusal):
    """No council has this id."""

    code = "council_not_found"
    kind = "not_found"


class ReviewRoundNotFound(Refusal):
    """No round has this id."""

    code = "review_round_not_found"
    kind = "not_found"


class CaseNotFound(Refusal):
    """No case has this id, or none that the caller may know of: the answer is the same."""

    code = "case_not_found"
    kind = "not_found"


class SessionNotFound(Refusal):
    """No session has this id."""

    code = "session_not_found"
    kind = "not_found"


class CaseChanged(Refusal):
    """The case is not at the version the caller saw. Facts: `expected`, `version`, `state`."""

    code = "case_changed"
    kind = "conflict"


class CaseStateForbids(Refusal):
    """The case is in a state in which this is not done. Facts: `state`."""

    code = "case_state_forbids"
    kind = "conflict"


class CaseDecidedOtherwise(Refusal):
    """The formal check was answered otherwise already. Facts: `state`, `version`."""

    code = "case_decided_otherwise"
    kind = "conflict"


class CaseAssignedOtherwise(Refusal):
    """Other reviewers are asked already. Facts: `reviewers`, how many."""

    code = "case_assigned_otherwise"
    kind = "conflict"


class SheetHandedIn(Refusal):
    """The caller handed in another sheet for the dossier: it cannot be changed."""

    code = "sheet_handed_in"
    kind = "conflict"


class BallotCast(Refusal):
    """The caller cast another ballot on the dossier: it cannot be changed."""

    code = "ballot_cast"
    kind = "conflict"


class RoundClosedOtherwise(Refusal):
    """The round was closed on another day. Facts: `closed_on`."""

    code = "round_closed_otherwise"
    kind = "conflict"


class CouncilReformedOtherwise(Refusal):
    """The council has a formation of that day or a later one. Facts: `latest`, its day."""

    code = "council_reformed_otherwise"
    kind = "conflict"


class SessionOpenAlready(Refusal):
    """The round has a session that is not closed yet: a dossier is on one agenda at a time."""

    code = "session_open_already"
    kind = "conflict"


class NotAMember(Refusal):
    """Somebody named is no member of the council on that day. Facts: `position` in the list, counted from 1."""

    code = "not_a_member"
    kind = "forbidden"


class ReviewerConflicted(Refusal):
    """Somebody named is an author, or declared a conflict. Facts: `position` in the list, counted from 1."""

    code = "reviewer_conflicted"
    kind = "forbidden"


class NotAsked(Refusal):
    """The caller was not asked for a sheet on the dossier."""

    code = "not_asked"
    kind = "forbidden"


class NotPresent(Refusal):
    """The caller is not among the members present at the session."""

    code = "not_present"
    kind = "forbidden"


class TooFewReviewers(Refusal):
    """Fewer reviewers than the rules ask for. Facts: `needed`, `found`."""

    code = "too_few_reviewers"
    kind = "precondition"


class SupplementNotOverdue(Refusal):
    """The authors may still mend the filing. Facts: `due`."""

    code = "supplement_not_overdue"
    kind = "precondition"


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


class MinutesNotFixed(Refusal):
    """The session has no minutes before it is closed. Facts: `state`."""

    code = "minutes_not_fixed"
    kind = "precondition"


class CouncilNotFormed(Refusal):
    """The council had no members on that day. Facts: `day`, `first`, the day of its first formation."""

    code = "council_not_formed"
    kind = "precondition"
