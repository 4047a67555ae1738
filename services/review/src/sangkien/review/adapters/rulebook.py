"""The dated rules as review asks them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import cast

from sangkien import rules
from sangkien.review.domain.council import Composition
from sangkien.review.domain.sheet import Score


@dataclass(frozen=True, slots=True)
class _Voting:
    """Quorum and majority of one day."""

    council: rules.CouncilRules

    @property
    def rule_set(self) -> str:
        return self.council.rule_set_id

    @property
    def head_author_excluded(self) -> bool:
        return self.council.head_author_excluded_when_state_funded

    def quorum(self, members: int) -> int:
        return self.council.quorum(members)

    def votes_needed(self, members: int, present: int) -> int:
        return self.council.votes_needed(members, present)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A score sheet."""

    sheet: rules.ScoreSheet

    @property
    def rule_set(self) -> str:
        return self.sheet.rule_set_id

    def check(self, scores: Mapping[str, int]) -> None:
        rules.evaluate(self.sheet, [scores])

    def score(self, sheets: Sequence[Mapping[str, int]]) -> Score:
        found = rules.evaluate(self.sheet, sheets)
        return Score(found.total_tenths, found.qualifies, self.sheet.rule_set_id)


_council_rules = lru_cache(maxsize=512)(rules.council_rules)


@lru_cache(maxsize=512)
def _scale(jurisdiction: str, tier: str, on: date) -> _Scale:
    return _Scale(rules.score_sheet(jurisdiction, cast("rules.Tier", tier), on))


@lru_cache(maxsize=512)
def _due(rule: str, on: date) -> date:
    return rules.due(rule, on).due


class DatedRulebook:
    """The `Rulebook` port. What was looked up is remembered: rule files change with releases only."""

    def composition(self, on: date, jurisdiction: str) -> Composition:
        found = _council_rules(on, jurisdiction=jurisdiction)
        return Composition(found.min_members, found.required_roles)

    def voting(self, on: date, jurisdiction: str) -> _Voting:
        return _Voting(_council_rules(on, jurisdiction=jurisdiction))

    def min_reviewers(self, on: date, jurisdiction: str) -> int:
        return _council_rules(on, jurisdiction=jurisdiction).min_reviewers

    def scale(self, jurisdiction: str, tier: str, on: date) -> _Scale:
        return _scale(jurisdiction, tier, on)

    def check_jurisdiction(self, jurisdiction: str, tier: str, on: date) -> None:
        try:
            _scale(jurisdiction, tier, on)
        except rules.NoRuleOnDate:
            return  # a council may be set up before its sheet is in force

    def tiers(self, on: date) -> Sequence[str]:
        return tuple(rules.tiers(on))

    def refusal_reasons(self, on: date) -> Sequence[str]:
        return tuple(rules.refusal_reasons(on))

    def shortcomings(self, on: date) -> Sequence[str]:
        return tuple(rules.shortcomings(on))

    def decide_by(self, accepted_on: date) -> date:
        return _due("decide", accepted_on)

    def supplement_due(self, told_on: date) -> date:
        return _due("supplement", told_on)
