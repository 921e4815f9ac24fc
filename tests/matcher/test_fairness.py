"""The fairness sheet and the verifier judge the same placements, each in its own words."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from matcher.fairness import JUSTIFIED, WASTE, Fairness
from matcher.policy import Policy
from matcher.result import Result
from matcher.solve import UnsupportedConstraint
from matcher.tables import InvalidRound
from matcher.verify import verify
from tests.matcher.test_oracle import solved, tables_of
from tests.random_markets import random_instance

MARKETS = 60


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal", "max_placement"])
def test_the_sheet_names_the_pairs_that_the_verifier_finds(mechanism: str, tmp_path: Path) -> None:
    complaints = judged = 0
    for seed in range(MARKETS):
        instance = random_instance(Random(seed), mechanism, minimums=False)
        try:
            market, result = solved(instance)
        except (InvalidRound, UnsupportedConstraint):
            continue
        tables = tables_of(instance)
        folder = tmp_path / f"{mechanism}{seed}"
        tables.write(folder)
        policy = Policy.from_tables(tables)
        result.write(folder / "result", market, tables.digest(), policy.round)
        claims = {claim.name: claim for claim in verify(folder, folder / "result").claims}
        assert not [c.name for c in claims.values() if c.status == "BROKEN"]
        sheet = Fairness(market, policy, result).sheet
        for label, claim in ((JUSTIFIED, "no_justified_envy"), (WASTE, "no_waste")):
            at = np.flatnonzero(sheet.label == label)
            pairs = {
                (market.applicants[sheet.applicant[i]], market.programs[sheet.program[i]])
                for i in at
            }
            told = claims[claim].numbers["pairs"]
            assert pairs == ({(pair[0], pair[1]) for pair in told} if told else set())
            complaints += len(pairs)
        judged += 1
    assert judged > MARKETS // 2
    assert (complaints > 0) == (mechanism == "optimal")


def test_a_result_read_back_has_the_same_sheet(tmp_path: Path) -> None:
    instance = random_instance(Random(5), "stable", minimums=False)
    market, result = solved(instance)
    policy = Policy.from_tables(tables_of(instance))
    result.write(tmp_path, market, "")
    again = Fairness(market, policy, Result.read(tmp_path, market)).sheet
    first = Fairness(market, policy, result).sheet
    assert again.to_csv(market) == first.to_csv(market)
