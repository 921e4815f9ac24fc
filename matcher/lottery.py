"""The public lottery: a seed that nobody chose, and keyed hashing that moves nobody else.

No pseudo-random generator decides anything: a number depends on the seed, the round and the person
alone, so adding a person, or re-submitting, changes nobody's number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TIE_BITS = 20


def draw_value(draw: dict[str, Any]) -> str | None:
    """The canonical value of a public draw, or None where it is not one.

    Twenty digits of dice as thrown, or the issue of 快乐8 and its twenty numbers, ascending.

    >>> draw_value({"kind": "kl8", "issue": "2026123", "value": "01 02"}) is None
    True
    """
    value, kind = str(draw.get("value", "")), draw.get("kind")
    if kind == "dice":
        return value if re.fullmatch(r"[0-9]{20}", value) else None
    numbers = re.split(r"[ ,]+", value.strip())
    good = (
        kind == "kl8"
        and re.fullmatch(r"[0-9]{4,12}", str(draw.get("issue", "")))
        and all(re.fullmatch(r"[0-9]{2}", n) and 1 <= int(n) <= 80 for n in numbers)
        and len(numbers) == 20
        and numbers == sorted(set(numbers))
    )
    return ",".join([str(draw["issue"]), *numbers]) if good else None


def draw_seed(digest: str, value: str) -> str:
    """The seed that a public draw makes of a frozen round: SHA-256 of digest and value, in hex."""
    return hashlib.sha256(f"orderclass-seed-1|{digest}|{value}".encode()).hexdigest()


def seed_of(draw: dict[str, Any] | None, stated: str) -> bytes:
    """The bytes of the seed: of the public draw where there is one, else the policy's."""
    return bytes.fromhex(str(draw["seed"]) if draw else stated)


def text(round_name: str, applicant: str) -> bytes:
    """What is hashed, under the seed as key, for an applicant's number."""
    return f"lottery|{round_name}|{applicant}".encode()


def numbers(seed: bytes, round_name: str, applicants: Sequence[str]) -> list[bytes]:
    """Each applicant's lottery number, big-endian; the lower number goes first.

    ``HMAC-SHA256(seed, "lottery|ROUND|APPLICANT")``
    """
    return list(_hashed(seed, text(round_name, ""), applicants))


def _hashed(seed: bytes, prefix: bytes, names: Iterable[str]) -> Iterator[bytes]:
    """``HMAC-SHA256(seed, prefix + NAME)`` for each name.

    Notes
    -----
    HMAC by its definition (RFC 2104), so that the key and the beginning of the text are hashed once
    and not once for each name: a third of the time of ``hmac.digest``.
    """
    key = (hashlib.sha256(seed).digest() if len(seed) > 64 else seed).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
    inner.update(prefix)
    for name in names:
        within, around = inner.copy(), outer.copy()
        within.update(name.encode())
        around.update(within.digest())
        yield around.digest()


def places(drawn: Sequence[bytes]) -> NDArray[np.int64]:
    """Each applicant's place in the order of the numbers, 0 for the lowest."""
    if not any(drawn):
        return np.arange(len(drawn))
    # Eight bytes settle it, but for an accident or for numbers that are none.
    heads = np.array(drawn, "S8").view(">u8") if drawn else np.zeros(0, ">u8")
    order = np.argsort(heads, kind="stable")
    if (np.diff(heads[order]) == 0).any():
        order = np.array(sorted(range(len(drawn)), key=drawn.__getitem__))
    place = np.empty(len(drawn), np.int64)
    place[order] = np.arange(len(drawn))
    return place


def tie_weights(
    seed: bytes, round_name: str, pairs: Iterable[tuple[str, str]]
) -> NDArray[np.int64]:
    """Two weights below 2**20 for each (applicant, program): shape (pairs, 2).

    The first 20 and the next 20 bits of ``HMAC-SHA256(seed, "tie|ROUND|APPLICANT|PROGRAM")``.
    """
    names = (f"{applicant}|{program}" for applicant, program in pairs)
    found = _hashed(seed, f"tie|{round_name}|".encode(), names)
    words = [int.from_bytes(digest[:5]) for digest in found]
    bits = np.array(words, np.int64)
    return np.stack([bits >> TIE_BITS, bits & ((1 << TIE_BITS) - 1)], axis=1)
