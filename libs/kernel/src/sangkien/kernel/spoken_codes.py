"""Codes that people read out and type: Crockford's base 32 with a check character.

The alphabet leaves out I, L, O and U, so that nothing is misread aloud or by eye. The check finds every single wrong
character and every two exchanged ones, in codes of up to 30 characters.
"""

from collections.abc import Sequence

CHARACTERS_OF_HASH = 9
"""Of a code that stands for a document, before its check character."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_DOUBLED = [value << 1 ^ (0x25 if value & 16 else 0) for value in range(32)]
"""Each element of GF(32) (x^5 + x^2 + 1) times its generator x."""
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def spoken_code(number: int, characters: int) -> str:
    """The lowest 5 x `characters` bits of `number`, the highest first, and the check character."""
    values = [(number >> 5 * place) & 31 for place in reversed(range(characters))]
    return "".join([_ALPHABET[value] for value in [*values, _check(values)]])


def code_of_hash(sha256: str) -> str:
    """Ten characters that stand for a document by the hash of its data: 45 bits of it and the check character.

    `sha256` is 64 lower-case hexadecimal digits.
    """
    return spoken_code(int(sha256[:12], 16) >> 3, CHARACTERS_OF_HASH)


def as_typed(text: str) -> str:
    """What somebody typed in stored form: any case, hyphens and blanks ignored, I and L read as 1, O as 0."""
    return text.upper().translate(_MISREAD)


def is_spoken(code: str, characters: int) -> bool:
    """Whether it has the length and the alphabet of a code with so many characters before its check."""
    return len(code) == characters + 1 and _VALUES.keys() >= set(code)


def is_checked(code: str) -> bool:
    """Whether the check character fits the others. `code` is in the alphabet."""
    values = [_VALUES[character] for character in code]
    return _check(values[:-1]) == values[-1]


def _check(values: Sequence[int]) -> int:
    # Weights are distinct powers of a generator, which is what makes every single error and every exchange of two
    # characters change the sum.
    total = 0
    for value in values:
        total = _DOUBLED[total] ^ value
    return _DOUBLED[total]
