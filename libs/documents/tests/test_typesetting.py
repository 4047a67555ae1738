import hashlib
import io
import json
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typst
from pypdf import PdfReader

from sangkien.documents import (
    Annex,
    Certificate,
    Column,
    Decision,
    Minutes,
    Receipt,
    Section,
    render_certificate,
    render_decision,
    render_minutes,
    render_receipt,
    typesetting,
)

ISSUED = datetime(2023, 12, 20, tzinfo=UTC)
PACKAGE = Path(typesetting.__file__).parent


def covered() -> list[str]:
    ranges = json.loads((PACKAGE / "fonts" / "coverage.json").read_text())
    return [chr(code) for low, high in ranges for code in range(low, high + 1)]


def test_fonts_cover_every_vietnamese_letter() -> None:
    tones = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
    letters = {unicodedata.normalize("NFC", letter + tone) for letter in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" for tone in tones}
    assert letters | {"đ", "Đ", "₫"} <= set(covered())


@pytest.mark.parametrize("face", ["regular", "bold", "italic", "bold italic"])
def test_fonts_have_what_they_say_they_cover(face: str) -> None:
    style = (
        f'weight: "{"bold" if "bold" in face else "regular"}", style: "{"italic" if "italic" in face else "normal"}"'
    )
    source = f'#set text(font: "Sang Kien Serif", fallback: false, {style})\n#sys.inputs.characters'
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[PACKAGE / "fonts"])
    compiler = typst.Compiler(source.encode(), font_paths=fonts, ignore_system_fonts=True)

    # PDF/A is refused for a character without a glyph.
    _, warnings = compiler.compile_with_warnings(
        format="pdf", sys_inputs={"characters": " ".join(covered())}, pdf_standards=["a-2b"]
    )

    assert warnings == []


def test_documents_are_the_same_bytes_in_another_process(
    certificate: Certificate, decision: Decision, minutes: Minutes, receipt: Receipt
) -> None:
    script = (
        "import datetime, hashlib, sys\n"
        "from sangkien.documents import *\n"
        "for line in sys.stdin: print(hashlib.sha256(eval(line)).hexdigest())"
    )
    work = [
        f"render_certificate({certificate!r})",
        f"render_decision({decision!r})",
        f"render_minutes({minutes!r})",
        f"render_receipt({receipt!r})",
    ]
    here = [
        render_certificate(certificate),
        render_decision(decision),
        render_minutes(minutes),
        render_receipt(receipt),
    ]

    done = subprocess.run(
        [sys.executable, "-c", script], input="\n".join(work).encode(), capture_output=True, check=True
    )

    assert done.stdout.decode().split() == [hashlib.sha256(pdf).hexdigest() for pdf in here]


def test_documents_set_at_once_do_not_mix(certificate: Certificate) -> None:
    work = [replace(certificate, number=f"{n}/GCN-UBND", holder=f"Nguyễn Thị Ằng {n}") for n in range(40)]

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(render_certificate, work))

    assert at_once == [render_certificate(one) for one in work]


def test_templates_compile_without_a_warning(
    certificate: Certificate, decision: Decision, minutes: Minutes, receipt: Receipt
) -> None:
    render_certificate(certificate)
    render_decision(decision)
    render_minutes(replace(minutes, remarks="Thảo luận.", guests=minutes.present))
    render_receipt(receipt)

    # A template drops what it cannot place, a list inside a paragraph for one, with nothing but a warning.
    warned = {
        template.stem: typesetting._press(template.stem)._compiler.compile_with_warnings(format="pdf")[1]
        for template in (PACKAGE / "templates").glob("*.typ")
        if template.stem != "base"
    }
    assert warned == {"certificate": [], "decision": [], "minutes": [], "receipt": []}


def test_document_carries_the_date_of_its_data_only(decision: Decision) -> None:
    metadata = PdfReader(io.BytesIO(render_decision(decision))).metadata
    draft = PdfReader(io.BytesIO(render_decision(replace(decision, number=None, issued_on=None)))).metadata
    assert metadata is not None
    assert draft is not None
    assert draft.creation_date == datetime(1970, 1, 1, tzinfo=UTC)
    assert (metadata.creation_date, metadata.modification_date) == (ISSUED, ISSUED)
    assert metadata.title == "Quyết định 07/QĐ-UBND: Về việc khen thưởng năm 2023"


def test_long_document_that_fails_names_nobody(decision: Decision, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple((f"Đỗ Ẵm {n}", "540.000") for n in range(2_000))
    annex = Annex("Danh sách", (Column("Tên"), Column("Tiền")), (Section("", rows),))
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(RuntimeError) as caught:
        render_decision(replace(decision, annex=annex))

    assert str(caught.value) == "the typesetter's process for decision ended with code 1"
