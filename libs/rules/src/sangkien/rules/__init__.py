"""Dated rule sets as data, and the pure functions that read them (DESIGN §8)."""

from sangkien.rules.clocks import Clock, Due, clocks, due
from sangkien.rules.councils import CouncilRules, council_rules
from sangkien.rules.loading import Entry, RuleDataError, Source
from sangkien.rules.reasons import Reason, refusal_reasons, shortcomings
from sangkien.rules.refusals import (
    FormNotForHolder,
    NoCalendar,
    NoRuleForJurisdiction,
    NoRuleOnDate,
    NoScoreSheets,
    ScoreOutOfRange,
    ScoresIncomplete,
    UnknownClock,
    UnknownCriterion,
    UnknownForm,
)
from sangkien.rules.rewards import Form, Holder, RewardQuote, forms, quote
from sangkien.rules.scoring import Criterion, Evaluation, Grade, ScoreSheet, Tier, evaluate, score_sheet
from sangkien.rules.terms import Term, effect_term, tiers

__all__ = [
    "Clock",
    "CouncilRules",
    "Criterion",
    "Due",
    "Entry",
    "Evaluation",
    "Form",
    "FormNotForHolder",
    "Grade",
    "Holder",
    "NoCalendar",
    "NoRuleForJurisdiction",
    "NoRuleOnDate",
    "NoScoreSheets",
    "Reason",
    "RewardQuote",
    "RuleDataError",
    "ScoreOutOfRange",
    "ScoreSheet",
    "ScoresIncomplete",
    "Source",
    "Term",
    "Tier",
    "UnknownClock",
    "UnknownCriterion",
    "UnknownForm",
    "clocks",
    "council_rules",
    "due",
    "effect_term",
    "evaluate",
    "forms",
    "quote",
    "refusal_reasons",
    "score_sheet",
    "shortcomings",
    "tiers",
]
