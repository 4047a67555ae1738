"""What a form is worth, by the rules in force on a day."""

from datetime import date

from sangkien.reward.domain.decision import Price
from sangkien.reward.domain.events import Holder
from sangkien.rules import quote


def price(form: str, holder: Holder, on: date) -> Price:
    """Reckon one holder's sum. Raises UnknownForm, FormNotForHolder and NoRuleOnDate of the rules."""
    quoted = quote(form, holder, on)
    return Price(quoted.amount_vnd, quoted.rule_set_id, quoted.derivation, quoted.unverified, quoted.sources)
