"""Sort keys in Vietnamese order, as plain strings: they may be stored and indexed, and compare by code point."""

import unicodedata

from sangkien.text.normal import nfc

# Order of tones: none, huyền, hỏi, ngã, sắc, nặng (Unicode CLDR, locale vi).
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
# "~" is above every ASCII letter, so ă sorts after all of a… and before b…
_LETTERS = {"ă": "a~", "â": "a~~", "đ": "d~", "ê": "e~", "ô": "o~", "ơ": "o~~", "ư": "u~"}
_SHAPES = {"\u0306", "\u0302", "\u031b"}
_LEVEL = "\t"  # below the blank and everything else that survives `nfc`: a shorter text sorts first


def _levels(text: str) -> tuple[str, str, str]:
    letters: list[str] = []
    tones: list[str] = []
    cases: list[str] = []
    for char in nfc(text):
        base, shape, tone = "", "", "0"
        for part in unicodedata.normalize("NFD", char):
            if part in _TONES:
                tone = _TONES[part]
            elif part in _SHAPES:
                shape += part
            else:
                base += part
        letter = unicodedata.normalize("NFC", base.lower() + shape)
        letters.append(_LETTERS.get(letter, letter))
        tones.append(tone)
        cases.append("1" if char.isupper() else "0")
    return "".join(letters), "".join(tones).rstrip("0"), "".join(cases).rstrip("0")


def collation_key(text: str) -> str:
    """Key that sorts text as Vietnamese readers expect: a ă â b … d đ e ê … o ô ơ … u ư …, then tone, then case.

    Letters of the whole text weigh before tones, tones before case (small before capital), as in Unicode CLDR.
    """
    return _LEVEL.join(_levels(text))


def given_name_key(full_name: str) -> str:
    """Key that sorts people by given name (the last word), then by family and middle names, in Vietnamese order."""
    rest, _, given = nfc(full_name).rpartition(" ")
    given_letters, given_tones, given_case = _levels(given)
    rest_letters, rest_tones, rest_case = _levels(rest)
    return _LEVEL.join((given_letters, given_tones, rest_letters, rest_tones, given_case, rest_case))
