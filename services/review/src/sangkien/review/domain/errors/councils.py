"""About councils and their rounds."""

from sangkien.kernel import Refusal


class TierUnknown(Refusal):
    """There is no such tier on that day. Facts: `known`."""

    code = "tier_unknown"
    kind = "invalid"


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


class NotAMember(Refusal):
    """Somebody named is no member of the council on that day. Facts: `position` in the list, counted from 1."""

    code = "not_a_member"
    kind = "forbidden"


class CouncilNotFound(Refusal):
    """No council has this id."""

    code = "council_not_found"
    kind = "not_found"


class CouncilNotFormed(Refusal):
    """The council had no members on that day. Facts: `day`, `first`, the day of its first formation."""

    code = "council_not_formed"
    kind = "precondition"


class CouncilReformedOtherwise(Refusal):
    """The council has a formation of that day or a later one. Facts: `latest`, its day."""

    code = "council_reformed_otherwise"
    kind = "conflict"


class RoundPeriod(Refusal):
    """A round ends, or its evidence is due, before it opens."""

    code = "round_period"
    kind = "invalid"


class ReviewRoundNotFound(Refusal):
    """No round has this id."""

    code = "review_round_not_found"
    kind = "not_found"


class RoundClosedOtherwise(Refusal):
    """The round was closed on another day. Facts: `closed_on`."""

    code = "round_closed_otherwise"
    kind = "conflict"
