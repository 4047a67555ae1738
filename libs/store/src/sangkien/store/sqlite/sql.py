"""The SQL of the SQLite adapter: a table per collection with the document as JSON text, indexes on expressions.

Collections and field paths go into the text, so only names that ``checks`` has passed may get here; values are bound.
"""
# ruff: noqa: S608

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec

from sangkien.store.port import Index
from sangkien.store.query import Clause, Order, Scalar

_SIGNS: Final = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

# A rowid table, not WITHOUT ROWID: bodies of a kilobyte in the key's own tree made inserts 2.5 times slower.
TABLE: Final = (
    'create table if not exists "{coll}"(id text primary key not null, ver integer not null, body text not null)'
)
# Bodies cross as bytes: the cast only relabels them, while a Python str would be encoded twice.
SELECT: Final = 'select ver, cast(body as blob) from "{coll}"'

Rows = tuple[str, list[Any]]


@lru_cache(maxsize=1024)
def expression(path: str) -> str:
    """The SQL for a checked field path."""
    if path == "_id":
        return "id"
    if path == "ver":
        return "ver"
    return f"json_extract(body,'$.{path}')"


def index_name(index: Index) -> str:
    """The same for every definition over the same fields, so that a changed definition shows as drift."""
    return f"{index.coll}:{','.join(index.fields)}"


def index_sql(index: Index) -> str:
    """The statement that creates ``index``, stored by SQLite word for word."""
    fields = [expression(field) for field in index.fields]
    if not index.unique and "_id" not in index.fields:
        fields.append("id")  # every order ends on the id: with it the index alone gives the order
    unique = "UNIQUE " if index.unique else ""
    return f'CREATE {unique}INDEX "{index_name(index)}" on "{index.coll}"({", ".join(fields)})'


@lru_cache(maxsize=1024)
def insert_sql(coll: str, rows: int) -> str:
    """``rows`` inserts of (id, body) in one step.

    OR FAIL spares SQLite the undo log of the statement: whoever runs it undoes the transaction or a savepoint.
    """
    return f'insert or fail into "{coll}" values ' + ",".join(["(?,1,cast(? as text))"] * rows)


@lru_cache(maxsize=1024)
def replace_sql(coll: str, rows: int) -> str:
    """``rows`` compare-and-set replaces of (id, expected version, body) in one step."""
    if rows == 1:
        return f'update or fail "{coll}" set ver=ver+1, body=cast(?3 as text) where id=?1 and ver=?2'
    values = ",".join(["(?,?,?)"] * rows)
    return (
        f'update or fail "{coll}" as t set ver=t.ver+1, body=cast(v.column3 as text) '
        f"from (values {values}) as v where t.id=v.column1 and t.ver=v.column2"
    )


@lru_cache(maxsize=1024)
def delete_sql(coll: str, rows: int) -> str:
    """``rows`` deletes by id in one step."""
    return f'delete from "{coll}" where id in ({",".join("?" * rows)})'


def json_list(values: Iterable[Scalar]) -> str:
    """Values as one bound parameter for ``json_each``: any number, and always the same statement text."""
    return msgspec.json.encode(list(values)).decode()


def where_sql(clauses: Iterable[Clause]) -> Rows:
    """A condition and its parameters; "1" when there are no clauses."""
    parts: list[str] = []
    args: list[Any] = []
    for clause in clauses:
        expr = expression(clause.field)
        if clause.operator == "in":
            parts.append(_in_sql(expr, clause.value, args))
        elif clause.value is None:
            parts.append(f"{expr} is null")
        else:
            parts.append(f"{expr}{_SIGNS[clause.operator]}?")
            args.append(clause.value)
            if clause.operator != "eq":
                parts.append(_same_kind(expr, clause.operator, clause.value))
    return " and ".join(parts) or "1", args


def _in_sql(expr: str, values: list[Scalar], args: list[Any]) -> str:
    args.append(json_list(value for value in values if value is not None))
    listed = f"{expr} in (select value from json_each(?))"
    return f"({listed} or {expr} is null)" if None in values else listed


def _same_kind(expr: str, operator: str, value: Scalar) -> str:
    """SQLite sorts every number before every text; a range is to stay among its own kind."""
    if isinstance(value, str):
        return f"{expr}>=''" if operator in ("lt", "lte") else "1"
    return f"{expr}<''" if operator in ("gt", "gte") else "1"


def order_sql(order: Order) -> str:
    """The ORDER BY list."""
    return ", ".join(f"{expression(field)} {'asc' if way > 0 else 'desc'}" for field, way in order.fields)


def beyond_sql(order: Order, values: list[Scalar]) -> Rows:
    """The condition for rows beyond ``values`` in ``order``: further in one field, equal in all before it."""
    branches: list[str] = []
    args: list[Any] = []
    equal: list[str] = []
    equal_args: list[Any] = []
    for (field, way), value in zip(order.fields, values, strict=True):
        expr = expression(field)
        further = _further(expr, way, value)
        if further is not None:
            branches.append(" and ".join([*equal, further]))
            args += [*equal_args, *([] if value is None else [value])]
        equal.append(f"{expr} is ?")
        equal_args.append(value)
    condition = f"({' or '.join(branches)})"
    field, way = order.fields[0]
    if values[0] is not None and way > 0:  # implied, but said by itself it lets an index start at the right place
        return f"{expression(field)}>=? and {condition}", [values[0], *args]
    return condition, args


def _further(expr: str, way: int, value: Scalar) -> str | None:
    """Beyond ``value`` in one field, nulls being the lowest; None when nothing can be."""
    if way > 0:
        return f"{expr} is not null" if value is None else f"{expr}>?"
    return None if value is None else f"({expr}<? or {expr} is null)"
