import unicodedata

from sangkien.text import collation_key, given_name_key


def test_collation_key_follows_the_vietnamese_alphabet() -> None:
    expected = ["An", "Ăn", "Âu", "Dũng", "Đức", "Em", "Êm", "Oanh", "Ôn", "Ơn", "Tư", "Ung", "Ưng", "Yên"]
    keys = [collation_key(text) for text in expected]
    assert keys == sorted(set(keys))


def test_collation_key_weighs_letters_then_tones_then_case() -> None:
    expected = ["ma", "Ma", "mà", "mả", "mã", "má", "mạ", "má an", "ma anh", "mã anh", "mai"]
    keys = [collation_key(text) for text in expected]
    assert keys == sorted(set(keys))


def test_collation_key_is_the_same_for_decomposed_text() -> None:
    assert collation_key(unicodedata.normalize("NFD", "Nguyễn Ỷ Đằng")) == collation_key("Nguyễn Ỷ Đằng")


def test_given_name_key_sorts_people_by_given_name_then_family() -> None:
    expected = ["Đỗ An", "Trần Văn An", "Lê Ánh", "Lê Ân", "Vũ Dũng", "Đức", "Bùi Đức"]
    keys = [given_name_key(text) for text in expected]
    assert keys == sorted(set(keys))
