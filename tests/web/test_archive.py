"""Hostile and broken workbooks: none is parsed, each is refused with its reason, and quickly."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from web import archive, workbooks
from web.archive import Refused

SHEET = "院校信息"
PART = "xl/worksheets/sheet1.xml"
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "b">]>'
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9))
    + b"]>"
)


def workbook(write: Callable[[Any, Any], None] | None = None) -> bytes:
    """An ordinary workbook of one sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet(SHEET)
    sheet.write_row(0, 0, ["院校代码", "院校名称"])
    sheet.write_row(1, 0, ["C01", "示例学院"])
    if write is not None:
        write(book, sheet)
    book.close()
    return out.getvalue()


def changed(
    parts: Mapping[str, bytes | None] = {},
    edit: Mapping[str, Callable[[bytes], bytes]] = {},
    base: bytes | None = None,
) -> bytes:
    """A workbook with parts added, replaced, taken away, or edited."""
    source = zipfile.ZipFile(io.BytesIO(base or workbook()))
    held: dict[str, bytes | None] = {name: source.read(name) for name in source.namelist()}
    for name, change in edit.items():
        body = held[name]
        assert body is not None
        held[name] = change(body)
        assert held[name] != body, f"{name} is as it was"
    held.update(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in held.items():
            if body is not None:
                packed.writestr(name, body)
    return out.getvalue()


def after_declaration(text: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(b"?>", b"?>" + text, 1)


def with_cells(text: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(b"</sheetData>", text + b"</sheetData>")


def many_members(count: int) -> bytes:
    return changed({f"xl/worksheets/extra{n}.xml": b"<worksheet/>" for n in range(count)})


def bomb(megabytes: int, part: str = PART, layers: int = 1) -> bytes:
    """A part of blanks that inflates a thousandfold."""
    body = b"<worksheet><sheetData>" + b" " * (megabytes * 2**20) + b"</sheetData></worksheet>"
    return changed({part: body})


def lying_size() -> bytes:
    """A part whose directory says that it is small."""
    data = bytearray(bomb(30))
    at = data.rfind(b"PK\x01\x02" + b"", 0, data.rfind(PART.encode()))
    struct.pack_into("<I", data, at + 24, 1000)
    return bytes(data)


def encrypted_flag() -> bytes:
    data = bytearray(workbook())
    for at in (m.start() for m in re.finditer(b"PK\x01\x02", bytes(data))):
        struct.pack_into("<H", data, at + 8, 1)
    return bytes(data)


def method(number: int) -> bytes:
    data = bytearray(workbook())
    for at in (m.start() for m in re.finditer(b"PK\x01\x02", bytes(data))):
        struct.pack_into("<H", data, at + 10, number)
    return bytes(data)


def twice() -> bytes:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
        packed.writestr(PART, b"<worksheet/>")
    return out.getvalue()


def macro_types(body: bytes) -> bytes:
    return body.replace(b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml")


def relation(body: bytes) -> bytes:
    return body.replace(
        b"</Relationships>",
        b'<Relationship Id="r9" Type="http://x/externalLink" Target="http://evil/a.xlsx"'
        b' TargetMode="External"/></Relationships>',
    )


def elsewhere(body: bytes) -> bytes:
    return body.replace(b"worksheets/sheet1.xml", b"styles.xml")


def formula(book: Any, sheet: Any) -> None:
    sheet.write_formula("B3", "=1+1")


def merged(book: Any, sheet: Any) -> None:
    sheet.merge_range("A4:B5", "合")


def hidden_row(book: Any, sheet: Any) -> None:
    sheet.set_row(1, None, None, {"hidden": True})


def hidden_column(book: Any, sheet: Any) -> None:
    sheet.set_column("B:B", 10, None, {"hidden": True})


def hidden_sheet(book: Any, sheet: Any) -> None:
    other = book.add_worksheet("另一张")
    other.activate()
    sheet.hide()


def far_formula(book: Any, sheet: Any) -> None:
    book.add_worksheet("别的").write_formula("C7", '=HYPERLINK("http://evil","x")')


def wide(book: Any, sheet: Any) -> None:
    sheet.write(0, 60, "远")


def tall(book: Any, sheet: Any) -> None:
    sheet.write(archive.MOST_ROWS, 0, "远")


def comment(body: bytes) -> bytes:
    return body.replace(b"<c ", b"<x:f xmlns:x='urn:x'>1</x:f><c ", 1)


DEEP = b"<a>" * 100 + b"</a>" * 100
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not_xlsx"),
    "text": (lambda: "院校代码,院校名称".encode(), "not_xlsx"),
    "old excel": (lambda: archive._OLD + b"\0" * 600, "old_format"),
    "opendocument": (lambda: _zip({"mimetype": b"x", "content.xml": b"<a/>"}), "old_format"),
    "a zip of something": (lambda: _zip({"xl/styles.xml": b"<a/>"}), "not_xlsx"),
    "a zip of strangers": (lambda: _zip({"readme.txt": b"x"}), "part"),
    "cut short": (lambda: workbook()[:-40], "broken"),
    "cut in half": (lambda: workbook()[:900], "broken"),
    "wrong sums": (lambda: _wrong_sum(), "broken"),
    "too large": (lambda: b"PK\x03\x04" + b"\0" * (archive.MOST_BYTES), "too_big"),
    "sixty-one members": (lambda: many_members(61), "members"),
    "bomb in the sheet": (lambda: bomb(40), "ratio"),
    "bomb in the texts": (lambda: bomb(40, "xl/sharedStrings.xml"), "ratio"),
    "bomb in the styles": (lambda: bomb(40, "xl/styles.xml"), "ratio"),
    "bomb in a part nobody reads": (lambda: bomb(40, "xl/printerSettings/printerSettings1.bin"), "ratio"),
    "bomb that calls itself small": (lying_size, "broken"),
    "password": (encrypted_flag, "password"),
    "unusual compression": (lambda: method(12), "broken"),
    "one name twice": (twice, "broken"),
    "one name twice but for case": (lambda: changed({PART.upper(): b"<a/>"}), "broken"),
    "way out": (lambda: changed({"xl/worksheets/../../etc/passwd": b"x"}), "part"),
    "absolute": (lambda: changed({"/etc/passwd": b"x"}), "part"),
    "macros": (lambda: changed({"xl/vbaProject.bin": b"x"}), "macro"),
    "macros by another name": (lambda: changed(edit={"[Content_Types].xml": macro_types}), "macro"),
    "old macro sheet": (lambda: changed({"xl/macrosheets/sheet1.xml": b"<a/>"}), "macro"),
    "controls": (lambda: changed({"xl/activeX/activeX1.xml": b"<a/>"}), "macro"),
    "external link part": (lambda: changed({"xl/externalLinks/externalLink1.xml": b"<a/>"}), "external_link"),
    "external relation": (lambda: changed(edit={"xl/_rels/workbook.xml.rels": relation}), "external_link"),
    "connections": (lambda: changed({"xl/connections.xml": b"<a/>"}), "external_link"),
    "embedded": (lambda: changed({"xl/embeddings/oleObject1.bin": b"x"}), "embedded"),
    "picture": (lambda: changed({"xl/media/image1.png": b"x"}), "embedded"),
    "chart": (lambda: changed({"xl/charts/chart1.xml": b"<a/>"}), "embedded"),
    "doctype in the sheet": (lambda: changed(edit={PART: after_declaration(DOCTYPE)}), "doctype"),
    "doctype in the texts": (lambda: changed(edit={"xl/sharedStrings.xml": after_declaration(DOCTYPE)}), "doctype"),
    "doctype in the workbook": (lambda: changed(edit={"xl/workbook.xml": after_declaration(DOCTYPE)}), "doctype"),
    "doctype in the types": (lambda: changed(edit={"[Content_Types].xml": after_declaration(DOCTYPE)}), "doctype"),
    "doctype in properties": (lambda: changed(edit={"docProps/core.xml": after_declaration(DOCTYPE)}), "doctype"),
    "external entity": (
        lambda: changed(edit={PART: after_declaration(b'<!DOCTYPE x SYSTEM "file:///etc/passwd">')}),
        "doctype",
    ),
    "billion laughs": (lambda: changed(edit={PART: after_declaration(LAUGHS)}), "doctype"),
    "not well formed": (lambda: changed({PART: b"<worksheet><row>"}), "broken_xml"),
    "bottomless": (lambda: changed({PART: DEEP}), "broken_xml"),
    "bytes of nothing": (lambda: changed({PART: b"\xff\xfe\x00"}), "broken_xml"),
    "formula": (lambda: workbook(formula), "formula"),
    "formula of another sheet": (lambda: workbook(far_formula), "formula"),
    "formula with a prefix": (lambda: changed(edit={PART: comment}), "formula"),
    "merged": (lambda: workbook(merged), "merged"),
    "hidden row": (lambda: workbook(hidden_row), "hidden_row"),
    "hidden column": (lambda: workbook(hidden_column), "hidden_column"),
    "hidden sheet": (lambda: workbook(hidden_sheet), "hidden_sheet"),
    "too wide": (lambda: workbook(wide), "columns"),
    "too tall": (lambda: workbook(tall), "rows"),
    "far corner": (
        lambda: changed(edit={PART: with_cells(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')}),
        "rows",
    ),
    "rows backwards": (lambda: changed(edit={PART: with_cells(b'<row r="1"><c r="A1"/></row>')}), "broken"),
    "cells backwards": (
        lambda: changed(edit={PART: with_cells(b'<row r="9"><c r="B9"/><c r="A9"/></row>')}), "broken",
    ),
    "a cell of another row": (lambda: changed(edit={PART: with_cells(b'<row r="9"><c r="A8"/></row>')}), "broken"),
    "an address that is none": (lambda: changed(edit={PART: with_cells(b'<row r="9"><c r="1A"/></row>')}), "broken"),
    "a row that is none": (lambda: changed(edit={PART: with_cells(b'<row r="-1"/>')}), "broken"),
    "a cell without a row": (lambda: changed({PART: b'<worksheet><c r="A1"/></worksheet>'}), "broken"),
    "error value": (
        lambda: changed(edit={PART: with_cells(b'<row r="9"><c r="A9" t="e"><v>#REF!</v></c></row>')}),
        "error_value",
    ),
    "a sheet elsewhere": (
        lambda: changed(edit={"xl/_rels/workbook.xml.rels": elsewhere}),
        "broken",
    ),
}  # fmt: skip


def _zip(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, body in parts.items():
            packed.writestr(name, body)
    return out.getvalue()


def _wrong_sum() -> bytes:
    data = bytearray(workbook())
    at = data.find(PART.encode()) + len(PART) + 8
    data[at] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason(name: str) -> None:
    make, code = HOSTILE[name]
    data = make()
    started = time.monotonic()
    with pytest.raises(Refused) as refused:
        archive.inspect(data, SHEET)
    assert code in {fault.code for fault in refused.value.faults}, refused.value
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("name", "place"),
    [("formula", f"{SHEET}!B3"), ("merged", f"{SHEET}!A4:B5"), ("hidden row", f"{SHEET}!2"),
     ("hidden column", f"{SHEET}!B"), ("formula of another sheet", "别的!C7"),
     ("error value", f"{SHEET}!A9")],
)  # fmt: skip
def test_what_the_reader_cannot_see_is_told_with_its_address(name: str, place: str) -> None:
    with pytest.raises(Refused) as refused:
        archive.inspect(HOSTILE[name][0](), SHEET)
    assert [fault.place for fault in refused.value.faults] == [place]


def test_every_formula_is_told_at_once() -> None:
    def many(book: Any, sheet: Any) -> None:
        for row in range(5, 9):
            sheet.write_formula(row, 1, "=A1")

    with pytest.raises(Refused) as refused:
        archive.inspect(workbook(many), SHEET)
    assert [f.place for f in refused.value.faults] == [f"{SHEET}!B{n}" for n in range(6, 10)]


def test_inflating_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_INFLATED", 2**20)
    with pytest.raises(Refused) as refused:
        archive.inspect(bomb(2), SHEET)
    assert {f.code for f in refused.value.faults} <= {"inflated", "ratio"}


def test_an_ordinary_workbook_passes_and_only_its_parts_are_packed() -> None:
    packed, book = archive.inspect(workbook(), SHEET)
    assert book.parts == {SHEET: PART}
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert PART in names and "docProps/core.xml" not in names and "xl/theme/theme1.xml" not in names
    assert archive.cells(packed, SHEET)[1] == ["C01", "示例学院"]


def test_what_openpyxl_writes_passes_too() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    sheet["B3"] = "乙"
    out = io.BytesIO()
    book.save(out)
    packed, _ = archive.inspect(out.getvalue(), SHEET)
    assert archive.cells(packed, SHEET) == [[], [], ["", "乙"]]


def test_a_dimension_that_lies_changes_nothing() -> None:
    lie = changed(edit={PART: lambda b: b.replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')})
    packed, _ = archive.inspect(lie, SHEET)
    assert len(archive.cells(packed, SHEET)) == 2


def test_a_link_to_a_page_is_no_external_file() -> None:
    def link(book: Any, sheet: Any) -> None:
        sheet.write_url("B3", "https://example.org", string="网址")

    assert archive.inspect(workbook(link), SHEET)


def test_comments_and_a_table_are_let_through() -> None:
    def more(book: Any, sheet: Any) -> None:
        sheet.write_comment("A2", "注")
        sheet.add_table("A1:B2", {"columns": [{"header": "院校代码"}, {"header": "院校名称"}]})

    assert archive.inspect(workbook(more), SHEET)


def test_the_child_reads_and_refuses_within_its_limits() -> None:
    found = workbooks.read(workbook(), SHEET)
    assert found.sheets == [SHEET] and found.cells is not None and found.cells[1][0] == "C01"
    assert workbooks.read(workbook(), "别的").cells is None
    for name in ("bomb in the sheet", "billion laughs", "formula"):
        with pytest.raises(Refused):
            workbooks.read(HOSTILE[name][0](), SHEET)


def test_a_bomb_takes_little_memory(tmp_path: Path) -> None:
    """Measured in a process of its own, as a child inherits the peak of whoever started it."""
    bomb = tmp_path / "bomb.xlsx"
    bomb.write_bytes(HOSTILE["bomb in the sheet"][0]())
    code = (
        "import resource, sys; from pathlib import Path; from web import archive, workbooks\n"
        "try: workbooks.read(Path(sys.argv[1]).read_bytes(), sys.argv[2])\n"
        "except archive.Refused: print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(bomb), SHEET], capture_output=True, text=True, check=True
    )
    assert int(shown.stdout) <= 300 * 1024


def test_a_child_that_dies_or_hangs_is_a_file_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbooks, "MEGABYTES", 1)
    with pytest.raises(Refused) as refused:
        workbooks.read(workbook(), SHEET)
    assert refused.value.faults[0].code == "unreadable"


def test_the_child_writes_no_file_and_starts_without_the_application(tmp_path: Path) -> None:
    script = Path(archive.__file__)
    said = subprocess.run(
        [sys.executable, "-I", str(script), SHEET, "1500", "30"],
        input=workbook(), capture_output=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert json.loads(said.stdout)["sheets"] == [SHEET]
    assert list(tmp_path.iterdir()) == []
    source = script.read_text(encoding="utf-8")
    assert "flask" not in source and "from ." not in source


def test_dates_numbers_and_truths_come_as_they_are() -> None:
    def kinds(book: Any, sheet: Any) -> None:
        from datetime import datetime

        form = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(2, 0, [1.5, True])
        sheet.write_datetime(3, 0, datetime(2026, 9, 1), form)
        sheet.write_datetime(3, 1, datetime(2026, 9, 1, 8, 30), form)

    found = archive.answer(workbook(kinds), SHEET)["cells"]
    assert found[2] == [1.5, True]
    assert found[3] == [{"date": "2026-09-01"}, "2026-09-01 08:30:00"]


def test_main_answers_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []
    monkeypatch.setattr(archive, "limit", lambda *limits: seen.append(limits))
    monkeypatch.setattr(sys, "argv", ["archive.py", SHEET, "1500", "30"])
    monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": io.BytesIO(b"no workbook")}))
    archive.main()
    assert json.loads(capsys.readouterr().out)["faults"][0]["code"] == "not_xlsx"
    assert seen == [(1500, 30)]
