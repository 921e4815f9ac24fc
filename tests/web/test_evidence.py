"""Evidence: hostile pictures, who may open one, and when it goes."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from fpdf import FPDF
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from tests.web import market
from tests.web.conftest import Clock
from web import db, evidence, picture
from web.models import Applicant, AuditEvent, College, Evidence, Membership, Round

ME = "/me/2026-1"
Login = Callable[..., FlaskClient]


def drawn(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind, **options)  # type: ignore[arg-type]
    return made.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    return drawn(exif=exif, comment=b"SECRETCOMMENT", icc_profile=b"SECRETPROFILE" * 9)


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 2_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def chatty() -> bytes:
    """A PNG whose compressed text inflates to ten megabytes."""
    told = PngImagePlugin.PngInfo()
    told.add_text("x", "y" * 10_000_000, zip=True)
    return drawn("PNG", pnginfo=told)


def made_here(data: bytes) -> bytes:
    """What the child makes of it, without the child."""
    return (picture.rewritten if picture.kind_of(data) == "PDF" else picture.redrawn)(data)


HOSTILE = {
    "empty": (b"", "kind"),
    "text": (b"<script>alert(1)</script>", "kind"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "kind"),
    "gif": (drawn("GIF"), "kind"),
    "bmp": (drawn("BMP"), "kind"),
    "tiff": (drawn("TIFF"), "kind"),
    "pdf": (b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>", "unreadable"),
    "pdf behind junk": (b"\xff\xd8\xff" + b"%PDF-1.4", "unreadable"),
    "zip": (b"PK\x03\x04" + bytes(99), "kind"),
    "too large": (b"\xff\xd8\xff" + bytes(5 * 2**20), "too_large"),
    "points": (bomb(), "points"),
    "lying size": (bomb(7_000, 7_000), "unreadable"),
    "cut off": (drawn(size=(900, 900))[:900], "unreadable"),
    "sign alone": (b"\x89PNG\r\n\x1a\n", "unreadable"),
    "png as jpeg": (b"\xff\xd8\xff" + drawn("PNG"), "unreadable"),
    "text bomb": (chatty(), "unreadable"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_reason(name: str) -> None:
    data, code = HOSTILE[name]
    with pytest.raises(picture.Unfit, match=f"^{code}$"):
        evidence.redraw(data)
    with pytest.raises(picture.Unfit, match=f"^{code}$"):
        made_here(data)


@pytest.mark.parametrize("data", [with_exif(), drawn("PNG"), drawn(size=(4000, 3000))])
def test_a_picture_is_drawn_anew_and_carries_nothing_else(data: bytes) -> None:
    made = evidence.redraw(data)
    assert made == picture.redrawn(data)
    with Image.open(io.BytesIO(made)) as shown:
        assert shown.format == "JPEG" and max(shown.size) <= picture.LONGEST_SIDE
        assert not shown.getexif() and set(shown.info) <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density",
        }  # fmt: skip
        if b"SECRET" in data:
            assert shown.size == (40, 60), "upright"
    assert b"SECRET" not in made


def test_something_behind_the_picture_is_cut_off() -> None:
    made = evidence.redraw(drawn("PNG") + b"PK\x03\x04 SECRET <script>")
    assert b"SECRET" not in made


def test_the_child_is_held_to_its_memory_and_a_crash_is_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [sys.executable, "-I", str(Path(picture.__file__)), "60", "5"]
    ended = subprocess.run(
        command, input=drawn("PNG", (6000, 6000)), capture_output=True, check=False
    )
    assert ended.returncode != 0 and not ended.stdout
    monkeypatch.setattr(evidence, "MEGABYTES", 60)
    with pytest.raises(picture.Unfit, match="unreadable"):
        evidence.redraw(drawn("PNG", (6000, 6000)))
    monkeypatch.setattr(evidence, "SECONDS", 0)
    with pytest.raises(picture.Unfit, match="unreadable"):
        evidence.redraw(drawn())


# --- pages ------------------------------------------------------------------------------------


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who claims G05 and has filled everything in."""
    market.make(app)
    client = market.register(app)
    market.fill(client)
    return client


def send(client: FlaskClient, data: bytes, group: str = "G05") -> str:
    form = {"group": group, "file": (io.BytesIO(data), "身份证.jpg")}
    return client.post(f"{ME}/evidence", data=form, follow_redirects=True).text


def keys(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.reading().scalars(select(Evidence.key).order_by(Evidence.id)))


def files(app: Flask) -> set[str]:
    return {path.name for path in (Path(app.instance_path) / "evidence").iterdir()}


def actions(app: Flask) -> list[str]:
    with app.app_context():
        found = db.reading().scalars(select(AuditEvent.action).order_by(AuditEvent.id))
        return [action for action in found if action.startswith("evidence.")]


def change(app: Flask, **columns: object) -> None:
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(Round)).one()
        for name, value in columns.items():
            setattr(round_, name, value)


def decide(app: Flask, at: object) -> None:
    with app.app_context(), db.writing() as session:
        session.scalars(select(Membership)).one().decided_at = at  # type: ignore[assignment]


def test_a_picture_is_given_kept_encrypted_and_taken_away(app: Flask, client: FlaskClient) -> None:
    assert "上传证明材料" in client.get(f"{ME}/step/groups").text
    assert "还没有文件" in client.get(f"{ME}/evidence").text
    assert "文件已收下" in send(client, with_exif())
    [key] = keys(app)
    assert files(app) == {key}
    stored = (Path(app.instance_path) / "evidence" / key).read_bytes()
    assert b"JFIF" not in stored and b"SECRET" not in stored
    page = client.post(f"{ME}/evidence/{key}/drop", follow_redirects=True).text
    assert "文件已删除" in page and keys(app) == []
    assert client.post(f"{ME}/evidence/{key}/drop").status_code == 404
    assert actions(app) == ["evidence.add", "evidence.drop"]
    client.set_cookie("lang", "en")
    page = client.get(f"{ME}/evidence").text
    assert "Choose a picture or a PDF" in page and "kept encrypted" in page


def test_what_is_refused_is_said_at_the_field(app: Flask, client: FlaskClient) -> None:
    for data, said in (
        (b"", "请选一张照片"), (HOSTILE["pdf"][0], "打不开"), (b"GIF89a", "只收 JPEG、PNG"),
        (bomb(), "像素太多"), (drawn()[:99], "打不开"),
    ):  # fmt: skip
        page = send(client, data)
        assert 'aria-invalid="true"' in page and said in page
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "MOST_BYTES", 99)
        assert "最大 5 MB" in send(client, drawn())
    assert "请先勾选并保存这个类别" in send(client, drawn(), "G09")
    for _ in range(evidence.MOST):
        assert "文件已收下" in send(client, drawn())
    assert "最多 4 份" in send(client, drawn())
    assert len(keys(app)) == evidence.MOST


def test_a_pdf_is_kept_and_handed_out_as_a_file(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    made = FPDF()
    made.add_page()
    assert "文件已收下" in send(client, bytes(made.output()))
    [key] = keys(app)
    shown = as_user("coordinator").post(f"/evidence/{key}")
    assert shown.mimetype == "application/pdf" and shown.data.startswith(picture.PDF)
    assert shown.headers["Content-Disposition"].startswith("attachment")


def test_a_new_picture_opens_what_was_decided(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        held = session.scalars(select(Membership)).one()
        held.state, held.decided_by = "refused", "district:d"
    send(client, drawn())
    with app.app_context():
        assert db.reading().scalars(select(Membership.state)).one() == "claimed"


def test_after_the_deadline_nothing_changes(app: Flask, client: FlaskClient, clock: Clock) -> None:
    send(client, drawn())
    clock.forward(days=20)
    assert "报名已截止" in send(client, drawn())
    [key] = keys(app)
    client.post(f"{ME}/evidence/{key}/drop")
    assert keys(app) == [key] and 'type="file"' not in client.get(f"{ME}/evidence").text


def test_only_who_reviews_her_opens_it_and_it_is_on_record(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    client.post(f"{ME}/list/add", data={"code": "K1"})
    page = client.get(f"{ME}/submit").text
    form = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("key", "last")}
    answer = client.post(f"{ME}/submit", data={**form, "choice": ["K1"], "adjustment": "none"})
    assert answer.status_code == 302, answer.text
    send(client, with_exif())
    [key] = keys(app)
    with app.app_context():
        own = db.reading().scalars(select(College.id)).one()
        mine = db.reading().scalars(select(Applicant)).one()
    with app.app_context(), db.writing() as session:
        session.add(College(code="C9", name="别的学院", district="371002"))
        session.flush()
        foreign = session.scalars(select(College.id).where(College.code == "C9")).one()
    people = {
        "coordinator": as_user("coordinator"),
        "college": as_user("college", "u1", college_id=own),
        "other college": as_user("college", "u9", college_id=foreign),
        "district": as_user("district", "d1", district="371002"),
        "other district": as_user("district", "d2", district="371099"),
        "enterprise": as_user("enterprise"), "bureau": as_user("bureau"),
        "auditor": as_user("auditor"), "herself": client, "nobody": app.test_client(),
        "another": market.register(app, name="李小红", serial=3),
    }  # fmt: skip
    assert people["another"].post(f"{ME}/evidence/{key}/drop").status_code == 404
    seen = {who: one.post(f"/evidence/{key}").status_code for who, one in people.items()}
    assert seen.pop("coordinator") == 200 and 200 not in seen.values(), "before the review"
    change(app, state="REVIEW")
    answers = {who: one.post(f"/evidence/{key}") for who, one in people.items()}
    assert {who for who, one in answers.items() if one.status_code == 200} == {
        "coordinator", "college", "district",
    }  # fmt: skip
    shown = answers["college"]
    assert shown.mimetype == "image/jpeg" and shown.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(shown.data)).size == (40, 60)
    assert actions(app) == ["evidence.add"] + ["evidence.view"] * 4
    assert people["coordinator"].get(f"/evidence/{key}").status_code == 405
    for path, who in (
        (f"/college/2026-1/applicants/{mine.key}", "college"),
        (f"/district/2026-1/groups/{mine.key}/G05", "district"),
        (f"/coordinator/rounds/2026-1/applicants/{mine.key}", "coordinator"),
    ):
        assert f'action="/evidence/{key}"' in people[who].get(path).text, path
    (Path(app.instance_path) / "evidence" / key).unlink()
    assert people["coordinator"].post(f"/evidence/{key}").status_code == 404


# --- deleting ---------------------------------------------------------------------------------


def delete_due(app: Flask) -> list[str]:
    with app.app_context():
        return evidence.delete_due()


def test_a_picture_goes_some_days_after_the_decision(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    send(client, drawn())
    [key] = keys(app)
    assert delete_due(app) == []
    decide(app, clock.moment)
    clock.forward(days=29)
    assert delete_due(app) == [] and files(app) == {key}
    clock.forward(days=1)
    with app.app_context():  # as the program itself gives it
        said = app.test_cli_runner().invoke(args=["close-due"]).output
    assert key in said and keys(app) == [] and files(app) == set()
    assert actions(app)[-1] == "evidence.delete" and delete_due(app) == []


@pytest.mark.parametrize("why", ["void", "dropped", "never decided"])
def test_a_picture_goes_with_what_it_supports(
    app: Flask, client: FlaskClient, clock: Clock, why: str
) -> None:
    send(client, drawn())
    if why == "void":
        change(app, state="VOID")
    elif why == "dropped":
        with app.app_context(), db.writing() as session:
            session.delete(session.scalars(select(Membership)).one())
    else:
        change(app, state="FROZEN", frozen_at=clock.moment - timedelta(days=31))
    assert len(delete_due(app)) == 1 and files(app) == set()


def test_a_file_without_a_row_goes_and_one_that_is_being_added_stays(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, drawn())
    folder = Path(app.instance_path) / "evidence"
    (folder / "left").write_bytes(b"x")
    delete_due(app)
    assert "left" in files(app)
    monkeypatch.setattr(evidence, "UNFINISHED_SECONDS", -1)
    delete_due(app)
    assert files(app) == set(keys(app))
