"""The outcomes of deferred acceptance over draws of the lottery."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...cells import Int
from .kernel import kernel
from .proposals import propose

Bool = NDArray[np.bool_]
Word = NDArray[np.uint32]

_LANES = 16
"""Hashes that are computed side by side, each step for all of them: what a processor does at once."""


def _primes(number: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < number:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root(value: int) -> int:
    root = int(value ** (1 / 3))
    while root**3 > value:
        root -= 1
    while (root + 1) ** 3 <= value:
        root += 1
    return root


# FIPS 180-4: the first 32 bits of the fractions of square and cube roots of the first primes.
_BEGIN = np.array([isqrt(p << 64) & 0xFFFFFFFF for p in _primes(8)], np.uint32)
_ROUND = np.array([_cube_root(p << 96) & 0xFFFFFFFF for p in _primes(64)], np.uint32)


@kernel
def _turned(x: Any, bits: int) -> Any:
    """A word of 32 bits rotated to the right."""
    return np.uint32(np.uint32(x >> np.uint32(bits)) | np.uint32(x << np.uint32(32 - bits)))


@kernel
def _compress(state: Word, w: Word) -> None:
    """SHA-256's compression (FIPS 180-4, 6.2.2) of a block in each lane.

    ``state`` holds 8 words, ``w`` 64 of which the first 16 are the block; word t of lane l stands at
    ``t * _LANES + l``.
    """
    for t in range(16, 64):
        for lane in range(_LANES):
            a, b = w[(t - 15) * _LANES + lane], w[(t - 2) * _LANES + lane]
            s0 = _turned(a, 7) ^ _turned(a, 18) ^ np.uint32(a >> np.uint32(3))
            s1 = _turned(b, 17) ^ _turned(b, 19) ^ np.uint32(b >> np.uint32(10))
            known = w[(t - 16) * _LANES + lane] + w[(t - 7) * _LANES + lane]
            w[t * _LANES + lane] = np.uint32(known + s0 + s1)
    v = state.copy()
    for t in range(0, 64, 8):
        for lane in range(_LANES):
            a, b, c, d = v[lane], v[_LANES + lane], v[2 * _LANES + lane], v[3 * _LANES + lane]
            e, f = v[4 * _LANES + lane], v[5 * _LANES + lane]
            g, h = v[6 * _LANES + lane], v[7 * _LANES + lane]
            for r in range(8):
                s1 = _turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)
                chosen = np.uint32(e & f) ^ np.uint32(~e & g)
                one = np.uint32(h + s1 + chosen + _ROUND[t + r] + w[(t + r) * _LANES + lane])
                s0 = _turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)
                two = np.uint32(s0 + (np.uint32(a & b) ^ np.uint32(a & c) ^ np.uint32(b & c)))
                h, g, f, e = g, f, e, np.uint32(d + one)
                d, c, b, a = c, b, a, np.uint32(one + two)
            v[lane], v[_LANES + lane], v[2 * _LANES + lane], v[3 * _LANES + lane] = a, b, c, d
            v[4 * _LANES + lane], v[5 * _LANES + lane] = e, f
            v[6 * _LANES + lane], v[7 * _LANES + lane] = g, h
    for x in range(8 * _LANES):
        state[x] = np.uint32(state[x] + v[x])


@kernel
def _heads(seed: Word, texts: Word, blocks: Int, heads: Any) -> None:
    """The first 64 bits of HMAC-SHA256(seed, text) for every text (RFC 2104).

    ``seed`` is the key in 16 words; ``texts`` is the padded texts, lanes side by side, of shape
    (groups, greatest number of blocks, 16 * _LANES); ``blocks`` tells how many each one has.
    """
    w = np.zeros(64 * _LANES, np.uint32)
    keyed = np.empty((2, 8 * _LANES), np.uint32)
    for side in range(2):
        pad = np.uint32(0x36363636) if side == 0 else np.uint32(0x5C5C5C5C)
        for t in range(16 * _LANES):
            w[t] = np.uint32(seed[t // _LANES] ^ pad)
        for t in range(8 * _LANES):
            keyed[side, t] = _BEGIN[t // _LANES]
        _compress(keyed[side], w)
    for group in range(len(texts)):
        inner, outer = keyed[0].copy(), keyed[1].copy()
        w[: 8 * _LANES] = 0
        for block in range(texts.shape[1]):
            w[: 16 * _LANES] = texts[group, block]
            after = inner.copy()
            _compress(after, w)
            for t in range(8 * _LANES):
                if block < blocks[group * _LANES + t % _LANES]:
                    inner[t] = after[t]
        # Eight words, the end mark, and the length in bits of the key's block and these words.
        w[: 16 * _LANES] = 0
        w[: 8 * _LANES] = inner
        w[8 * _LANES : 9 * _LANES] = np.uint32(0x80000000)
        w[15 * _LANES : 16 * _LANES] = np.uint32(768)
        _compress(outer, w)
        for lane in range(_LANES):
            high = np.uint64(outer[lane]) << np.uint64(32)
            heads[group * _LANES + lane] = high | np.uint64(outer[_LANES + lane])


def _padded(texts: Sequence[bytes]) -> tuple[Word, Int]:
    """Texts as blocks after a key's block, in lanes, and how many blocks each one has."""
    blocks = np.array([(len(text) + 9 + 63) // 64 for text in texts], np.int64)
    most, groups = int(blocks.max(initial=1)), -(-len(texts) // _LANES)
    bytes_ = b"".join(
        text + b"\x80" + bytes(64 * int(size) - len(text) - 9)
        + (8 * (64 + len(text))).to_bytes(8) + bytes(64 * (most - int(size)))
        for text, size in zip(texts, blocks, strict=True)
    )  # fmt: skip
    words = np.zeros((groups * _LANES, most, 16), np.uint32)
    words[: len(texts)] = np.frombuffer(bytes_, ">u4").reshape(-1, most, 16)
    lanes = words.reshape(groups, _LANES, most, 16).transpose(0, 2, 3, 1)
    spare = np.zeros(groups * _LANES - len(texts), np.int64)
    return np.ascontiguousarray(lanes).reshape(groups, most, 16 * _LANES), np.append(blocks, spare)


class Classes(NamedTuple):
    """What sequential closing asks of a market; see there."""

    class_of: Int
    min_size: Int
    class_order: Int


@kernel
def _shortest(classes: Classes, sizes: Int, closed: Bool) -> int:
    """The open class that falls short by most (equal: the later in plan order), −1 for none."""
    worst = -1
    for c in range(len(sizes)):
        short = classes.min_size[c] - sizes[c]
        if classes.min_size[c] <= 1 or closed[c] or short <= 0:
            continue
        most = classes.min_size[worst] - sizes[worst] if worst >= 0 else 0
        later = short == most and classes.class_order[c] > classes.class_order[worst]
        if short > most or later:
            worst = c
    return worst


@kernel
def _close(
    classes: Classes, at: Int, end: Int, program: Int, key: Int, seats: Int, first: Int,
    worst: Int, holder: Int, held: Int, refused: Bool,
) -> bool:  # fmt: skip
    """Close the classes that fall short, one after another; False as in ``propose``."""
    closed = np.zeros(len(classes.min_size), np.bool_)
    while True:
        sizes = np.zeros(len(classes.min_size), np.int64)
        for p in range(len(held)):
            sizes[classes.class_of[p]] += held[p]
        c = _shortest(classes, sizes, closed)
        if c < 0:
            return True
        closed[c] = True
        leaving = np.empty(sizes[c], np.int64)
        left = 0
        for p in range(len(held)):
            if classes.class_of[p] == c:
                for t in range(held[p]):
                    leaving[left] = holder[first[p] + t]
                    at[leaving[left]] += 1
                    left += 1
                seats[p] = held[p] = 0
        if not propose(leaving, at, end, program, key, seats, first, worst, holder, held, refused):
            return False


@kernel
def _draw(
    seeds: Word, texts: Word, blocks: Int, classes: Classes, start: Int, program: Int,
    level: Int, seats: Int, first: Int, shift: int, counts: Int, opened: Int, settled: Bool,
) -> None:  # fmt: skip
    """Count the outcomes of draws; one is not settled where equal keys competed."""
    n, m = len(start) - 1, len(seats)
    heads = np.empty(len(blocks), np.uint64)
    key = np.empty(len(program), np.int64)
    worst, holder = np.empty(first[m], np.int64), np.empty(first[m], np.int64)
    end, people = start[1:], np.arange(n)
    for number in range(len(seeds)):
        _heads(seeds[number], texts, blocks, heads)
        for i in range(n):
            drawn = np.int64(heads[i] >> np.uint64(64 - shift))
            for x in range(start[i], end[i]):
                key[x] = (level[x] << shift) + drawn
        at, left = start[:-1].copy(), seats.copy()
        held, refused = np.zeros(m, np.int64), np.zeros(m, np.bool_)
        settled[number] = propose(
            people, at, end, program, key, left, first, worst, holder, held, refused
        ) and _close(classes, at, end, program, key, left, first, worst, holder, held, refused)
        if settled[number]:
            sizes = np.zeros(len(opened), np.int64)
            for i in range(n):
                if at[i] < end[i]:
                    counts[at[i]] += 1
                    sizes[classes.class_of[program[at[i]]]] += 1
            for c in range(len(opened)):
                opened[c] += sizes[c] >= max(1, classes.min_size[c])


def draws(
    seeds: Sequence[bytes], texts: Sequence[bytes], classes: Classes,
    start: Int, program: Int, level: Int, seats: Int,
) -> tuple[Int, Int, Bool]:  # fmt: skip
    """The outcomes of ``stable`` with sequential closing, counted over draws of the lottery.

    Parameters
    ----------
    seeds
        One per draw, of at most 64 bytes.
    texts
        What the lottery hashes of each applicant.
    level
        Per edge: the level in the program's weak priority, as in ``Market``.

    Returns
    -------
    counts, opened
        In how many draws each edge was held (shape (e,)), each class opened (shape (k,)).
    settled
        The draws that are counted.  The others, one in tens of millions, have two lottery numbers
        that begin alike where that matters, and are for the caller to solve.

    Notes
    -----
    Per draw two hashes for each applicant and O(e log of the seats of a program); nothing is sorted.
    """
    words = [np.frombuffer(seed.ljust(64, b"\0"), ">u4") for seed in seeds]
    keys = np.array(words, np.uint32).reshape(len(seeds), 16)
    padded, blocks = _padded(texts)
    room = np.minimum(seats, np.bincount(program, minlength=len(seats)))
    counts, opened = np.zeros(len(program), np.int64), np.zeros(len(classes.min_size), np.int64)
    settled = np.zeros(len(seeds), bool)
    shift = 62 - int(level.max(initial=0)).bit_length()
    _draw(
        keys, padded, blocks, classes, start, program, level, seats,
        np.append(0, np.cumsum(room)), shift, counts, opened, settled,
    )  # fmt: skip
    return counts, opened, settled
