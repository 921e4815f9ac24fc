"""What is told of what would have been enough, in sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from matcher import (
    InvalidRound,
    Policy,
    Tables,
    cli,
    whatif_screen,
)
from matcher.changes import (
    Score,
)
from matcher.enough import Missed
from matcher.least import Search
from matcher.opening import Opening
from matcher.whatif import Solved
from matcher.whatif_screen import Asked, of_change, of_missed, of_opening
from tests.rounds import make_round

# --- what is told of what is found

EXAMPLE = Path(__file__).parents[2] / "data" / "example"


def codes(told: object) -> list[str]:
    return [code for code, _ in told]  # type: ignore[attr-defined]


SURE, UNSURE = Search(8000, 3, True, True), Search(8000, 3, False)


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        (Missed("P", 1, ("age", "total")), ["barred"]),
        (Missed("P", 1), ["score_none", "seat_not_enough", "order_same"]),
        (Missed("P", 1, score=SURE, need="80", told=True, seat=True, first=True),
         ["score_enough", "seat_enough", "order_first"]),
        (Missed("P", 1, score=SURE, need="80"), ["score_withheld", "seat_not_enough", "order_same"]),
        (Missed("P", 1, score=UNSURE, need="80"),
         ["score_withheld", "not_monotone", "seat_not_enough", "order_same"]),
        (Missed("P", 1, score=UNSURE, need="80", told=True, first_change="better"),
         ["score_found", "not_monotone", "seat_not_enough", "order_moves"]),
        (Missed("P", 1, score=Search(None, 3, True), told=True),
         ["score_never", "seat_not_enough", "order_same"]),
        (Missed("P", 1, score=Search(None, 3, False)),
         ["score_not_found", "seat_not_enough", "order_same"]),
    ],
)  # fmt: skip
def test_what_is_told_of_a_choice(missed: Missed, said: list[str]) -> None:
    base = Solved.of(tables := make_round({"A": "P"}, {"P": 1}), Policy.from_tables(tables))
    told = list(of_missed(base, "A", missed))
    assert codes(told) == ["missed", *said]
    assert "80" not in str(told) or {"score_enough", "score_found"} & set(said)


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        (Opening("C", True, 3, 2, 4), ["class_open"]),
        (Opening("C", False, 1, 3, 3, more=Search(2, 2, True), lower=Search(2, 2, True)),
         ["class_closed", "class_more", "class_lower"]),
        (Opening("C", False, 0, 3, 2, ("D",), more=Search(1, 1, True), lower=Search(1, 1, True)),
         ["class_few", "class_more", "class_lower"]),
        (Opening("C", False, 0, 0, 0, more=Search(1, 1, True)), ["class_closed", "class_more"]),
        (Opening("C", False, 2, 3, 3, ("D", "E"), Search(1, 1, True), Search(None, 2, True)),
         ["class_saves", "class_more", "class_lower_never"]),
        (Opening("C", False, 1, 3, 3, more=Search(None, 3, True), lower=Search(1, 3, False)),
         ["class_closed", "class_more_never", "class_lower_found", "class_not_sure"]),
        (Opening("C", False, 1, 3, 3, more=Search(2, 1, False), lower=Search(None, 1, True)),
         ["class_closed", "class_more_found", "class_not_sure", "class_lower_never"]),
        (Opening("C", False, 1, 3, 3, more=Search(None, 3, False), lower=Search(None, 3, False)),
         ["class_closed", "class_not_found", "class_not_found"]),
    ],
)  # fmt: skip
def test_what_is_told_of_a_class(opening: Opening, said: list[str]) -> None:
    assert codes(of_opening(opening)) == said


def test_blanks_and_codes_become_words() -> None:
    base = Solved.of(tables := make_round({"A": "P"}, {"P": 1}), Policy.from_tables(tables))
    stream = CliRunner()
    with stream.isolation() as (out, *_):
        voice = cli.Speaker.of("both").out
        missed = Missed("P", 2, score=SURE, need="80", told=True, first_change="worse")
        whatif_screen._told(voice, of_missed(base, "A", missed))
        whatif_screen._told(voice, of_missed(base, "A", Missed("P", 2, ("age", "total"))))
        whatif_screen._told(voice, [of_change(Score("A", "P", "9", "skill"))])
        text = out.getvalue().decode()
    assert "（您：未填；" in text and "会到：未录取（变差）" in text
    assert "年龄、综合成绩合格线" in text and "age, qualification line" in text
    assert "A 在 P 的技能测试为 9" in text


def test_a_question_needs_nothing_else() -> None:
    base = Solved.of(tables := Tables.read(EXAMPLE), Policy.from_tables(tables))
    assert whatif_screen.understood(Asked({}, applicant="A01"), base) == ()
    assert whatif_screen.understood(Asked({}, order_class="NEV"), base) == ()
    asked = Asked({}, value_of_seats=True, programs="WELD;CARE")
    assert whatif_screen.understood(asked, base) == ()


@pytest.mark.parametrize("option", ["list", "score", "programs"])
def test_punctuation_of_a_chinese_keyboard_is_named(option: str) -> None:
    base = Solved.of(tables := Tables.read(EXAMPLE), Policy.from_tables(tables))
    asked = {
        "list": Asked({"list": ["A05=WELD；CARE"]}),
        "score": Asked({"score": ["A05，NEV-Y=80"]}),
        "programs": Asked({}, value_of_seats=True, programs="WELD；CARE"),
    }[option]
    with pytest.raises(InvalidRound) as error:
        whatif_screen.understood(asked, base)
    assert (f"--{option}", "change_full_width") in {
        (issue.column, issue.code) for issue in error.value.issues
    }


def test_no_program_is_asked_about_twice_and_none_is_no_question() -> None:
    base = Solved.of(tables := Tables.read(EXAMPLE), Policy.from_tables(tables))
    with pytest.raises(InvalidRound) as error:
        whatif_screen.understood(Asked({}, value_of_seats=True, programs=""), base)
    assert [issue.code for issue in error.value.issues] == ["change_syntax"]
    runner = CliRunner()
    words = ["what-if", str(EXAMPLE), "--value-of-seats", "--programs", "WELD;CARE;WELD"]
    assert runner.invoke(cli.main, words).stdout.count("WELD ") == 1


def test_of_an_open_class_nothing_is_tried_or_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif_screen, "SLOW", -1.0)
    words = ["what-if", str(EXAMPLE), "--mechanism", "optimal", "--class"]
    assert CliRunner().invoke(cli.main, [*words, "NEV"]).stderr == ""
    assert "up to 200 solves" in CliRunner().invoke(cli.main, [*words, "CARE"]).stderr


def test_a_score_is_named_in_both_languages() -> None:
    done = CliRunner().invoke(cli.main, ["what-if", str(EXAMPLE), "--score", "A05,W=95"])
    assert "A05 在 W 的综合成绩为 95" in done.stdout
