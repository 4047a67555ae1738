"""Co-author shares, as whole hundredths of a percent: 10_000 is the whole initiative."""

import re
from collections.abc import Sequence

from sangkien.kernel.refusals import Refusal

WHOLE = 10_000

_SHARE = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?\s*%?")


class ShareMalformed(Refusal):
    """The text is not a percentage from 0 to 100 with at most two decimals."""

    code = "share_malformed"
    kind = "invalid"


class ShareOutOfRange(Refusal):
    """An author's share is not above 0 % and at most 100 %. Facts: `position`, counted from 1."""

    code = "share_out_of_range"
    kind = "invalid"


class SharesNot100(Refusal):
    """The shares do not add up to 100 %. Facts: `sum`, the percentage they add up to, as text."""

    code = "shares_not_100"
    kind = "invalid"


def parse_share(text: str) -> int:
    """Read "33,3%", "33.3" or "40 %" as hundredths of a percent (3330, 3330, 4000).

    Raises ShareMalformed; a third decimal is refused, not rounded, since shares must sum exactly.
    """
    match = _SHARE.fullmatch(text.strip())
    share = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else -1
    if not 0 <= share <= WHOLE:
        raise ShareMalformed(field="share")
    return share


def format_share(share: int) -> str:
    """Write hundredths of a percent the Vietnamese way, without trailing zeros (3330 -> "33,3%")."""
    whole, rest = divmod(share, 100)
    decimals = f"{rest:02d}".rstrip("0")
    return f"{whole},{decimals}%" if decimals else f"{whole}%"


def check_shares(shares: Sequence[int]) -> None:
    """Accept shares that are each above 0 and sum to exactly 100 % (the printed form of TT 18/2013, Phụ lục I).

    Raises ShareOutOfRange for a single bad share, SharesNot100 for a bad sum (an empty list sums to 0).
    """
    for position, share in enumerate(shares, start=1):
        if not 0 < share <= WHOLE:
            raise ShareOutOfRange(field="share", position=position)
    if sum(shares) != WHOLE:
        raise SharesNot100(field="share", sum=format_share(sum(shares)))
