"""The forms of an application, one a step, and of its account."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, EqualTo, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from . import calendar, codes, db, people

NEEDED = DataRequired(_("请填写这一项。"))
TELEPHONE = re.compile(r"[+]?[0-9][0-9 -]{6,18}")


def options(table: Mapping[str, Any], blank: Any = None) -> list[SelectChoice]:
    """The choices of a field; ``blank`` is what no choice is called."""
    head = [] if blank is None else [SelectChoice("", blank)]
    return head + [SelectChoice(code, said) for code, said in table.items()]


class Boxes(SelectMultipleField):  # type: ignore[misc]
    """Several answers, each with a box of its own."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class Versioned(FlaskForm):  # type: ignore[misc]
    """A form of a row: it carries the version that was shown."""

    version = IntegerField(widget=HiddenInput(), default=1)


def today() -> date:
    """The day in the city."""
    return calendar.local(db.now(db.reading())).date()


def plain_name(_form: Any, field: Any) -> None:
    """A validator: the name can be stored as typed, else says what and where."""
    for code, what in people.name_problems(field.data or ""):
        raise ValidationError(NAME_SENTENCES[code](what))


NAME_SENTENCES: dict[str, Callable[[str], str]] = {
    "name_empty": lambda _what: gettext("请填写姓名。"),
    "name_long": lambda what: gettext("姓名最多 %(n)s 个字。", n=what),
    "name_character": lambda what: gettext("姓名第 %(n)s 个字符看不见，请删去重打。", n=what),
    "name_dot": lambda what: gettext("姓名里的“%(dot)s”请改成“·”。", dot=what),
}
IDENTITY_SENTENCES = {
    "identity_kind": _("请选证件类型。"),
    "identity_scientific": _("号码不完整，请照证件逐位输入。"),
    "identity_format": _("号码的位数或字符不对，请照证件输入。"),
    "identity_date": _("号码里的出生日期不存在，请核对。"),
    "identity_check": _("号码有一位不对，请照证件核对。"),
    "identity_demo": _("这是演示号码，不能用于报名。"),
    "identity_birth": _("与证件号码里的出生日期不一致。"),
    "identity_sex": _("与证件号码里的性别不一致。"),
}


NAME = [DataRequired(_("请填写姓名。")), plain_name]


def plain_telephone(_form: Any, field: Any) -> None:
    """A validator: a telephone number that can be dialled."""
    if field.data and not TELEPHONE.fullmatch(field.data):
        raise ValidationError(gettext("电话号码只能是数字，7 到 19 位。"))


def stripped(text: str | None) -> str:
    """What was typed, without blanks around it."""
    return (text or "").strip()


class Document(FlaskForm):  # type: ignore[misc]
    """A document, and whom it names."""

    identity_type = SelectField(_("证件类型"), choices=options(codes.IDENTITY_TYPES))
    number = StringField(_("证件号码"), [NEEDED, Length(max=24)])
    name = StringField(_("姓名"), NAME, filters=[stripped])
    birth_date = DateField(_("出生日期"), [Optional()])

    def validate(self, extra_validators: Any = None) -> bool:
        """See :class:`wtforms.Form`; the number must agree with what else was typed."""
        good = bool(super().validate(extra_validators))
        kind, number = self.identity_type.data or "", self.number.data or ""
        if number and not self.number.errors:
            demo = bool(current_app.config["DEMO"])
            for code in people.identity_problems(kind, number, self.birth_date.data, demo=demo):
                field = self.birth_date if code == "identity_birth" else self.number
                field.errors = [*field.errors, str(IDENTITY_SENTENCES[code])]
                good = False
        if kind not in people.RESIDENT_TYPES and not self.birth_date.data:
            self.birth_date.errors = [gettext("请填写出生日期。")]
            good = False
        if self.birth_date.data and self.birth_date.data > today():
            self.birth_date.errors = [gettext("出生日期不能在今天以后。")]
            good = False
        return good


PASSWORD = [NEEDED, Length(min=8, max=128, message=_("密码至少 8 位。"))]
AGAIN = [NEEDED, EqualTo("password", message=_("两次输入的密码不一样。"))]


class Registration(Document):
    """A new account, by the person herself."""

    round = SelectField(_("轮次"))
    password = PasswordField(_("密码"), PASSWORD)
    again = PasswordField(_("再输一次密码"), AGAIN)


class Activation(FlaskForm):  # type: ignore[misc]
    """An account opened, or given back, with a slip."""

    number = StringField(_("报名号"), [NEEDED, Length(max=40)], filters=[stripped])
    code = StringField(_("激活码"), [NEEDED, Length(max=40)])
    password = PasswordField(_("新密码"), PASSWORD)
    again = PasswordField(_("再输一次密码"), AGAIN)


class IdentityStep(Versioned):
    """身份与联系."""

    name = StringField(_("姓名"), NAME, filters=[stripped])
    telephone = StringField(_("手机"), [NEEDED, plain_telephone], filters=[stripped])
    district = SelectField(_("现居住区市"), [NEEDED], choices=options(codes.AREAS, _("请选择")))
    household_district = SelectField(_("户籍所在地"), choices=options(codes.AREAS, _("不填")))
    household_kind = SelectField(_("户口类型"), choices=options(codes.HOUSEHOLD_KINDS, _("不填")))
    guardian = StringField(_("监护人姓名"), [Length(max=50)], filters=[stripped])
    guardian_relation = StringField(_("与本人关系"), [Length(max=20)], filters=[stripped])
    guardian_telephone = StringField(_("监护人电话"), [plain_telephone], filters=[stripped])

    minor = 0
    """The age below which a guardian is named, where she is younger; else 0."""

    def validate(self, extra_validators: Any = None) -> bool:
        """See :class:`wtforms.Form`; a minor names her guardian."""
        good = bool(super().validate(extra_validators))
        if self.minor:
            for field in (self.guardian, self.guardian_relation, self.guardian_telephone):
                if not field.data:
                    field.errors = [gettext("未满 %(age)s 岁，请填写监护人。", age=self.minor)]
                    good = False
            if self.guardian.data and people.name_problems(self.guardian.data):
                self.guardian.errors = [gettext("监护人姓名有不能用的字符。")]
                good = False
        return good


class SchoolingStep(Versioned):
    """学历与工作."""

    education = SelectField(
        _("学历"), [NEEDED], choices=options(codes.HELD_EDUCATIONS, _("请选择"))
    )
    school = StringField(_("毕业学校"), [Length(max=60)], filters=[stripped])
    graduated = StringField(_("毕业年月"), [Length(max=10)], filters=[stripped])
    fresh = BooleanField(_("应届毕业"))
    employment = SelectField(_("现在的工作情况"), choices=options(codes.EMPLOYMENT, _("不填")))
    skill_level = SelectField(_("技能等级"), choices=options(codes.SKILL_LEVELS, _("没有")))
    certificate = StringField(_("证书编号"), [Length(max=40)], filters=[stripped])
    study_forms = Boxes(
        _("接受的学习形式"), [DataRequired(_("至少选一种。"))],
        choices=options(codes.STUDY_FORMS),
    )  # fmt: skip
    boarding = BooleanField(_("需要住宿"))
    health = Boxes(_("身体条件"), choices=options(codes.HEALTH))


class GroupsStep(Versioned):
    """人员类别与证明."""

    groups = Boxes(
        _("人员类别"), [DataRequired(_("至少选一类；都不是就选最后一项。"))],
        choices=options(codes.GROUPS),
    )  # fmt: skip


class ConsentsStep(Versioned):
    """同意书; its boxes are the texts' own."""


class CounterEntry(Document):
    """Whom an office writes for."""

    round = SelectField(_("轮次"))
    seen = BooleanField(_("已当面核对证件"), [DataRequired(_("请先核对证件。"))])


class Lookup(FlaskForm):  # type: ignore[misc]
    """A person at the counter whose document was seen."""

    number = StringField(_("报名号"), [NEEDED, Length(max=40)], filters=[stripped])
    name = StringField(_("姓名"), [NEEDED], filters=[stripped])
    purpose = SelectField(
        _("用途"),
        choices=options({"recover": _("激活或找回账号"), "guardian": _("监护人码")}),
    )
    seen = BooleanField(_("已当面核对证件"), [DataRequired(_("请先核对证件。"))])


class Deletion(FlaskForm):  # type: ignore[misc]
    """Asking for one's data to be deleted."""

    reason = StringField(_("说明（可不填）"), [Length(max=200)], filters=[stripped])
