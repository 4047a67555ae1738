"""Periods of validity."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DateRange:
    """A period of whole days, both ends included.

    Closed, because legal texts name the last day of force ("đến hết ngày 30/06/2025"). `valid_to` None has no end.
    Raises ValueError when it ends before it begins.
    """

    valid_from: date
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"period ends on {self.valid_to}, before it begins on {self.valid_from}")

    def contains(self, day: date) -> bool:
        """Say whether `day` lies in the period."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def overlaps(self, other: "DateRange") -> bool:
        """Say whether the two periods share at least one day."""
        return (self.valid_to is None or other.valid_from <= self.valid_to) and (
            other.valid_to is None or self.valid_from <= other.valid_to
        )
