"""Reward money: coefficient × base salary, by the instrument in force on the date of the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Literal

from sangkien.kernel import DateRange, Dong, multiply_hundredths, round_up_to
from sangkien.rules.loading import Entry, check_entries, describe, in_force, load
from sangkien.rules.refusals import FormNotForHolder, NoRuleOnDate, UnknownForm
from sangkien.text.formats import thousands

Holder = Literal["individual", "collective"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of commendation or a title, by its code and its names."""

    code: str
    vi: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSalary(Entry):
    """Lương cơ sở, in đồng a month."""

    vnd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """Products go up to the next multiple of `step_vnd` (Nghị định 91/2017, Điều 68(2)); exact multiples stay."""

    step_vnd: int
    article: str | None
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """What one form is worth, in hundredths of the base salary; None where the form is not for that holder.

    `issuer` among the unverified parts: no authority is known that could grant the form while the row is in force.
    """

    form: str
    individual: int | None = None
    collective: int | None = None
    doubled: bool = False
    article: str | None = None
    unverified: tuple[Literal["coefficient", "collective_factor", "issuer"], ...] = ()

    def __post_init__(self) -> None:
        if self.individual is None and (self.collective is None or self.doubled):
            raise ValueError("needs individual, or collective without doubled")
        if self.doubled and self.collective is not None:
            raise ValueError("a doubled coefficient has no collective of its own")

    @property
    def holders(self) -> tuple[Holder, ...]:
        individual: tuple[Holder, ...] = () if self.individual is None else ("individual",)
        return (*individual, "collective") if self.doubled or self.collective is not None else individual

    def hundredths(self, holder: Holder) -> int:
        if holder == "individual":
            return self.individual or 0
        return 2 * (self.individual or 0) if self.doubled else self.collective or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(Entry):
    """A decree with the coefficients it sets."""

    rounding: Rounding
    coefficients: tuple[Coefficient, ...]

    def names(self, form: str) -> bool:
        return any(row.form == form for row in self.coefficients)

    def coefficient(self, form: str) -> Coefficient:
        return next(row for row in self.coefficients if row.form == form)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    forms: tuple[Form, ...]
    base_salaries: tuple[BaseSalary, ...]
    instruments: tuple[Instrument, ...]

    def __post_init__(self) -> None:
        check_entries(self.base_salaries, "base_salary")
        check_entries(self.instruments, "reward")
        codes = [form.code for form in self.forms]
        if len(set(codes)) < len(codes):
            raise ValueError("forms: a code is used twice")
        for instrument in self.instruments:
            rows = [row.form for row in instrument.coefficients]
            if odd := sorted({form for form in rows if rows.count(form) > 1 or form not in codes}):
                raise ValueError(f"{instrument.id}: form is not in forms or is used twice: {', '.join(odd)}")


@dataclass(frozen=True, slots=True)
class RewardQuote:
    """The money of one award. `verified` is about the rules it was computed by; `unverified` names the doubtful parts.

    `derivation` is arithmetic that reads the same in every language, in đồng, with the source of each input.
    `rule_set_id` is what a decision stores.
    """

    amount_vnd: Dong
    rule_set_id: str
    derivation: tuple[str, ...]
    verified: bool
    unverified: tuple[str, ...]
    sources: tuple[str, ...]
    form: str
    holder: Holder
    on: date
    base_vnd: int
    coefficient_hundredths: int


@cache
def _book() -> _Book:
    return load("rewards.yaml", _Book)


@cache
def forms() -> Mapping[str, Form]:
    """Every form there has been a rule for, by code, in the order people list them."""
    return MappingProxyType({form.code: form for form in _book().forms})


def quote(form: str, holder: Holder, on: date) -> RewardQuote:
    """Say what `form` is worth to one holder when decided on that day, in đồng.

    A collective's coefficient is doubled first and the product rounded once (0.3 × 2 × 1.49 m = 894,000 -> 900,000;
    it is 447,000 -> 450,000 at 0.3). Raises UnknownForm, FormNotForHolder, or NoRuleOnDate, which names the periods
    that have a rule.
    """
    instruments = _instruments(form, holder)
    salaries = _book().base_salaries
    periods = _quotable(instruments)
    if not any(period.contains(on) for period in periods):
        raise NoRuleOnDate(field="on", subject=form, on=on.isoformat(), periods=describe(periods))
    instrument = in_force(instruments, on, "vn", form)
    salary = in_force(salaries, on, "vn", "base_salary")
    row = instrument.coefficient(form)
    hundredths = row.hundredths(holder)
    product = multiply_hundredths(salary.vnd, hundredths)
    amount = round_up_to(product, instrument.rounding.step_vnd)
    doubts = _doubts(instrument, row, salary, holder)
    source = instrument.source.cite(row.article)
    return RewardQuote(
        amount_vnd=amount,
        rule_set_id=f"{instrument.rule_set_id}+{salary.rule_set_id}",
        derivation=(
            f"{salary.source}: {thousands(salary.vnd)}",
            f"{source}: {_coefficient_text(row, holder)}",
            f"{thousands(salary.vnd)} × {_decimal(hundredths)} = {thousands(product)}",
            f"{thousands(product)} → {thousands(amount)} (↑ {thousands(instrument.rounding.step_vnd)})",
        ),
        verified=not doubts,
        unverified=doubts,
        sources=tuple(dict.fromkeys((str(salary.source), source, instrument.source.cite(instrument.rounding.article)))),
        form=form,
        holder=holder,
        on=on,
        base_vnd=salary.vnd,
        coefficient_hundredths=hundredths,
    )


def _instruments(form: str, holder: Holder) -> list[Instrument]:
    if form not in forms():
        raise UnknownForm(field="form", known=", ".join(forms()))
    every = [instrument for instrument in _book().instruments if instrument.names(form)]
    holders = {one for instrument in every for one in instrument.coefficient(form).holders}
    if holder not in holders:
        raise FormNotForHolder(field="holder", form=form, holders=", ".join(sorted(holders, reverse=True)))
    return [instrument for instrument in every if holder in instrument.coefficient(form).holders]


def _quotable(instruments: Sequence[Instrument]) -> list[DateRange]:
    """Return the periods on which an instrument and a base salary are both in force."""
    shared = []
    for instrument in instruments:
        for salary in _book().base_salaries:
            if instrument.period.overlaps(salary.period):
                ends = [day for day in (instrument.valid_to, salary.valid_to) if day]
                shared.append(DateRange(max(instrument.valid_from, salary.valid_from), min(ends, default=None)))
    return shared


def _doubts(instrument: Instrument, row: Coefficient, salary: BaseSalary, holder: Holder) -> tuple[str, ...]:
    doubts = [f"base_salary.{part}" for part in salary.unverified]
    doubts += [f"instrument.{part}" for part in instrument.unverified]
    doubts += [part for part in row.unverified if part != "collective_factor" or holder == "collective"]
    if not instrument.rounding.verified:
        doubts.append("rounding")
    return tuple(doubts)


def _coefficient_text(row: Coefficient, holder: Holder) -> str:
    hundredths = row.hundredths(holder)
    if holder == "collective" and row.doubled:
        return f"{_decimal(hundredths // 2)} × 2 = {_decimal(hundredths)}"
    return _decimal(hundredths)


def _decimal(hundredths: int) -> str:
    return f"{hundredths // 100},{hundredths % 100:02d}"
