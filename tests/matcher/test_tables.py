"""A round as files: read as it stands, written without loss, digested whatever its order."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import Tables, validate
from matcher.tables import SCHEMA, Table, read_csv, split
from tests.rounds import make_round, on_disk, told

GOOD = make_round(
    {"A": "P Q", "B": "Q"}, {"P": 1, "Q": 1}, applicants={"A": {"groups": "g;h", "x_note": "甲"}}
)
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8) | (
    st.sampled_from(
        ['"', 'a"b', "a,b", "line\nbreak", "two\r\nlines", "顾𠮷🙂", " padded ", "=1+1"]
    )
)


def read(text: str | bytes, name: str = "applicants") -> tuple[Table | None, list[str]]:
    """One table, and its issues as ``row column code value`` words."""
    issues: list = []
    data = text.encode() if isinstance(text, str) else text
    found = read_csv(data, name, issues)
    return found, [f"{i.row} {i.column} {i.code} {i.value}".replace("  ", " ") for i in issues]


def columns(text: str | bytes) -> dict[str, list[str]]:
    """The columns of a table in whose shape nothing is wrong."""
    found, issues = read(text)
    assert found is not None
    assert issues == []
    return dict(found.columns)


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "applicant,sex\nA,1\nB,2\n",
        "applicant,sex\nA,1\nB,2",
        "applicant,sex\r\nA,1\r\nB,2\r\n",
        "applicant,sex\rA,1\rB,2\r",
        '"applicant","sex"\n"A","1"\nB,2\n',
        "\ufeffapplicant,sex\nA,1\nB,2\n",
    ],
    ids=["plain", "no last line end", "crlf", "cr only", "quoted", "byte-order mark"],
)
def test_the_same_table_in_every_guise(text: str) -> None:
    assert columns(text) == {"applicant": ["A", "B"], "sex": ["1", "2"]}


@pytest.mark.parametrize(
    "text", ["applicant,sex\n\nA,1\n,\n\nB,2\n\n", 'applicant,sex\n\nA,"1"\n,\n\nB,2\n']
)
def test_blank_lines_are_skipped_and_rows_keep_their_numbers(text: str) -> None:
    found, issues = read(text)
    assert found is not None
    assert (found["applicant"], list(found.rows), issues) == (["A", "B"], [3, 6], [])


def test_rows_count_records_not_physical_lines() -> None:
    found, _ = read('applicant,x_note\nA,"one\ntwo"\nB,\n')
    assert found is not None
    assert list(found.rows) == [2, 3]


def test_a_table_of_one_column_and_a_table_without_lines() -> None:
    assert columns("applicant\nA\nB\n") == {"applicant": ["A", "B"]}
    assert columns("applicant,sex\n") == {"applicant": [], "sex": []}


def test_cells_stay_as_typed() -> None:
    found = columns('applicant,x_1\n A ,"say ""hi"", then\r\nstop"\n００,é\n')
    assert found == {"applicant": [" A ", "００"], "x_1": ['say "hi", then\r\nstop', "é"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1  no_header applicants.csv"),
        ("\n\n", "1  no_header applicants.csv"),
        (",\nA,1\n", "1  no_header applicants.csv"),
        ("applicant,sex\nA\n", "2  row_width 1"),
        ("applicant,sex\nA,1,2\n", "2  row_width 3"),
        ("applicant,colour\nA,1\n", "1 colour unknown_column colour"),
        ("applicant,tie1\nA,1\n", "1 tie1 unknown_column tie1"),
        ("applicant,\nA,1\n", "1  unknown_column"),
        ("sex\n1\n", "1 applicant missing_column applicant"),
        ("applicant,sex,sex\nA,1,2\n", "1 sex duplicate_column sex"),
        ('applicant,sex\nA,"1\n', "2  csv_syntax"),
        ('applicant,sex\nA,1\nB,"1"2\n', "3  csv_syntax"),
        ("applicant,sex\nA,1\0\n", "2  forbidden_character \\0"),
        ('applicant,x_a\nA,"one\rtwo"\n', "2 x_a forbidden_character one\rtwo"),
        ('applicant,"x_\ra"\nA,1\n', "1 x_\ra forbidden_character x_\ra"),
        ("applicant,x_名\nA,顾\n".encode("gb18030"), "1  encoding_gbk applicants.csv"),
        ("applicant,x_a\nA,1\nB,顾\n".encode("gb18030"), "3  encoding_gbk applicants.csv"),
        (b"applicant,x_a\nA,\xff\xff\n", "2  encoding applicants.csv"),
        ("applicant,sex\nA,1\n".encode("utf-16"), "1  encoding applicants.csv"),
    ],
)
def test_what_is_wrong_with_a_file(text: str | bytes, told: str) -> None:
    assert [issue.strip() for issue in read(text)[1]] == [told.replace("  ", " ").strip()]


def test_a_ragged_line_says_how_wide_it_should_be() -> None:
    issues: list = []
    read_csv(b"applicant,sex\nA\nB,1,2\n", "applicants", issues)
    assert [(i.row, i.value, i.limit) for i in issues] == [(2, "1", "2"), (3, "3", "2")]


def test_tie_columns_go_on_as_far_as_needed() -> None:
    sheet = SCHEMA["scores"]
    assert sheet.column("tie12") is not None
    assert [sheet.column(name) for name in ("tie", "tie0", "tie01", "tie100", "x_tie1")] == [
        None
    ] * 5


def test_a_table_answers_blanks_for_a_column_it_has_not() -> None:
    found = Table({"applicant": ["A", "B"]})
    assert found["sex"] == ["", ""]
    assert "sex" not in found
    assert list(found.records()) == [{"applicant": "A"}, {"applicant": "B"}]


def test_entries_of_a_cell() -> None:
    assert split("a;b") == ["a", "b"]
    assert split("") == []


# --- the folder ---------------------------------------------------------------------------------


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tables.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["applicants.csv", "programs.csv", "applications.csv", "policy.toml"]
)
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    """Nothing is said of ids that the missing file would have declared."""
    table = name.partition(".")[0]
    assert told(on_disk(tmp_path, GOOD, {name: None})) == [f"0 {table}. missing_file {name}"]


@pytest.mark.parametrize(
    "name", ["teachers.csv", "Applicants.csv", "applicants.CSV", "scores .csv"]
)
def test_a_file_that_no_round_has(tmp_path: Path, name: str) -> None:
    found = told(on_disk(tmp_path, GOOD, {name: "a\n1\n"}))
    assert found == [f"0 {name.rpartition('.')[0]}. unknown_file {name}"]


def test_other_kinds_of_files_are_nobodys_business(tmp_path: Path) -> None:
    assert told(on_disk(tmp_path, GOOD, {"README.md": "x", "result.json": "{}"})) == []


@pytest.mark.parametrize(
    "content", [b"{", b"[1]", b"\xff", b"[" * 100_000], ids=["cut", "list", "bytes", "deep"]
)
def test_a_draw_that_is_no_object(tmp_path: Path, content: bytes) -> None:
    tables = on_disk(tmp_path, make_round({"A": "P"}, {"P": 1}, {"lottery.seed": None}))
    (tmp_path / "draw.json").write_bytes(content)
    tables = Tables.read(tmp_path)
    assert tables.draw == {}
    assert told(tables) == ["0 draw. draw_syntax"]


# --- writing and reading back -------------------------------------------------------------------


@st.composite
def any_tables(draw: st.DrawFn) -> Tables:
    """Tables of any cells, valid or not; no line is completely blank."""
    found = {}
    for name in draw(st.lists(st.sampled_from(list(SCHEMA)), unique=True)):
        sheet = SCHEMA[name]
        declared = [c.name for c in sheet.columns]
        names = draw(st.permutations(declared)) + draw(
            st.lists(CELL.map(lambda c: "x_" + c), max_size=2, unique=True)
        )
        names = [n for n in names if n.startswith("x_") or draw(st.booleans()) or n in sheet.key]
        rows = draw(st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), max_size=3))
        rows = [row for row in rows if any(row)]
        found[name] = Table({c: [row[at] for row in rows] for at, c in enumerate(names)})
    given_draw = draw(st.none() | st.dictionaries(CELL, CELL, max_size=2))
    return Tables(found, draw(CELL).encode(), given_draw)


@settings(max_examples=60, deadline=None)
@given(any_tables())
def test_what_is_written_reads_back_without_loss(tmp_path_factory: object, tables: Tables) -> None:
    folder = tmp_path_factory.mktemp("round")  # type: ignore[attr-defined]
    tables.write(folder)
    back = Tables.read(folder)
    expected = {n: dict(t.columns) for n, t in tables.tables.items()}
    assert {n: dict(t.columns) for n, t in back.tables.items()} == expected
    assert [list(t.columns) for t in back.tables.values()] == [
        list(tables.tables[n].columns) for n in back.tables
    ]
    assert (back.policy, back.draw) == (tables.policy, tables.draw)
    assert back.digest() == tables.digest()


def test_the_draw_is_written_beside_the_round(tmp_path: Path) -> None:
    Tables({}, b"", {"kind": "dice", "witnesses": ["公证员"]}).write(tmp_path)
    assert json.loads((tmp_path / "draw.json").read_bytes())["witnesses"] == ["公证员"]
    assert "公证员" in (tmp_path / "draw.json").read_text(encoding="utf-8")


DAMAGE = [
    b"\xff",
    b"\0",
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"[",
    b"=",
    b"9" * 40,
    b"",
]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_are_told_and_never_raised(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    refused = 0
    for _ in range(60):
        GOOD.write(tmp_path)
        path = random.choice(sorted(tmp_path.iterdir()))
        data = bytearray(path.read_bytes())
        at = random.randrange(len(data))
        data[at : at + random.choice([0, 1, 5])] = random.choice(DAMAGE)
        path.write_bytes(data)
        tables = Tables.read(tmp_path)
        found = validate(tables)
        assert all(issue.table and issue.code for issue in found)
        refused += any(issue.severity == "error" for issue in found)
        assert len(tables.digest()) == 64
    assert 20 < refused < 60


# --- the digest ---------------------------------------------------------------------------------


def test_the_digest_is_what_the_contract_says() -> None:
    """Written out by hand: by file name, the name, the length, the canonical content."""
    tables = Tables(
        {
            "programs": Table({"program": ["Q", "P"], "capacity": ["2", "1"]}),
            "applicants": Table({"x_a": ['say "hi"', "a,b"], "applicant": ["B", "A"]}),
        },
        b"\xef\xbb\xbf[policy]\r\n\rtitle = 1\n",
    )
    contents = {
        "applicants.csv": 'applicant,x_a\nA,"a,b"\nB,"say ""hi"""\n',
        "policy.toml": "[policy]\n\ntitle = 1\n",
        "programs.csv": "capacity,program\n1,P\n2,Q\n",
    }
    fed = "".join(f"{name}\n{len(text)}\n{text}" for name, text in contents.items())
    assert tables.digest() == hashlib.sha256(fed.encode()).hexdigest()


def shuffled(tables: Tables, seed: int) -> Tables:
    """The same round with rows and columns in another order."""
    random, made = Random(seed), {}
    for name in random.sample(list(tables.tables), len(tables.tables)):
        table = tables.tables[name]
        rows = random.sample(range(len(table)), len(table))
        names = random.sample(list(table.columns), len(table.columns))
        made[name] = Table({c: [table[c][at] for at in rows] for c in names})
    return Tables(made, tables.policy, tables.draw)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_and_columns_is_not_in_the_digest(seed: int) -> None:
    assert shuffled(GOOD, seed).digest() == GOOD.digest()


def test_every_single_cell_is_in_the_digest() -> None:
    digests = {GOOD.digest()}
    changes = 0
    for name, table in GOOD.tables.items():
        for column in table.columns:
            for at in range(len(table)):
                cells = {c: list(v) for c, v in table.columns.items()}
                cells[column][at] += "'"
                digests.add(Tables(GOOD.tables | {name: Table(cells)}, GOOD.policy).digest())
                changes += 1
    assert len(digests) == changes + 1


def test_cells_do_not_run_into_one_another() -> None:
    one, two = (Tables({"applicants": Table({"applicant": c, "sex": d})}, b"")
                for c, d in ((["a,b"], ["c"]), (["a"], ["b,c"])))  # fmt: skip
    assert one.digest() != two.digest()


def test_names_of_columns_and_the_policy_are_in_the_digest_the_draw_is_not() -> None:
    renamed = Table(
        {"x_b" if c == "x_note" else c: v for c, v in GOOD["applicants"].columns.items()}
    )
    other = Tables(GOOD.tables | {"applicants": renamed}, GOOD.policy)
    assert other.digest() != GOOD.digest()
    assert Tables(GOOD.tables, GOOD.policy + b"#").digest() != GOOD.digest()
    assert Tables(GOOD.tables, GOOD.policy, {"seed": "00"}).digest() == GOOD.digest()


def test_line_ends_and_the_byte_order_mark_are_not_in_the_digest(tmp_path: Path) -> None:
    GOOD.write(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert Tables.read(tmp_path).digest() == GOOD.digest()
