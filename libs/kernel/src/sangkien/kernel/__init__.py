"""The pure base every domain may import."""

from .aggregates import Aggregate
from .dates import DateRange
from .money import Dong, multiply_hundredths, round_up_to
from .refusals import KeyReused, Kind, Refusal
from .shares import ShareMalformed, ShareOutOfRange, SharesNot100, check_shares, format_share, parse_share

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
