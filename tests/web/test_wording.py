"""Unlawful conditions in what people type: found however they are written, and nothing else."""

from __future__ import annotations

import pytest

from web.wording import REASONS, agency, unlawful

UNLAWFUL = {
    "sex": (
        "限男", "限女", "仅限女", "只招男生", "男性优先", "女士优先", "装配工（男）", "性别：女", "性别要求 男",
        "限 男", "限*男", "限-女", "僅限女性", "男5名，女3名", "招聘女工", "适合女生", "不招女性", "女生勿扰",
        "只招蓝生", "要求男性", "须为男性", "优先录取男生", "小伙子", "性别为男", "3名男工", "限♂", "男生为主",
        "Male only", "females preferred", "women only", "gender: female", "no women", "must be a male",
        "ｍａｌｅ ｏｎｌｙ", "限女性", "男优先", "只要女的", "仅男", "男士为佳",
    ),
    "origin": ("本地户口", "限本市户籍", "户籍：威海", "本地人优先", "不招外地人", "外省勿扰",
               "local hukou", "locals only"),
    "family": ("未婚", "已婚已育优先", "三年内不怀孕", "单身", "须孕检", "婚育状况：已育",
               "unmarried", "no pregnant", "禁止结婚"),
    "hepatitis": ("无乙肝", "HBsAg阴性", "查乙肝两对半", "hepatitis B free", "非大三阳", "乙 肝"),
    "height": ("身高170以上", "165cm以上", "height above 170", "1.65米以上", "个头高"),
    "belief": ("限汉族", "少数民族勿扰", "无宗教信仰者优先", "残疾人勿投", "no muslims"),
    "deposit": ("交500元押金", "上交身份证", "deposit of 500"),
    "agency": ("劳务派遣", "派遣工", "labor dispatch"),
}  # fmt: skip
LAWFUL = (
    "", "男女不限", "不限男女", "性别不限", "女装制版师", "男装裁剪工", "女鞋设计", "招女装打版师 2 名", "身强体健",
    "数控车工", "提供单身公寓", "户籍不限", "婚育不限", "男女均可", "女职工宿舍", "模具钳工，会看图",
    "提供男女分住宿舍",
    "医疗器械装配工", "妇女联合会推荐", "Operators of CNC lathes", "male and female", "women's wear designer",
    "不限户籍", "男科护理", "限期入职", "仅周末", "要求会焊接", "厚度 10 mm", "长 3 米", "农村电商主播", "儿童乐园",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in UNLAWFUL.items() for t in ts])
def test_an_unlawful_condition_is_found(kind: str, text: str) -> None:
    assert kind in [found.kind for found in unlawful(f"机修，{text}。")], text
    assert kind in [found.kind for found in unlawful(text)], text


@pytest.mark.parametrize("text", LAWFUL)
def test_what_is_no_condition_passes(text: str) -> None:
    assert unlawful(text) == []


def test_every_kind_has_its_reason_and_the_words_are_told() -> None:
    found = unlawful("限男，本地户口，未婚，无乙肝，身高170，限汉族，交押金100，收押金，劳务派遣")
    assert [f.kind for f in found] == list(REASONS)
    assert found[0].words == "限男"


@pytest.mark.parametrize(
    ("name", "sector", "is_one"),
    [("甲人力资源公司", "", True), ("乙公司", "L7263", True), ("丙精密机械", "3421", False), ("丁公司", "", False)],
)  # fmt: skip
def test_agencies_are_told_by_name_or_sector(name: str, sector: str, is_one: bool) -> None:
    assert agency(name, sector) is is_one
