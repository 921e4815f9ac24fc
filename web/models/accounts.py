"""Who logs in: users, their roles, and refused passwords."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask import current_app
from flask_security import RoleMixin, UserMixin
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, Instant

if TYPE_CHECKING:
    from .alliance import College, Enterprise
    from .applicants import Person

STAFF = ("coordinator", "college", "enterprise", "district", "bureau", "auditor")
ROLES = (*STAFF, "applicant")


class Role(Base, RoleMixin):
    """A kind of user: one of :data:`ROLES`."""

    __tablename__ = "role"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]


class UserRole(Base):
    """Who holds which role."""

    __tablename__ = "user_role"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"), primary_key=True)


class User(Base, UserMixin):
    """Somebody who logs in; an office's people act for their college, enterprise or district."""

    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)  # type: ignore[assignment]
    password: Mapped[str | None]
    name: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    tf_last_counter: Mapped[int | None]
    last_login_at: Mapped[datetime | None] = mapped_column(Instant)  # type: ignore[assignment]
    current_login_at: Mapped[datetime | None] = mapped_column(Instant)  # type: ignore[assignment]
    last_login_ip: Mapped[str | None]
    current_login_ip: Mapped[str | None]
    login_count: Mapped[int | None]  # type: ignore[assignment]
    notice: Mapped[str] = mapped_column(default="")
    """Shown once at the next login: a password set anew at the counter, say."""
    locale: Mapped[str] = mapped_column(default="zh")
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    district: Mapped[str | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)

    roles: Mapped[list[Role]] = relationship(secondary="user_role")  # type: ignore[assignment]
    college: Mapped[College | None] = relationship()
    enterprise: Mapped[Enterprise | None] = relationship()
    person: Mapped[Person | None] = relationship(back_populates="user")

    def check_tf_required(
        self, tf_setup_methods: list[tuple[str, str]], tf_fresh: bool
    ) -> tuple[bool, list[tuple[str, str]]]:
        """A second factor is asked of every office, not of applicants; in the demo of nobody."""
        return (self.role in STAFF and not current_app.config["DEMO"], tf_setup_methods)

    @property
    def role(self) -> str:
        """The one role of the user."""
        return self.roles[0].name if self.roles else ""


class LoginFailure(Base):
    """A password that was refused; ten in a quarter of an hour slow that account down."""

    __tablename__ = "login_failure"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(Instant)
