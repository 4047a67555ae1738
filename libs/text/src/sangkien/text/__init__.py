"""Vietnamese text: normal forms, sort keys, nearest names, legacy encodings, and the catalogue of user-facing texts."""

from sangkien.text.collation import collation_key, given_name_key
from sangkien.text.legacy import Encoding, legacy_encoding
from sangkien.text.normal import fold, nfc, nfc_lines, same_name
from sangkien.text.similarity import similar, spellings

__all__ = [
    "Encoding",
    "collation_key",
    "fold",
    "given_name_key",
    "legacy_encoding",
    "nfc",
    "nfc_lines",
    "same_name",
    "similar",
    "spellings",
]
