"""A contest: strict preferences on both sides as arrays, which every side of a comparison starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matcher.market import Market
from matcher.policy import Policy
from matcher.tables import Table, Tables

Int = NDArray[np.int64]

POLICY = b"""[policy]
title = "contest"
round = "contest"

[mechanism]
closure = "sequential"

[lottery]
seed = "00"
"""


@dataclass(frozen=True)
class Contest:
    """Applicants with ranked lists, programs with seats and a strict order of their applicants.

    Parameters
    ----------
    programs
        Number of programs.
    start, program
        ``program[start[i]:start[i + 1]]`` is the list of applicant i, best first.
    score
        Per entry of the lists: the applicant's score there, higher first, distinct at each program.
    capacity
        Per program: seats, at least 1.
    """

    start: Int
    program: Int
    score: Int
    capacity: Int

    @property
    def size(self) -> int:
        """The number of applicants."""
        return len(self.start) - 1

    @cached_property
    def applicants(self) -> list[str]:
        """The applicants' names, which are given to every side."""
        return [f"A{i}" for i in range(self.size)]

    @cached_property
    def programs(self) -> list[str]:
        """The programs' names."""
        return [f"P{p}" for p in range(len(self.capacity))]

    @cached_property
    def owner(self) -> Int:
        """The applicant of each entry."""
        return np.repeat(np.arange(self.size), np.diff(self.start))

    def lists(self) -> list[list[int]]:
        """Each applicant's programs, best first."""
        return [part.tolist() for part in np.split(self.program, self.start[1:-1])]

    def orders(self) -> list[list[int]]:
        """Each program's applicants, highest score first."""
        order = np.lexsort((-self.score, self.program))
        first = np.searchsorted(self.program[order], np.arange(1, len(self.capacity)))
        return [part.tolist() for part in np.split(self.owner[order], first)]

    def tables(self) -> Tables:
        """The contest as a round."""
        owner = [self.applicants[i] for i in self.owner]
        program = [self.programs[p] for p in self.program]
        rank = np.arange(len(self.program)) - self.start[self.owner] + 1
        return Tables(
            {
                "applicants": Table({"applicant": self.applicants}),
                "programs": Table(
                    {
                        "program": self.programs,
                        "capacity": [str(seats) for seats in self.capacity],
                    }
                ),
                "applications": Table(
                    {"applicant": owner, "rank": [str(r) for r in rank], "program": program}
                ),
                "scores": Table(
                    {"applicant": owner, "program": program, "score": [str(s) for s in self.score]}
                ),
            },
            POLICY,
        )

    def market(self) -> Market:
        """The contest as arrays, as somebody does who has arrays and no files."""
        entries, programs = len(self.program), len(self.capacity)
        return Market(
            applicants=self.applicants,
            programs=self.programs,
            order_classes=self.programs,
            groups=[],
            capacity=self.capacity.copy(),
            class_of=np.arange(programs),
            program_order=np.arange(programs),
            min_size=np.zeros(programs, np.int64),
            must_open=np.zeros(programs, bool),
            class_order=np.arange(programs),
            start=self.start.copy(),
            program=self.program.copy(),
            rank=np.arange(entries) - self.start[self.owner] + 1,
            score=self.score.copy(),
            ties=np.zeros((0, entries), np.int64),
            fit=np.zeros(entries, np.int64),
            approved=np.zeros(entries, bool),
            relaxed=np.zeros(entries, bool),
            member=np.zeros((self.size, 0), bool),
            reserves=(),
            caps=(),
            barred=(),
            drawn=[b""] * self.size,
            applied=np.diff(self.start) > 0,
            greatest_rank=int(np.diff(self.start).max(initial=0)),
        )

    def policy(self) -> Policy:
        """The rules: ``stable``, nothing else asked."""
        return Policy.from_toml(POLICY)


def contest(applicants: int, programs: int, choices: int, seats: float, seed: int) -> Contest:
    """A contest in which some programs are popular, drawn from a seed.

    Parameters
    ----------
    choices
        Length of every list.
    seats
        Seats over applicants; below 1 there are too few.
    """
    rng = np.random.default_rng(seed)
    popularity = 2 * rng.random(programs)
    wish = popularity + rng.gumbel(size=(applicants, programs))
    lists = np.argsort(-wish, axis=1)[:, :choices]
    score = rng.permutation(applicants * choices)
    total = round(applicants * seats)
    capacity = np.full(programs, total // programs)
    capacity[: total % programs] += 1
    return Contest(
        np.arange(0, applicants * choices + 1, choices), lists.reshape(-1), score, capacity
    )


def small_contest(rng: np.random.Generator) -> Contest:
    """A random contest of a few people and programs, with lists of any length."""
    people, programs = int(rng.integers(1, 13)), int(rng.integers(1, 6))
    lengths = rng.integers(0, programs + 1, size=people)
    lists = [rng.permutation(programs)[:length] for length in lengths]
    return Contest(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([*lists, np.zeros(0, np.int64)]).astype(np.int64),
        rng.permutation(int(lengths.sum())),
        rng.integers(1, 4, size=programs),
    )
