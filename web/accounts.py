"""Accounts of offices: made and reset by a coordinator, who hands the first password over on paper."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from . import auth
from .audit import Actor, record
from .models import Role, User

OFFICES = ("college", "enterprise", "district", "bureau", "auditor")
"""Roles whose accounts a coordinator makes; coordinators are made at the terminal."""

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits that nobody confuses when reading them from paper."""


class Taken(ValueError):
    """An account has that name already."""


def of_offices(session: Session) -> Sequence[User]:
    """Every account of an office, by role and name."""
    return session.scalars(
        select(User)
        .join(User.roles)
        .where(Role.name.in_(OFFICES))
        .options(
            selectinload(User.roles), selectinload(User.college), selectinload(User.enterprise)
        )
        .order_by(Role.name, User.username)
    ).all()


def create(
    session: Session, username: str, name: str, role: str, actor: Actor, **scope: Any
) -> str:
    """Make an account of an office; returns its first password, which is stored nowhere.

    Raises
    ------
    Taken
        If the name is in use.
    ValueError
        If it is no role of an office.
    """
    if role not in OFFICES:
        raise ValueError(role)
    username = auth.as_username(username)
    if session.scalar(select(User.id).where(User.username == username)) is not None:
        raise Taken(username)
    password = first_password()
    auth.create_user(session, username, password, role, name=name, **scope)
    record(session, actor, "user.create", f"user/{username}", after={"role": role, **scope})
    return password


def reset(session: Session, user: User, actor: Actor) -> str:
    """Give an account a new password, and end its sessions; it is told so at the next login."""
    password = first_password()
    user.password = hash_password(password)
    user.notice = _("您的密码已在柜台重置；如果不是您本人要求的，请马上告诉联盟。")
    auth.end_sessions(session, user.id)
    record(session, actor, "user.reset", f"user/{user.username}")
    return password


def switch(session: Session, user: User, active: bool, actor: Actor) -> None:
    """Close an account, or open it again."""
    user.active = active
    auth.end_sessions(session, user.id)
    record(session, actor, "user.switch", f"user/{user.username}", before={"active": not active},
           after={"active": active})  # fmt: skip


def first_password() -> str:
    """A password of 60 random bits to be read from paper, in groups of four."""
    letters = "".join(secrets.choice(ALPHABET) for _n in range(12))
    return "-".join(letters[at : at + 4] for at in range(0, 12, 4))
