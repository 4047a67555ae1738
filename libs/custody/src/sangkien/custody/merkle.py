"""Merkle trees of RFC 6962 §2.1, over leaf hashes: a leaf's data is hashed once, when it is written."""

import hashlib
from collections.abc import Sequence

_SIZE = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of 0x00 and its data."""
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; of none, the SHA-256 of nothing. Raises ValueError when one has not 32 bytes."""
    level = _checked(leaves)
    if not level:
        return hashlib.sha256().digest()
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf at `index` (from 0), bottom first. Raises IndexError, and ValueError as `root`."""
    level = _checked(leaves)
    if not 0 <= index < len(level):
        raise IndexError(index)
    found = []
    while len(level) > 1:
        if (beside := index ^ 1) < len(level):
            found.append(level[beside])
        level, index = _above(level), index >> 1
    return found


def verify_path(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether the path leads from this leaf hash, at `index` of `size` leaves, to this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or any(len(one) != _SIZE for one in (leaf, *path)):
        return False
    found, last, waiting = leaf, size - 1, iter(path)
    while last:
        if index & 1 or index < last:
            beside = next(waiting, None)
            if beside is None:
                return False
            found = _node(beside, found) if index & 1 else _node(found, beside)
        index, last = index >> 1, last >> 1
    return next(waiting, None) is None and found == root


def _checked(leaves: Sequence[bytes]) -> list[bytes]:
    if any(len(leaf) != _SIZE for leaf in leaves):
        raise ValueError("a leaf hash has 32 bytes; hash its data with leaf_hash first")
    return list(leaves)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _above(level: list[bytes]) -> list[bytes]:
    """The level above: pairs hashed, an odd last one carried up as it is. That is the tree of RFC 6962."""
    pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) & 1 else pairs
