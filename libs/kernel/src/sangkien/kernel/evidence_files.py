"""What an evidence file may be called, and of which kinds there are some: the same wherever one is named."""

import unicodedata
from typing import Final

MOST_NAME: Final = 200

EXTENSIONS: Final = tuple(
    "pdf doc docx xls xlsx ppt pptx odt ods odp jpg jpeg png webp heic mp4 mov mp3 m4a dwg zip".split()
)
"""Kinds of files that offices can open: documents, pictures, recordings, drawings, archives. Nothing that runs."""

_UNSAFE: Final = frozenset('/\\:*?"<>|')
"""What no file may be called with on one of the systems that people save it to."""


def is_sound_name(name: str) -> bool:
    """Whether it is a name in normal form that every system can save a file under, without folders."""
    sound = name.isprintable() and unicodedata.is_normalized("NFC", name) and name == name.strip(" .")
    return sound and 1 <= len(name) <= MOST_NAME and not _UNSAFE & set(name)


def is_taken_kind(name: str) -> bool:
    """Whether it ends like a kind of file that is taken."""
    stem, _, extension = name.rpartition(".")
    return bool(stem) and extension.lower() in EXTENSIONS
