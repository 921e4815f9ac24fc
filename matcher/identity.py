"""Identity numbers: GB 11643 resident numbers and other documents, checked against typed facts."""

from __future__ import annotations

import re
from datetime import date

RESIDENT_TYPES = ("", "01", "25")
"""Documents with an 18-character number of GB 11643's form: resident cards and residence permits."""

DEMO_AREA = "371099"
"""An area that is assigned to no place: the demo's numbers can belong to nobody."""

_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_OTHER = re.compile(r"[A-Z0-9]{5,20}")
_SCIENTIFIC = re.compile(r"[0-9]+(\.[0-9]+)?[eE][+]?[0-9]+")
_WIDE = re.compile("[\uff10-\uff19\uff38\uff58]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def masked(number: str) -> str:
    """The number with its middle hidden, as lists and logs may show it.

    >>> masked("110105194912310021")
    '1101**********0021'
    """
    return number[:4] + "*" * (len(number) - 8) + number[-4:] if len(number) > 8 else number


def check_digit(first17: str) -> str:
    """The check digit of GB 11643 (ISO 7064, MOD 11-2): ``"10X98765432"[Σ dᵢ·wᵢ mod 11]``.

    >>> check_digit("11010519491231002"), check_digit("44052418800101001")
    ('X', '4')
    """
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def fault(number: str, document: str = "", *, demo: bool = False) -> str:
    """The issue code of a number that cannot be right; empty where nothing is wrong.

    A lower-case x counts as X.  Unknown areas pass: abolished counties stay valid for life.
    """
    if _SCIENTIFIC.fullmatch(number):
        return "identity_scientific"
    if _WIDE.search(number):
        return "full_width"
    if document not in RESIDENT_TYPES:
        return "" if _OTHER.fullmatch(number) else "identity_format"
    number = number.upper()
    if not _RESIDENT.fullmatch(number):
        return "identity_format"
    if birth_date(number) is None:
        return "identity_date"
    if check_digit(number[:17]) != number[17]:
        return "identity_check"
    return "identity_demo" if number.startswith(DEMO_AREA) and not demo else ""


def birth_date(number: str) -> date | None:
    """The date of birth that a resident number states, or None if there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex(number: str) -> str:
    """The sex that a resident number states, as the GB/T 2261.1 code (1 or 2)."""
    return "1" if int(number[16]) % 2 else "2"
