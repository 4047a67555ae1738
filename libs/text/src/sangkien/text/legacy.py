"""Finds text still in an encoding from before Unicode (TCVN3/ABC, VNI), so that an importer can refuse it clearly.

Detection works by decoding: a word counts as evidence when it is no Vietnamese syllable as it stands and is one once
decoded. Tables: TCVN 5712:1993 (the VN3 set used by .VnTime fonts) and the VNI Windows set.
"""

import re
import unicodedata
from typing import Literal

Encoding = Literal["TCVN3", "VNI"]

_TCVN3 = {
    ord(code): letter
    for code, letter in zip(
        "µ¶·¸¹¨»¼½¾Æ©ÇÈÉÊË®ÌÎÏÐÑªÒÓÔÕÖ×ØÜÝÞßáâãä«åæçèé¬êëìíîïñòóô\u00adõö÷øùúûüýþ¡¢£¤¥¦§−μ",
        "àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵăâêôơưđưà",
        strict=True,
    )
}
_VNI_MARKS = {
    "ø": "\u0300", "ù": "\u0301", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "à": "\u0302\u0300", "á": "\u0302\u0301", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323", "ê": "\u0306", "è": "\u0306\u0300", "é": "\u0306\u0301", "ú": "\u0306\u0309",
    "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_LETTERS = {"ñ": "đ", "ô": "ơ", "ö": "ư", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ì": "ì", "í": "í"}
_VNI_PAIR = re.compile(f"([aeouyôö])([{''.join(_VNI_MARKS)}])")

_TONES = "\u0300\u0301\u0303\u0309\u0323"
_ONSETS = ("", *"b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split())
_RHYMES = frozenset(
    """
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt
    oc oe oen oeo oet oi om on ong ooc oong op ot
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uôc uôi uôm uôn uông uôt uơ up ut
    uy uya uych uyên uyêt uynh uyp uyt uyu
    ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêng yêt yêu ynh yt
    """.split()
)
_EDGES = ".,;:!?()[]{}\"'“”‘’/\\-–—…*_"


def legacy_encoding(text: str) -> Encoding | None:
    """Name of the legacy encoding the text seems to be in, or None for sound text.

    Pass the text as it was read, before `nfc`: TCVN3 uses the soft hyphen as a letter, and `nfc` drops it.
    Conservative: text that holds as many plainly Unicode Vietnamese words as suspect ones is taken as Unicode.
    """
    counts = {"TCVN3": 0, "VNI": 0}
    sound = 0
    for raw in text.split():
        word = unicodedata.normalize("NFC", raw.strip(_EDGES)).lower()
        if word.isascii() or not re.search("[a-z]", word) or re.search(r"\d", word):
            continue
        if _is_syllable(word):
            sound += any(ord(char) > 0xFF for char in word)
            continue
        counts["TCVN3"] += word[0] != "µ" and _is_syllable(word.translate(_TCVN3))
        counts["VNI"] += _is_syllable(_from_vni(word))
    best: Encoding = "TCVN3" if counts["TCVN3"] >= counts["VNI"] else "VNI"
    return best if counts[best] > sound else None


def _from_vni(word: str) -> str:
    # Pairs go first: a mark that follows no vowel is a letter of its own ("ô" is ơ).
    parts = _VNI_PAIR.sub(lambda pair: _VNI_LETTERS.get(pair[1], pair[1]) + _VNI_MARKS[pair[2]], word)
    return unicodedata.normalize("NFC", "".join(_VNI_LETTERS.get(char, char) for char in parts))


def _is_syllable(word: str) -> bool:
    parts = unicodedata.normalize("NFD", word)
    if sum(char in _TONES for char in parts) > 1:
        return False
    toneless = unicodedata.normalize("NFC", "".join(char for char in parts if char not in _TONES))
    return any(toneless.startswith(onset) and toneless[len(onset) :] in _RHYMES for onset in _ONSETS)
