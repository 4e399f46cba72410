"""The Merkle tree of RFC 6962 section 2.1: hashes, roots, and proofs of inclusion and consistency.

A node (level, position) is the root of the complete subtree over leaves [position << level, (position + 1) << level).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeHash = Callable[[int, int], bytes]
"""Give the hash of the complete subtree at (level, position); level 0 is a leaf."""


def leaf_hash(content: bytes) -> bytes:
    """Return SHA-256(0x00 || content), 32 bytes (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), 32 bytes (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """The root of a complete subtree over 2^level leaves."""

    level: int
    position: int
    hash: bytes


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """Yield (level, position) of the largest complete subtrees that cover `size` leaves, left to right."""
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, (size >> level) - 1


class Frontier:
    """The right edge of a growing tree: enough to append and to give the root, in O(log size) memory."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, stored: NodeHash | None = None) -> None:
        """Resume a tree of `size` leaves, asking `stored` for its peaks; by default start an empty one."""
        if size and stored is None:
            raise ValueError("a tree that is not empty is resumed from its stored nodes")
        self.size = size
        self._peaks = [Node(level, at, stored(level, at)) for level, at in peaks(size)] if stored else []

    def append(self, leaf: bytes) -> list[Node]:
        """Add a leaf hash; return the nodes above it (level 1 and up) that it completes, lowest first."""
        node, completed = Node(0, self.size, leaf), []
        while self._peaks and self._peaks[-1].level == node.level:
            left = self._peaks.pop()
            node = Node(node.level + 1, node.position >> 1, node_hash(left.hash, node.hash))
            completed.append(node)
        self._peaks.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the Merkle Tree Hash of the leaves so far (RFC 6962 section 2.1)."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1].hash
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak.hash, root)
        return root


def inclusion_proof(stored: NodeHash, seq: int, size: int) -> list[bytes]:
    """Return the audit path of leaf `seq` in the tree of `size` leaves, lowest first (RFC 6962 section 2.1.1).

    :raises ValueError: when the tree has no such leaf.
    """
    if not 0 <= seq < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {seq}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if seq < middle:
            path.append(_range_hash(stored, middle, end))
            end = middle
        else:
            path.append(_range_hash(stored, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(stored: NodeHash, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `old` leaves is a prefix of the tree of `new` (RFC 6962 section 2.1.2).

    It is empty for equal sizes, and from the empty tree, of which every tree is an extension.

    :raises ValueError: when `old` exceeds `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is no prefix of one of {new}")
    if old in (0, new):
        return []
    start, end, path = 0, new, []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(stored, middle, end))
            end = middle
        else:
            path.append(_range_hash(stored, start, middle))
            start = middle
    # The verifier holds the old root itself, so it is left out when it is one complete subtree.
    return ([] if start == 0 else [_range_hash(stored, start, end)]) + path[::-1]


def verify_inclusion(seq: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `proof` shows that leaf `seq` is in the tree with `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= seq < size:
        return False
    left, last, found = seq, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if left & 1 or left == last:
            found = node_hash(step, found)
            left, last = _climb(left, last)
        else:
            found = node_hash(found, step)
        left, last = left >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether `proof` shows that the old tree is a prefix of the new (RFC 9162 section 2.1.4.2)."""
    if old == new or old == 0:
        return not proof and old_root == (new_root if old == new else EMPTY_ROOT)
    if not 0 < old < new or not proof:
        return False
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    left, last = old - 1, new - 1
    while left & 1:
        left, last = left >> 1, last >> 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if left & 1 or left == last:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            left, last = _climb(left, last)
        else:
            found_new = node_hash(found_new, step)
        left, last = left >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root


def _climb(left: int, last: int) -> tuple[int, int]:
    while left and not left & 1:
        left, last = left >> 1, last >> 1
    return left, last


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(stored: NodeHash, start: int, end: int) -> bytes:
    """Return the tree hash of the leaves [start, end), where `start` is a multiple of a power of two ≥ end - start."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return stored(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_hash(stored, start, middle), _range_hash(stored, middle, end))
