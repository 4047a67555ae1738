"""What the rule sets of a day say about tiers and grounds."""

from datetime import date

from sangkien.recognition.domain.errors import TierNotInForce
from sangkien.rules import Term, council_rules, effect_term, tiers


def tier_on(tier: str, on: date) -> Term:
    """The tier as it is called that day. Raises TierNotInForce."""
    term = tiers(on).get(tier)
    if term is None:
        raise TierNotInForce(field="issued_on", tier=tier, on=on.isoformat())
    return term


def certificate_kind(tier: str, on: date) -> str:
    """What a certificate of the tier is headed. Raises TierNotInForce."""
    return f"Sáng kiến {tier_on(tier, on).vi}"


def grounds_on(tier: str, on: date) -> tuple[str, ...]:
    """The legal grounds of a recognition at the tier, one line each. Raises TierNotInForce and NoRuleOnDate."""
    sources = [tiers(on)["grassroots"].source, council_rules(on).source, tier_on(tier, on).source]
    if tier != "grassroots":
        sources.append(effect_term("initiative", on).source)
    return tuple(dict.fromkeys(f"Căn cứ {source.document}" for source in sources))


def effect_on(on: date) -> str:
    """What a higher tier recognises about an initiative, in the words of the day. Raises NoRuleOnDate."""
    return effect_term("initiative", on).vi
