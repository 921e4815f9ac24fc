"""Several faults at once, slips that change what counts, and none that makes up another."""

from __future__ import annotations

from pathlib import Path

from matcher import Tables, validate
from tests.matcher.test_validate import wrong
from tests.rounds import make_round, warned


def test_an_unreadable_table_hides_no_other_fault(tmp_path: Path) -> None:
    made = make_round({"A": "P"}, {"P": 1}, reserves={"P G": 1})
    made.write(tmp_path)
    (tmp_path / "programs.csv").write_bytes("program,capacity\n数控,1\n".encode("gb18030"))
    (tmp_path / "policy.toml").write_text("speed = 1\n", encoding="utf-8")
    codes = {issue.code for issue in validate(Tables.read(tmp_path))}
    assert {"encoding_gbk", "unknown_key"} <= codes


def test_a_table_without_its_key_is_told_once() -> None:
    made = make_round(
        {"A": "P"}, {"P": 1}, reserves={"P G": 1}, caps={"K": {"seats": 1, "programs": "P"}}
    )
    del made.tables["programs"].columns["program"]
    errors = [issue.code for issue in validate(made) if issue.severity == "error"]
    assert errors == ["missing_column"]


def test_a_policy_with_a_fault_does_not_make_the_scores_faulty() -> None:
    made = make_round(
        {"A": "P"}, {"P": 1}, programs={"P": {"channel": "K"}}, scores={"A P": {"skill": 80}}
    )
    assert "channel_without_weights" in {issue.code for issue in validate(made)}
    made.policy += b"\n[nonsense]\n"
    assert [issue.code for issue in validate(made)] == ["unknown_key"]


def test_a_score_of_many_digits_is_too_long() -> None:
    made = make_round({"A": "P"}, {"P": 1}, scores={"A P": "9" * 40})
    assert [issue.code for issue in validate(made)] == ["too_long"]


def test_slips_that_change_what_counts(tmp_path: Path) -> None:
    """Separators that are none, formulas, unknown groups, dates that cannot be."""
    people = {"A": {"groups": "G05；G06"}, "B": {"groups": "=G05"}}
    assert wrong(tmp_path / "1", applicants=people) == [
        "2 applicants.groups separator G05；G06",
        "3 applicants.groups formula =G05",
    ]
    assert warned(
        make_round({"A": "P", "B": "P"}, {"P": 1}, applicants={"B": {"groups": "G77"}})
    ) == ["3 applicants.groups unknown_group G77"]
    born = {"A": {"birth_date": "2030-01-01"}, "B": {"birth_date": "1003-01-01"}}
    assert wrong(tmp_path / "2", rules={"age.reference_date": "2026-09-01"}, applicants=born) == [
        "2 applicants.birth_date birth_out_of_range 2030-01-01",
        "3 applicants.birth_date birth_out_of_range 1003-01-01",
    ]


def test_a_listed_program_without_an_interview_is_pointed_out() -> None:
    channel = [{"channel": "K", "skill": 0.5, "interview": 0.5}]
    made = make_round(
        {"A": "P Q C", "B": "P"}, {"P": 1, "Q": 1, "R": 1},
        {"score_channel": channel},
        programs={p: {"channel": "K"} for p in "PQ"} | {"R": {"channel": "K", "order_class": "C"}},
        order_classes={"C": 0},
        scores={"A K": {"skill": 80}, "A P": {"interview": 70}, "B K": {"skill": 1, "interview": 2}},
    )  # fmt: skip
    assert warned(made) == [
        "3 applications.program no_interview Q", "4 applications.program no_interview C",
    ]  # fmt: skip


def test_choices_that_cost_more_than_adjustment_are_pointed_out() -> None:
    people = {"A": {"adjustment": "alliance"}}
    rules = {"mechanism.rank_costs": [0, 9]}
    assert warned(make_round({"A": "P Q"}, {"P": 1, "Q": 1}, rules, applicants=people)) == [
        "0 policy.mechanism.rank_costs tail_cheaper 9"
    ]
    assert warned(make_round({"A": "P Q"}, {"P": 1, "Q": 1}, rules)) == []
    rules["preferences.max"] = 9  # type: ignore[assignment]
    assert warned(make_round({"A": "P Q"}, {"P": 1, "Q": 1}, rules, applicants=people)) == []


def test_a_list_of_more_than_a_thousand_is_a_mistake(tmp_path: Path) -> None:
    seats = {f"P{n}": 1 for n in range(1001)}
    found = validate(make_round({"A": " ".join(seats)}, seats))
    assert [issue.code for issue in found] == ["too_many_choices"]
    assert validate(make_round({"A": "P"}, {"P": 1}, {"preferences.max": 10**9}))[0].code == (
        "policy_value"
    )


def test_spreadsheets_and_headings_of_other_names_are_said_once(tmp_path: Path) -> None:
    assert wrong(tmp_path, {"caps.xlsx": b"PK"}) == ["0 caps. spreadsheet caps.xlsx"]
    assert wrong(tmp_path, {"applicants.csv": "报名号\nA\nB\n"}) == [
        "1 applicants.applicant missing_column applicant",
        "1 applicants.报名号 unknown_column 报名号",
        "0 caps. spreadsheet caps.xlsx",
    ]
