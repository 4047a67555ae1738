"""Fixing what a document asserts: canonical bytes, their hash, and a short code people can type.

The hash is of the data, not of the PDF: the same data gives the same PDF bytes under one version of the typesetter and
the fonts, but an upgrade of either changes them, and a document issued years ago must still verify.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sangkien.documents.errors import DocumentError
from sangkien.kernel.spoken_codes import CHARACTERS_OF_HASH, as_typed, code_of_hash, is_checked, is_spoken

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**53 - 1

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | bool | date | None


def canonical_json(data: Json) -> bytes:
    """One and only one byte string for the same data: UTF-8 JSON, sorted keys, no blanks, strings in NFC.

    Dates become ISO strings; a time must carry its offset and is written in it. The result is RFC 8785 for what is
    allowed: text, integers up to 2**53 - 1, booleans, null, lists, and mappings with ASCII keys. Raises `DocumentError`
    for anything else (floats above all: money and shares are integers).
    """
    plain = _plain(data, "data")
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def check_code(data_hash: str) -> str:
    """Ten characters for a person to type: 45 bits of the hash in Crockford base 32, and a check character.

    The check finds every single wrong character and every two exchanged ones. Codes are short, hence not unique by
    construction (1 in 7,000 that any two among 100,000 documents agree): a register keeps them under a unique index
    and, should one be taken, adds a salt to the data before hashing. Raises `DocumentError` for what is no SHA-256.
    """
    if not _SHA256.fullmatch(data_hash):
        raise DocumentError("check code", "data_hash", "is not a SHA-256 in lower-case hexadecimal")
    return code_of_hash(data_hash)


def read_check_code(typed: str) -> str:
    """A typed check code in its stored form: any case, hyphens and blanks ignored, I and L read as 1, O as 0.

    Raises `DocumentError` when the length, a character or the check is wrong, so that a typing error is told apart from
    a document that does not exist.
    """
    code = as_typed(typed)
    if not is_spoken(code, CHARACTERS_OF_HASH):
        raise DocumentError("check code", "code", "must be ten letters and digits, as printed under the QR code")
    if not is_checked(code):
        raise DocumentError("check code", "code", "has a typing error; compare it with the printed one")
    return code


def grouped(code: str) -> str:
    """A check code as it is printed: `7K3QD-9M2XA`."""
    return f"{code[:5]}-{code[5:]}"


def _plain(value: object, at: str) -> object:
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= _LARGEST:
            return value
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise DocumentError("canonical data", at, "holds a broken character; write the text again") from None
            return unicodedata.normalize("NFC", value)
        case datetime() if value.tzinfo is None:
            raise DocumentError("canonical data", at, "is a time without its offset; use aware UTC times")
        case date():
            return value.isoformat()
        case Mapping():
            if odd := [key for key in value if not isinstance(key, str) or not key.isascii()]:
                raise DocumentError("canonical data", at, f"has a key that is not ASCII text: {odd[0]!r}")
            return {key: _plain(item, f"{at}.{key}") for key, item in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [_plain(item, f"{at}[{place}]") for place, item in enumerate(value)]
    allowed = "text, whole numbers up to 2**53 - 1, booleans, dates, lists and mappings"
    raise DocumentError("canonical data", at, f"is {type(value).__name__}; allowed are {allowed}")
