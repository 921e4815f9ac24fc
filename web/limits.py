"""How often one address may try to log in, register, activate an account, look a receipt up or
check a notice.

Counted in this process's memory.  A computer room shares one address, so the limits are generous:
what protects an account is counted for that account, in the database (:mod:`web.auth`).
"""

from __future__ import annotations

from time import time
from typing import Any

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

LIMITS = {
    "security.login": "120 per minute; 1200 per hour",
    "security.two_factor_token_validation": "120 per minute; 1200 per hour",
    "account.register": "60 per minute; 600 per hour",
    "account.activate": "60 per minute; 600 per hour",
    "public.lookup": "60 per minute; 600 per hour",
}
"""Forms that strangers send → how often one address may send them."""

PAGES = {"public.placed": "60 per minute; 600 per hour"}
"""Pages of strangers whose addresses could be guessed → how often one address may look."""


def init_app(app: Flask) -> None:
    """Limit the forms; ``RATE_LIMITS`` turns it on or off, and tests must ask for it."""
    app.config.setdefault("RATE_LIMITS", not app.testing)
    limiter = Limiter(
        get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window",
        enabled=app.config["RATE_LIMITS"],
    )  # fmt: skip
    for table, method in ((LIMITS, "POST"), (PAGES, "GET")):
        for endpoint, limit in table.items():
            view = app.view_functions[endpoint]
            limited: Any = limiter.limit(limit, methods=[method])(view)
            app.view_functions[endpoint] = limited

    @app.after_request
    def say_when(response: Response) -> Response:
        held = limiter.current_limit
        if response.status_code == 429 and held is not None:
            response.headers["Retry-After"] = str(max(held.reset_at - int(time()), 1))
        return response
