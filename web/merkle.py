"""A Merkle tree over the lines of a publication: one root for everybody, one short path for each.

``leaf = SHA-256(0x00 ‖ salt ‖ row)``, ``node = SHA-256(0x01 ‖ left ‖ right)``; the last node of a level
that has no partner goes up as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf(salt: bytes, row: bytes) -> bytes:
    """The hash of a line; without its salt nobody can tell which line it is of."""
    return hashlib.sha256(b"\x00" + salt + row).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree(leaves: Sequence[bytes]) -> tuple[bytes, list[list[str]]]:
    """The root, and the path of each leaf: its neighbours from below, as ``L`` or ``R`` and hex."""
    if not leaves:
        return hashlib.sha256(b"").digest(), []
    paths: list[list[str]] = [[] for _ in leaves]
    level = [(value, [at]) for at, value in enumerate(leaves)]
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            for at in left[1]:
                paths[at].append("R" + right[0].hex())
            for at in right[1]:
                paths[at].append("L" + left[0].hex())
            above.append((node(left[0], right[0]), left[1] + right[1]))
        level = above + level[len(above) * 2 :]
    return level[0][0], paths


def climb(start: bytes, path: Sequence[str]) -> bytes:
    """The root to which a leaf leads along its path."""
    for step in path:
        other = bytes.fromhex(step[1:])
        start = node(other, start) if step[0] == "L" else node(start, other)
    return start
