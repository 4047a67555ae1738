"""Receipt codes: what people read out on the telephone, `SK-2023-7F3K-9QM2`."""

import hashlib

from sangkien.kernel.spoken_codes import as_typed, is_checked, is_spoken, spoken_code

_DATA_CHARACTERS = 7


def receipt_code(dossier_id: str, year: int) -> str:
    """The code of a dossier filed in `year`. 35 bits of a hash of its id: unique by an index, not by construction."""
    number = int.from_bytes(hashlib.sha256(dossier_id.encode()).digest()[:5]) >> 5
    return _printed(f"{year:04}", spoken_code(number, _DATA_CHARACTERS))


def read_receipt_code(typed: str) -> str | None:
    """A typed code in its stored form (any case, hyphens and blanks as one likes), None for what is no such code."""
    plain = as_typed(typed)
    year, code = plain[2:6], plain[6:]
    if not plain.startswith("SK") or not year.isdecimal() or not is_spoken(code, _DATA_CHARACTERS):
        return None
    return _printed(year, code) if is_checked(code) else None


def _printed(year: str, code: str) -> str:
    return f"SK-{year}-{code[:4]}-{code[4:]}"
