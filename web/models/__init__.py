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
from .outcome import (
    Agreement,
    AgreementText,
    Contact,
    Enrolment,
    Message,
    Offer,
    Recheck,
    Removal,
    Ruling,
    Signature,
    WaitingStep,
)
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
    "Agreement",
    "AgreementText",
    "Applicant",
    "Approval",
    "AuditEvent",
    "AuditHead",
    "AuditPayload",
    "Cap",
    "ChoiceList",
    "College",
    "Consent",
    "Contact",
    "Decision",
    "Demand",
    "Doubt",
    "Draw",
    "Enrolment",
    "Enterprise",
    "Evidence",
    "Import",
    "Interview",
    "LoginFailure",
    "Membership",
    "Message",
    "Motion",
    "Notice",
    "Offer",
    "OrderClass",
    "Person",
    "Placement",
    "PolicyVersion",
    "Program",
    "Publication",
    "Recheck",
    "Record",
    "Removal",
    "Reserve",
    "Review",
    "Role",
    "Round",
    "Ruling",
    "Run",
    "Score",
    "SeatChange",
    "Setting",
    "Signature",
    "Slip",
    "Snapshot",
    "User",
    "UserRole",
    "WaitingStep",
    "metadata",
    "random_key",
]
