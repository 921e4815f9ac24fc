"""The outbox: messages in plain words, kept or sent by a sender that a test plugs in."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import select

from tests.web import a_round
from tests.web.conftest import Clock
from web import db, jobs, outbox, people
from web.models import Applicant, Message

Login = Callable[..., FlaskClient]
PARAMS = {
    "program": "模具班", "due": a_round.CONFIRMING, "number": "F2026-0001", "first": "2026-09-01",
    "last": "2026-09-03", "place": "翠屿校区", "title": "2026 年第二轮",
}  # fmt: skip
CODES = (
    "offer_made", "offer_due_soon", "offer_silent", "waiting_offer", "class_ruling",
    "recheck_received", "recheck_answered", "result_corrected", "agreement_ready",
    "agreement_reminder", "agreement_effective", "agreement_lapsed", "check_in", "next_round",
)  # fmt: skip


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """A small round in its application days."""
    made = a_round.standing(tmp_path, "review", clock)
    yield made
    made.extensions["orderclass_engine"].dispose()


def put(code: str = "offer_made", who: str = "A01", **params: object) -> None:
    with db.writing() as session:
        held = session.scalars(select(Applicant).where(Applicant.number == who)).one()
        outbox.put(session, held, code, **params)


def stored() -> list[Message]:
    db.forget()
    return list(db.reading().scalars(select(Message).order_by(Message.id)))


class Post:
    """A sender that notes what it carries, and fails as often as it is told to."""

    def __init__(self, failures: int = 0):
        self.failures = failures
        self.carried: list[tuple[str, str, str]] = []

    def __call__(self, key: str, telephone: str, words: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("13900000000 busy")
        self.carried.append((key, telephone, words))


@pytest.fixture
def plug(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Post], Post]:
    def in_(post: Post) -> Post:
        module = ModuleType("a_sender")
        module.send = post  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "a_sender", module)
        app.config.update(SENDER="a_sender:send", DEMO=False)
        return post

    return in_


# --- words ------------------------------------------------------------------------------------


def test_there_are_words_for_every_code() -> None:
    assert set(outbox.TEXTS) == set(outbox.LABELS) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_words_are_short_and_plain_and_ask_for_nothing(app: Flask, code: str) -> None:
    with app.app_context():
        put(code, **PARAMS)
        words = stored()[-1].words
    head, _colon, rest = words.partition("：")
    assert head == "报名号 A01"
    assert all(len(sentence) <= 30 for sentence in re.split("。", rest))
    assert not re.search(r"https?:|www\.|身份证|证件|密码|验证码|银行|转账", words)
    assert "%(" not in words


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_is_left_out_where_nobody_said_what_it_names(app: Flask, code: str) -> None:
    with app.app_context():
        put(code)
        words = stored()[-1].words
    assert "%(" not in words
    assert words.startswith("报名号 A01：")
    assert words.endswith("。")
    assert len(words) > len("报名号 A01：")


def test_a_message_is_chinese_whoever_puts_it_and_english_on_an_english_page(app: Flask) -> None:
    with app.app_context(), force_locale("en"):
        put(program="模具班", due=a_round.CONFIRMING, strange="x")
        (held,) = stored()
        assert held.words == (
            "报名号 A01：您已被录取。班级：模具班。请在 2026-06-09 09:00 前答复。逾期没有答复，视为放弃。"
        )
        assert "strange" not in held.params
        shown = outbox.told(held)
        assert "Application A01" in shown.words
        assert not re.search("[一-鿿]", shown.words.replace("模具班", "") + shown.label)


def test_a_percent_sign_in_a_name_is_only_a_percent_sign(app: Flask) -> None:
    with app.app_context():
        put(program="100%(due)s班")
        assert "班级：100%(due)s班。" in stored()[0].words


def test_a_moment_is_told_on_the_clocks_of_the_city_however_it_was_given(app: Flask) -> None:
    with app.app_context():
        put("agreement_ready", number="X-1", due_at=a_round.CONFIRMING.isoformat())
        assert stored()[0].words.endswith("协议编号：X-1。请在 2026-06-09 09:00 前签署。")


def test_no_code_no_message(app: Flask) -> None:
    with app.app_context(), pytest.raises(KeyError):
        put("good_news")


# --- sending ----------------------------------------------------------------------------------


def test_without_a_sender_messages_are_kept(app: Flask) -> None:
    with app.app_context():
        put(), put("check_in")
        assert outbox.send_due() == 2
        assert [m.state for m in stored()] == ["kept", "kept"]
        assert outbox.send_due() == 0


def test_the_demo_sends_nothing_whatever_is_configured(
    app: Flask, plug: Callable[[Post], Post]
) -> None:
    post = plug(Post())
    app.config["DEMO"] = True
    with app.app_context():
        put()
        outbox.send_due()
        assert stored()[0].state == "kept"
    assert post.carried == []


def test_a_sender_gets_key_telephone_and_words(app: Flask, plug: Callable[[Post], Post]) -> None:
    post = plug(Post())
    with app.app_context():
        put(), put(who="A02")
        assert outbox.send_due(limit=1) == 1
        assert [m.state for m in stored()] == ["sent", "queued"]
        assert outbox.send_due() == 1
        first = stored()[0]
        assert first.sent_at is not None
    assert post.carried[0] == (first.key, "13900000000", first.words)
    assert len(post.carried) == 2


def test_a_failure_is_tried_again_later_and_told_without_a_number(
    app: Flask, plug: Callable[[Post], Post], clock: Clock
) -> None:
    post = plug(Post(failures=2))
    with app.app_context():
        put()
        assert outbox.send_due() == 0
        held = stored()[0]
        assert (held.state, held.tries, held.error) == ("queued", 1, "ConnectionError")
        assert outbox.send_due() == 0
        assert stored()[0].tries == 1  # not before it is due
        clock.forward(minutes=1)
        outbox.send_due()
        clock.forward(minutes=1)
        outbox.send_due()
        assert stored()[0].tries == 2
        clock.forward(minutes=9)
        assert outbox.send_due() == 1
        assert (stored()[0].state, stored()[0].error) == ("sent", "")
    assert len(post.carried) == 1


def test_five_failures_are_enough(app: Flask, plug: Callable[[Post], Post], clock: Clock) -> None:
    plug(Post(failures=9))
    with app.app_context():
        put()
        for _ in range(7):
            outbox.send_due()
            clock.forward(days=2)
        held = stored()[0]
        assert (held.state, held.tries) == ("failed", outbox.MOST_TRIES)


def test_a_sender_that_dies_uses_up_its_try(
    app: Flask, plug: Callable[[Post], Post], clock: Clock
) -> None:
    class Dead(Post):
        def __call__(self, key: str, telephone: str, words: str) -> None:
            raise SystemExit

    plug(Dead())
    with app.app_context():
        put()
        for _ in range(outbox.MOST_TRIES):
            with pytest.raises(SystemExit):
                outbox.send_due()
            clock.forward(days=2)
        assert outbox.send_due() == 1
        assert stored()[0].state == "failed"


def test_somebody_without_a_telephone_gets_none(app: Flask, plug: Callable[[Post], Post]) -> None:
    post = plug(Post())
    with app.app_context():
        with db.writing() as session:
            held = session.scalars(select(Applicant).where(Applicant.number == "A01")).one()
            people.set_telephone(held.person, "")
        put()
        outbox.send_due()
        assert stored()[0].error == "NoTelephone"
    assert post.carried == []


def test_of_two_workers_one_sends(app: Flask, plug: Callable[[Post], Post]) -> None:
    post = plug(Post())
    with app.app_context():
        put()
        id_ = stored()[0].id
        db.forget()
        assert outbox._send(post, id_)
        assert not outbox._send(post, id_)
    assert len(post.carried) == 1


def test_the_worker_and_close_due_send(app: Flask) -> None:
    with app.app_context():
        put()

        class Once:
            looked = 0

            def is_set(self) -> bool:
                self.looked += 1
                return self.looked > 1

            def wait(self, _seconds: float) -> None: ...

        jobs.work(Once())  # type: ignore[arg-type]
        assert stored()[0].state == "kept"
        put()
        assert app.test_cli_runner().invoke(args=["close-due"]).exit_code == 0
        assert stored()[1].state == "kept"
