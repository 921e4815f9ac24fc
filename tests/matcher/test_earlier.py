"""An earlier result: read, changed since, and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from matcher import Policy
from matcher.earlier import FILE, Earlier, Placement
from tests.matcher.test_resolve import confirmed, earlier
from tests.rounds import make_round, market

HEAD = "applicant,program,rank,seat,reason\n"


def written(folder: Path, text: str) -> Path:
    (folder / "placements.csv").write_text(text, "utf-8")
    return folder


def test_what_was_given_and_what_has_been_accepted_since(tmp_path: Path) -> None:
    """C has accepted another place than hers, D one where she had none; E had none."""
    rows = "A,P,1,open,ordinary\nC,P,1,open,ordinary\nE,,,,not_reached\nX,Z,1,open,ordinary\n"
    decisions = confirmed("A P", "C Q", "D Q")
    made = market(make_round(dict.fromkeys("ABCDE", "P Q"), {"P": 2, "Q": 2}, decisions=decisions))
    found = Earlier.read(written(tmp_path, HEAD + rows), made)
    assert found.placements == (
        Placement("A", "P", True), Placement("C", "Q", True), Placement("D", "Q", True),
        Placement("X", "Z", False),
    )  # fmt: skip
    assert not found.soft and len(found.parent) == 64
    assert [made.programs[made.program[e]] for e in found.held(made) if e >= 0] == ["P", "Q", "Q"]
    assert [one.cause for one in found.gone(made, Policy())] == ["applicant"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        HEAD + "A,P,1,,\nA,P,1,,\n",
        'applicant,program\n"A,P\n',
        "\0",
        "applicant\nA\n",
    ],
)
def test_what_is_no_table_of_placements(tmp_path: Path, text: str) -> None:
    made = market(make_round({"A": "P"}, {"P": 1}))
    with pytest.raises(ValueError, match=r"placements\.csv"):
        Earlier.read(written(tmp_path, text), made)


def test_bytes_that_are_no_text_and_a_folder_without_it(tmp_path: Path) -> None:
    made = market(make_round({"A": "P"}, {"P": 1}))
    with pytest.raises(OSError, match=r"placements\.csv"):
        Earlier.read(tmp_path, made)
    (tmp_path / "placements.csv").write_bytes(b"applicant,program\n\xff,P\n")
    with pytest.raises(UnicodeDecodeError):
        Earlier.read(tmp_path, made)


def test_there_and_back(tmp_path: Path) -> None:
    before = earlier("A P", "甲 Q !", soft=True)
    (tmp_path / FILE).write_bytes(before.to_csv())
    assert Earlier.read_back(tmp_path, {"resolve": before.about()}) == before
    assert Earlier.read_back(tmp_path, {}) is None


def test_one_person_given_two_places_is_no_result(tmp_path: Path) -> None:
    made = market(make_round({"A": "P Q"}, {"P": 1, "Q": 1}))
    with pytest.raises(ValueError, match=r"placements\.csv"):
        Earlier.read(written(tmp_path, HEAD + "A,P,1,,\nA,Q,2,,\n"), made)
