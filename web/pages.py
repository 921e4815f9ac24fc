"""What all pages share: blueprints, the words of templates, errors, and the language switch."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from . import (
    account,
    applicant,
    assist,
    auth,
    bureau,
    calendar,
    codes,
    college,
    coordinator,
    db,
    district,
    enterprise,
    evidence_pages,
    exchange,
    logs,
    privacy,
    public,
    publication,
    rounds,
    rules,
    settings,
    typed,
    words,
)

bp = Blueprint("pages", __name__)

BLUEPRINTS = (
    bp, public.bp, applicant.bp, account.bp, assist.bp,
    coordinator.bp, college.bp, enterprise.bp, district.bp, bureau.bp,
    exchange.bp, evidence_pages.bp,
)  # fmt: skip
STYLE = ("vendor/pico-2.1.1.min.css", "icons.css", "site.css")
LARGE = "large"
GZIP_FROM = 500


@bp.get("/start")
def start() -> BaseResponse:
    """Send whoever logged in to her first page."""
    return redirect(auth.home())


@bp.get("/healthz")
def health() -> str:
    """Whether the application and its database answer."""
    db.reading().execute(select(1))
    return "ok"


@bp.get("/style.css")
def style() -> Response:
    """Every style sheet as one.

    A page that has Pico but not yet our marks would ask for Pico's own, which the content policy
    refuses; and a telephone asks once, not three times.
    """
    return Response(_style(Path(current_app.static_folder or "")), mimetype="text/css")


@bp.post("/language")
def language() -> BaseResponse:
    """Switch the language, and come back to the page."""
    return _kept(words.COOKIE, request.form.get("lang", "zh"), tuple(words.LANGUAGES))


@bp.post("/text-size")
def text_size() -> BaseResponse:
    """Switch between ordinary and large text, and come back to the page."""
    return _kept("text", request.form.get("text", ""), ("", LARGE))


def _kept(name: str, value: str, allowed: tuple[str, ...]) -> BaseResponse:
    back = request.form.get("next", "")
    # only a path of ours: two slashes, or a backslash, would lead to another host
    safe = back.startswith("/") and not back.startswith(("//", "/\\"))
    response = redirect(back if safe else url_for("public.home"))
    if value in allowed:
        response.set_cookie(
            name, value, max_age=365 * 86400, httponly=True, samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )  # fmt: skip
    return response


@bp.get("/second-factor.svg")
def code_picture() -> Response:
    """What an authenticator scans, of the one who is setting up her second factor."""
    secret = session.get("tf_totp_secret")
    who = auth.setting_up()
    if secret is None or who is None:
        abort(404)
    held = current_app.extensions["security"].totp_factory.get_totp_uri(who.username, secret)
    drawn = BytesIO()
    segno.make(held, error="m").save(drawn, kind="svg", scale=6, xmldecl=False, light="#fff")
    return Response(drawn.getvalue(), mimetype="image/svg+xml")


def moment(value: datetime | None) -> str:
    """A moment as people read it, on the clocks of the city."""
    return calendar.local(value).strftime("%Y-%m-%d %H:%M") if value else ""


def who(actor: str | None) -> str:
    """Who did something, as people read it: ``college:c01`` is 院校 c01."""
    role, _colon, name = (actor or "").partition(":")
    return f"{codes.word(codes.ROLES, role)} {name}" if name else role


def _globals() -> dict[str, Any]:
    return {
        "lang": words.language(),
        "large_text": request.cookies.get("text") == LARGE,
        "demo": current_app.config["DEMO"],
        "state_label": lambda state: rounds.LABELS[state],
        "footer": lambda: settings.current(db.reading()),
        "home_url": auth.home,
        "now": lambda: db.now(db.reading()),
    }


def asset(name: str) -> str:
    """The address of a static file; its name changes with its content, so browsers may keep it."""
    version = _version(Path(current_app.static_folder or ""), name)
    return str(url_for("static", filename=name, v=version))


_SEEN: dict[tuple[Path, str], str] = {}


def _version(folder: Path, name: str) -> str:
    key = folder, name
    if key not in _SEEN:
        _SEEN[key] = _short((folder / name).read_bytes())
    return _SEEN[key]


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:10]


def style_address() -> str:
    """The address of the style sheet; it changes with its content."""
    return str(url_for("pages.style", v=_short(_style(Path(current_app.static_folder or "")))))


@cache
def _style(folder: Path) -> bytes:
    return b"\n".join((folder / name).read_bytes() for name in STYLE)


def _error(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    return render_template("error.html", code=code, title=_title(code)), code


def _title(code: int) -> str:
    titles = {
        400: _("请求有误"),
        403: _("您没有这一页的权限"),
        404: _("没有这一页"),
        405: _("不能这样打开这一页"),
        413: _("文件太大，最大 20 MB"),
        429: _("请求太频繁，请稍后再试"),
        503: _("数据库比已公布的结果旧，暂停服务，请管理员恢复新的备份"),
    }
    return str(titles.get(code, _("系统出错，已记录")))


def _expired(error: CSRFError | auth.LoggedOut) -> tuple[str, int]:
    """Nothing was stored: say so, and show what was typed, so that it is not lost."""
    code = int(error.code or 400)
    return render_template("expired.html", code=code, typed=auth.typed()), code


def _refuse_odd_address() -> None:
    """No address of ours holds a control character."""
    if typed.clean(request.path) != request.path:
        abort(404)


def _refuse_old_database() -> None:
    """Serve nothing from a database that is older than what was published; looked at once."""
    held = current_app.extensions
    if "orderclass_behind" not in held:
        held["orderclass_behind"] = publication.behind()
    if held["orderclass_behind"] and request.endpoint not in logs.FILES:
        abort(503)


def _idle() -> None:
    """End the session of an office that has been idle for half an hour."""
    if request.endpoint in logs.FILES or not auth.is_staff():
        return
    held = session.get("seen")
    moment_ = db.now(db.reading()).timestamp()
    idle = current_app.config["STAFF_IDLE"].total_seconds()
    if held is not None and moment_ - held > idle:
        session.clear()
        g.pop("_login_user", None)  # else this one request would still be hers
        return
    session["seen"] = moment_


def _compress(response: Response) -> Response:
    wanted = "gzip" in request.headers.get("Accept-Encoding", "")
    kinds = ("text/html", "text/css", "text/javascript", "application/json", "image/svg+xml")
    if request.endpoint in logs.FILES and request.args.get("v"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if not wanted or response.mimetype not in kinds or response.headers.get("Content-Encoding"):
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= GZIP_FROM:
        response.set_data(gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
    return response


class _Sessions(SecureCookieSessionInterface):
    """Sessions that files do not carry: what anybody may keep must hold nobody's cookie."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint not in logs.FILES:
            super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Register every blueprint, and what templates may say."""
    app.session_interface = _Sessions()
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    auth.check_guards(app)
    app.before_request(_refuse_odd_address)
    app.before_request(_refuse_old_database)
    app.before_request(_idle)
    app.context_processor(_globals)
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["style_address"] = style_address
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["who"] = who
    app.jinja_env.filters["run_name"] = codes.run_name
    app.jinja_env.filters["cited"] = rules.cited
    app.jinja_env.filters["mask_name"] = privacy.mask_name
    app.jinja_env.filters["mask_number"] = privacy.mask_number
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(auth.LoggedOut, _expired)
    app.register_error_handler(HTTPException, _error)
    app.after_request(_compress)
