"""Cities: rounds of any size in the demo's likeness, as arrays and, where that is wanted, as files.

A city has the demo's mix of everything that a round can ask for.  Joint classes of one to four programs
have a minimum size of 60 % of their seats; a fifth of the seats of half of the programs is reserved for
groups that overlap, some of it hard; colleges have caps, inside them beds and headcounts, and some
enterprises have a headcount that crosses colleges.  People list one to six programs of their own
exam channel, by popularity, distance and a favourite industry; 78 % of them consent to adjustment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matcher import lottery
from matcher.demo.world import DECAY, LENGTHS, LOTS, SCOPES, ZIPF
from matcher.market import Cap, Market, Reserve
from matcher.policy import Policy
from matcher.tables import Table, Tables

from .figures import NotMeasured

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

NAME = "city"
SEED = "20260901"
PEOPLE = (38, 19, 15, 16, 11, 1)
SEATS = (33, 15, 18, 20, 12, 2)
"""Per cent of the people, and of the classes, that belong to each exam channel.

Their products add up to the share of the programs that a person of the demo may enter.
"""
PULLS = (100, 135, 190, 70, 45, 100, 90, 170)
"""How much each industry is sought, as in the demo."""
GROUPS = ("G05", "G06", "G07", "G08", "G09")
MEMBERS = (30, 35, 10, 5, 2)
"""Per cent of the people who belong to each group; the first three only in the grown-ups' channels."""
GROWN_UP = (2, 3, 4)
CLASSES_PER_DISTRICT = 19
MOST_EDGES = 15_000_000
"""More pairs than these are not put into memory."""
DRAWS = 3
"""Programs drawn for each place of a list, so that enough of them differ."""


class TooLarge(NotMeasured):
    """A city would have more pairs than fit into memory beside what solves it."""


@dataclass(frozen=True)
class Shape:
    """What a city is like; equal shapes are the same city.

    Parameters
    ----------
    applicants, classes
        How many.
    seats
        Seats over applicants.
    consent
        Per cent of the people who consent to adjustment.
    minimum
        The least size of a class, in per cent of its seats.
    limits
        ``plain`` (seats only), ``nested`` (reserves, and caps none of which cross) or ``all``
        (crossing caps as well).
    seed
        Of the generator.
    college
        Classes of each college.
    channels
        The exam channels that there are, of :data:`PEOPLE`.
    marks
        How many different marks there are, without a tie-break; 0 for marks that seldom tie.
    """

    applicants: int
    classes: int
    seats: float = 1.0
    consent: int = 78
    minimum: int = 60
    limits: str = "all"
    seed: int = 1
    college: int = 15
    channels: tuple[int, ...] = tuple(range(len(PEOPLE)))
    marks: int = 0


@dataclass(frozen=True)
class City:
    """A city drawn from its shape.

    Parameters
    ----------
    shape
        The shape.
    class_of, capacity
        Per program.
    channel, college, industry, district
        Per class.
    sits, score, tie, scope, member
        Per person: exam channel, mark in hundredths, tie-break, place in ``SCOPES`` of her consent
        (−1 for none), and the groups she belongs to.
    start, listed, fit
        ``listed[start[i]:start[i + 1]]`` are the programs that person i lists, best first.
    """

    shape: Shape
    class_of: Int
    capacity: Int
    channel: Int
    college: Int
    industry: Int
    district: Int
    sits: Int
    score: Int
    tie: Int
    scope: Int
    member: Bool
    start: Int
    listed: Int
    fit: Int

    @property
    def min_size(self) -> Int:
        """The least size of each class."""
        seats = np.bincount(self.class_of, self.capacity).astype(np.int64)
        return seats * self.shape.minimum // 100

    @cached_property
    def owner(self) -> Int:
        """The person of each listed pair."""
        return np.repeat(np.arange(len(self.sits)), np.diff(self.start))

    # --- what limits the programs

    def reserves(self) -> tuple[Reserve, ...]:
        """Seats held for groups, in the demo's shares."""
        if self.shape.limits == "plain":
            return ()
        channel, found = self.channel[self.class_of], []
        for p, capacity in enumerate(self.capacity.tolist()):
            share = {3 + p % 2: 3}
            if channel[p] in GROWN_UP:
                share |= {0: 10, 1: 10, 2: 5}
            for group, per_cent in sorted(share.items()):
                seats = (2 * capacity * per_cent + 100) // 200
                if seats:
                    found.append(Reserve(p, group, seats, hard=group == 2 and p % 9 == 0))
        return tuple(found)

    def caps(self) -> tuple[Cap, ...]:
        """Caps of colleges, of beds and workshops inside them, and of enterprises across them."""
        if self.shape.limits == "plain":
            return ()
        found: list[Cap] = []
        college, industry = self.college[self.class_of], self.industry[self.class_of]
        young = ~np.isin(self.channel[self.class_of], GROWN_UP)
        for c in range(int(college.max()) + 1):
            own = college == c
            found += self._cap(f"CAP-{c:04}", own, 88 if c % 5 == 1 else 100)
            if c % 5 == 4:
                found += self._cap(f"CAP-{c:04}-BED", own & young, 85)
            if c % 5 == 0:
                first = own & (industry == industry[own.argmax()])
                found += self._cap(f"CAP-{c:04}-SHOP", first, 80)
        if self.shape.limits == "all":
            for e in range(-(-self.shape.classes // 75)):
                rng = np.random.default_rng([self.shape.seed, e])
                known = np.flatnonzero(industry == industry[rng.integers(len(industry))])
                inside = rng.choice(known, min(4, len(known)), replace=False)
                found += self._cap(f"CAP-E{e:04}", np.isin(np.arange(len(college)), inside), 80)
        return tuple(sorted(found, key=lambda cap: cap.name))

    def _cap(self, name: str, inside: Bool, per_cent: int) -> Iterator[Cap]:
        programs = tuple(np.flatnonzero(inside).tolist())
        if len(programs) > 1:
            yield Cap(name, int(self.capacity[inside].sum()) * per_cent // 100, programs)

    # --- the round as arrays

    def market(self) -> Market:
        """The city as arrays, as somebody makes it who has arrays and no files.

        Raises
        ------
        TooLarge
            If there are more than :data:`MOST_EDGES` pairs.
        """
        n, m = len(self.sits), len(self.capacity)
        listed = np.arange(len(self.listed)) - self.start[self.owner] + 1
        parts = [(self.owner, self.listed, listed, self.fit)]
        edges = len(self.listed)
        for owner, program in self._tails():
            edges += len(owner)
            if edges > MOST_EDGES:
                raise TooLarge(f"more than {MOST_EDGES:,} pairs")
            zeros = np.zeros(len(owner), np.int64)
            parts.append((owner, program, zeros, zeros))
        owner, program, rank, fit = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(owner, kind="stable")
        owner, program, rank, fit = owner[order], program[order], rank[order], fit[order]
        applicants, none = self.applicants(), np.zeros(len(program), bool)
        return Market(
            applicants=applicants,
            programs=self.programs(),
            order_classes=self.classes(),
            groups=list(GROUPS),
            capacity=self.capacity.copy(),
            class_of=self.class_of.copy(),
            program_order=np.arange(m),
            min_size=self.min_size,
            must_open=np.zeros(len(self.channel), bool),
            class_order=np.arange(len(self.channel)),
            start=np.searchsorted(owner, np.arange(n + 1)),
            program=program,
            rank=rank,
            score=self.score[owner],
            ties=self.tie[owner][None, :],
            fit=fit,
            approved=none,
            relaxed=none.copy(),
            member=self.member.copy(),
            reserves=self.reserves(),
            caps=self.caps(),
            barred=(),
            drawn=lottery.numbers(bytes.fromhex(SEED), NAME, applicants),
            applied=np.ones(n, bool),
            greatest_rank=int(listed.max()),
            score_places=2,
            tie_places=(0,),
        )

    def _tails(self) -> Iterator[tuple[Int, Int]]:
        """The pairs of adjustment, some people at a time, each person's in her order."""
        of_channel = [np.flatnonzero(self.channel[self.class_of] == k) for k in range(len(PEOPLE))]
        near = [kind[self.class_of] for kind in (self.college, self.industry, self.district)]
        scope = np.array(
            [("college", "industry", "district", "alliance").index(s) for s in SCOPES[0]]
        )
        wide = np.where(self.scope >= 0, scope[self.scope], -1)
        step = max(1, 4_000_000 // max(map(len, of_channel)))
        for k, programs in enumerate(of_channel):
            willing = np.flatnonzero((self.sits == k) & (wide >= 0))
            for low in range(0, len(willing), step):
                people = willing[low : low + step]
                row = np.repeat(np.arange(len(people)), np.diff(self.start)[people])
                mine = self.listed[_ranges(self.start[people], self.start[people + 1])]
                shared = [_shared(kind, row, mine, len(people))[:, kind[programs]] for kind in near]
                wanted = np.ones((len(people), len(programs)), bool)
                for kind, matrix in enumerate(shared):
                    inside = wide[people] == kind
                    wanted[inside] = matrix[inside]
                wanted[row, np.searchsorted(programs, mine)] = False
                at, p = np.nonzero(wanted)
                # Same college first, then same industry, same district, plan order.
                far = sum(
                    (~matrix[at, p]).astype(np.int64) << (2 - kind)
                    for kind, matrix in enumerate(shared)
                )
                order = np.argsort((at << 3) + far, kind="stable")
                yield people[at[order]], programs[p[order]]

    def applicants(self) -> list[str]:
        """The ids of the people."""
        return [f"A{i:07}" for i in range(len(self.sits))]

    def programs(self) -> list[str]:
        """The ids of the programs."""
        return [f"P{p:05}" for p in range(len(self.capacity))]

    def classes(self) -> list[str]:
        """The ids of the classes."""
        return [f"K{c:05}" for c in range(len(self.channel))]

    # --- the round as files

    def tables(self, mechanism: str = "optimal") -> Tables:
        """The city as a round."""
        applicants, programs, classes = self.applicants(), self.programs(), self.classes()
        pairs = [applicants[i] for i in self.owner], [programs[p] for p in self.listed]
        rank = np.arange(len(self.listed)) - self.start[self.owner] + 1
        channels = [f"CH{k + 1}" for k in self.channel]
        blank = [""] * len(self.listed)
        reserves, caps = self.reserves(), self.caps()
        rows = {
            "applicants": {
                "applicant": applicants,
                "groups": [
                    ";".join(g for g, hers in zip(GROUPS, row, strict=True) if hers)
                    for row in self.member.tolist()
                ],
                "adjustment": ["none" if s < 0 else SCOPES[0][s] for s in self.scope.tolist()],
            },
            "order_classes": {
                "order_class": classes,
                "min_size": [str(least) for least in self.min_size],
                "college": [f"C{c:04}" for c in self.college],
                "industry": [f"IND{i:02}" for i in self.industry],
                "district": [f"37{d:04}" for d in self.district],
                "plan_order": [str(c) for c in range(len(classes))],
            },
            "programs": {
                "program": programs,
                "capacity": [str(seats) for seats in self.capacity],
                "order_class": [classes[c] for c in self.class_of],
                "channel": [channels[c] for c in self.class_of],
                "plan_order": [str(p) for p in range(len(programs))],
            },
            "applications": {
                "applicant": pairs[0],
                "rank": [str(r) for r in rank],
                "program": pairs[1],
            },
            "scores": {
                "applicant": applicants + pairs[0],
                "program": [""] * len(applicants) + pairs[1],
                "channel": [f"CH{k + 1}" for k in self.sits] + blank,
                "score": [f"{s // 100}.{s % 100:02}" for s in self.score.tolist()] + blank,
                "tie1": [str(t) for t in self.tie] + blank,
                "fit": [""] * len(applicants) + [str(f) for f in self.fit],
            },
            "reserves": {
                "program": [programs[r.program] for r in reserves],
                "group": [GROUPS[r.group] for r in reserves],
                "seats": [str(r.seats) for r in reserves],
                "hard": [str(int(r.hard)) for r in reserves],
            },
            "caps": {
                "cap": [cap.name for cap in caps],
                "seats": [str(cap.seats) for cap in caps],
                "programs": [";".join(programs[p] for p in cap.programs) for cap in caps],
            },
        }
        return Tables(
            {name: Table(columns) for name, columns in rows.items()}, policy_text(mechanism)
        )


def policy_text(mechanism: str, **more: object) -> bytes:
    """The rules of a city as ``policy.toml``; ``more`` are further keys of ``[mechanism]``."""
    keys = {"name": f'"{mechanism}"', "closure": '"sequential"'} | more
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return (
        f'[policy]\ntitle = "{NAME}"\nround = "{NAME}"\n\n[mechanism]\n{lines}'
        f'\n[lottery]\nseed = "{SEED}"\n\n[preferences]\nmax = {max(LENGTHS[0])}\n'
    ).encode()


def policy(mechanism: str, closure: str = "sequential", time_s: int = 0) -> Policy:
    """The rules of a city."""
    return replace(Policy.from_toml(policy_text(mechanism)), closure=closure, time_s=time_s)


def city(shape: Shape) -> City:
    """The city of a shape.

    Notes
    -----
    Popularity follows the demo: a Zipf law within each industry, nearer classes and those of a
    person's favourite industry more often.  Far districts weigh as much all together as they do in the
    demo, however many there are.
    """
    rng = np.random.default_rng([shape.seed, shape.applicants, shape.classes])
    k, n = shape.classes, shape.applicants
    known = np.isin(np.arange(len(PEOPLE)), shape.channels)
    channel = rng.permutation(_apportioned(k, np.array(SEATS) * known))
    college = np.arange(k) // shape.college
    district = np.arange(k) // CLASSES_PER_DISTRICT
    industry = rng.integers(len(PULLS), size=k)
    lots = rng.choice(LOTS[0], size=k, p=np.array(LOTS[1]) / sum(LOTS[1]))
    class_of = np.repeat(np.arange(k), lots)
    capacity = _seats(rng, lots, round(n * shape.seats))
    offered = np.array(PEOPLE) * np.isin(np.arange(len(PEOPLE)), channel)
    sits = rng.choice(len(PEOPLE), size=n, p=offered / offered.sum())
    grown_up = np.isin(sits, GROWN_UP)
    member = 100 * rng.random((n, len(GROUPS))) < MEMBERS
    member[:, :3] &= grown_up[:, None]
    scope = rng.choice(len(SCOPES[0]), size=n, p=np.array(SCOPES[1]) / sum(SCOPES[1]))
    scope[100 * rng.random(n) >= shape.consent] = -1
    home = rng.integers(int(district.max()) + 1, size=n)
    likes = rng.choice(len(PULLS), size=n, p=np.array(PULLS) / sum(PULLS))
    weight = np.array(PULLS)[industry] * np.array(ZIPF)[rng.integers(len(ZIPF), size=k)]
    start, listed = _lists(
        rng, class_of, channel, industry, district, weight / lots, sits, home, likes
    )
    owner = np.repeat(np.arange(n), np.diff(start))
    liked = industry[class_of[listed]] == likes[owner]
    score = (100 * rng.normal(70, 10, size=n).clip(0, 100)).astype(np.int64)
    tie = rng.integers(101, size=n)
    if shape.marks:
        step = 10_000 // shape.marks
        score, tie = score // step * step, 0 * tie
    return City(
        shape=shape,
        class_of=class_of,
        capacity=capacity,
        channel=channel,
        college=college,
        industry=industry,
        district=district,
        sits=sits,
        score=score,
        tie=tie,
        scope=scope,
        member=member,
        start=start,
        listed=listed,
        fit=40 + np.where(liked, 35, 10) + rng.integers(11, size=len(listed)),
    )


def _apportioned(total: int, shares: Int) -> Int:
    """``total`` places, each naming a share, as nearly in proportion as can be."""
    ends = np.rint(np.cumsum(shares) * total / shares.sum()).astype(np.int64)
    return np.searchsorted(ends, np.arange(total), side="right")


def _seats(rng: np.random.Generator, lots: Int, total: int) -> Int:
    """Seats of each program: classes of 25 to 45 in proportion, shared out among their programs."""
    size = rng.integers(25, 46, size=len(lots))
    ends = np.rint(np.cumsum(size) * total / size.sum()).astype(np.int64)
    seats = np.diff(ends, prepend=0)
    nth = np.arange(lots.sum()) - np.repeat(np.cumsum(lots) - lots, lots)
    whole, left = np.repeat(seats // lots, lots), np.repeat(seats % lots, lots)
    return whole + (nth < left)


def _lists(
    rng: np.random.Generator, class_of: Int, channel: Int, industry: Int, district: Int,
    weight: NDArray[np.float64], sits: Int, home: Int, likes: Int,
) -> tuple[Int, Int]:  # fmt: skip
    """Everybody's list: distinct programs of her channel."""
    n, districts = len(sits), int(district.max()) + 1
    length = rng.choice(LENGTHS[0], size=n, p=np.array(LENGTHS[1]) / sum(LENGTHS[1]))
    drawn = np.empty((n, DRAWS * max(LENGTHS[0])), np.int64)
    far = DECAY[3] * min(1.0, 8 / districts)
    decay = np.array([*DECAY[:3], far])
    order = np.lexsort((likes, home, sits))
    key = (sits * districts + home) * len(PULLS) + likes
    bounds = np.flatnonzero(np.diff(key[order], prepend=-1, append=-1))
    inside = [np.flatnonzero(channel[class_of] == k) for k in range(len(PEOPLE))]
    kinds = [(weight[class_of[p]], industry[class_of[p]], district[class_of[p]]) for p in inside]
    for low, high in pairwise(bounds.tolist()):
        people = order[low:high]
        k, here, likes_ = sits[people[0]], home[people[0]], likes[people[0]]
        sought, of_industry, of_district = kinds[k]
        distance = np.minimum(3, np.abs(of_district - here))
        ends = np.cumsum(sought * decay[distance] * np.where(of_industry == likes_, 8, 1))
        at = np.searchsorted(ends, ends[-1] * rng.random((len(people), drawn.shape[1])))
        drawn[people] = inside[k][np.minimum(at, len(ends) - 1)]
    flat = (np.arange(n)[:, None] * len(class_of) + drawn).reshape(-1)
    fresh = np.zeros(flat.shape, bool)
    fresh[np.unique(flat, return_index=True)[1]] = True
    fresh = fresh.reshape(drawn.shape)
    fresh &= np.cumsum(fresh, axis=1) <= length[:, None]
    return np.append(0, np.cumsum(fresh.sum(axis=1))), drawn[fresh]


def _ranges(low: Int, high: Int) -> Int:
    """The numbers from each ``low`` up to each ``high``, one range after the other."""
    size = high - low
    first: Int = np.repeat(low - np.cumsum(size) + size, size)
    return first + np.arange(len(first))


def _shared(kind: Int, row: Int, listed: Int, rows: int) -> Bool:
    """Whether a person lists something of each kind.  Shape (rows, kinds)."""
    has = np.zeros((rows, int(kind.max()) + 1), bool)
    has[row, kind[listed]] = True
    return has
