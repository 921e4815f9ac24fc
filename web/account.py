"""Getting an account without e-mail or SMS: self-registration, or a slip from the counter."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import auth, calendar, db, people, rounds, slips
from .applicant_forms import Activation, Registration, options
from .audit import Actor, record
from .models import Applicant, Round, User

bp = Blueprint("account", __name__, url_prefix="/account")

Page = str | Response


def open_rounds(session: Session) -> list[Round]:
    """The rounds that take applications now."""
    found = session.scalars(
        select(Round).where(Round.state.in_(("ANNOUNCED", "OPEN"))).order_by(Round.id.desc())
    )
    return [r for r in found if rounds.by_the_clock(session, r) == "OPEN"]


@bp.route("/register", methods=["GET", "POST"])
def register() -> Page:
    """A new account and application, unverified until the review."""
    session = db.reading()
    offered = open_rounds(session)
    form = Registration()
    form.round.choices = options({r.serial: r.title for r in offered})
    if offered and form.validate_on_submit():
        password = hash_password(form.password.data)
        try:
            with db.writing() as writing:
                round_ = auth.round_of(form.round.data, writing)
                applicant = people.enrol(
                    writing, round_, form.identity_type.data, form.number.data, form.name.data,
                    actor=auth.actor(), birth_date=form.birth_date.data,
                )  # fmt: skip
                rounds.lock_open(writing, round_.id)
                user = open_account(writing, applicant, password)
        except people.AlreadyEnrolled:
            flash(_("已有报名，到柜台核对。"), "error")
        except rounds.Moved:
            flash(_("本轮现在不收报名。"), "error")
        else:
            cookie["registered"] = [applicant.number, user.username]
            return redirect(url_for("account.done"))
    return render_template("account/register.html", form=form, offered=offered)


def open_account(session: Session, applicant: Applicant, password: str) -> User:
    """An account of a person; her application number is its name.

    Parameters
    ----------
    password
        Already hashed, so that no transaction waits for it.
    """
    name = auth.as_username(applicant.number)
    if session.scalar(select(User.id).where(User.username == name)) is not None:
        name = f"{name}-{applicant.round.serial.lower()}"  # an import gave that number before
    user = auth.create_user(session, name, "", "applicant", person_id=applicant.person_id)
    user.password = password
    record(
        session, Actor(f"applicant:{name}", "applicant"), "account.open",
        f"applicant/{applicant.number}", round_id=applicant.round_id,
    )  # fmt: skip
    return user


@bp.get("/done")
def done() -> Page:
    """The application number, told at once."""
    held = cookie.get("registered")
    if not held:
        return redirect(url_for("security.login"))
    number, username = held
    return render_template("account/done.html", number=number, username=username)


@bp.route("/activate", methods=["GET", "POST"])
def activate() -> Page:
    """Open an account with the code of a slip, or get it back."""
    form = Activation()
    if form.validate_on_submit():
        number = form.number.data
        counted = f"slip:{auth.as_username(number)}"[:64]
        if auth.slowed_down(counted):
            flash(_("输错次数太多，请 15 分钟后再试。"), "error")
        elif (found := _redeem(number, form.code.data, hash_password(form.password.data))) is None:
            auth.count_failure(counted)
            flash(_("报名号或激活码不对。请到柜台换新的。"), "error")
        else:
            cookie["registered"] = list(found)
            return redirect(url_for("account.done"))
    return render_template("account/activate.html", form=form)


def _redeem(number: str, code: str, password: str) -> tuple[str, str] | None:
    """Spend a slip for a password; gives the application number and the account's name."""
    with db.writing() as session:
        applicant = slips.applicant_numbered(session, number)
        if applicant is None:
            return None
        slip = slips.fitting(session, applicant.person, code, ("activate", "recover"))
        if slip is None:
            return None
        slips.use(session, slip)
        user = applicant.person.user
        if user is None:
            user = open_account(session, applicant, password)
        else:
            user.password = password
            auth.end_sessions(session, user.id)
            moment = calendar.local(db.now(session)).strftime("%Y-%m-%d %H:%M")
            user.notice = str(_("密码已用激活单重设：%(time)s。", time=moment))
            record(
                session, Actor(f"applicant:{user.username}", "applicant"), "account.recover",
                f"applicant/{applicant.number}", round_id=applicant.round_id,
                after={"slip_by": slip.issued_by},
            )  # fmt: skip
        return applicant.number, user.username
