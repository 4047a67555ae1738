import pytest

from sangkien.text import legacy_encoding


@pytest.mark.parametrize(
    "text",
    [
        "S¸ng kiÕn",
        "Uû ban nh©n d©n",
        "øng dông c«ng nghÖ th«ng tin trong qu¶n lý c¸c tr−êng phæ th«ng d©n téc néi tró",
        "Thùc tr¹ng y tÕ tr-êng häc ë c¸c tr-êng tiÓu häc, trung häc c¬ së",
        "To¸n",
        "trμo công đoμn",
    ],
)
def test_legacy_encoding_finds_tcvn3(text: str) -> None:
    assert legacy_encoding(text) == "TCVN3"


@pytest.mark.parametrize("text", ["BOÄ GIAO THOÂNG VAÄN TAÛI", "NGUYEÃN VAÊN AN", "ñöôøng"])
def test_legacy_encoding_finds_vni(text: str) -> None:
    assert legacy_encoding(text) == "VNI"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Plain ASCII",
        "Lê Hà",
        "Tân Trà, xã Hòa Lạc",
        "Một số biện pháp «trung tâm» cho trẻ 5-6 tuổi tại lớp Mẫu giáo lớn A2",
        "Khung nắn chỉnh 5µm, Ø20, ma trận m×n, 25°C, Microsoft®",
        "Café Müller, São Paulo, El Niño, Noël, Björn, naïve",
        "Hợp tác với São Paulo · Curaçao",
        "Đơ\u0323t I",
    ],
)
def test_legacy_encoding_leaves_sound_text_alone(text: str) -> None:
    assert legacy_encoding(text) is None
