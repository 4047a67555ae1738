"""About a case until its session: the formal check, the reviewers asked, their sheets."""

from sangkien.kernel import Refusal


class CaseStateUnknown(Refusal):
    """There is no such state of a case. Facts: `known`."""

    code = "case_state_unknown"
    kind = "invalid"


class CaseNotFound(Refusal):
    """No case has this id, or none that the caller may know of: the answer is the same."""

    code = "case_not_found"
    kind = "not_found"


class CaseChanged(Refusal):
    """The case is not at the version the caller saw. Facts: `expected`, `version`, `state`."""

    code = "case_changed"
    kind = "conflict"


class CaseStateForbids(Refusal):
    """The case is in a state in which this is not done. Facts: `state`."""

    code = "case_state_forbids"
    kind = "conflict"


class VerdictMissing(Refusal):
    """A check says neither accept, nor supplement, nor refuse."""

    code = "verdict_missing"
    kind = "invalid"


class ShortcomingUnknown(Refusal):
    """A shortcoming is not on the list of the day. Facts: `known`."""

    code = "shortcoming_unknown"
    kind = "invalid"


class RefusalReasonUnknown(Refusal):
    """A reason of refusal is not one the law knows on that day. Facts: `known`."""

    code = "refusal_reason_unknown"
    kind = "invalid"


class CaseDecidedOtherwise(Refusal):
    """The formal check was answered otherwise already. Facts: `state`, `version`."""

    code = "case_decided_otherwise"
    kind = "conflict"


class SupplementNotOverdue(Refusal):
    """The authors may still mend the filing. Facts: `due`."""

    code = "supplement_not_overdue"
    kind = "precondition"


class TooFewReviewers(Refusal):
    """Fewer reviewers than the rules ask for. Facts: `needed`, `found`."""

    code = "too_few_reviewers"
    kind = "precondition"


class ReviewerConflicted(Refusal):
    """Somebody named is an author, or declared a conflict. Facts: `position` in the list, counted from 1."""

    code = "reviewer_conflicted"
    kind = "forbidden"


class CaseAssignedOtherwise(Refusal):
    """Other reviewers are asked already. Facts: `reviewers`, how many."""

    code = "case_assigned_otherwise"
    kind = "conflict"


class NotAsked(Refusal):
    """The caller was not asked for a sheet on the dossier."""

    code = "not_asked"
    kind = "forbidden"


class ScoreTwice(Refusal):
    """A sheet scores one criterion twice."""

    code = "score_twice"
    kind = "invalid"


class SheetHandedIn(Refusal):
    """The caller handed in another sheet for the dossier: it cannot be changed."""

    code = "sheet_handed_in"
    kind = "conflict"
