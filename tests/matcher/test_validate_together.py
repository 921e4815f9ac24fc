"""Several faults at once: each is told, and none makes up another."""

from __future__ import annotations

from pathlib import Path

from matcher import Tables, validate
from tests.rounds import make_round


def test_an_unreadable_table_hides_no_other_fault(tmp_path: Path) -> None:
    made = make_round({"A": "P"}, {"P": 1}, reserves={"P G": 1})
    made.write(tmp_path)
    (tmp_path / "programs.csv").write_bytes("program,capacity\n数控,1\n".encode("gb18030"))
    (tmp_path / "policy.toml").write_text("speed = 1\n", encoding="utf-8")
    codes = {issue.code for issue in validate(Tables.read(tmp_path))}
    assert {"encoding_gbk", "unknown_key"} <= codes


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
