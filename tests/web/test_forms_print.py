"""Printed forms as they are drawn: text, rare names, wrapping, page numbers, places to sign."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import segno
from pypdf import PdfReader

from web import draw_notices, forms_print, paper
from web.forms_print import Admission
from web.paper import Sheet, Unprintable

RARE = "欧阳𬭎䶮㛃"
LONG = "阿卜杜拉·买买提艾力·吾布力卡斯木·艾则孜江"


def pages(document: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(document)).pages]


def flat(document: bytes) -> str:
    """All text without line breaks, as cells wrap."""
    return "".join(pages(document)).replace("\n", "")


def notice(number: str = "2026200001", name: str = RARE, **other: str) -> Admission:
    held: dict[str, object] = {
        "number": number, "name": name, "college": "翠屿技师学院", "serial": "2026-1",
        "round": "秋季首轮", "how": "第 1 志愿录取", "class_name": "模具班（澜珀订单班）",
        "facts": (("专业", "模具制造"), ("合作企业", "澜珀公司")), "due": "2026-08-01 24:00",
        "telephone": "0631-0000000", "address": "https://localhost/v/abcdefghijklmnop",
        "dated": "2026-07-20",
    }  # fmt: skip
    return Admission(**(held | other))  # type: ignore[arg-type]


# --- the sheet --------------------------------------------------------------------------------


def test_lines_fit_and_no_mark_begins_one() -> None:
    sheet = Sheet("t")
    text = (
        "第一句话写到这里（括号里面也有字）。第二句话，有 2026-1-A01 和 https://localhost/v/x 两处。"
        * 5
    )
    for width in range(30, 80, 7):
        lines = sheet.lines(text, width, 11)
        assert "".join(lines) == text
        assert all(line[0] not in paper.NEVER_FIRST for line in lines)
        assert all(line[-1] not in paper.NEVER_LAST for line in lines)
        assert all(sheet.width_of(line, 11) <= width for line in lines)
        assert not any(line.endswith("2026-1-A0") for line in lines)
    sheet.close_font()


def test_a_word_that_no_line_can_hold_is_broken_and_marks_alone_are_kept() -> None:
    sheet = Sheet("t")
    assert "".join(found := sheet.lines("ab" * 60, 40, 11)) == "ab" * 60 and len(found) > 3
    assert "".join(sheet.lines("。" * 40, 20, 11)) == "。" * 40
    assert sheet.lines("甲\n\n乙", 40, 11) == ["甲", "", "乙"]
    sheet.close_font()


def test_a_box_stays_with_what_it_stands_for() -> None:
    sheet = Sheet("t")
    text = "　".join(["□ 失业青年", "■ 农民工"] * 9)
    for width in range(30, 170, 7):
        lines = sheet.lines(text, width, 11)
        assert len(lines) > 1 and "".join(lines).replace("　", "") == text.replace("　", "")
        assert all(line.strip("　").endswith(("失业青年", "农民工")) for line in lines)
    sheet.close_font()


def test_a_long_title_becomes_smaller_before_it_breaks() -> None:
    for length, alone in ((10, True), (26, True), (40, False)):
        sheet = Sheet("t")
        sheet.head("题" * length)
        (page,) = pages(sheet.to_bytes())
        assert (page.split("\n")[0] == "题" * length) == alone


def test_a_table_goes_on_under_its_heads_and_pages_are_counted() -> None:
    sheet = Sheet("t", numbered=True, foot="名册")
    sheet.ruled((1, 2), [(str(n), LONG) for n in range(80)], ("序号", "姓名"))
    found = pages(sheet.to_bytes())
    assert len(found) > 1
    for at, page in enumerate(found, start=1):
        assert "序号" in page and "名册" in page
        assert f"第 {at} 页，共 {len(found)} 页" in page
    together = "".join(found).replace("\n", "")
    assert together.count("吾布力卡斯木") == 80


def test_a_character_that_the_font_lacks_stops_a_cell_and_a_paragraph() -> None:
    for draw in (lambda s: s.say("张𠮷"), lambda s: s.ruled((1,), [("张𠮷",)])):
        with pytest.raises(Unprintable) as stopped:
            draw(Sheet("t"))
        assert stopped.value.characters == "𠮷"


def test_the_code_is_the_one_that_was_meant() -> None:
    sheet = Sheet("t")
    sheet.code("https://localhost/v/abc", 20, 20, 30)
    drawn = PdfReader(io.BytesIO(sheet.to_bytes())).pages[0].get_contents()
    assert drawn is not None
    boxes = [
        tuple(map(float, part.split()[-4:]))
        for part in drawn.get_data().decode("latin-1").split(" re")[:-1]
    ]
    matrix = segno.make_qr("https://localhost/v/abc", error="m", boost_error=False, mask=3).matrix
    module = 30 * 72 / 25.4 / len(matrix)
    dark = {
        (round((297 * 72 / 25.4 - top) / module - 20 / 30 * len(matrix)),
         round(left / module - 20 / 30 * len(matrix)) + n)
        for left, top, width, _height in boxes
        for n in range(round(width / module))
    }  # fmt: skip
    assert dark == {(y, x) for y, row in enumerate(matrix) for x, bit in enumerate(row) if bit}


# --- forms ------------------------------------------------------------------------------------


def test_a_notice_of_admission_says_everything_on_one_page() -> None:
    document, left_out = forms_print.admissions([notice()])
    assert left_out == []
    (page,) = pages(document)
    for part in ("录取通知书", "翠屿技师学院（盖章）", "编号：2026-1-2026200001", f"{RARE} 同学：",
                 "第 1 志愿录取", "模具班（澜珀订单班）", "模具制造", "澜珀公司", "2026-08-01 24:00 前确认",
                 "逾期未确认视为放弃", "0631-0000000", "不等同于劳动合同", "身份证、户口簿、毕业证",
                 "____年____月____日"):  # fmt: skip
        assert part in page.replace("\n", "")
    assert page.count("________________") == 2, "place and time of check-in are left to write"
    told = pages(forms_print.admissions([notice(day="9 月 1 日 9 时", place="东校区")])[0])[0]
    assert "9 月 1 日 9 时" in told and "东校区" in told and "________________" not in told


def test_a_long_name_and_a_long_class_still_make_one_page() -> None:
    class_name = "医疗器械制造与维护专业高级工层次" * 6
    document, _ = forms_print.admissions([notice(name=LONG, class_name=class_name)])
    (page,) = pages(document)
    assert LONG in page.replace("\n", "")
    assert page.replace("\n", "").count(class_name) == 2


def test_of_many_only_those_with_an_unknown_character_are_left_out_and_named() -> None:
    people = [notice(f"N{n}", "张𠮷" if n == 1 else RARE) for n in range(3)]
    done: list[int] = []
    document, left_out = forms_print.admissions(people, done.append)
    assert left_out == [("N1", "𠮷")] and done == [1, 3]
    assert [("N0" in page, "N2" in page) for page in pages(document)] == [
        (True, False),
        (False, True),
    ]
    with pytest.raises(Unprintable):
        forms_print.admissions([notice(name="张𠮷")])


def test_the_child_draws_what_a_file_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_notices, "EVERY", 2)
    listed = tmp_path / "notices.json"
    rows = [{**vars(notice(f"N{n}")), "facts": [["专业", "模具"]]} for n in range(3)]
    listed.write_text(json.dumps(rows), encoding="utf-8")
    draw_notices.main(listed, tmp_path / "out")
    assert len(pages((tmp_path / "out" / "notices.pdf").read_bytes())) == 3
    assert json.loads((tmp_path / "out" / "left_out.json").read_bytes()) == []
    assert (tmp_path / "progress").read_text() == "2/3"


def test_the_public_list_is_by_class_and_says_period_ways_and_digests() -> None:
    told = forms_print.Notice(
        "秋季首轮", "联盟办公室", "0631-5", "2026-07-20", "2026-07-27 24:00", 5, ("招生方案",), "ab" * 32, "cd" * 32
    )  # fmt: skip
    people = [
        (f"A{n:02}", "买*提·艾*尔" if n % 2 else "欧阳*𬭎", "调剂" if n % 5 else "3 志愿")
        for n in range(41)
    ]
    text = flat(
        forms_print.public_list(told, [("翠屿 模具班", people), ("翠屿 护理班", people[:1])])
    )
    for part in ("秋季首轮拟录取名单公示", "招生方案", "2026-07-20 至 2026-07-27 24:00", "5 个工作日", "实名",
                 "0631-5", "模具班（41 人）",
                 "护理班（1 人）", "ab" * 32, "cd" * 32, "联盟办公室（盖章）"):  # fmt: skip
        assert part in text
    assert all(number in text for number, _name, _way in people) and "买*提·艾*尔" in text
    assert text.count("3 志愿") == 10 and text.count("调剂") == 32
    long = pages(forms_print.public_list(told, [("翠屿 模具班", people * 5)]))
    assert [page.split("\n")[0] for page in long[1:3]] == ["翠屿 模具班（续）"] * 2


def test_rosters_and_enterprise_lists_count_and_wrap() -> None:
    rows = [
        (f"A{n:02}", LONG if n == 7 else RARE, "女", "澜珀公司", "第 1 志愿", "已确认")
        for n in range(45)
    ]
    text = flat(forms_print.roster("模具班", [("院校", "翠屿")], rows))
    assert LONG in text and text.count(RARE) == 44 and "共 45 人" in text and "班主任签名" in text
    rows = [("模具班", "K1-1", f"A{n:02}", RARE, "已确认") for n in range(30)]
    text = flat(forms_print.enterprise_list("澜珀公司", [], rows))
    assert text.count(RARE) == 30 and "企业（盖章）" in text and "K1-1" in text


def test_a_blank_application_and_a_filled_one() -> None:
    def form(name: str, ticked: bool) -> str:
        return flat(
            forms_print.application(
                forms_print.Application(
                    "首轮", (("姓名", name),), (("农民工", ticked), ("退役军人", False)),
                    ("K1-1 模具班" if ticked else "", ""), (("不同意调剂", ticked),),
                    (("公示", "公示期满即撤下。", ticked),),
                )
            )
        )  # fmt: skip

    blank, filled = form("", False), form(RARE, True)
    assert "□ 农民工" in blank and "■" not in blank and "第 2 志愿" in blank
    assert RARE in filled and "■ 农民工" in filled and "□ 退役军人" in filled
    assert "■ 公示：公示期满即撤下。" in filled and "K1-1 模具班" in filled
    assert "监护人签名" in blank and "监护人签名" in filled


def test_an_application_with_everything_in_it_is_one_page() -> None:
    held = forms_print.Application(
        "2026 年订单班联合招生（2026-1）",
        tuple((f"接受的学习形{n % 10}", LONG[:14]) for n in range(23)),
        tuple((f"{n} 往届毕业生", n == 2) for n in range(17)),
        ("K040-1 新能源汽车检测与维修中级工订单班(演示)", *["K044-1 飞机维修中级工订单班"] * 5),
        tuple((f"{n} 同意调剂", False) for n in range(5)),
        tuple((f"同意书 {n}", "指健康、困难家庭等信息，只用于核对条件。" * (1 + n % 2), True)
              for n in range(6)),
    )  # fmt: skip
    (page,) = pages(forms_print.application(held))
    assert "监护人签名" in page and "第 1 页，共 1 页" in page and "□ 4 同意调剂" in page


def test_answers_waivers_and_vacancies() -> None:
    asked = "我的技能成绩少加了一项。" * 30
    text = flat(
        forms_print.recheck_answer(
            forms_print.Answer(
                "F-1", "A01", RARE, "首轮", "成绩", asked, "2026-07-21", "成立", "已更正为 86 分。",
                "2026-07-24", "增加一个席位", "", "",
            )
        )
    )  # fmt: skip
    for part in (
        RARE,
        asked,
        "成立",
        "已更正为 86 分。",
        "增加一个席位",
        "________________（盖章）",
    ):
        assert part in text
    for minor in (True, False):
        held = forms_print.Waiver("A01", LONG, "首轮", (("订单班", "模具班"),), minor, "")
        text = flat(forms_print.waiver(held))
        assert LONG in text and "自愿放弃" in text and ("监护人签名" in text) is minor
        assert "系统记录" not in text
    rows = [("翠屿", "模具班", "澜珀", "全日制", "高级工", "40", "36", "4")] * 3
    text = flat(forms_print.vacancies("首轮", [], rows, "联盟"))
    assert "合计缺额 12 个" in text and "报名自愿" in text and "联盟（盖章）" in text
