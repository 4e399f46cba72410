"""The tree against RFC 6962's own recursive definitions, and against published vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.core import merkle

# The reference leaves and roots of google/certificate-transparency (merkle_tree_test.cc).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def largest_power_below(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def grown(leaves: list[bytes]) -> tuple[merkle.Frontier, dict[tuple[int, int], bytes]]:
    frontier, nodes = merkle.Frontier(), {}
    for seq, content in enumerate(leaves):
        nodes[0, seq] = merkle.leaf_hash(content)
        for node in frontier.append(nodes[0, seq]):
            nodes[node.level, node.position] = node.hash
    return frontier, nodes


def stored(nodes: dict[tuple[int, int], bytes]) -> merkle.NodeHash:
    return lambda level, position: nodes[level, position]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert grown(LEAVES[:size])[0].root().hex() == ROOTS[size]


def test_published_proofs() -> None:
    get = stored(grown(LEAVES)[1])
    assert [step.hex() for step in merkle.inclusion_proof(get, 0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [step.hex() for step in merkle.consistency_proof(get, 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.lists(st.binary(max_size=4), max_size=70))
@settings(max_examples=60, deadline=None)
def test_root_is_the_recursive_definition(leaves: list[bytes]) -> None:
    frontier, nodes = grown(leaves)
    assert frontier.root() == naive_root(leaves)
    for (level, position), found in nodes.items():
        assert found == naive_root(leaves[position << level : (position + 1) << level])


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
@settings(max_examples=80, deadline=None)
def test_inclusion(leaves: list[bytes], data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, len(leaves) - 1))
    frontier, nodes = grown(leaves)
    proof = merkle.inclusion_proof(stored(nodes), seq, len(leaves))
    assert proof == naive_path(seq, leaves)
    root, leaf = frontier.root(), nodes[0, seq]
    assert merkle.verify_inclusion(seq, len(leaves), leaf, proof, root)
    assert not merkle.verify_inclusion(seq, len(leaves), merkle.leaf_hash(b"another"), proof, root)
    assert not merkle.verify_inclusion(seq, len(leaves), leaf, [*proof, root], root)
    assert not merkle.verify_inclusion(len(leaves), len(leaves), leaf, proof, root)
    if proof:
        assert not merkle.verify_inclusion(seq, len(leaves), leaf, proof[:-1], root)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
@settings(max_examples=80, deadline=None)
def test_consistency(leaves: list[bytes], data: st.DataObject) -> None:
    old, new = data.draw(st.integers(0, len(leaves))), len(leaves)
    proof = merkle.consistency_proof(stored(grown(leaves)[1]), old, new)
    assert proof == (naive_subproof(old, leaves, True) if old else [])
    old_root, new_root = naive_root(leaves[:old]), naive_root(leaves)
    assert merkle.verify_consistency(old, new, old_root, new_root, proof)
    rewritten = merkle.leaf_hash(b"another past")
    assert not merkle.verify_consistency(old, new, rewritten, new_root, proof)
    if 0 < old < new:
        assert not merkle.verify_consistency(old, new, old_root, rewritten, proof)
        assert not merkle.verify_consistency(old, new, old_root, new_root, proof[:-1])
        assert not merkle.verify_consistency(old, new, old_root, new_root, [*proof, new_root])
        assert not merkle.verify_consistency(new, old, new_root, old_root, proof)


@given(st.lists(st.binary(max_size=4), max_size=40), st.lists(st.binary(max_size=4), max_size=40))
@settings(max_examples=40, deadline=None)
def test_resumed_frontier_continues(first: list[bytes], second: list[bytes]) -> None:
    nodes = grown(first)[1]
    frontier = merkle.Frontier(len(first), stored(nodes))
    for content in second:
        frontier.append(merkle.leaf_hash(content))
    assert frontier.root() == naive_root(first + second)


def test_impossible_requests_are_refused() -> None:
    get = stored({})
    with pytest.raises(ValueError, match="no leaf 3"):
        merkle.inclusion_proof(get, 3, 3)
    with pytest.raises(ValueError, match="no prefix"):
        merkle.consistency_proof(get, 4, 3)
    with pytest.raises(ValueError, match="stored nodes"):
        merkle.Frontier(2)
