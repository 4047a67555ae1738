"""Money in whole đồng, never in floats."""

from typing import NewType

Dong = NewType("Dong", int)


def multiply_hundredths(base: int, hundredths: int) -> Dong:
    """Return base × hundredths/100 in đồng (1_490_000 × 30 -> 447_000).

    Raises ValueError when the product is not a whole number of đồng: a fraction is never dropped in silence.
    """
    whole, rest = divmod(base * hundredths, 100)
    if rest:
        raise ValueError(f"{base} x {hundredths}/100 is not a whole number of dong")
    return Dong(whole)


def round_up_to(amount: int, step: int) -> Dong:
    """Return the smallest multiple of `step` that is not below `amount` (447_000, 10_000 -> 450_000).

    Raises ValueError when `amount` is negative or `step` is not positive.
    """
    if amount < 0 or step <= 0:
        raise ValueError(f"cannot round {amount} up to a multiple of {step}")
    return Dong(-(-amount // step) * step)
