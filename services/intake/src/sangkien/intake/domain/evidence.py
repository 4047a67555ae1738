"""Evidence of a dossier (minh chứng): which files may come with it. What is in them only people judge."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sangkien.intake.domain.errors import (
    EvidenceMalformed,
    EvidenceNameInvalid,
    EvidenceTogetherTooLarge,
    EvidenceTooMany,
    EvidenceTwice,
    EvidenceTypeForbidden,
)

MIB: Final = 2**20
MOST_FILES: Final = 20
MOST_NAME: Final = 200
MOST_TOGETHER: Final = 200 * MIB

EXTENSIONS: Final = tuple(
    "pdf doc docx xls xlsx ppt pptx odt ods odp jpg jpeg png webp heic mp4 mov mp3 m4a dwg zip".split()
)
"""Kinds of files that offices can open: documents, pictures, recordings, drawings, archives. Nothing that runs."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_UNSAFE: Final = frozenset('/\\:*?"<>|')
"""What no file may be called with on one of the systems that people save it to."""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file by its content. `sha256` is 64 hex digits in lower case, `size` bytes, `name` what its authors call it."""

    sha256: str
    size: int
    name: str


def check_files(files: Sequence[EvidenceFile]) -> None:
    """Accept what may come with one dossier; how large one file may be is a setting of the service.

    Raises EvidenceTooMany, EvidenceMalformed, EvidenceNameInvalid, EvidenceTypeForbidden, EvidenceTwice,
    EvidenceTogetherTooLarge.
    """
    if len(files) > MOST_FILES:
        raise EvidenceTooMany(field="dossier.files", most=MOST_FILES)
    seen: set[str] = set()
    for place, file in enumerate(files):
        field = f"dossier.files[{place}]"
        if not _SHA256.fullmatch(file.sha256) or file.size < 1:
            raise EvidenceMalformed(field=field, position=place + 1)
        _check_name(file.name, field, place + 1)
        if file.sha256 in seen:
            raise EvidenceTwice(field=field, position=place + 1)
        seen.add(file.sha256)
    if sum(file.size for file in files) > MOST_TOGETHER:
        raise EvidenceTogetherTooLarge(field="dossier.files", most_mib=MOST_TOGETHER // MIB)


def _check_name(name: str, field: str, position: int) -> None:
    sound = name.isprintable() and unicodedata.is_normalized("NFC", name) and name == name.strip(" .")
    if not sound or not 1 <= len(name) <= MOST_NAME or _UNSAFE & set(name):
        raise EvidenceNameInvalid(field=f"{field}.name", position=position, most=MOST_NAME)
    stem, _, extension = name.rpartition(".")
    if not stem or extension.lower() not in EXTENSIONS:
        raise EvidenceTypeForbidden(field=f"{field}.name", position=position, extensions=", ".join(EXTENSIONS))
