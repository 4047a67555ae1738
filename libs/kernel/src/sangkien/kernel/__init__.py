"""The pure base every domain may import."""

from sangkien.kernel.aggregates import Aggregate
from sangkien.kernel.dates import DateRange
from sangkien.kernel.money import Dong, multiply_hundredths, round_up_to
from sangkien.kernel.refusals import KeyReused, Kind, Refusal
from sangkien.kernel.shares import (
    ShareMalformed,
    ShareOutOfRange,
    SharesNot100,
    check_shares,
    format_share,
    parse_share,
)

__all__ = [
    "Aggregate",
    "DateRange",
    "Dong",
    "KeyReused",
    "Kind",
    "Refusal",
    "ShareMalformed",
    "ShareOutOfRange",
    "SharesNot100",
    "check_shares",
    "format_share",
    "multiply_hundredths",
    "parse_share",
    "round_up_to",
]
