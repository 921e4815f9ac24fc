"""What everybody may read of a round, and the public edition that holds it; no line of any person."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from . import jobs, policies
from .bundle import as_json, readme, tools
from .models import Draw, OrderClass, Placement, Program, Publication, Round, Run
from .publication import publication_of
from .snapshot import commitment, draw_file


def cutoffs(session: Session, publication: Publication) -> list[Mapping[str, Any]]:
    """Of each program's open seats: how far they reached, or that too few were chosen to say so.

    How many are few is a parameter (``public.cutoff_min``): less would tell of single people.

    ``state`` is ``cutoff`` (with ``score``), ``few``, ``vacant``, or ``closed``.
    """
    fewest = policies.flow(publication.round, "public.cutoff_min")
    chosen: dict[str, int] = {}
    for code, seat in session.execute(
        select(Program.code, Placement.seat)
        .join(Program)
        .where(Placement.publication_id == publication.id)
    ):
        chosen[code] = chosen.get(code, 0) + (seat == "open")
    path = jobs.result_of(publication.run) / "thresholds.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {r["program"]: r for r in csv.DictReader(file) if r["stage"] == "open"}
    closed = {held["order_class"] for held in publication.run.summary["report"]["closed"]}
    programs = session.scalars(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == publication.round_id)
        .options(joinedload(Program.order_class), joinedload(Program.enterprise))
        .order_by(OrderClass.plan_order, OrderClass.code, Program.plan_order, Program.code)
    )
    found: list[Mapping[str, Any]] = []
    for program in programs:
        row = rows.get(program.code)
        if row is None or program.order_class.code in closed:
            state = "closed"
        elif row["state"] == "not_full":
            state = "vacant"
        else:
            few = chosen.get(program.code, 0) < fewest or not row["score"]
            state = "few" if few else "cutoff"
        score = row["score"] if row and state == "cutoff" else ""
        found.append({"program": program, "state": state, "score": score})
    return found


def later_trials(session: Session, round_: Round) -> int:
    """How many trials were run after the lists were locked; none of them can be published."""
    if round_.frozen_at is None:
        return 0
    return session.scalar(
        select(func.count())
        .select_from(Run)
        .where(Run.round_id == round_.id, Run.kind.in_(("trial", "whatif")), Run.queued_at >= round_.frozen_at)
    ) or 0  # fmt: skip


def confirmed_draw(session: Session, round_: Round) -> Draw | None:
    """The draw, once two people have typed the same value."""
    return session.scalar(
        select(Draw).where(Draw.round_id == round_.id, Draw.confirmed_at.is_not(None))
    )


def public_edition(session: Session, round_: Round) -> dict[str, bytes]:
    """Plan, rules, commitment, draw, cutoffs, root and verdict; no line of any person."""
    files = {"plan.csv": _plan(session, round_), "README.txt": readme("public", round_)}
    if round_.policy is not None:
        files["policy.toml"] = round_.policy.toml.encode()
    fixed = commitment(session, round_)
    if fixed:
        later = later_trials(session, round_)
        files["commitment.json"] = as_json({**fixed, "trials_later": later})
    drawn = confirmed_draw(session, round_)
    if drawn is not None:
        files["draw.json"] = as_json(draw_file(drawn))
    published = publication_of(session, round_)
    if published is not None:
        claims = published.run.summary["claims"]
        files["cutoffs.csv"] = _cutoffs(session, published)
        files["verdict.json"] = as_json(
            [{name: claim[name] for name in ("name", "status", "trusted")} for claim in claims]
        )
        files["publication.json"] = as_json(
            {"bundle_sha256": published.bundle_digest, "root": published.merkle_root,
             "published_at": published.at.isoformat(timespec="seconds"),
             "follows": published.parent.bundle_digest if published.parent else None}
        )  # fmt: skip
    return files | tools()


def _plan(session: Session, round_: Round) -> bytes:
    classes = session.scalars(
        select(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .options(selectinload(OrderClass.programs))
        .order_by(OrderClass.plan_order, OrderClass.code)
    )
    rows = (
        (held.code, held.name, held.college.name, held.major, held.industry, held.district,
         held.level, held.study_form, held.min_size, program.code, program.enterprise.name,
         program.capacity, program.channel)
        for held in classes
        for program in held.programs
    )  # fmt: skip
    head = ("class", "name", "college", "major", "industry", "district", "level", "study_form",
            "min_size", "program", "enterprise", "seats", "channel")  # fmt: skip
    return _csv(head, rows)


def _cutoffs(session: Session, published: Publication) -> bytes:
    rows = (
        (row["program"].code, row["state"], row["score"]) for row in cutoffs(session, published)
    )
    return _csv(("program", "state", "score"), rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()
