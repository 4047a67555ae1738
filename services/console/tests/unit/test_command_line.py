"""The command line itself: what a program gets on stdout when the words after `sangkien` are wrong."""

import json
import sys
from pathlib import Path

import pytest

from sangkien.console.__main__ import main
from sangkien.console.commands.demo_command import json_to_file
from sangkien.console.node.folder import NodeFolder


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str]:
    """The exit status and stdout."""
    monkeypatch.setattr(sys, "argv", ["sangkien", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("clock", "--rule", "decide", "--json"),
        ("reward", "quote", "--form", "--json"),
        ("demo", "ba-dinh-2023", "--scale", "0", "--json"),
        ("demo", "ba-dinh-2023", "--mongo", "localhost:27017", "--json"),
        ("import", "--json"),
        ("deadletters", "show", str(2**64), "--json"),
        ("no-such-command", "--json"),
        ("node", "invite", "--org", "ba-dinh", "--json"),
        ("node", "revoke", "ba-dinh", "--json"),
        ("audit", "proof", "bang-chung.json", "--json"),
        ("organisation", "reorganise", "--from", "ba-dinh:U", "--json"),
        ("person", "propose", "ba-dinh:P", "--json"),
    ],
)
def test_wrong_words_are_answered_with_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    status, answer = said(monkeypatch, capsys, *words)

    error = json.loads(answer)["error"]
    assert (status, error["code"]) == (2, "usage")
    vietnamese, _, english = error["message"].partition(" · ")
    assert (vietnamese.isascii(), english == "") == (False, False)
    assert (error["fix"][:11], error["fix"][-7:]) == ("xem · see: ", " --help")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("clock", "--rule", "decide"), "✗ Thiếu phần bắt buộc · Missing option '--from'."),
        (("up", "--smtp", "thu.example.vn"), "✗ Giá trị không hợp lệ · Invalid value for '--smtp': "),
    ],
)
def test_wrong_words_are_told_to_people_vietnamese_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["sangkien", *words])
    with pytest.raises(SystemExit) as ended:
        main()

    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    assert shown.err.startswith(told)


def test_what_nobody_foresaw_is_one_json_object_and_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sangkien.rules.quote", lambda *_: 1 // 0)
    words = ("reward", "quote", "--form", "ldtt", "--holder", "individual", "--on", "2023-12-20", "--json")
    monkeypatch.setattr(sys, "argv", ["sangkien", *words])
    with pytest.raises(ZeroDivisionError):
        main()

    assert json.loads(capsys.readouterr().out)["error"]["code"] == "internal"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("demo", "ba-dinh-2023"), "data_dir_unusable"),
        (("import", "danh-sach.xlsx"), "data_dir_unusable"),
        (("status",), "node_unknown"),
    ],
)
def test_file_in_the_place_of_a_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    code: str,
) -> None:
    file = tmp_path / "danh-sach.xlsx"
    file.touch()
    monkeypatch.chdir(tmp_path)
    status, answer = said(monkeypatch, capsys, *words, "--data-dir", str(file), "--json")

    assert (status, json.loads(answer)["error"]["code"]) == (1, code)


def test_template_that_cannot_be_written_is_answered_with_its_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "khong-co" / "mau.xlsx")
    status, answer = said(monkeypatch, capsys, "import", "--template", path, "--json")

    error = json.loads(answer)["error"]
    assert (status, error["code"]) == (1, "template_unwritable")
    assert error["message"].startswith(path)


def test_square_brackets_in_what_is_refused_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sangkien", "demo", "[/red]"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    assert "[/red]: không có kịch bản hay tệp này" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("trace", "01ABC"),
        ("deadletters", "list"),
        ("deadletters", "replay", "1"),
        ("report", "round"),
        ("node", "status"),
        ("node", "doctor"),
        ("node", "rotate-keys"),
        ("node", "leave", "--yes"),
        ("node", "suspend", "ba-dinh", "--reason", "thử"),
        ("exchange", "peers"),
        ("exchange", "message", "01ABC"),
        ("dossier", "01ABC"),
        ("evidence", "list", "01ABC"),
        ("evidence", "get", "01ABC"),
        ("audit", "verify"),
    ],
)
def test_looking_at_a_folder_without_a_node_says_so_and_leaves_nothing_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    folder = tmp_path / "nham"
    status, answer = said(monkeypatch, capsys, *words, "--data-dir", str(folder), "--json")

    assert (status, json.loads(answer)["error"]["code"], folder.exists()) == (1, "node_unknown", False)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("node", "status"), "node_not_joined"),
        (("node", "doctor"), "node_not_joined"),
        (("exchange", "peers"), "node_not_joined"),
        (("dossier", "01ABC"), "node_not_joined"),
        (("audit", "verify"), "node_not_joined"),
        (("node", "invite", "--org", "ba-dinh", "--profile", "district"), "hub_not_here"),
        (("exchange", "proof", "01ABC", "--out", "bang-chung.json"), "hub_not_here"),
    ],
)
def test_node_that_is_alone_is_told_so_without_being_started(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    code: str,
) -> None:
    NodeFolder(tmp_path).identity()
    status, answer = said(monkeypatch, capsys, *words, "--data-dir", str(tmp_path), "--json")

    assert (status, json.loads(answer)["error"]["code"]) == (1, code)
    assert list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("--hub-host", "hub.example.vn"), "--profile city"),
        (("--profile", "city", "--hub-host", "hub.example.vn:7422"), "--hub-host hub.example.vn"),
        (("--profile", "city", "--hub-ports", "7422"), "--hub-ports 7422,7443"),
        (("--profile", "tinh"), "--profile city"),
        (("--node", "Ba Đình"), "--node ba-dinh"),
    ],
)
def test_node_is_not_begun_with_a_choice_that_makes_no_sense(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    mend: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["sangkien", "up", *words, "--data-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()

    assert (ended.value.code, mend in capsys.readouterr().err) == (1, True)
    assert list((tmp_path / "logs").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "understood"),
    [
        (["nam", "--json"], ["nam", "--json"]),
        (["--json", "nam.yaml"], ["--json", "nam.yaml"]),
        (["nam", "--json", "--seed", "2"], ["nam", "--json", "--seed", "2"]),
        (["nam", "--json", "so-lieu.json", "--keep"], ["nam", "--json-file", "so-lieu.json", "--keep"]),
        (["nam", "--json=so-lieu"], ["nam", "--json-file", "so-lieu"]),
        (["nam", "--json", "so-lieu.txt", "--seed", "2"], ["nam", "--json-file", "so-lieu.txt", "--seed", "2"]),
        (["--json", "so-lieu", "nam.json"], ["--json-file", "so-lieu", "nam.json"]),
        (["--seed", "2", "--json", "nam.json"], ["--seed", "2", "--json", "nam.json"]),
    ],
)
def test_figures_go_to_the_file_named_behind_json(words: list[str], understood: list[str]) -> None:
    assert json_to_file(words) == understood


def test_file_for_the_figures_that_cannot_be_written_is_refused_before_anything_is_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "khong-co" / "so-lieu.json")
    status, answer = said(monkeypatch, capsys, "demo", "ba-dinh-2023", "--json", path)

    error = json.loads(answer)["error"]
    assert (status, error["code"], path in error["message"]) == (2, "usage", True)
