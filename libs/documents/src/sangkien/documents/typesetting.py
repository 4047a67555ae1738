"""The typesetter: data in, PDF bytes out, by Typst with the fonts of this package and nothing of the machine's."""

import json
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sangkien.text import nfc

_HERE = Path(__file__).parent
_LONG = 40_000  # characters of data: some 300 rows
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_DATE = date(1970, 1, 1)
_UNPRINTABLE = "□"
_LONGEST_WORD = 26  # a ULID stays whole
_BREAK = "\u200b"
# Written differently, printed alike; the fonts have only the second.
_SAME_GLYPH = {0x2011: "-"}
_one_long_document = threading.Lock()


class _Press:
    """One compiler for one template. A compiler is not made for two threads at once; two templates are two presses."""

    def __init__(self, template: str) -> None:
        import typst  # 7 MiB that a service only needs once somebody asks for a document

        self._lock = threading.Lock()
        self._compiler = typst.Compiler(
            _HERE / "templates" / f"{template}.typ",
            root=_HERE / "templates",
            font_paths=typst.Fonts(
                include_system_fonts=False, include_embedded_fonts=False, font_paths=[_HERE / "fonts"]
            ),
            ignore_system_fonts=True,
        )

    def print(self, inputs: dict[str, str], on: date | None, *, tagged: bool) -> bytes:
        made = datetime.combine(on or _NO_DATE, time(), UTC)
        with self._lock:
            pdf = self._compiler.compile(
                sys_inputs=inputs, format="pdf", timestamp=made, pdf_tags=tagged, pdf_standards=["a-2b"]
            )
        if not isinstance(pdf, bytes):
            raise TypeError("the typesetter gave no PDF")
        return pdf


def typeset(template: str, data: Mapping[str, Any], on: date | None, verbatim: Mapping[str, str] = _NOTHING) -> bytes:
    """The template filled with the data, as PDF/A-2b. Same data, same bytes: the only date inside is `on`.

    Blocking, with the GIL released: call it in a thread. A page takes milliseconds. Thousands of rows take seconds and
    about 75 KB of memory each, which the typesetter keeps for good, so a long document is set in a process of its own,
    one at a time, and without the tags for screen readers, which would make it eight times larger.
    Every text of `data` is brought to NFC; a character the fonts lack is printed as □, for an issued document must
    always print. `verbatim` reaches the template as it is.
    """
    inputs = {"data": json.dumps(_printable(data), ensure_ascii=False), **verbatim}
    if len(inputs["data"]) <= _LONG:
        return _press(template).print(inputs, on, tagged=True)
    order = json.dumps({"template": template, "inputs": inputs, "on": on.isoformat() if on else None})
    with _one_long_document:
        command = [sys.executable, "-m", "sangkien.documents"]
        done = subprocess.run(command, input=order.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        # The typesetter's message may quote the document, hence names: it does not go further than this exit code.
        raise RuntimeError(f"the typesetter's process for {template} ended with code {done.returncode}")
    return done.stdout


def print_order(order: bytes) -> bytes:
    """What the process for a long document does: read the order `typeset` wrote, and give the PDF."""
    asked = json.loads(order)
    on = date.fromisoformat(asked["on"]) if asked["on"] else None
    return _press(asked["template"]).print(asked["inputs"], on, tagged=False)


@cache
def _press(template: str) -> _Press:
    return _Press(template)


@cache
def _coverage() -> frozenset[int]:
    ranges = json.loads((_HERE / "fonts" / "coverage.json").read_text(encoding="ascii"))
    return frozenset(code for low, high in ranges for code in range(low, high + 1))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return _printable_text(value)
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value


def _printable_text(text: str) -> str:
    covered = _coverage()
    clean = nfc(text)
    if not covered.issuperset(map(ord, clean)):
        clean = "".join(char if ord(char) in covered else _nearest(char) for char in clean)
    if len(clean) <= _LONGEST_WORD:
        return clean
    return " ".join(_breakable(word) for word in clean.split(" "))


def _nearest(char: str) -> str:
    plain = _SAME_GLYPH.get(ord(char)) or unicodedata.normalize("NFKC", char)
    if plain and _coverage().issuperset(map(ord, plain)):
        return plain
    return "" if unicodedata.category(char) == "Mn" else _UNPRINTABLE


def _breakable(word: str) -> str:
    """A word longer than a narrow column gets places to break at, so that it never runs over the margin."""
    return _BREAK.join(word[start : start + _LONGEST_WORD] for start in range(0, len(word), _LONGEST_WORD))
