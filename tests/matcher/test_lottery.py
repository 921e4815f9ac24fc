"""The lottery: a seed that nobody chose, one number per person, nobody moved by others."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest

from matcher import lottery
from tests.rounds import make_round, market

SEED = bytes.fromhex("00ff")


@pytest.mark.parametrize(
    ("draw", "value"),
    [
        ({"kind": "dice", "value": "01234567890123456789"}, "01234567890123456789"),
        (
            {"kind": "kl8", "issue": "2026123", "value": " ".join(f"{n:02}" for n in range(1, 21))},
            "2026123," + ",".join(f"{n:02}" for n in range(1, 21)),
        ),
        (
            {"kind": "kl8", "issue": 2026123, "value": ", ".join(f"{n:02}" for n in range(61, 81))},
            "2026123," + ",".join(f"{n:02}" for n in range(61, 81)),
        ),
    ],
    ids=["dice", "kl8 by blanks", "kl8 by commas"],
)
def test_canonical_values_of_public_draws(draw: dict, value: str) -> None:
    assert lottery.draw_value(draw) == value


TWENTY = [f"{n:02}" for n in range(1, 21)]


@pytest.mark.parametrize(
    "draw",
    [
        {},
        {"kind": "coin", "value": "0" * 20},
        {"kind": "dice", "value": "0" * 19},
        {"kind": "dice", "value": "0" * 21},
        {"kind": "dice", "value": "１" * 20},
        {"kind": "dice"},
        {"kind": "kl8", "issue": "2026123", "value": " ".join(TWENTY[:19])},
        {"kind": "kl8", "issue": "2026123", "value": " ".join(reversed(TWENTY))},
        {"kind": "kl8", "issue": "2026123", "value": " ".join([*TWENTY[:19], "19"])},
        {"kind": "kl8", "issue": "2026123", "value": " ".join([*TWENTY[:19], "81"])},
        {"kind": "kl8", "issue": "2026123", "value": " ".join(["00", *TWENTY[1:]])},
        {"kind": "kl8", "issue": "2026123", "value": " ".join(n.lstrip("0") for n in TWENTY)},
        {"kind": "kl8", "issue": "", "value": " ".join(TWENTY)},
        {"kind": "kl8", "issue": "2026|12", "value": " ".join(TWENTY)},
        {"kind": "kl8", "value": " ".join(TWENTY)},
    ],
)
def test_what_is_no_draw(draw: dict) -> None:
    assert lottery.draw_value(draw) is None


def test_the_seed_is_made_of_digest_and_value() -> None:
    fed = b"orderclass-seed-1|abc|01234567890123456789"
    assert lottery.draw_seed("abc", "01234567890123456789") == hashlib.sha256(fed).hexdigest()


def test_the_draw_comes_before_the_policys_seed() -> None:
    assert lottery.seed_of({"seed": "ab"}, "") == b"\xab"
    assert lottery.seed_of(None, "cd") == b"\xcd"


def test_a_number_is_a_keyed_hash_of_round_and_applicant() -> None:
    expected = hmac.new(SEED, "lottery|2026第一轮|A".encode(), hashlib.sha256).digest()
    assert lottery.numbers(SEED, "2026第一轮", ["B", "A"])[1] == expected


def test_the_lowest_number_goes_first() -> None:
    assert lottery.places([b"\x02\x00", b"\x00\xff", b"\x01\x00"]).tolist() == [2, 0, 1]
    assert lottery.places([]).tolist() == []


def test_two_weights_of_twenty_bits_each() -> None:
    digest = hmac.new(SEED, b"tie|r|A|P", hashlib.sha256).digest()
    bits = bin(int.from_bytes(digest))[2:].rjust(256, "0")
    found = lottery.tie_weights(SEED, "r", [("A", "P")])
    assert found.tolist() == [[int(bits[:20], 2), int(bits[20:40], 2)]]
    assert lottery.tie_weights(SEED, "r", []).shape == (0, 2)


def test_numbers_depend_on_nobody_else() -> None:
    """Neither the order of rows nor further people move anybody's number."""
    few = market(make_round({"A": "P", "B": "P"}, {"P": 1}))
    many = market(make_round({"C": "P", "B": "P", "D": "", "A": "P"}, {"P": 1}))
    drawn = dict(zip(many.applicants, many.drawn, strict=True))
    assert [drawn[a] for a in few.applicants] == few.drawn


def test_ties_go_by_the_lower_number() -> None:
    people = [f"A{n}" for n in range(9)]
    m = market(make_round(dict.fromkeys(people, "P"), {"P": 1}))
    best = [m.applicants[m.owner[e]] for e in np.argsort(m.place)]
    assert best == sorted(people, key=lambda a: lottery.numbers(SEED, "", [a]))
    assert set(m.level.tolist()) == {0}


def test_another_round_another_number() -> None:
    one, two = (lottery.numbers(SEED, name, ["A"]) for name in ("1", "2"))
    assert one != two
