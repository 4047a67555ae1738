"""Queries in one normal form, so that both adapters refuse and answer alike; and the keyset cursor."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from sangkien.store.checks import MAX_INT, check_path
from sangkien.store.errors import Invalid
from sangkien.store.port import Document, Page, Sort, Where

Operator = Literal["eq", "in", "gt", "gte", "lt", "lte"]
Scalar = str | int | float | bool | None

_RANGES: Final = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition; ``value`` is a scalar, for ``in`` a list of distinct scalars, for ranges a number or a str."""

    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Order:
    """A total order: the fields asked for, then ``_id`` in the direction of the last of them."""

    fields: tuple[tuple[str, int], ...]


def parse_where(where: Where | None) -> list[Clause]:
    """The clauses of ``where``; raises Invalid naming the field."""
    clauses: list[Clause] = []
    for field, condition in (where or {}).items():
        check_path(field)
        if not isinstance(condition, dict):
            clauses.append(Clause(field, "eq", _scalar(field, condition)))
            continue
        if not condition:
            raise Invalid(f"condition on {field!r} is empty")
        for operator, value in condition.items():
            clauses.append(_clause(field, operator, value))
    return clauses


def _clause(field: str, operator: str, value: Any) -> Clause:
    if operator == "in":
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise Invalid(f"condition on {field!r}: 'in' takes a list of values")
        return Clause(field, "in", list(dict.fromkeys(_scalar(field, item) for item in value)))
    if operator not in _RANGES:
        raise Invalid(f"condition on {field!r}: unknown operator {operator!r}; use in, gt, gte, lt or lte")
    value = _scalar(field, value)
    if value is None or isinstance(value, bool):
        raise Invalid(f"condition on {field!r}: {operator!r} takes a number or a str")
    return Clause(field, operator, value)  # type: ignore[arg-type]


def _scalar(field: str, value: Any) -> Scalar:
    if hasattr(value, "_value_"):  # members of StrEnum and IntEnum are stored as their values
        value = value._value_
    kind = type(value)
    if kind is float and value - value != 0:
        raise Invalid(f"condition on {field!r}: NaN and infinity match nothing")
    if kind is int and not -MAX_INT <= value <= MAX_INT:
        raise Invalid(f"condition on {field!r}: integer beyond ±2**53")
    if kind not in (str, int, float, bool) and value is not None:
        raise Invalid(f"condition on {field!r}: {kind.__name__} cannot be compared; use str, number, bool or None")
    return value  # type: ignore[no-any-return]


def parse_sort(sort: Sort) -> Order:
    """The total order of ``sort``; raises Invalid."""
    fields: dict[str, int] = {}
    for field, direction in sort:
        if direction not in (1, -1):
            raise Invalid(f"sort on {field!r}: direction is 1 or -1, got {direction!r}")
        if field in fields:
            raise Invalid(f"sort names {field!r} twice")
        fields[check_path(field)] = direction
    if "_id" not in fields:
        fields["_id"] = next(reversed(fields.values()), 1)
    return Order(tuple(fields.items()))


def check_limit(limit: int) -> int:
    """Return ``limit`` if it is a positive int; raises Invalid."""
    if type(limit) is not int or limit < 1:
        raise Invalid(f"limit must be an int of at least 1, got {limit!r}")
    return limit


def value_at(doc: Document, path: str) -> Any:
    """The value at a dotted path, None when a step is missing."""
    value: Any = doc
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def encode_cursor(order: Order, last: Document) -> str:
    """The place of ``last`` in ``order``, opaque and safe in a URL."""
    names = [f"{field}:{direction}" for field, direction in order.fields]
    raw = msgspec.json.encode([names, [value_at(last, field) for field, _ in order.fields]])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(order: Order, cursor: str) -> list[Scalar]:
    """The values, one per field of ``order``, that the cursor stands on; raises Invalid for another order's."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        names, values = msgspec.json.decode(raw, type=tuple[list[str], list[str | int | float | bool | None]])
    except (ValueError, binascii.Error):
        raise Invalid("'after' is not a cursor of this store; pass Page.next unchanged") from None
    if names != [f"{field}:{direction}" for field, direction in order.fields] or len(values) != len(names):
        raise Invalid("'after' belongs to a list in another order; start again without it")
    return values


def cut_page(items: list[Document], limit: int, order: Order) -> Page:
    """A page of ``limit`` out of up to ``limit`` + 1 items; the extra one only says that more follows."""
    more = len(items) > limit
    items = items[:limit]
    return Page(items, encode_cursor(order, items[-1]) if more else None)
