"""Who signs, and in whose stead (Decree 30/2020/NĐ-CP, article 13)."""

from dataclasses import dataclass
from typing import Final

from sangkien.recognition.domain.errors import RecognitionTextMalformed, SignedForMismatch, SigningModeUnknown

_MODES: Final = ("", "TM", "KT", "TUQ", "TL")
_IN_STEAD: Final = ("KT", "TUQ", "TL")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Authority:
    """How a signer signs: `mode` "" in the own right, TM for the collective, KT in place of a superior, TUQ authorised,
    TL by order. `on_behalf_of` is the position signed for; with TM it may name the chair a deputy signs in place of.

    Raises SigningModeUnknown, RecognitionTextMalformed and SignedForMismatch.
    """

    mode: str
    position: str
    on_behalf_of: str = ""

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise SigningModeUnknown(field="signing_mode")
        if not 0 < len(self.position) <= _LONGEST:
            raise RecognitionTextMalformed(field="signer_title", limit=_LONGEST)
        if len(self.on_behalf_of) > _LONGEST:
            raise RecognitionTextMalformed(field="on_behalf_of", limit=_LONGEST)
        if (self.mode in _IN_STEAD and not self.on_behalf_of) or (not self.mode and self.on_behalf_of):
            raise SignedForMismatch(field="on_behalf_of")


@dataclass(frozen=True, slots=True)
class Issuer:
    """The organisation that issues, as printed on the day; `superior` is "" where none is printed."""

    name: str
    superior: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature given: the signer's id and name, and the authority."""

    person_id: str
    name: str
    authority: Authority
