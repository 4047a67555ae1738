"""What a rule look-up or an evaluation refuses. Facts are rule codes, dates and limits, never what a person typed."""

from sangkien.kernel import Refusal


class UnknownForm(Refusal):
    """No instrument ever named this form. Facts: `known`, the codes there are."""

    code = "unknown_form"
    kind = "invalid"


class FormNotForHolder(Refusal):
    """The form exists, but not for this kind of holder. Facts: `form`, `holders`, those it is for."""

    code = "form_not_for_holder"
    kind = "invalid"


class UnknownClock(Refusal):
    """No such legal clock. Facts: `known`, the rules there are."""

    code = "unknown_clock"
    kind = "invalid"


class NoRuleOnDate(Refusal):
    """The rule exists, but none is in force on the date. Facts: `subject`, `on`, and `periods` that have one.

    Dates are ISO; a period is "first day/last day", with nothing after the stroke where no end is known.
    """

    code = "no_rule_on_date"
    kind = "invalid"


class NoRuleForJurisdiction(Refusal):
    """Neither the jurisdiction nor one above it has such a rule. Facts: `subject`, and `known` jurisdictions."""

    code = "no_rule_for_jurisdiction"
    kind = "not_found"


class NoCalendar(Refusal):
    """The public holidays of a year the clock reaches are not known. Facts: `last_year` that is."""

    code = "no_calendar"
    kind = "invalid"


class NoScoreSheets(Refusal):
    """An evaluation was asked for before any reviewer had scored."""

    code = "no_score_sheets"
    kind = "precondition"


class ScoresIncomplete(Refusal):
    """A reviewer's sheet leaves criteria out. Facts: `sheet`, its place counted from 1, and `criteria` left out."""

    code = "scores_incomplete"
    kind = "invalid"


class UnknownCriterion(Refusal):
    """A reviewer's sheet scores what the score sheet does not ask. Facts: `sheet`, and `criteria` it does ask."""

    code = "unknown_criterion"
    kind = "invalid"


class ScoreOutOfRange(Refusal):
    """A score lies outside its criterion's scale. Facts: `sheet`, `criterion`, `max`; the least score is 0."""

    code = "score_out_of_range"
    kind = "invalid"
