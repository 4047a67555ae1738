import json
import subprocess
import sys
from typing import Any

PREAMBLE = """
import asyncio, logging, structlog
from sangkien.runtime import Telemetry, configure_logging, log_line
log = structlog.get_logger("test")
"""


def logged(body: str) -> list[dict[str, Any]]:
    """The lines a process of its own logs: logging is configured for a whole process."""
    done = subprocess.run([sys.executable, "-c", PREAMBLE + body], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def without_time(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "at"} for line in lines]


def test_log_hides_personal_values_at_any_depth() -> None:
    lines = logged("""
configure_logging()
log.info("filed", dossier="D1", author_name="Trần Thị Bích", contact={"email": "bich@example.vn", "rows": 3},
         people=[{"birthDate": "1990-02-03", "id": "P1"}], phone="0912 345 678")
log_line("info", "call", {"method": "/a/B", "user.email": "bich@example.vn"})
""")
    assert without_time(lines) == [
        {
            "level": "info",
            "event": "filed",
            "dossier": "D1",
            "author_name": "[hidden]",
            "contact": {"email": "[hidden]", "rows": 3},
            "people": [{"birthDate": "[hidden]", "id": "P1"}],
            "phone": "[hidden]",
        },
        {"level": "info", "event": "call", "method": "/a/B", "user.email": "[hidden]"},
    ]


def test_log_tells_an_exception_by_type_and_place_and_never_by_its_message() -> None:
    lines = logged("""
configure_logging()
def parse():
    raise ValueError("no such person: Trần Thị Bích")
try:
    parse()
except ValueError:
    log.exception("row_failed", row=7)
try:
    parse()
except ValueError:
    logging.getLogger("library").exception("while parsing")
""")
    assert without_time(lines) == [
        {
            "level": "error",
            "event": "row_failed",
            "row": 7,
            "error_type": "ValueError",
            "error_at": ["<string>:10 <module>", "<string>:8 parse"],
        },
        {
            "level": "error",
            "event": "while parsing",
            "logger": "library",
            "error_type": "ValueError",
            "error_at": ["<string>:14 <module>", "<string>:8 parse"],
        },
    ]


def test_log_scrubs_addresses_and_numbers_from_other_libraries() -> None:
    lines = logged("""
configure_logging()
logging.getLogger("smtp").warning("could not deliver to %s (tel %s)", "bich.tran@example.vn", "+84 912 345 678")
""")
    assert [line["event"] for line in lines] == ["could not deliver to [hidden] (tel [hidden])"]


def test_log_does_not_repeat_the_message_of_an_unretrieved_task() -> None:
    lines = logged("""
configure_logging()
async def fail():
    raise ValueError("Trần Thị Bích")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
asyncio.run(main())
""")
    assert [(line["event"], line["error_type"]) for line in lines] == [
        ("Task exception was never retrieved", "ValueError")
    ]


def test_log_line_inside_a_span_carries_its_trace_and_service() -> None:
    lines = logged("""
configure_logging()
telemetry = Telemetry.create("intake", node="n", spans_dir=None, otlp_endpoint=None)
with telemetry.span("work", parent="00-" + "a1" * 16 + "-" + "b2" * 8 + "-01"):
    log.info("inside")
    log_line("info", "inside too", {})
log.info("outside")
""")
    assert [(line["event"], line.get("service"), line.get("trace_id")) for line in lines] == [
        ("inside", "intake", "a1" * 16),
        ("inside too", "intake", "a1" * 16),
        ("outside", None, None),
    ]


def test_log_keeps_what_is_below_its_level_to_itself() -> None:
    lines = logged("""
configure_logging("warning")
log.info("a"); log_line("info", "b", {}); logging.getLogger("x").info("c")
log.warning("d"); log_line("error", "e", {}); logging.getLogger("x").warning("f")
""")
    assert [line["event"] for line in lines] == ["d", "e", "f"]


def test_log_writes_values_that_json_has_no_form_for() -> None:
    lines = logged("""
configure_logging()
log.info("odd", thing=ValueError)
log.info("odder", table={(1, 2): 3})
""")
    assert without_time(lines) == [
        {"level": "info", "event": "odd", "thing": "<class 'ValueError'>"},
        {"level": "info", "event": "odder", "table": {"(1, 2)": 3}},
    ]
