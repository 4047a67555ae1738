"""Evidence of a dossier (minh chứng): which files may come with it. What is in them only people judge."""

import re
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
from sangkien.kernel.evidence_files import EXTENSIONS, MOST_NAME, is_sound_name, is_taken_kind

MIB: Final = 2**20
MOST_FILES: Final = 20
MOST_TOGETHER: Final = 200 * MIB

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


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
        if not is_sound_name(file.name):
            raise EvidenceNameInvalid(field=f"{field}.name", position=place + 1, most=MOST_NAME)
        if not is_taken_kind(file.name):
            raise EvidenceTypeForbidden(field=f"{field}.name", position=place + 1, extensions=", ".join(EXTENSIONS))
        if file.sha256 in seen:
            raise EvidenceTwice(field=field, position=place + 1)
        seen.add(file.sha256)
    if sum(file.size for file in files) > MOST_TOGETHER:
        raise EvidenceTogetherTooLarge(field="dossier.files", most_mib=MOST_TOGETHER // MIB)
