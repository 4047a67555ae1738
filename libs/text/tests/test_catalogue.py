import pytest

from sangkien.text.catalogue import CatalogueError, fix, known_codes, label, message, placeholders
from sangkien.text.catalogue._entries import read_labels, read_messages


def test_catalogue_of_the_project_loads_whole() -> None:
    assert "legacy_encoding" in known_codes()
    assert label("state.DA_NOP") == "Đã nộp"
    assert label("state.DA_NOP", "en") == "Filed"
    assert label("ballot.no") == "Không đồng ý"


def test_message_and_fix_fill_in_the_facts() -> None:
    assert message("legacy_encoding", {"encoding": "TCVN3"}, "en") == (
        "The text is still in the legacy encoding TCVN3, not in Unicode."
    )
    assert fix("legacy_encoding", {"encoding": "VNI"}).endswith("nguồn VNI) rồi nộp lại.")
    assert placeholders("legacy_encoding") == frozenset({"encoding"})


def test_message_never_fails_at_run_time() -> None:
    assert message("no_such_code", {"a": 1}) == "no_such_code"
    assert fix("no_such_code") == ""
    assert label("state.NO_SUCH") == "state.NO_SUCH"
    assert message("legacy_encoding") == "Chữ còn ở bảng mã cũ …, chưa phải Unicode."
    assert message("legacy_encoding", {"encoding": "{x}"}, "vi") == ("Chữ còn ở bảng mã cũ {x}, chưa phải Unicode.")


def test_placeholder_formats_write_money_and_dates_for_people() -> None:
    entry = read_messages("a.yaml", 'c: {vi: "{x:vnd} trước {d:date}", en: "{x:vnd} by {d:date}"}')["c"]
    facts: dict[str, str | int] = {"x": 75_060_000, "d": "2023-02-05"}
    assert entry.vi.fill(facts, "vi") == "75.060.000\u00a0đ trước 05/02/2023"
    assert entry.en.fill(facts, "en") == "75.060.000\u00a0đ by 5 February 2023"
    assert entry.vi.fill({"x": "?", "d": "soon"}, "vi") == "? trước soon"


def test_fact_is_put_into_words_by_a_group_of_labels() -> None:
    assert message("withdrawal_too_late", {"state": "DA_HOP"}) == (
        "Hồ sơ đang ở trạng thái “Đã họp hội đồng”, không rút được nữa."
    )
    assert message("role_missing", {"roles": "leader, no_such_role, secretary"}, "en") == (
        "You may not do this. It takes one of these roles: Leader who signs, no_such_role, Secretary."
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("c: {vi: a}", "a.yaml: c: has no en"),
        ("c: {vi: a, en: b, fr: c}", "a.yaml: c: has unknown fields: fr"),
        ("c: {vi: a, en: b, fix_vi: c}", "a.yaml: c: has fix_vi or fix_en without the other"),
        ('c: {vi: "{x}", en: "{y}"}', "a.yaml: c: vi and en differ in their placeholders: x, y"),
        ('c: {vi: "{x.y}", en: "{x.y}"}', "a.yaml: c: vi: {x.y} is not the name of a fact"),
        ('c: {vi: "{}", en: "{}"}', "a.yaml: c: vi: {} is not the name of a fact"),
        ('c: {vi: "{x:d}", en: "{x:d}"}', "a.yaml: c: vi: {x} has an unknown format; known are vnd, date"),
        ('c: {vi: "{x", en: "b"}', "a.yaml: c: vi: expected '}' before end of string"),
        ('c: {vi: "", en: "b"}', "a.yaml: c: vi is empty or not a text"),
        ('c: {vi: "e\\u0301", en: "b"}', "a.yaml: c: vi is not in Unicode NFC"),
        ("C: {vi: a, en: b}", "a.yaml: C: a code is snake_case"),
        ("c: text", "a.yaml: c: is not a mapping of languages to texts"),
        ("- c", "a.yaml: is not a mapping of codes to texts"),
    ],
)
def test_catalogue_file_that_is_wrong_is_refused(text: str, problem: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_messages("a.yaml", text)
    assert str(caught.value) == problem


def test_catalogue_file_refuses_a_code_written_twice() -> None:
    with pytest.raises(CatalogueError, match='the key "c" is there twice'):
        read_messages("a.yaml", "c: {vi: a, en: b}\nc: {vi: a, en: b}\n")


def test_catalogue_file_may_be_empty() -> None:
    assert read_messages("a.yaml", "# nothing yet\n") == {}


def test_label_key_read_as_another_type_is_refused() -> None:
    with pytest.raises(CatalogueError, match="quote what YAML reads otherwise"):
        read_labels("labels.yaml", "vote:\n  no: {vi: Không, en: No}\n")
