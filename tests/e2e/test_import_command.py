"""`sangkien import` of the lists units really send, on a node that nobody has set up."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from sangkien.console.importing.problems import row_error
from sangkien.console.node.folder import NodeFolder
from sangkien.console.node.local import local_node
from sangkien.testkit.command import sangkien
from sangkien.testkit.holdings import sqlite_documents

HEADER = [
    "STT", "Tên sáng kiến", "Tác giả", "Ngày tháng năm sinh", "Tỷ lệ (%) đóng góp", "Đơn vị", "Ngày áp dụng lần đầu",
    "Ngày nộp",
]  # fmt: skip
TWO = {"authors": "Lê An\nVũ Bình", "born": "01/02/1985\n02/03/1986"}


def row(number: int, title: str, **cells: str) -> list[str | int]:
    given = {
        "authors": "Nguyễn Thị Hoa",
        "born": "12/03/1985",
        "shares": "100%",
        "unit": "Phường Điện Biên",
        "applied": "05/09/2022",
        "filed": "10/04/2023",
    } | cells
    return [number, title, *given.values()]


def decomposed(cells: Sequence[str | int]) -> list[str | int]:
    return [unicodedata.normalize("NFD", cell) if isinstance(cell, str) else cell for cell in cells]


def combining_tones(cells: Sequence[str | int]) -> list[str | int]:
    """As some keyboards write: the letter with its hat in one piece, the tone as a mark of its own behind it."""
    tones = dict.fromkeys("\u0300\u0301\u0303\u0309\u0323")
    pieces = []
    for letter in "".join(str(cell) + "\x00" for cell in cells[1:]):
        parts = unicodedata.normalize("NFD", letter)
        base = unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones))
        pieces.append(base + "".join(part for part in parts if part in tones))
    return [cells[0], *"".join(pieces).split("\x00")[:-1]]


def workbook(path: Path, header: Sequence[str], rows: Sequence[Sequence[str | int]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate([header, *rows]):
            sheet.write_row(line, 0, cells)
    return path


@pytest.fixture(scope="module")
async def fresh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The folder of a new node that runs."""
    folder = tmp_path_factory.mktemp("fresh") / "node"
    async with local_node(NodeFolder(folder)):
        yield folder


async def imported(fresh: Path, file: Path) -> tuple[int, Any]:
    return await asyncio.to_thread(sangkien, "import", file, "--json", "--data-dir", fresh)


def titles(fresh: Path) -> list[str]:
    return sorted(each["title"] for each in sqlite_documents(fresh)("intake", "dossier_versions"))


async def test_bad_rows_are_told_apart_and_the_good_ones_filed_once(fresh: Path, tmp_path: Path) -> None:
    rows = [
        row(1, "Ngày thứ Sáu không chờ"),
        decomposed(row(2, "Sổ tay điện tử của tổ dân phố")),
        row(3, "Ngày không có thật", applied="31/02/2023"),
        row(4, "Thiếu mười phần trăm", shares="50%\n40%", **TWO),
        row(5, "Đơn vị không ai biết", unit="Phường Không Có"),
        decomposed(row(6, "NGÀY THỨ SÁU KHÔNG CHỜ")),
        combining_tones(row(7, "Bể lọc nước ở trường tiểu học", shares="60%\n40%", **TWO)),
    ]
    file = workbook(tmp_path / "danh-sach.xlsx", HEADER, rows)
    before = titles(fresh) if (fresh / "stores" / "intake.db").exists() else []

    first, second = await imported(fresh, file), await imported(fresh, file)

    rejected = [
        row_error(4, "Ngày áp dụng lần đầu", "date_invalid").as_json(),
        row_error(5, "Tỷ lệ (%) đóng góp", "shares_not_100", sum="90%").as_json(),
        row_error(6, "Đơn vị", "unit_unknown", suggestions="–").as_json(),
        row_error(7, "Tên sáng kiến", "duplicate_row", first=2).as_json(),
    ]
    assert first == (0, {"filed": 3, "already": 0, "rejected": rejected, "warnings": []})
    assert second == (0, {"filed": 0, "already": 3, "rejected": rejected, "warnings": []})
    assert titles(fresh) == sorted(
        [*before, "Ngày thứ Sáu không chờ", "Sổ tay điện tử của tổ dân phố", "Bể lọc nước ở trường tiểu học"]
    )


async def test_list_without_a_column_says_which_and_files_nothing(fresh: Path, tmp_path: Path) -> None:
    without = [title for title in HEADER if title != "Tác giả"]
    rows = [cells[:2] + cells[3:] for cells in (row(1, "Một"), row(2, "Hai"))]
    file = workbook(tmp_path / "thieu-cot.xlsx", without, rows)

    rejected = [row_error(1, "Tác giả", "missing_column", name="Tác giả", found="; ".join(without)).as_json()]
    assert await imported(fresh, file) == (1, {"filed": 0, "already": 0, "rejected": rejected, "warnings": []})


async def test_file_that_is_no_list_ends_with_one_error(fresh: Path, tmp_path: Path) -> None:
    file = tmp_path / "hong.xlsx"
    file.write_bytes(b"PK\x03\x04 and then nothing")

    status, answer = await imported(fresh, file)
    assert (status, list(answer), sorted(answer["error"])) == (1, ["error"], ["code", "fix", "message"])
    assert answer["error"]["code"] == "file_broken"


async def test_evidence_goes_in_with_the_list_and_comes_back_whole(fresh: Path, tmp_path: Path) -> None:
    photo, folder, saved = b"\x89PNG" + bytes(range(256)) * 3_000, tmp_path / "minh-chung", tmp_path / "lay-ve"
    folder.mkdir()
    (folder / "Ảnh trước.png").write_bytes(photo)
    rows = [
        [*row(1, "Vườn rau trên mái trường"), "ảnh trước.png"],
        [*row(2, "Tủ sách đi động của phường"), "không có.pdf"],
    ]
    file = workbook(tmp_path / "co-minh-chung.xlsx", [*HEADER, "Minh chứng"], rows)
    known = set(titles(fresh)) if (fresh / "stores" / "intake.db").exists() else set()

    status, report = await asyncio.to_thread(
        sangkien, "import", file, "--evidence", folder, "--json", "--data-dir", fresh
    )

    rejected = [row_error(3, "Minh chứng", "evidence_not_found", name="không có.pdf").as_json()]
    counts = {"files": 1, "bytes": len(photo), "sent": len(photo)}
    expected = {"filed": 1, "already": 0, "rejected": rejected, "warnings": [], "evidence": counts}
    assert (status, report) == (0, expected)
    [version] = [doc for doc in sqlite_documents(fresh)("intake", "dossier_versions") if doc["title"] not in known]
    dossier_id = version["_id"].partition(":")[0]

    async def evidence(*words: str | Path) -> tuple[int, Any]:
        return await asyncio.to_thread(sangkien, "evidence", *words, "--json", "--data-dir", fresh)

    status, listed = await evidence("list", dossier_id)
    [known_as] = listed["files"]
    assert (status, known_as["name"], known_as["size"], known_as["held"]) == (0, "Ảnh trước.png", len(photo), True)
    place = {"path": str(saved / "Ảnh trước.png")}
    for which, already in (("", False), (known_as["sha256"][:8], True)):
        told = [known_as | place | {"already": already}]
        status, answer = await evidence("get", dossier_id, *([which] if which else []), "--out", saved)
        assert (status, answer["saved"], answer["missing"]) == (0, told, [])
    assert [(path.name, path.read_bytes()) for path in saved.iterdir()] == [("Ảnh trước.png", photo)]
    assert (await evidence("get", dossier_id, "khác.png"))[1]["error"]["code"] == "evidence_unknown"
