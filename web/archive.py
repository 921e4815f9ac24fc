"""Checks of an uploaded workbook before anything parses it, and the reading of what passed.

This file stands alone, so that a child process can run it without the application::

    python -I archive.py SHEET MEGABYTES SECONDS < workbook.xlsx > cells.json

What is checked is what is parsed: the parts that passed are packed anew, and only they reach the reader.
A fault is a :class:`Fault`: a code, where, and what.
"""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any
from xml.parsers import expat

MIB = 2**20
MOST_BYTES = 20 * MIB
MOST_MEMBERS = 60
MOST_INFLATED = 200 * MIB
MOST_RATIO = 100
RATIO_FROM = MIB
"""Below this a part may shrink as it likes: a small sheet of equal rows does."""
MOST_ROWS = 100_000
MOST_COLUMNS = 60
MOST_DEPTH = 64
MOST_FAULTS = 200
CHUNK = 64 * 1024

_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels"
    r"|docProps/(app|core|custom)\.xml|docMetadata/LabelInfo\.xml"
    r"|customXml/(_rels/)?[A-Za-z0-9]+\.xml(\.rels)?"
    r"|xl/(_rels/)?workbook\.xml(\.rels)?"
    r"|xl/(styles|sharedStrings|calcChain|metadata)\.xml"
    r"|xl/theme/(_rels/)?theme[0-9]+\.xml(\.rels)?"
    r"|xl/worksheets/(_rels/)?[A-Za-z0-9_]+\.xml(\.rels)?"
    r"|xl/(comments|persons/person|tables/table|threadedComments/threadedComment)[0-9]*\.xml"
    r"|xl/comments/comment[0-9]+\.xml"
    r"|xl/drawings/(vmlDrawing|commentsDrawing)[0-9]*\.vml"
    r"|xl/printerSettings/printerSettings[0-9]+\.bin"
)
_REFUSED = (
    ("macro", re.compile(r"vbaProject|vbaData|macrosheets|dialogsheets|activeX|ctrlProps", re.I)),
    ("external_link", re.compile(r"externalLinks|connections|queryTables|xl/model|mashup", re.I)),
    ("embedded", re.compile(r"embeddings|media|drawings|charts|oleObject|webextensions", re.I)),
)
_PARSED = re.compile(
    r"xl/(_rels/)?workbook\.xml(\.rels)?|xl/(styles|sharedStrings)\.xml|xl/worksheets/[A-Za-z0-9_]+\.xml"
    r"|\[Content_Types\]\.xml|_rels/\.rels"
)
_SHEET = re.compile(r"xl/worksheets/[A-Za-z0-9_]+\.xml")
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_OLD = bytes.fromhex("d0cf11e0a1b11ae1")
MARK = "orderclass"
"""The defined name in which a template tells what it is for."""


@dataclass(frozen=True)
class Fault:
    """Why a file is refused: a code, the place (a part, or sheet and cell), and what stood there."""

    code: str
    place: str = ""
    value: str = ""


class Refused(ValueError):
    """A file that is not parsed, with every fault that was found."""

    def __init__(self, *faults: Fault):
        self.faults = faults
        super().__init__("; ".join(f"{f.code} {f.place} {f.value}".strip() for f in faults))


@dataclass
class Book:
    """What the workbook says of itself: its sheets in order, and the mark of a template."""

    parts: dict[str, str] = field(default_factory=dict)
    """The part of each sheet, by the sheet's name."""
    hidden: set[str] = field(default_factory=set)
    mark: str = ""


def inspect(data: bytes, wanted: str) -> tuple[bytes, Book]:
    """The parts that are parsed, packed anew, and what the workbook says of itself.

    ``wanted`` is the sheet that will be read: it alone must not be hidden.

    Raises
    ------
    Refused
        With every fault; of a file that cannot be read on, with the one that stopped it.
    """
    if len(data) > MOST_BYTES:
        raise Refused(Fault("too_big", value=str(len(data) // MIB)))
    if data.startswith(_OLD):
        raise Refused(Fault("old_format"))
    if not data.startswith(b"PK\x03\x04"):
        raise Refused(Fault("not_xlsx"))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _inspect(archive, wanted)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused(Fault("broken", value=str(error)[:80])) from error
    except expat.ExpatError as error:
        raise Refused(Fault("broken_xml", value=str(error)[:80])) from error


def _inspect(archive: zipfile.ZipFile, wanted: str) -> tuple[bytes, Book]:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if faults := list(_of_members(members)):
        raise Refused(*faults)
    names = {info.filename for info in members}
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        raise Refused(Fault("old_format" if "content.xml" in names else "not_xlsx"))
    book, targets, found = _Workbook(), _Relations(), list[Fault]()
    sheets: dict[str, list[Fault]] = {}
    packed, inflated = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
        for info in members:
            reader = _reader(info.filename, book, targets)
            parsed = _PARSED.fullmatch(info.filename)
            with kept.open(info.filename, "w") if parsed else nullcontext() as out:
                for chunk in _chunks(archive, info):
                    inflated += len(chunk)
                    if inflated > MOST_INFLATED:
                        raise Refused(Fault("inflated", info.filename))
                    if reader is not None:
                        reader.feed(chunk)
                    if out is not None:
                        out.write(chunk)
            if reader is not None:
                reader.end()
            if isinstance(reader, _Sheet):
                sheets[info.filename] = reader.faults
            elif reader is not None:
                found += reader.faults
    held = Book(mark=book.mark)
    for name, relation, hidden in book.sheets:
        held.parts[name] = targets.sheets.get(relation, "")
        if hidden:
            held.hidden.add(name)
    named = {part: name for name, part in held.parts.items()}
    found += [
        Fault(fault.code, f"{named.get(part, part)}!{fault.place}", fault.value)
        for part, faults in sheets.items()
        for fault in faults
    ]
    if wanted in held.hidden:
        found.append(Fault("hidden_sheet", wanted))
    if wanted in held.parts and held.parts[wanted] not in names:
        found.append(Fault("broken", wanted))
    if found:
        raise Refused(*found[:MOST_FAULTS])
    return packed.getvalue(), held


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part as it inflates, for as long as its size is in proportion."""
    size = 0
    with archive.open(info) as part:
        while chunk := part.read(CHUNK):
            size += len(chunk)
            if size > max(RATIO_FROM, MOST_RATIO * info.compress_size):
                raise Refused(Fault("ratio", info.filename))
            yield chunk


def _of_members(members: list[zipfile.ZipInfo]) -> Iterator[Fault]:
    if len(members) > MOST_MEMBERS:
        yield Fault("members", value=str(len(members)))
        return
    seen: set[str] = set()
    for info in members:
        name = info.filename
        if name.casefold() in seen:
            yield Fault("broken", name)
        seen.add(name.casefold())
        if info.flag_bits & 0x1:
            yield Fault("password", name)
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield Fault("broken", name)
        elif not _PARTS.fullmatch(name) and not _is_office_document(name):
            code = next((c for c, pattern in _REFUSED if pattern.search(name)), "part")
            yield Fault(code, name)


def _is_office_document(name: str) -> bool:
    """Parts of OpenDocument, which is told from a broken workbook only after all were seen."""
    return name in ("mimetype", "content.xml", "META-INF/manifest.xml")


class _Part:
    """An expat pass over one part: no document type, no bottomless nesting."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def feed(self, chunk: bytes) -> None:
        self.parser.Parse(chunk, False)

    def end(self) -> None:
        self.parser.Parse(b"", True)

    def _doctype(self, *_: Any) -> None:
        raise Refused(Fault("doctype"))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise Refused(Fault("broken_xml"))
        self.element(tag.rpartition(":")[2], attributes)

    def _end(self, tag: str) -> None:
        self.depth -= 1

    def element(self, tag: str, attributes: dict[str, str]) -> None:
        """What an opening tag means here."""

    def fault(self, code: str, place: str = "", value: str = "") -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(code, place, value))


class _Workbook(_Part):
    """``workbook.xml``: sheets, which are hidden, and the mark."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str, bool]] = []
        self.mark = ""
        self._in_mark = False
        self.parser.CharacterDataHandler = self._text

    def element(self, tag: str, attributes: dict[str, str]) -> None:
        self._in_mark = tag == "definedName" and attributes.get("name") == MARK
        if tag == "sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append((attributes.get("name", ""), relation, hidden))

    def _text(self, text: str) -> None:
        if self._in_mark:
            self.mark = (self.mark + text)[:80].strip('="')


class _Relations(_Part):
    """A ``.rels``: what is outside the file is refused, but for hyperlinks, which nobody follows."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, str] = {}

    def element(self, tag: str, attributes: dict[str, str]) -> None:
        kind, target = attributes.get("Type", ""), attributes.get("Target", "")
        if attributes.get("TargetMode") == "External" and not kind.endswith("/hyperlink"):
            self.fault("external_link", value=target[:80])
        if kind.endswith("/worksheet"):
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            if _SHEET.fullmatch(part):
                self.sheets[attributes.get("Id", "")] = part


class _Types(_Part):
    """``[Content_Types].xml``: a workbook with macros says so here, whatever its name."""

    def element(self, tag: str, attributes: dict[str, str]) -> None:
        if "macroenabled" in attributes.get("ContentType", "").casefold():
            self.fault("macro", value=attributes.get("PartName", ""))


class _Sheet(_Part):
    """A worksheet: what the fast reader cannot see, and how large it really is."""

    def __init__(self) -> None:
        super().__init__()
        self.row = self.column = 0

    def element(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._cell(attributes)
        elif tag == "row":
            self._row(attributes)
        elif tag == "f":
            self.fault("formula", address(self.row, self.column))
        elif tag == "mergeCell":
            self.fault("merged", attributes.get("ref", "")[:20])
        elif tag == "col" and _yes(attributes.get("hidden")):
            self.fault("hidden_column", column_letters(int(attributes.get("min", "1"))))

    def _row(self, attributes: dict[str, str]) -> None:
        row = attributes.get("r", str(self.row + 1))
        if not row.isascii() or not row.isdigit() or len(row) > 7 or int(row) <= self.row:
            raise Refused(Fault("broken", f"{address(self.row, 1)}"))
        self.row, self.column = int(row), 0
        if self.row > MOST_ROWS:
            raise Refused(Fault("rows", value=str(MOST_ROWS)))
        if _yes(attributes.get("hidden")):
            self.fault("hidden_row", str(self.row))

    def _cell(self, attributes: dict[str, str]) -> None:
        written = attributes.get("r")
        column = self.column + 1
        if written is not None:
            match = _ADDRESS.fullmatch(written)
            if match is None or int(match[2]) != self.row:
                raise Refused(Fault("broken", written[:20]))
            column = _number(match[1])
        if column <= self.column or self.row == 0:
            raise Refused(Fault("broken", (written or "")[:20]))
        self.column = column
        if column > MOST_COLUMNS:
            raise Refused(Fault("columns", value=str(MOST_COLUMNS)))
        if attributes.get("t") == "e":
            self.fault("error_value", address(self.row, column))


def _reader(name: str, book: _Workbook, targets: _Relations) -> _Part | None:
    if name == "xl/workbook.xml":
        return book
    if name == "xl/_rels/workbook.xml.rels":
        return targets
    if name == "[Content_Types].xml":
        return _Types()
    if name.endswith(".rels"):
        return _Relations()
    if _SHEET.fullmatch(name):
        return _Sheet()
    # comments' drawings are written as HTML by some programs, and nothing ever reads them
    return None if name.endswith((".bin", ".vml")) else _Part()


def _yes(value: str | None) -> bool:
    return value in ("1", "true", "on")


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(column: int) -> str:
    """The letters of a column: 1 is A, 28 is AB."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def address(row: int, column: int) -> str:
    """A cell's address as a spreadsheet shows it.

    >>> address(3, 28)
    'AB3'
    """
    return f"{column_letters(column)}{row}"


def cells(packed: bytes, name: str) -> list[list[Any]]:
    """The cells of a sheet of a workbook that passed; dates as ``{"date": …}``."""
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_filelike(io.BytesIO(packed)) as book:
        sheet = book.get_sheet_by_name(name)
        # the reader begins at the first row and column that hold something
        above, left = sheet.start or (0, 0)
        rows = sheet.to_python(skip_empty_area=True)
    blank: list[list[Any]] = [[] for _ in range(above)]
    return blank + [[""] * left + [_plain(cell) for cell in row] for row in rows]


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        cell = cell.date() if not (cell.hour or cell.minute or cell.second) else cell.isoformat(" ")
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    return cell if isinstance(cell, (str, int, float, bool)) else str(cell)


def limit(megabytes: int, seconds: int) -> None:
    """Limit this process: memory, processor time, no file written, no other process."""
    import resource

    space = megabytes * MIB
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(data: bytes, wanted: str) -> dict[str, Any]:
    """What the child process says of a file: its faults, or its sheets and cells."""
    try:
        packed, book = inspect(data, wanted)
    except Refused as refused:
        return {"faults": [asdict(fault) for fault in refused.faults]}
    held = cells(packed, wanted) if wanted in book.parts else None
    return {"sheets": list(book.parts), "mark": book.mark, "cells": held}


def main() -> None:
    """Read a workbook from standard input within limits; write the answer to standard output."""
    wanted, megabytes, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    limit(megabytes, seconds)
    made = answer(sys.stdin.buffer.read(MOST_BYTES + 1), wanted)
    # read back as it was written: a lone surrogate cannot be told in UTF-8, but as \u escape it can
    sys.stdout.write(json.dumps(made))


if __name__ == "__main__":
    main()
