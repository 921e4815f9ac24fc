"""The same small markets put to `matching` and to `algmatch`: three programs, one answer.

``PEER_MARKETS`` sets how many (5,000 in the full suite).
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.contest import Contest, contest, small_contest
from benchmarks.peers import by_algmatch, by_matcher, by_matching, deeply
from matcher import Market, Policy, solve
from matcher.tables import Table

MARKETS = int(os.environ.get("PEER_MARKETS", "200"))
BATCH = 50
PARALLEL = b'[mechanism]\nname = "parallel"\n[lottery]\nseed = "00"\n'


def from_files(contest: Contest) -> tuple[int, ...]:
    """Our answer by the long way: a round of strings, checked and read."""
    market = Market.from_tables(contest.tables(), contest.policy())
    return tuple(solve(market, contest.policy()).matching.tolist())


def queued(contest: Contest, rng: np.random.Generator) -> Contest:
    """The contest with one score for each person, the same at every program."""
    return replace(contest, score=rng.permutation(contest.size)[contest.owner])


def in_one_queue(contest: Contest) -> tuple[int, ...]:
    """Our ``parallel``, with the person's score in the one exam channel."""
    tables = contest.tables()
    scores, programs = tables.tables["scores"], tables.tables["programs"]
    programs.columns["channel"] = ["K"] * len(programs)
    first = {person: at for at, person in reversed(list(enumerate(scores["applicant"])))}
    tables.tables["scores"] = Table(
        {
            "applicant": list(first),
            "channel": ["K"] * len(first),
            "score": [scores["score"][at] for at in first.values()],
        }
    )
    tables.policy = PARALLEL
    policy = Policy.from_tables(tables)
    return tuple(solve(Market.from_tables(tables, policy), policy).matching.tolist())


@pytest.mark.parametrize("batch", range(-(-MARKETS // BATCH)))
def test_three_programs_one_answer(batch: int) -> None:
    rng = np.random.default_rng(batch)
    for _ in range(min(BATCH, MARKETS - batch * BATCH)):
        market = small_contest(rng)
        ours = by_matcher(market).matching
        assert from_files(market) == ours
        assert by_matching(market).matching == ours
        assert by_algmatch(market).matching == ours


@pytest.mark.parametrize("batch", range(-(-MARKETS // BATCH // 5)))
def test_a_queue_is_a_contest_with_one_order(batch: int) -> None:
    rng = np.random.default_rng([batch, 1])
    for _ in range(BATCH):
        market = queued(small_contest(rng), rng)
        ours = in_one_queue(market)
        assert from_files(market) == ours
        assert by_matching(market).matching == ours
        assert by_algmatch(market).matching == ours


@pytest.mark.parametrize("seats", [0.5, 1.0, 1.5])
def test_a_larger_contest(seats: float) -> None:
    market = contest(300, 20, 6, seats, seed=7)
    ours = by_matcher(market).matching
    assert from_files(market) == ours
    assert deeply(lambda: by_matching(market)).matching == ours
    assert deeply(lambda: by_algmatch(market)).matching == ours


def test_an_error_below_is_an_error_above() -> None:
    with pytest.raises(ZeroDivisionError):
        deeply(lambda: 1 // 0)
