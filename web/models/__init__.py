"""Every row of the system, as typed SQLAlchemy models.

Ids are of the database; what a person or an address sees is a code, a number, or a random ``key``.
What only a person may read (names, document and telephone numbers) stays here and never enters a
snapshot.
"""

from __future__ import annotations

from sqlalchemy import MetaData

from ..db import Base
from .accounts import ROLES, STAFF, LoginFailure, Role, User, UserRole
from .alliance import College, Enterprise
from .applicants import (
    Applicant,
    ChoiceList,
    Consent,
    Decision,
    Evidence,
    Interview,
    Membership,
    Person,
    Review,
    Score,
    Slip,
)
from .course import (
    Approval,
    Doubt,
    Draw,
    Import,
    Motion,
    Placement,
    Publication,
    Record,
    Run,
    Snapshot,
)
from .keys import random_key
from .plan import (
    Cap,
    Demand,
    Notice,
    OrderClass,
    PolicyVersion,
    Program,
    Reserve,
    Round,
    SeatChange,
)
from .records import AuditEvent, AuditHead, AuditPayload, Setting

metadata: MetaData = Base.metadata

__all__ = [
    "ROLES",
    "STAFF",
    "Applicant",
    "Approval",
    "AuditEvent",
    "AuditHead",
    "AuditPayload",
    "Cap",
    "ChoiceList",
    "College",
    "Consent",
    "Decision",
    "Demand",
    "Doubt",
    "Draw",
    "Enterprise",
    "Evidence",
    "Import",
    "Interview",
    "LoginFailure",
    "Membership",
    "Motion",
    "Notice",
    "OrderClass",
    "Person",
    "Placement",
    "PolicyVersion",
    "Program",
    "Publication",
    "Record",
    "Reserve",
    "Review",
    "Role",
    "Round",
    "Run",
    "Score",
    "SeatChange",
    "Setting",
    "Slip",
    "Snapshot",
    "User",
    "UserRole",
    "metadata",
    "random_key",
]
