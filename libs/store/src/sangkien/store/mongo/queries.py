"""The MongoDB form of the port's queries and indexes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sangkien.store.port import Index
from sangkien.store.query import Clause, Order, Scalar

Filter = dict[str, Any]


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """One stored index: its name, its fields in order, whether it binds, and whom it leaves out."""

    name: str
    fields: tuple[str, ...]
    unique: bool = False
    partial: Filter | None = None

    @classmethod
    def stored(cls, raw: Mapping[str, Any]) -> "IndexSpec":
        """From an entry of ``listIndexes``."""
        partial = raw.get("partialFilterExpression")
        return cls(raw["name"], tuple(raw["key"]), bool(raw.get("unique")), None if partial is None else dict(partial))


def index_specs(index: Index) -> list[IndexSpec]:
    """What MongoDB needs to keep ``index``: an index to search, and ahead of it, if unique, one to bind.

    Binding must pass over null and missing values, which only a partial index does; and a partial index serves only
    queries that repeat its filter.
    """
    name = ",".join(index.fields)
    fields = index.fields if "_id" in index.fields else (*index.fields, "_id")
    search = IndexSpec(name, fields)
    if not index.unique:
        return [search]
    partial = {field: {"$type": ["number", "string", "bool"]} for field in index.fields}
    return [IndexSpec(f"{name}:unique", index.fields, True, partial), search]


def names_of(index: Index) -> set[str]:
    """Every index name that belongs to these fields, whatever the definition."""
    name = ",".join(index.fields)
    return {name, f"{name}:unique"}


def where_filter(clauses: Iterable[Clause]) -> Filter:
    """A filter document; empty when there are no clauses."""
    out: Filter = {}
    for clause in clauses:
        out.setdefault(clause.field, {})[f"${clause.operator}"] = clause.value
    return out


def beyond_filter(order: Order, values: list[Scalar]) -> Filter:
    """The filter for documents beyond ``values``: further in one field, equal in all before it."""
    branches: list[Filter] = []
    equal: list[Filter] = []
    for (field, way), value in zip(order.fields, values, strict=True):
        further = _further(field, way, value)
        if further is not None:
            branches.append({"$and": [*equal, further]})
        equal.append({field: {"$eq": value}})
    beyond: Filter = {"$or": branches}
    field, way = order.fields[0]
    if values[0] is not None and way > 0:  # implied, but said by itself it lets an index start at the right place
        return {"$and": [{field: {"$gte": values[0]}}, beyond]}
    return beyond


def _further(field: str, way: int, value: Scalar) -> Filter | None:
    """Beyond ``value`` in one field, nulls being the lowest; None when nothing can be."""
    if way > 0:
        return {field: {"$ne": None} if value is None else {"$gt": value}}
    return None if value is None else {"$or": [{field: {"$lt": value}}, {field: None}]}
