from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.documents import DocumentError, Json, canonical_json, check_code, grouped, read_check_code, sha256_hex

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_canonical_json_is_one_byte_string_for_the_same_data() -> None:
    data: Json = {"title": "Sáng kiến", "on": date(2023, 12, 20), "shares": (6000, 4000), "a": None, "ok": True}
    again: Json = {
        "ok": True,
        "a": None,
        "shares": [6000, 4000],
        "on": "2023-12-20",
        "title": "Sa\u0301ng kie\u0302\u0301n",
    }
    assert canonical_json(data) == canonical_json(again)
    assert canonical_json(data) == (
        '{"a":null,"ok":true,"on":"2023-12-20","shares":[6000,4000],"title":"Sáng kiến"}'.encode()
    )


def test_canonical_json_and_code_of_known_data_never_change() -> None:
    data_hash = sha256_hex(canonical_json({"number": "27/GCN-UBND", "holder": "Nguyễn Thị Ánh"}))
    assert data_hash == "338eec96e6e99648c7dea88e033bab3fea6e4710716b2c9e2c3d65eeb1398e3c"
    assert check_code(data_hash) == "6E7ES5Q6XW"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"a": {"b": [1.5]}}, "canonical data: data.a.b[0]: is float"),
        ({"at": datetime(2023, 1, 1)}, "canonical data: data.at: is a time without its offset"),  # noqa: DTZ001
        ({"n": 2**53}, "canonical data: data.n: is int"),
        ({"b": b"x"}, "canonical data: data.b: is bytes"),
        ({"tên": 1}, "canonical data: data: has a key that is not ASCII text: 'tên'"),
        (["\ud800"], "canonical data: data[0]: holds a broken character"),
    ],
)
def test_canonical_json_refuses_what_has_no_one_form(data: object, problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        canonical_json(data)  # type: ignore[arg-type]
    assert str(caught.value).startswith(problem)


def test_canonical_json_keeps_the_offset_of_a_time() -> None:
    hanoi = timezone(timedelta(hours=7))
    assert canonical_json([datetime(2023, 1, 1, tzinfo=UTC)]) == b'["2023-01-01T00:00:00+00:00"]'
    assert canonical_json([datetime(2023, 1, 1, tzinfo=hanoi)]) == b'["2023-01-01T00:00:00+07:00"]'


@given(hashes, st.sampled_from(["{}", " {} ", "{}-"]))
def test_check_code_is_read_however_it_is_typed(data_hash: str, typed: str) -> None:
    code = check_code(data_hash)
    assert len(code) == 10
    assert read_check_code(typed.format(grouped(code).lower())) == code
    assert read_check_code(code.replace("1", "l").replace("0", "o")) == code


@given(hashes, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_check_code_finds_every_single_error(data_hash: str, place: int, wrong: str) -> None:
    code = check_code(data_hash)
    typed = code[:place] + wrong + code[place + 1 :]
    if typed == code:
        return
    with pytest.raises(DocumentError, match="typing error"):
        read_check_code(typed)


@given(hashes, st.integers(0, 8), st.integers(1, 9))
def test_check_code_finds_every_exchange(data_hash: str, left: int, right: int) -> None:
    characters = list(check_code(data_hash))
    if characters[left] == characters[right]:
        return
    characters[left], characters[right] = characters[right], characters[left]
    with pytest.raises(DocumentError, match="typing error"):
        read_check_code("".join(characters))


@pytest.mark.parametrize("typed", ["", "7K3QD", "7K3QD9M2XAA", "7K3QD9M2XU", "7K3QD9M2X*"])
def test_check_code_of_the_wrong_form_is_told_apart(typed: str) -> None:
    with pytest.raises(DocumentError, match="ten letters and digits"):
        read_check_code(typed)


@pytest.mark.parametrize("data_hash", ["", "abc", "g" * 64, "a" * 63, " " * 64])
def test_check_code_wants_a_sha256(data_hash: str) -> None:
    with pytest.raises(DocumentError, match="is not a SHA-256"):
        check_code(data_hash)
