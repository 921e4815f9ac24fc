"""Identity numbers: nothing that cannot be right gets through, nothing right is refused."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from matcher import identity

# The standard's own examples (GB 11643, appendix).
GOOD = ["11010519491231002X", "440524188001010014"]


@pytest.mark.parametrize("number", [*GOOD, "11010519491231002x"])
def test_numbers_of_the_standard_pass(number: str) -> None:
    assert identity.fault(number) == ""


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("1.10105E+17", "identity_scientific"),
        ("1.10105194912310e17", "identity_scientific"),
        ("11e16", "identity_scientific"),
        ("１10105194912310020", "full_width"),
        ("11010519491231002Ｘ", "full_width"),
        ("11010519491231002", "identity_format"),
        ("1101051949123100200", "identity_format"),
        ("11010519491231002Y", "identity_format"),
        ("11010X194912310020", "identity_format"),
        (" 11010519491231002X", "identity_format"),
        ("110105194912310020", "identity_check"),
        ("110105491231002", "identity_format"),
        ("110105194902300028", "identity_date"),
        ("110105194913310020", "identity_date"),
    ],
)
def test_numbers_that_cannot_be_right(number: str, code: str) -> None:
    assert identity.fault(number) == code


@pytest.mark.parametrize("number", GOOD)
def test_any_single_digit_mistyped_is_found(number: str) -> None:
    wrong = [
        number[:at] + digit + number[at + 1 :]
        for at in range(18)
        for digit in "0123456789"
        if digit != number[at]
    ]
    assert [n for n in wrong if not identity.fault(n)] == []


@pytest.mark.parametrize("number", GOOD)
def test_neighbours_exchanged_are_found(number: str) -> None:
    wrong = [
        number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        for at in range(17)
        if number[at] != number[at + 1]
    ]
    assert [n for n in wrong if not identity.fault(n)] == []


def test_a_number_that_a_spreadsheet_mangled_is_never_repaired() -> None:
    """Fifteen digits survive, the rest become zeros; some of these pass the check digit."""
    random, passed = Random(1), 0
    for _ in range(2000):
        first = (
            f"370102{random.randrange(1950, 2009)}0{random.randrange(1, 9)}1{random.randrange(9)}"
        )
        number = first + f"{random.randrange(1000):03}"
        number += identity.check_digit(number)
        shown = f"{float(number.replace('X', '0')):.14E}"
        assert identity.fault(shown) == "identity_scientific"
        passed += not identity.fault(number[:15] + "000")
    assert passed > 0


def test_other_documents_have_other_numbers() -> None:
    assert identity.fault("E12345678", "02") == ""
    assert identity.fault("e12345678", "02") == "identity_format"
    assert identity.fault("E123", "02") == "identity_format"
    assert identity.fault("Ｅ1234567８", "02") == "full_width"
    assert identity.fault("1.5E+10", "02") == "identity_scientific"


@pytest.mark.parametrize("document", ["", "01", "25"])
def test_documents_with_a_resident_number(document: str) -> None:
    assert identity.fault("E12345678", document) == "identity_format"


def test_the_demos_numbers_belong_to_the_demo() -> None:
    first = identity.DEMO_AREA + "20080808001"
    number = first + identity.check_digit(first)
    assert identity.fault(number) == "identity_demo"
    assert identity.fault(number, demo=True) == ""


def test_what_a_number_states() -> None:
    assert identity.birth_date(GOOD[0]) == date(1949, 12, 31)
    assert identity.birth_date("110105190002290020") is None
    assert [identity.sex(n) for n in ("11010519491231002X", "110105194912310011")] == ["2", "1"]
