import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.custody import leaf_hash, path, root, verify_path

DATA = [
    bytes.fromhex(d) for d in "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f".split("|")
]
"""Leaves of the reference implementation of RFC 6962 (google/certificate-transparency, merkletree tests)."""
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d "
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125 "
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77 "
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7 "
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4 "
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef "
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c "
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
).split()
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}

trees = st.lists(st.binary(max_size=3), min_size=1, max_size=40).flatmap(
    lambda data: st.tuples(st.just([leaf_hash(d) for d in data]), st.integers(0, len(data) - 1))
)


def mth(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 writes it, from leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path_of(leaves: list[bytes], m: int) -> list[bytes]:
    """PATH as RFC 6962 §2.1.1 writes it."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return [*path_of(leaves[:k], m), mth(leaves[k:])] if m < k else [*path_of(leaves[k:], m - k), mth(leaves[:k])]


def test_roots_are_those_of_the_reference() -> None:
    leaves = [leaf_hash(data) for data in DATA]
    assert [root(leaves[:size]).hex() for size in range(1, 9)] == ROOTS
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_paths_are_those_of_the_reference(index: int, size: int) -> None:
    leaves = [leaf_hash(data) for data in DATA[:size]]
    assert [one.hex() for one in path(leaves, index)] == PATHS[index, size]


@given(trees)
def test_tree_of_any_size_is_that_of_the_rfc(tree: tuple[list[bytes], int]) -> None:
    leaves, index = tree
    assert root(leaves) == mth(leaves)
    assert path(leaves, index) == path_of(leaves, index)
    assert verify_path(leaves[index], index, len(leaves), path(leaves, index), root(leaves))


@given(trees, st.data())
def test_path_leads_nowhere_once_anything_of_it_changed(tree: tuple[list[bytes], int], data: st.DataObject) -> None:
    leaves, index = tree
    size, way, top = len(leaves), path(leaves, index), root(leaves)
    flipped = [*way]
    if way:
        at, bit = data.draw(st.integers(0, len(way) - 1)), data.draw(st.integers(0, 255))
        flipped[at] = (int.from_bytes(way[at]) ^ 1 << bit).to_bytes(32)
    wrong = [
        verify_path(leaf_hash(b"other"), index, size, way, top),
        verify_path(leaves[index], index, size, [*way, top], top),
        verify_path(leaves[index], index, size, way[:-1], top) if way else False,
        verify_path(leaves[index], index, size, flipped, top) if way else False,
        verify_path(leaves[index], size, size, way, top),
        verify_path(leaves[index], -1, size, way, top),
        verify_path(leaves[index], index, size, way, leaf_hash(b"other")),
    ]
    assert wrong == [False] * len(wrong)


def test_path_of_one_leaf_does_not_serve_another() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(7)]
    served = {
        (shown, claimed)
        for shown in range(7)
        for claimed in range(7)
        for way in range(7)
        if verify_path(leaves[shown], claimed, 7, path(leaves, way), root(leaves)) and (shown, claimed) != (way, way)
    }
    assert served == set()


def test_data_that_was_not_hashed_is_no_leaf() -> None:
    with pytest.raises(ValueError, match="leaf_hash"):
        root([b"raw entry"])
    with pytest.raises(IndexError):
        path([leaf_hash(b"")], 1)
