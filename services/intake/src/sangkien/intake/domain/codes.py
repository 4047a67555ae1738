"""Receipt codes: what people read out on the telephone, `SK-2023-7F3K-9QM2`.

Crockford's base 32 leaves out I, L, O and U, so nothing is misread; the last character is a check over the seven before
it, in GF(32) with distinct weights, and finds every single wrong character and every exchange of two.
"""

import hashlib

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_DATA = 7


def receipt_code(dossier_id: str, year: int) -> str:
    """The code of a dossier filed in `year`. 35 bits of a hash of its id: unique by an index, not by construction."""
    number = int.from_bytes(hashlib.sha256(dossier_id.encode()).digest()[:5]) >> 5
    values = [number >> 5 * place & 31 for place in reversed(range(_DATA))]
    body = "".join([_ALPHABET[value] for value in [*values, _check(values)]])
    return f"SK-{year:04}-{body[:4]}-{body[4:]}"


def read_receipt_code(typed: str) -> str | None:
    """A typed code in its stored form (any case, hyphens and blanks as one likes), None for what is no such code."""
    plain = typed.upper().translate(_MISREAD)
    year, body = plain[2:6], plain[6:]
    if not plain.startswith("SK") or not year.isdecimal() or len(body) != _DATA + 1 or not _VALUES.keys() >= set(body):
        return None
    values = [_VALUES[character] for character in body]
    return f"SK-{year}-{body[:4]}-{body[4:]}" if _check(values[:-1]) == values[-1] else None


def _check(values: list[int]) -> int:
    total = 0
    for value in values:
        total = _doubled(total) ^ value
    return _doubled(total)


def _doubled(value: int) -> int:
    return value << 1 ^ (0x25 if value & 16 else 0)
