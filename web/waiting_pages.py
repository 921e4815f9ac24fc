"""What others see of the waiting list: an applicant her own places, auditors the chain to check."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import audit, auth, chain, codes, db, links, waiting
from .entering import Desk
from .models import Applicant


def mount(bp: Blueprint, place: str, find: Callable[[str, Session], Applicant]) -> None:
    """Give a blueprint the page of an applicant's own places."""

    @bp.get(f"/<{place}>/waiting", endpoint="waiting")
    def page(**values: str) -> str:
        """Her place on each list that she stands on; never who else does."""
        session = db.reading()
        applicant = find(values[place], session)
        last = links.last_step(session, applicant.round)
        return render_template(
            "applicant/waiting.html", desk=Desk(bp.name, place, find, values[place]),
            round=applicant.round, at=last.at if last else None, codes=codes,
            places=waiting.position(session, applicant),
        )  # fmt: skip


def chain_file(serial: str) -> Response:
    """The chain of a round as a file to take along; who took it is on record."""
    with db.writing() as session:
        round_ = auth.round_of(serial, session)
        head = links.head(session, round_)
        if not head:
            abort(404)
        audit.record(
            session, auth.actor(), "chain.download", f"round/{serial}", round_id=round_.id,
            after={"head": head},
        )  # fmt: skip
    data = chain.archive(db.reading(), auth.round_of(serial))
    name = f"{serial}-chain-{head[:12]}.zip"
    answer = Response(data, mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
