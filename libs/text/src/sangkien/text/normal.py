"""Normal forms of Vietnamese text: what is stored (`nfc`, `nfc_lines`), what is one name (`same_name`), and
what is searched by (`fold`).
"""

import re
import unicodedata

# Đ is often typed as Icelandic eth (the two share a byte in Windows-1258 and Latin-1) or as African D.
_ETH_TO_D = str.maketrans({"\u00d0": "Đ", "\u00f0": "đ", "\u0189": "Đ", "\u0256": "đ"})
_BLANKS = re.compile(r"\s+")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_D_TO_LATIN = str.maketrans({"đ": "d", "Đ": "D"})


def _clean(char: str) -> str:
    category = unicodedata.category(char)
    if char.isspace():
        return char
    if category in {"Cc", "Cf"}:
        return ""
    if category == "Cs":
        return "\ufffd"  # a lone surrogate cannot be encoded as UTF-8 and would fail far from where it came in
    return char


def _is_sound(text: str) -> bool:
    """Whether a printable text is in normal form but for blanks at its ends."""
    if "  " in text:
        return False
    if text.isascii():
        return True
    # Four searches for a letter each take a twentieth of the time of one for any of them by a pattern.
    eth = "\u00d0" in text or "\u00f0" in text or "\u0189" in text or "\u0256" in text
    return not eth and unicodedata.is_normalized("NFC", text)


def nfc(text: str) -> str:
    """One line of clean text: the form every name, title and code has from its entry on.

    Composes to Unicode NFC (Windows-1258 combining tones included), mends Ð/ð typed for Đ/đ, drops zero-width and
    control characters, turns every run of blanks (no-break space, tab, line feed) into one space, and trims.
    Idempotent; never raises. Source: Unicode Standard Annex 15.
    """
    if text.isprintable() and _is_sound(text):  # most texts are; the rest takes 30 times as long
        return text.strip(" ")
    # Cleaning comes before composing: a zero-width character between a letter and its tone would keep them apart.
    cleaned = "".join(map(_clean, text.translate(_ETH_TO_D)))
    return unicodedata.normalize("NFC", _BLANKS.sub(" ", cleaned).strip())


def nfc_lines(text: str) -> str:
    """`nfc` for text of several paragraphs: line breaks are kept as line feeds, at most one empty line in a row."""
    if text.isprintable():  # no line break of any kind
        return text.strip(" ") if _is_sound(text) else nfc(text)
    lines = [nfc(line) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def fold(text: str) -> str:
    """The form to match by: lower case, no diacritics, `đ` as `d`, full-width forms as plain ones.

    Every tone goes, so where the tone mark was placed (hòa, hoà) makes no difference. Punctuation stays.
    """
    if text.isascii():
        return nfc(text).lower()
    decomposed = unicodedata.normalize("NFKD", nfc(text)).translate(_D_TO_LATIN)
    return nfc("".join(char for char in decomposed if unicodedata.category(char) != "Mn").casefold())


def same_name(text: str) -> str:
    """The form in which two names are one name: case, blanks and the place of a tone mark make no difference.

    Tones and letters do: Hòa and Hoà are one name, Hoa is another, and An is not Ân. Use it for identity, where `fold`,
    made for searching, would take one person for another.
    """
    return " ".join(map(_tone_last, nfc(text).casefold().split(" ")))


def _tone_last(word: str) -> str:
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    tones = "".join(sorted(char for char in letters if char in _TONES))
    return unicodedata.normalize("NFC", "".join(char for char in letters if char not in _TONES)) + tones
