"""Rows a second through the embedded store against bare SQLite, both at WAL and synchronous=FULL."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from ceilings import GROUP, commits_per_s
from harness import Result, main, median

from sangkien.runtime import new_id
from sangkien.store import Insert, Schema, Store, open_store

ROUNDS = 3
BODY = "x" * 1_000
ROW_BYTES = 1_060


async def measure(chosen: argparse.Namespace) -> Result:
    raw: dict[str, list[float]] = {"one": [], "grouped": []}
    ours: dict[str, list[float]] = {"alone": [], "together": [], "batches": []}
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        folder = Path(name)
        store = await open_store(f"sqlite:///{folder}", database="bench")
        await store.ensure(Schema(("rows",), ()))
        for turn in range(ROUNDS):
            few = chosen.rows // 20
            raw["one"].append(commits_per_s(folder / f"one-{turn}.db", few, ROW_BYTES, group=1))
            ours["alone"].append(await rows_per_s(store, few, units=few, width=1))
            raw["grouped"].append(commits_per_s(folder / f"grouped-{turn}.db", chosen.rows, ROW_BYTES))
            ours["together"].append(await rows_per_s(store, chosen.rows, units=chosen.rows, width=GROUP))
            ours["batches"].append(await rows_per_s(store, chosen.rows, units=chosen.rows // GROUP, width=2))
        await store.close()
    alone, together, batches = (median(ours[kind]) for kind in ("alone", "together", "batches"))
    return {
        "row_bytes": ROW_BYTES,
        "raw_one_row_a_commit_per_s": median(raw["one"]),
        "raw_grouped_per_s": median(raw["grouped"]),
        "units_of_1_one_after_another": {"rows_per_s": alone, "ratio_to_raw": ratio(alone, raw["one"])},
        f"units_of_1_with_{GROUP}_in_flight": {"rows_per_s": together, "ratio_to_raw": ratio(together, raw["grouped"])},
        f"units_of_{GROUP}_with_2_in_flight": {"rows_per_s": batches, "ratio_to_raw": ratio(batches, raw["grouped"])},
    }


async def rows_per_s(store: Store, rows: int, *, units: int, width: int) -> float:
    """`rows` inserts in so many units of work, `width` of them waited for at a time."""
    each = rows // units
    batches = iter(
        [[Insert("rows", {"_id": new_id(), "state": "filed", "body": BODY}) for _ in range(each)] for _ in range(units)]
    )

    async def write() -> None:
        for ops in batches:
            await store.apply(ops)

    began = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(width)))
    return units * each / (time.perf_counter() - began)


def ratio(ours: float, raw: list[float]) -> float:
    return round(ours / median(raw), 3)


if __name__ == "__main__":
    main(measure, ("--rows", {"type": int, "default": 20_000}))
