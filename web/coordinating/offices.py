"""What is set once, and the accounts of offices."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Regexp

from .. import accounts, auth, codes, db, settings
from ..models import College, Enterprise, User
from ..offices import options
from .blueprint import bp, telling

ROLES = {role: codes.ROLES[role] for role in accounts.OFFICES}
FIELDS = {
    "organiser": "主办单位",
    "icp": "ICP备案号",
    "police": "公安备案号",
    "hotline": "监督电话",
    "privacy": "隐私政策",
}


class Settings(FlaskForm):  # type: ignore[misc]
    """What stands at the foot of every page."""

    organiser = StringField(validators=[Length(max=80)])
    icp = StringField(validators=[Length(max=60)])
    police = StringField(validators=[Length(max=60)])
    hotline = StringField(validators=[Length(max=60)])
    privacy = StringField(
        validators=[
            Length(max=300),
            Regexp(r"$|https://\S+$|[^:]*$", message=_l("填网址（https://）或一句话")),
        ]
    )
    version = HiddenField()


@bp.route("/settings", methods=["GET", "POST"])
def settings_page() -> str | Response:
    """Set who runs the system, its registrations and whom to call; what is empty is warned of."""
    held = settings.current(db.reading())
    form = Settings(
        data={name: held[label] for name, label in FIELDS.items()}, version=settings.mark(held)
    )
    stale = False
    if form.validate_on_submit():
        values = {label: (form[name].data or "").strip() for name, label in FIELDS.items()}
        try:
            with db.writing() as session:
                settings.save(session, values, form.version.data, auth.actor())
        except settings.Stale:
            stale = True
            held = settings.current(db.reading())
            form.version.data = settings.mark(held)
        else:
            flash(_("已保存"), "success")
            return redirect(url_for("coordinator.settings_page"))
    return render_template("coordinator/settings.html", form=form, held=held, fields=FIELDS,
                           stale=stale)  # fmt: skip


class NewUser(FlaskForm):  # type: ignore[misc]
    """An account of an office."""

    username = StringField(
        validators=[
            DataRequired(),
            Length(4, 32),
            Regexp(r"[A-Za-z0-9]+$", message=_l("只用字母和数字")),
        ]
    )
    name = StringField(validators=[DataRequired(), Length(max=40)])
    role = SelectField(choices=options(ROLES))
    college = SelectField()
    enterprise = SelectField()
    district = SelectField(choices=options(codes.AREAS, "—"))


@bp.route("/users", methods=["GET", "POST"])
def users() -> str | Response:
    """The accounts of offices, and a new one; its first password is shown once."""
    session = db.reading()
    form = NewUser()
    colleges = session.scalars(select(College).order_by(College.code)).all()
    enterprises = session.scalars(select(Enterprise).order_by(Enterprise.code)).all()
    form.college.choices = options({str(c.id): f"{c.code} {c.name}" for c in colleges}, "—")
    form.enterprise.choices = options({str(e.id): f"{e.code} {e.name}" for e in enterprises}, "—")
    if form.validate_on_submit() and (scope := _scope(form)) is not None:
        try:
            with db.writing() as writing:
                password = accounts.create(writing, form.username.data, form.name.data,
                                           form.role.data, auth.actor(), **scope)  # fmt: skip
        except accounts.Taken:
            form.username.errors = [_("已有这个账号，请换一个")]
        else:
            return _slip(auth.as_username(form.username.data), form.name.data, password)
    return render_template("coordinator/users.html", form=form, roles=ROLES, areas=codes.AREAS,
                           users=accounts.of_offices(db.reading()))  # fmt: skip


def _scope(form: NewUser) -> dict[str, object] | None:
    """The office of a new account; nothing, with the problem said, where it is missing."""
    wanted = {"college": form.college, "enterprise": form.enterprise, "district": form.district}
    field = wanted.get(form.role.data)
    if field is None:
        return {}
    if not field.data:
        field.errors = [_("请选择所属单位")]
        return None
    return {
        "college": {"college_id": int(form.college.data or 0)},
        "enterprise": {"enterprise_id": int(form.enterprise.data or 0)},
        "district": {"district": form.district.data},
    }[form.role.data]


def _slip(username: str, name: str, password: str) -> str:
    """The slip with a first password, to be printed and handed over."""
    return render_template("coordinator/slip.html", username=username, name=name, password=password)


@bp.post("/users/<username>")
def change_user(username: str) -> str | Response:
    """Reset an office's password by a slip, or close or open its account."""
    act = request.form.get("act", "")
    if act not in ("reset", "close", "open"):
        abort(400)
    if act == "reset":
        with db.writing() as session:
            held = _office_user(username, session)
            password = accounts.reset(session, held, auth.actor())
        return _slip(held.username, held.name, password)
    with telling(_("已更新账号")), db.writing() as session:
        accounts.switch(session, _office_user(username, session), act == "open", auth.actor())
    return redirect(url_for("coordinator.users"))


def _office_user(username: str, session: Session) -> User:
    held: User | None = session.scalar(select(User).where(User.username == username))
    if held is None or held.role not in accounts.OFFICES:
        abort(404)
    return held
