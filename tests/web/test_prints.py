"""Paper: every rare character, none replaced by a box, and what stops a document is named."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from pypdf import PdfReader

from web import check_line, prints
from web.models import Applicant, ChoiceList, Person, Round

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
RARE = "𬭎䶮㛃"


def text_of(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)


def somebody(name: str = RARE) -> Applicant:
    return Applicant(
        number="2026200001", entered_by="", entry_confirmed="",
        round=Round(serial="2026-1", title="秋季第一轮"), person=Person(name=name),
    )  # fmt: skip


def a_list() -> ChoiceList:
    return ChoiceList(
        number=2, choices=["K1", "K3-2"], adjustment="college", not_accepted=["K4"],
        submitted_at=datetime(2026, 6, 1, 1, 2, 3, tzinfo=UTC), receipt="0000-1111-2222-3333", digest="ab" * 32,
    )  # fmt: skip


def test_a_receipt_says_number_time_list_and_digest(app: Flask) -> None:
    with app.test_request_context():
        held = prints.receipt(somebody(), a_list(), ["模具班", "护理班"], ["电商班"])
    text = text_of(held)
    for part in (RARE, "2026200001", "2026-06-01 09:02:03", "0000-1111-2222-3333", "第 1 志愿：K1 模具班",
                 "第 2 志愿：K3-2 护理班", "同一院校", "电商班"):  # fmt: skip
        assert part in text
    assert "ab" * 32 in text.replace("\n", "")


def test_an_assisted_receipt_names_who_typed(app: Flask) -> None:
    who = somebody()
    who.entered_by, who.entry_confirmed = "college:c1", "print:P-7"
    with app.test_request_context():
        assert "college:c1" in (text := text_of(prints.receipt(who, a_list(), ["甲", "乙"])))
    assert "print:P-7" in text


@pytest.mark.parametrize("name", ["张𠮷", "\U00030000"])
def test_a_character_that_the_font_lacks_is_named(app: Flask, name: str) -> None:
    with app.test_request_context(), pytest.raises(prints.Unprintable) as stopped:
        prints.receipt(somebody(name), a_list(), ["甲", "乙"])
    assert stopped.value.characters == name[-1]


def test_slips_stand_eight_to_a_page(app: Flask) -> None:
    people = [(f"20262{n:05}", RARE, "激活码（设密码用）", f"AAAAA-{n:05}") for n in range(9)]
    with app.test_request_context():
        document = prints.slips(people, "秋季第一轮", "http://localhost/account/activate")
        pages = PdfReader(io.BytesIO(document)).pages
        assert [page.extract_text().count("AAAAA-") for page in pages] == [8, 1]
        assert "2026200008" in pages[1].extract_text() and RARE in pages[1].extract_text()
        with pytest.raises(prints.Unprintable):
            prints.slips([("1", "𠮷", "", "")], "", "")


def test_the_line_on_paper_is_the_line_that_is_checked(app: Flask) -> None:
    row = {"round": "2026-1", "applicant": "2026200001", "program": "K1-1", "rank": 1}
    own = {
        "algorithm": "sha256",
        "row": row,
        "salt": "0f" * 16,
        "path": ["L" + "ab" * 32, "R" + "cd" * 32],
    }
    own["root"] = check_line.root_of(row, bytes.fromhex("0f" * 16), own["path"])  # type: ignore[arg-type]
    with app.test_request_context():
        text = text_of(prints.placement_line(somebody(), ["您被第 1 志愿录取。"], own))
        shown = dict(prints.own_lines(own))
    printed = re.search(r"\{.*\}\n", text, re.S)
    assert printed and "您被第 1 志愿录取。" in text
    for code in (printed[0], shown["核对码"]):
        assert check_line.root_of(*check_line.read(code)) == shown["公布的总码"]
    assert json.loads(shown["核对码"])["row"] == row


def test_a_result_without_a_line_prints(app: Flask) -> None:
    with app.test_request_context():
        assert "核对码" not in text_of(prints.placement_line(somebody(), ["未录取"], None))


def test_what_was_typed_is_printed_to_be_signed(app: Flask) -> None:
    with app.test_request_context():
        text = text_of(prints.entry(somebody(), [("姓名", RARE)], ["模具班"]))
    assert RARE in text and "第 1 志愿：模具班" in text and "本人签名" in text


def test_ones_own_data_prints(app: Flask) -> None:
    with app.test_request_context():
        assert f"姓名：{RARE}" in text_of(prints.own_data("我的资料", [("姓名", RARE)]))
