"""The web application: rows, sessions and pages around :mod:`matcher`.

``create_app`` makes it; ``flask --app web …`` runs its commands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response
from flask_security.utils import aware_utcnow
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from . import auth, calendar, commands, db, demo, limits, logs, pages, words
from .privacy import Keys
from .typed import SmallNumber, TypedRequest

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
UPLOAD_BYTES = 20 * 2**20
ARGON2 = {"argon2__memory_cost": 19456, "argon2__time_cost": 2, "argon2__parallelism": 1}


class NotReady(RuntimeError):
    """The application must not serve as it is configured; the text says what to mend."""


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The application.

    Parameters
    ----------
    config
        Overrides; else the environment decides: ``DATABASE_URL``, ``ORDERCLASS_INSTANCE``,
        ``ORDERCLASS_DEMO``, ``ORDERCLASS_PROXIES`` (how many trusted proxies stand in front),
        ``ORDERCLASS_SENDER`` (``module:name`` of what sends messages; none: they are kept).

    Raises
    ------
    NotReady
        Outside the demo, where nothing says that https stands in front.
    """
    given = dict(config or {})
    shown = bool(
        given.pop("DEMO", os.environ.get("ORDERCLASS_DEMO") == "1" or commands.asked("demo"))
    )
    usual = "instance/demo" if shown else "instance"
    instance = Path(given.pop("INSTANCE", os.environ.get("ORDERCLASS_INSTANCE", usual)))
    app = Flask(__name__, instance_path=str(instance.resolve()))
    app.request_class = TypedRequest
    app.url_map.converters["int"] = SmallNumber
    proxies = int(given.pop("PROXIES", os.environ.get("ORDERCLASS_PROXIES", "0")))
    instance.mkdir(parents=True, exist_ok=True)
    app.config.update(
        DEMO=shown,
        CLOCK=demo.clock(instance) if shown else None,
        SENDER=os.environ.get("ORDERCLASS_SENDER", ""),
        DATABASE_URL=os.environ.get(
            "DATABASE_URL",
            demo.database(instance)
            if shown
            else f"sqlite:///{instance.resolve()}/orderclass.sqlite",
        ),
        MAX_CONTENT_LENGTH=UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=4 * 2**20,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not shown,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        STAFF_IDLE=timedelta(minutes=30),
        WTF_CSRF_TIME_LIMIT=None,
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=ARGON2,
        SECURITY_USERNAME_ENABLE=True,
        SECURITY_USERNAME_REQUIRED=False,
        SECURITY_USER_IDENTITY_ATTRIBUTES=[{"username": {"mapper": auth.as_username}}],
        SECURITY_EMAIL_REQUIRED=False,
        SECURITY_TRACKABLE=True,
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,
        SECURITY_CHANGEABLE=True,
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TWO_FACTOR_RESCUE_EMAIL=False,
        SECURITY_TOTP_ISSUER="订单班匹配",
        SECURITY_DATETIME_FACTORY=aware_utcnow,
        SECURITY_FRESHNESS=timedelta(minutes=10),
        SECURITY_FRESHNESS_GRACE_PERIOD=timedelta(0),
        SECURITY_POST_LOGIN_VIEW="pages.start",
        SECURITY_POST_LOGOUT_VIEW="public.home",
        SECURITY_POST_CHANGE_VIEW="pages.start",
        SECURITY_MSG_GENERIC_AUTHN_FAILED=(auth.REFUSED, "error"),
    )
    app.config.update(given)
    if not (shown or app.testing or proxies or commands.asked(*commands.WITHOUT_PAGES)):
        raise NotReady(
            "前面没有 https：请在反向代理后运行，并设 ORDERCLASS_PROXIES=1（代理层数）；试用请设 ORDERCLASS_DEMO=1。"
            " No https in front: run behind a reverse proxy and set ORDERCLASS_PROXIES=1 (how many);"
            " to try it out, set ORDERCLASS_DEMO=1."
        )
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    calendar.own(instance)  # a file that cannot be read is told at the start
    db.init_app(app)
    logs.init_app(app)
    commands.init_app(app)
    if commands.asked("demo", "init-db") and not (instance / "keys.toml").exists():
        return app
    held = Keys.read(instance / "keys.toml")
    app.extensions["orderclass_keys"] = held
    app.config.update(
        SECRET_KEY=held.session,
        SECURITY_PASSWORD_SALT=held.password_salt,
        SECURITY_TOTP_SECRETS={"1": held.totp},
    )
    CSRFProtect(app)
    words.init_app(app)
    auth.init_app(app)
    pages.init_app(app)
    limits.init_app(app)
    app.after_request(_headers)
    return app


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
