import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

from sangkien.runtime import first_id, new_id, utc_now

FORKING = """
import os
import time
from sangkien.runtime import identifiers, new_id
identifiers._last = (time.time_ns() // 1_000_000 + 60_000) << 80  # a clock set back a minute: ids are counted on
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, "\\n".join(new_id() for _ in range(50)).encode())
    os._exit(0)
mine = {new_id() for _ in range(50)}
os.wait()
theirs = set(os.read(read, 65536).decode().split("\\n"))
print(len(mine), len(theirs), len(mine & theirs))
"""


def test_new_id_is_a_ulid_that_sorts_by_time() -> None:
    ids = [new_id() for _ in range(5_000)]
    assert ids == sorted(set(ids))
    assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", ids[0])


def test_new_id_increases_in_each_thread_and_repeats_in_none() -> None:
    with ThreadPoolExecutor(4) as pool:
        per_thread = list(pool.map(lambda _: [new_id() for _ in range(2_000)], range(4)))
    assert [ids == sorted(ids) for ids in per_thread] == [True] * 4
    assert len({one for ids in per_thread for one in ids}) == 8_000


def test_new_id_of_a_forked_child_is_not_its_parents() -> None:
    output = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True).stdout
    assert output == "50 50 0\n"


def test_utc_now_is_aware() -> None:
    assert utc_now().tzinfo is UTC


def test_first_id_of_a_moment_lies_between_what_was_made_before_and_after() -> None:
    before = new_id()
    between = first_id(utc_now() + timedelta(milliseconds=1))
    assert (len(between), before < between < first_id(utc_now() + timedelta(seconds=1))) == (26, True)
