"""Who may do what: login, roles, and which rows belong to whom.

A blueprint is guarded as a whole (:func:`guard`); a row is looked up only through the function that
knows its owners (:func:`class_of`, :func:`applicant_of`, …), which answers 404 to everybody else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    flash,
    redirect,
    request,
    session,
    url_for,
)
from flask_babel import lazy_gettext as _
from flask_login import user_logged_in, user_logged_out
from flask_security import (
    LoginForm,
    Security,
    SQLAlchemySessionUserDatastore,
    Totp,
    TwoFactorVerifyCodeForm,
    UserMixin,
    UsernameUtil,
    current_user,
    hash_password,
    verify_password,
)
from flask_security.utils import check_and_update_authn_fresh
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from . import codes, db, rounds, words
from .audit import Actor
from .models import (
    ROLES,
    STAFF,
    Agreement,
    Applicant,
    College,
    Demand,
    Enterprise,
    Evidence,
    Import,
    LoginFailure,
    Offer,
    OrderClass,
    Program,
    Recheck,
    Role,
    Round,
    Run,
    SeatChange,
    User,
)

FAILURES, WINDOW = 10, timedelta(minutes=15)
HOMES = {
    "coordinator": "coordinator.home",
    "college": "college.home",
    "enterprise": "enterprise.home",
    "district": "district.home",
    "bureau": "bureau.home",
    "auditor": "bureau.home",
    "applicant": "applicant.home",
}


# --- logging in -------------------------------------------------------------------------------


REFUSED = _("账号或密码不对。连续输错会暂时变慢；忘记密码请到报名点柜台。")
SLOWED = _("输错次数太多，请 15 分钟后再试，或到报名点柜台。")
UNUSED = frozenset({"security.two_factor_rescue", "security.tf_select", "security.static"})
"""Pages of the library that nobody needs here: a lost second factor is seen to at the counter."""


def as_username(identity: str) -> str:
    """An account's name as it is looked up: without blanks around it, in small letters."""
    return identity.strip().lower()


class Login(LoginForm):
    """The login form; one answer for a wrong name, a wrong password and an account slowed down."""

    def validate(self, **kwargs: Any) -> bool:
        """See :class:`flask_security.LoginForm`."""
        name = self.username.data = as_username(self.username.data or "")
        if slowed_down(name):
            self.form_errors.append(SLOWED)
            return False
        if super().validate(**kwargs):
            return True
        if request.method == "POST":
            count_failure(name)
        return False


class Code(TwoFactorVerifyCodeForm):
    """The form of the second factor; wrong codes slow an account down as wrong passwords do."""

    def validate(self, **kwargs: Any) -> bool:
        """See :class:`flask_security.TwoFactorVerifyCodeForm`."""
        name = str(self.user.username) if self.user else ""
        if slowed_down(name):
            self.code.errors = [str(SLOWED)]
            return False
        if super().validate(**kwargs):
            return True
        count_failure(name)
        return False


class Names(UsernameUtil):
    """Accounts are named by offices and by application numbers, so a name may hold what these do.

    The library would refuse short names and every sign but letters and figures, at each login.
    """

    def normalize(self, username: str) -> str | None:
        """The name as it is looked up."""
        return as_username(username)[:64] or None

    def validate(self, username: str) -> tuple[str | None, str | None]:
        """No name is refused for how it looks: it is found or not."""
        return None, self.normalize(username)


class OneTimeCodes(Totp):
    """The second factor: a code is taken once, and its picture comes from an address of ours."""

    def get_last_counter(self, user: UserMixin) -> int | None:
        """The counter of the last code that was taken."""
        counter: int | None = user.tf_last_counter  # type: ignore[attr-defined]
        return counter

    def set_last_counter(self, user: UserMixin, tmatch: Any) -> None:
        """Remember it, so that a code that somebody overheard is worthless."""
        user.tf_last_counter = tmatch.counter  # type: ignore[attr-defined]

    def generate_qrcode(self, username: str, totp: str) -> str:
        """An address, as the policy of the pages allows no picture inside a page."""
        return url_for("pages.code_picture")


def init_app(app: Flask) -> None:
    """Logins by Flask-Security, on a session of its own: its views commit, ours never do."""
    sessions = scoped_session(
        sessionmaker(app.extensions["orderclass_engine"], expire_on_commit=False)
    )
    app.extensions["orderclass_logins"] = sessions
    app.teardown_appcontext(lambda _: sessions.remove())
    app.before_request(_hide_unused)
    app.before_request(_take_lock)
    security = Security(
        app,
        SQLAlchemySessionUserDatastore(sessions, User, Role),
        login_form=Login,
        two_factor_verify_code_form=Code,
        totp_cls=OneTimeCodes,
        username_util_cls=Names,
    )
    security.i18n_domain = words.LoginWords(app)  # type: ignore[no-untyped-call]
    user_logged_in.connect(_forget_failures, app)
    user_logged_out.connect(_end_sessions, app)


def slowed_down(username: str) -> bool:
    """Whether this account has refused too many passwords of late.

    Others can cause it only for as long as they keep trying: the window passes by itself.
    """
    session = db.reading()
    since = db.now(session) - WINDOW
    failures = session.scalar(
        select(func.count())
        .select_from(LoginFailure)
        .where(LoginFailure.username == username, LoginFailure.at > since)
    )
    return (failures or 0) >= FAILURES


def vouched(username: str, password: str, code: str) -> Actor | None:
    """Who types a password, and outside the demo a code, away from the pages; none if they are wrong."""
    name = as_username(username)
    if slowed_down(name):
        return None
    with db.writing() as session:
        user = session.scalar(select(User).where(User.username == name, User.active))
        good = bool(user and user.password and verify_password(password, user.password))
        if user is not None and good and not current_app.config["DEMO"]:
            factor = current_app.extensions["security"]._totp_factory
            good = bool(user.tf_totp_secret) and factor.verify_totp(
                token=code,
                totp_secret=user.tf_totp_secret,
                user=user,
                window=current_app.config["SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY"],
            )
        if user is not None and good:
            return Actor(f"{user.role}:{user.username}", user.role)
    count_failure(name)
    return None


def count_failure(username: str) -> None:
    """Remember that a password was refused."""
    session = _logins()
    session.add(LoginFailure(username=username[:64], at=db.now(session)))
    session.commit()


def _forget_failures(_: Flask, user: User) -> None:
    _logins().execute(delete(LoginFailure).where(LoginFailure.username == user.username))


def _end_sessions(_: Flask, user: User) -> None:
    """Whoever leaves leaves everywhere: a copy of her cookie is worthless from now on."""
    end_sessions(_logins(), user.id)
    _logins().commit()


def _hide_unused() -> None:
    # the library ends the session of whoever is logged in and follows a link to this page
    lured = request.endpoint == "security.two_factor_token_validation"
    if request.endpoint in UNUSED or (lured and current_user.is_authenticated):
        abort(404)


def _logins() -> Session:
    """The session of Flask-Security in this request."""
    session: Session = current_app.extensions["orderclass_logins"]()
    return session


def _take_lock() -> None:
    """A login writes after it has read: its transaction takes the write lock at once."""
    if request.blueprint == "security" and request.method == "POST":
        sessions = current_app.extensions["orderclass_logins"]
        sessions.remove()
        sessions(bind=db.engine().execution_options(writes=True))


def create_user(session: Session, username: str, password: str, role: str, **scope: Any) -> User:
    """A new account of one role; ``scope`` is its office (``college``, ``enterprise``, …)."""
    if role not in ROLES:
        raise ValueError(f"no such role: {role}")
    held = session.scalar(select(Role).where(Role.name == role)) or Role(name=role)
    user = User(
        username=username,
        password=hash_password(password) if password else None,
        fs_uniquifier=token_hex(32),
        roles=[held],
        created_at=db.now(session),
        **scope,
    )
    session.add(user)
    session.flush()
    return user


def setting_up() -> User | None:
    """Who sets up a second factor: she is logged in, or has given her password just now."""
    if current_user.is_authenticated:
        user: User = current_user
        return user
    return db.reading().scalar(
        select(User).where(User.fs_uniquifier == session.get("tf_user_id", ""))
    )


def end_sessions(session: Session, user_id: int) -> None:
    """Make every cookie of a user worthless: at logout, a new password, another role."""
    user = session.get_one(User, user_id)
    user.fs_uniquifier = token_hex(32)


# --- roles ------------------------------------------------------------------------------------


class LoggedOut(HTTPException):
    """A session ended while its owner was filling in a form; what she typed is shown to her."""

    code = 401


UNTYPED = ("csrf_token", "version", "stamp", "key", "last", "fence", "digest", "next", "act")
"""Fields of forms that nobody fills in."""

TICKED = "y"
"""What a box that is ticked says."""


def typed() -> list[str]:
    """What somebody filled in on the form that was sent, in words; a password is not told."""
    return [
        codes.word(codes.CHOSEN.get(name, {}), value)
        for name, values in request.form.lists()
        for value in values
        if value.strip() and value != TICKED and name not in UNTYPED and "password" not in name
    ]


def guard(blueprint: Blueprint, *roles: str) -> None:
    """Let only these roles into a blueprint; who is not logged in is asked to, others get 403."""

    @blueprint.before_request
    def check() -> Response | None:
        if not current_user.is_authenticated:
            if typed():
                raise LoggedOut
            return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
        if current_user.role not in roles:
            abort(403)
        return None

    blueprint.record_once(
        lambda state: state.app.config.setdefault("GUARDS", {}).update({blueprint.name: roles})
    )


def password_first() -> Response | None:
    """Where to type the password again, if it was not typed just now: before a weighty page, or
    before personal data leave the system.

    It leads back to the page, or to the one whose button was pressed.
    """
    within, grace = (
        current_app.config[f"SECURITY_{name}"] for name in ("FRESHNESS", "FRESHNESS_GRACE_PERIOD")
    )
    if check_and_update_authn_fresh(within, grace, "session"):
        return None
    flash(str(_("请先输入密码，然后再办一次。")), "warning")
    page = urlsplit(request.url if request.method == "GET" else request.referrer or "")
    back = page.path if page.netloc == request.host else home()
    return redirect(url_for("security.verify", next=back))


def fresh(view: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for the password again before a view, if it was not typed just now."""

    @wraps(view)
    def call(**values: Any) -> Any:
        return password_first() or view(**values)

    return call


OPEN = frozenset({"pages", "public", "security", "account"})
"""Blueprints that everybody may enter; logins ask for themselves who is logged in."""


class Unguarded(RuntimeError):
    """A blueprint has not said who may enter it."""


def check_guards(app: Flask) -> None:
    """Refuse to start where somebody forgot a guard.

    Raises
    ------
    Unguarded
        If a blueprint is neither guarded nor named as open.
    """
    if forgotten := set(app.blueprints) - set(app.config.get("GUARDS", ())) - OPEN:
        raise Unguarded(", ".join(sorted(forgotten)))


def actor() -> Actor:
    """Who acts in this request, for the record."""
    if not current_user.is_authenticated:
        return Actor("public", "public")
    return Actor(f"{current_user.role}:{current_user.username}", current_user.role)


def is_staff() -> bool:
    """Whether somebody of an office is logged in."""
    return bool(current_user.is_authenticated and current_user.role in STAFF)


def home() -> str:
    """The first page of whoever is logged in."""
    if not current_user.is_authenticated:
        return url_for("public.home")
    return url_for(HOMES[current_user.role])


# --- rows -------------------------------------------------------------------------------------


def round_of(serial: str, session: Session | None = None) -> Round:
    """A round by its number.  Drafts are seen by offices only."""
    found = (session or db.reading()).scalar(select(Round).where(Round.serial == serial))
    if found is None or (found.state == "DRAFT" and not is_staff()):
        abort(404)
    return found


def own_college() -> College:
    """The college that the user acts for."""
    found = db.reading().get(College, current_user.college_id or 0)
    if found is None:
        abort(403)
    return found


def own_enterprise() -> Enterprise:
    """The enterprise that the user acts for."""
    found = db.reading().get(Enterprise, current_user.enterprise_id or 0)
    if found is None:
        abort(403)
    return found


def class_of(round_: Round, code: str, session: Session | None = None) -> OrderClass:
    """A class of a round, for its college, an enterprise with seats in it, or a coordinator."""
    found = (session or db.reading()).scalar(
        select(OrderClass).where(OrderClass.round_id == round_.id, OrderClass.code == code)
    )
    if found is None or not _sees_class(found):
        abort(404)
    return found


def _sees_class(order_class: OrderClass) -> bool:
    role = current_user.role
    if role == "college":
        return bool(order_class.college_id == current_user.college_id)
    if role == "enterprise":
        return any(p.enterprise_id == current_user.enterprise_id for p in order_class.programs)
    return role in ("coordinator", "bureau", "auditor")


def program_of(round_: Round, code: str, session: Session | None = None) -> Program:
    """A program of a round, for those who see its class; an enterprise only its own seats."""
    found = (session or db.reading()).scalar(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, Program.code == code)
    )
    if found is None or not _sees_class(found.order_class):
        abort(404)
    if current_user.role == "enterprise" and found.enterprise_id != current_user.enterprise_id:
        abort(404)
    return found


def demand_of(round_: Round, code: str, session: Session | None = None) -> Demand:
    """A demand of a round, for its enterprise, or a coordinator or college."""
    found = (session or db.reading()).scalar(
        select(Demand).where(Demand.round_id == round_.id, Demand.code == code)
    )
    role = current_user.role
    if found is None or (
        role == "enterprise" and found.enterprise_id != current_user.enterprise_id
    ):
        abort(404)
    if role not in ("enterprise", "college", "coordinator", "bureau"):
        abort(404)
    return found


def change_of(key: str, session: Session | None = None) -> SeatChange:
    """A change of seats, for the three who agree on it."""
    found = (session or db.reading()).scalar(select(SeatChange).where(SeatChange.key == key))
    role = current_user.role
    mine = found is not None and (
        role == "coordinator"
        or (role == "college" and found.program.order_class.college_id == current_user.college_id)
        or (role == "enterprise" and found.program.enterprise_id == current_user.enterprise_id)
    )
    if found is None or not mine:
        abort(404)
    return found


def offer_of(key: str, session: Session | None = None) -> Offer:
    """An offer, for her whom it was made to, the college of its class, and coordinators."""
    return _offer(key, session, "applicant", "college", "coordinator")


def _offer(key: str, session: Session | None, *roles: str) -> Offer:
    """An offer by key, for those of its parties who have one of the roles."""
    found = (session or db.reading()).scalar(select(Offer).where(Offer.key == key))
    if found is None or current_user.role not in roles or not _is_party(found):
        abort(404)
    return found


def import_of(round_: Round, key: str, session: Session | None = None) -> Import:
    """An import of a round, for coordinators and for the office whose people uploaded it."""
    used = session or db.reading()
    found = used.scalar(select(Import).where(Import.round_id == round_.id, Import.key == key))
    if found is None:
        abort(404)
    role, name = found.by.split(":", 1)
    maker = used.scalar(select(User).where(User.username == name))
    mine = maker is not None and current_user.role == role and (
        (role == "college" and maker.college_id == current_user.college_id)
        or (role == "enterprise" and maker.enterprise_id == current_user.enterprise_id)
    )  # fmt: skip
    if current_user.role != "coordinator" and not mine:
        abort(404)
    return found


def own_district() -> str:
    """The district that the user acts for."""
    if not current_user.district:
        abort(403)
    return str(current_user.district)


def own_applicant(round_: Round, session: Session | None = None) -> Applicant | None:
    """The application of whoever is logged in, in a round whose plan is public."""
    if round_.state not in rounds.PUBLIC:
        return None  # she was carried over into a round that is being prepared
    return (session or db.reading()).scalar(
        select(Applicant).where(
            Applicant.round_id == round_.id, Applicant.person_id == (current_user.person_id or 0)
        )
    )


def applicant_of(key: str, session: Session | None = None) -> Applicant:
    """An applicant by key, for the offices that may read her: see :func:`sees_applicant`."""
    used = session or db.reading()
    found = used.scalar(select(Applicant).where(Applicant.key == key))
    if found is None or not sees_applicant(used, found):
        abort(404)
    return found


def evidence_of(key: str, session: Session | None = None) -> Evidence:
    """A picture of an applicant, for those who review her: a coordinator, and in the time of the
    review a college that she lists and her own district."""
    used = session or db.reading()
    found = used.scalar(select(Evidence).where(Evidence.key == key))
    if found is None or current_user.role == "applicant":
        abort(404)
    reviewed = rounds.by_the_clock(used, found.applicant.round) == "REVIEW"
    if not (reviewed or current_user.role == "coordinator") or not sees_applicant(
        used, found.applicant
    ):
        abort(404)
    return found


def entered_of(key: str, session: Session | None = None) -> Applicant:
    """An applicant for whom an office types (代报名): whoever began it, or a coordinator."""
    found = (session or db.reading()).scalar(select(Applicant).where(Applicant.key == key))
    if found is None or not found.entered_by:
        abort(404)
    if current_user.role != "coordinator" and found.entered_by != actor().name:
        abort(404)
    return found


def sees_applicant(session: Session, applicant: Applicant) -> bool:
    """A coordinator; a college that she lists; her own district; and she herself."""
    from .choices import listed_programs

    role = current_user.role
    if role == "coordinator":
        return True
    if role == "applicant":
        return bool(applicant.person_id == current_user.person_id)
    if role == "district":
        return current_user.district in (applicant.district, applicant.household_district)
    if role == "college":
        return any(
            p.order_class.college_id == current_user.college_id
            for p in listed_programs(session, applicant)
        )
    return False


def recheck_of(round_: Round, key: str, session: Session | None = None) -> Recheck:
    """A recheck of a round, for its applicant and for the offices that answer it."""
    from .rechecks import seen_by

    found = (session or db.reading()).scalar(
        select(Recheck)
        .join(Applicant)
        .where(Recheck.round_id == round_.id, Recheck.key == key, *seen_by(current_user))
    )
    if found is None:
        abort(404)
    return found


def run_of(round_: Round, key: str, session: Session | None = None) -> Run:
    """A run of the solver in a round, for coordinators, the bureau and auditors."""
    found = (session or db.reading()).scalar(
        select(Run).where(
            Run.round_id == round_.id, Run.key == key, Run.kind.not_in(codes.OWN_PAGES)
        )
    )
    if found is None or current_user.role not in ("coordinator", "bureau", "auditor"):
        abort(404)
    return found


def notices_of(round_: Round, key: str, session: Session | None = None) -> Run:
    """Notices of admission that were asked for: a college's own, or all for coordinators."""
    found = (session or db.reading()).scalar(
        select(Run).where(Run.round_id == round_.id, Run.key == key, Run.kind == "notices")
    )
    mine = found is not None and (
        current_user.role == "coordinator"
        or (current_user.role == "college" and found.label == own_college().code)
    )
    if found is None or not mine:
        abort(404)
    return found


def agreement_of(key: str, session: Session | None = None) -> Agreement:
    """An agreement, for its parties (college, enterprise, the student) and coordinators."""
    found = (session or db.reading()).scalar(select(Agreement).where(Agreement.key == key))
    if found is None or not _is_party(found.offer):
        abort(404)
    return found


def _is_party(offer: Offer) -> bool:
    role = current_user.role
    if role == "college":
        return bool(offer.program.order_class.college_id == current_user.college_id)
    if role == "enterprise":
        return bool(offer.program.enterprise_id == current_user.enterprise_id)
    if role == "applicant":
        return bool(offer.applicant.person_id == current_user.person_id)
    return bool(role == "coordinator")


def enrolled_of(key: str, session: Session | None = None) -> Offer:
    """A place by key, for the college that enters its check-in, and for coordinators."""
    return _offer(key, session, "college", "coordinator")
