"""What may be changed in a round to see what follows: changes as data, made in memory, never in files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .policy import Policy
from .tables import COMPONENTS, Issue, Table, Tables, split
from .validate import validate

INTEGER = re.compile("[0-9]+")

WHAT_IF = "what-if"
"""What the issues of a change name as their table; their column is the option of the command."""


@dataclass(frozen=True, slots=True)
class Seats:
    """So many more seats at a program; fewer where ``more`` is negative."""

    program: str
    more: int


@dataclass(frozen=True, slots=True)
class Score:
    """Another score of an applicant, at a program or, where no program is called so, in a channel.

    ``component`` is ``score`` for the final score, which takes the place of the components in the
    same row, or the name of one component.
    """

    applicant: str
    at: str
    value: str
    component: str = "score"


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An applicant who withdraws: her review says so, and nothing that she listed counts."""

    applicant: str


@dataclass(frozen=True, slots=True)
class Close:
    """A class that takes nobody: no seats, no reserves, no minimum, whatever was decreed."""

    order_class: str


@dataclass(frozen=True, slots=True)
class Open:
    """A class that is opened by decree.

    ``optimal`` then places at least its minimum there, and one person at least (``must_open``).  Where
    deferred acceptance or ties decide who comes, nobody can be made to come: the class is kept open
    however few people it has, which is to say without its minimum.
    """

    order_class: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Another list of an applicant: programs or classes, the first one of rank 1."""

    applicant: str
    entries: tuple[str, ...]


Change = Seats | Score | Withdraw | Close | Open | Choices

OPTIONS: dict[type[Change], str] = {
    Seats: "--seats", Score: "--score", Withdraw: "--withdraw", Open: "--open", Close: "--close",
    Choices: "--list",
}  # fmt: skip
"""The option of the command line for each kind of change."""

FORMS = {
    "--seats": "P=+1", "--score": "A,P=82.5", "--withdraw": "A", "--open": "C", "--close": "C",
    "--list": "A=P1;P2",
}  # fmt: skip
"""How each option is written."""


def read(option: str, text: str) -> Change | Issue:
    """The change that an option of the command line states, or what is wrong with it.

    >>> read("--seats", "P=+2"), read("--score", "A,P,interview=85")
    (Seats(program='P', more=2), Score(applicant='A', at='P', value='85', component='interview'))
    """
    subject, _, value = text.rpartition("=")
    words = subject.split(",")
    if option in ("--withdraw", "--open", "--close") and text:
        kind: dict[str, type[Withdraw | Open | Close]]
        kind = {"--withdraw": Withdraw, "--open": Open, "--close": Close}
        return kind[option](text)
    if option == "--seats" and subject and re.fullmatch(r"[+-][0-9]{1,9}", value):
        return Seats(subject, int(value))
    if option == "--score" and len(words) in (2, 3) and all(words) and value:
        return Score(words[0], words[1], value, *words[2:])
    if option == "--list" and subject:
        return Choices(subject, tuple(split(value)))
    if has_full_width(text):
        return Issue(WHAT_IF, 0, option, "change_full_width", text)
    return Issue(WHAT_IF, 0, option, "change_syntax", text, FORMS[option])


def has_full_width(text: str) -> bool:
    """Whether a text has punctuation of a Chinese keyboard that no option understands."""
    return not set("；，＝＋－").isdisjoint(text)


def pinned(tables: Tables, policy: Policy) -> Policy:
    """The policy with the round's seed stated, so that a changed round keeps everybody's number.

    A public draw makes its seed of the digest of the round's tables, and a change would change it.
    """
    return policy if tables.draw is None else replace(policy, seed=str(tables.draw["seed"]))


def faults(tables: Tables, changes: Iterable[Change], mechanism: str = "") -> list[Issue]:
    """What is wrong with changes before they are made.

    Unknown ids, contradictions, classes that no decree can open; then, of the round that the changes
    without such faults make, every error that :func:`matcher.validate` finds.

    Parameters
    ----------
    mechanism
        Whose round it is: see :func:`changed`.
    """
    changes = list(dict.fromkeys(changes))
    programs = tables["programs"]
    class_of = dict(zip(programs["program"], _classes(programs), strict=True))
    known = {
        "applicant": set(tables["applicants"]["applicant"]),
        "program": set(class_of),
        "at": {*class_of, *programs["channel"]} - {""},
        "order_class": {*tables["order_classes"]["order_class"], *class_of.values()},
        "component": {"score", *COMPONENTS},
    }
    found: list[Issue] = []
    sound: list[Change] = []
    said: dict[tuple[str, ...], Change] = {}
    for change in changes:
        option = OPTIONS[type(change)]
        issues = [
            Issue(WHAT_IF, 0, option, "change_unknown", value, name)
            for name, ids in known.items()
            if (value := getattr(change, name, None)) is not None and value not in ids
        ]
        about = _about(change)
        if about and said.setdefault(about, change) != change:
            issues.append(Issue(WHAT_IF, 0, option, "change_twice", " ".join(about[1:])))
        issues += _idle(change, changes, class_of)
        found += issues
        if not issues:
            sound.append(change)
    made = changed(tables, sound, mechanism)
    for change in sound:
        if isinstance(change, Open):
            found += _without_seats(made, change)
    return found + [issue for issue in validate(made) if issue.severity == "error"]


def _idle(change: Change, changes: Iterable[Change], class_of: dict[str, str]) -> Iterator[Issue]:
    """What is supposed in vain, as another change leaves nothing of it."""
    closed = {c.order_class for c in changes if isinstance(c, Close)}
    gone = {c.applicant for c in changes if isinstance(c, Withdraw)}
    option = OPTIONS[type(change)]
    if isinstance(change, Seats) and class_of.get(change.program) in closed:
        yield Issue(WHAT_IF, 0, option, "change_in_vain", change.program,
                    f"--close {class_of[change.program]}")  # fmt: skip
    if isinstance(change, Score | Choices) and change.applicant in gone:
        yield Issue(WHAT_IF, 0, option, "change_in_vain", change.applicant,
                    f"--withdraw {change.applicant}")  # fmt: skip


def _without_seats(made: Tables, change: Open) -> Iterator[Issue]:
    """Whether a class has a seat for each of those whom a decree asks it to hold."""
    programs, classes = made["programs"], made["order_classes"]
    pairs = zip(_classes(programs), programs["capacity"], strict=True)
    seats = sum(int(q) for c, q in pairs if c == change.order_class and INTEGER.fullmatch(q))
    asked = [
        int(least)
        for c, least in zip(classes["order_class"], classes["min_size"], strict=True)
        if c == change.order_class and INTEGER.fullmatch(least)
    ]
    need = max(1, *asked, 0)
    if seats < need:
        yield Issue(
            WHAT_IF, 0, "--open", "change_no_seats", change.order_class, f"{seats} < {need}"
        )


def _about(change: Change) -> tuple[str, ...]:
    """What a change settles, which no other change may settle otherwise; nothing for seats."""
    if isinstance(change, Score):
        return "score", change.applicant, change.at, change.component
    if isinstance(change, Choices):
        return "list", change.applicant
    if isinstance(change, Open | Close):
        return "class", change.order_class
    return ()


def changed(tables: Tables, changes: Iterable[Change], mechanism: str = "") -> Tables:
    """The round with the changes made, in the same order of applicants, programs and classes.

    Parameters
    ----------
    tables
        A sound round; it stays as it is.
    changes
        Without :func:`faults`.
    mechanism
        Whose round it is; only ``optimal`` can make a class hold people by decree.
    """
    draft = _Draft(tables, mechanism == "optimal")
    for change in dict.fromkeys(changes):
        if isinstance(change, Seats):
            draft.seats(change)
        elif isinstance(change, Score):
            draft.score(change)
        elif isinstance(change, Withdraw):
            at = draft.lines("applicants", applicant=change.applicant)
            draft.put("applicants", at, review="withdrawn")
        elif isinstance(change, Choices):
            draft.choices(change)
        else:
            draft.settle(change)
    return draft.tables()


def _classes(programs: Table) -> list[str]:
    """The class of each program, its own where none is given."""
    return [c or p for c, p in zip(programs["order_class"], programs["program"], strict=True)]


class _Draft:
    """A copy of a round in which cells are overwritten; tables that nobody touches are shared."""

    def __init__(self, tables: Tables, decree: bool) -> None:
        self.given, self.decree = tables, decree
        self.columns: dict[str, dict[str, list[str]]] = {}
        self.rows: dict[str, list[int]] = {}

    def open(self, name: str) -> dict[str, list[str]]:
        """The columns of a table, to be written to."""
        if name not in self.columns:
            table = self.given[name]
            self.columns[name] = {c: list(cells) for c, cells in table.columns.items()}
            self.rows[name] = list(table.rows)
        return self.columns[name]

    def lines(self, name: str, **key: str) -> list[int]:
        """The lines of a table whose cells are these."""
        table = self.open(name)
        blank = [""] * len(self.rows[name])
        columns = zip(*(table.get(column, blank) for column in key), strict=True)
        return [at for at, cells in enumerate(columns) if cells == tuple(key.values())]

    def put(self, name: str, lines: Iterable[int], **cells: str) -> None:
        """Write cells into lines of a table; a column that it lacks is added."""
        table, lines = self.open(name), list(lines)
        for column, cell in cells.items():
            values = table.setdefault(column, [""] * len(self.rows[name]))
            for at in lines:
                values[at] = cell

    def add(self, name: str, **cells: str) -> None:
        """Add a line to a table, below its last row."""
        table, rows = self.open(name), self.rows[name]
        for column in cells:
            table.setdefault(column, [""] * len(rows))
        for column, values in table.items():
            values.append(cells.get(column, ""))
        rows.append(max(rows, default=1) + 1)

    def seats(self, change: Seats) -> None:
        """More seats, or fewer; too few are an issue of the changed round."""
        at = self.lines("programs", program=change.program)
        seats = int(self.open("programs")["capacity"][at[0]]) + change.more
        self.put("programs", at, capacity=str(seats))

    def score(self, change: Score) -> None:
        """A score in the applicant's row for the program or channel, which is made if need be."""
        is_program = change.at in set(self.given["programs"]["program"])
        key = {"program": change.at, "channel": ""}
        if not is_program:
            key = {"program": "", "channel": change.at}
        at = self.lines("scores", applicant=change.applicant, **key)
        if not at:
            self.add("scores", applicant=change.applicant, **key)
            at = [len(self.rows["scores"]) - 1]
        if change.component == "score":
            held = {name: "" for name in COMPONENTS if name in self.open("scores")}
            self.put("scores", at, **held)
        self.put("scores", at, **{change.component: change.value})

    def choices(self, change: Choices) -> None:
        """The lines of her list replaced by those of another one."""
        gone = set(self.lines("applications", applicant=change.applicant))
        table, rows = self.open("applications"), self.rows["applications"]
        kept = [at for at in range(len(rows)) if at not in gone]
        self.columns["applications"] = {c: [v[at] for at in kept] for c, v in table.items()}
        self.rows["applications"] = [rows[at] for at in kept]
        for rank, entry in enumerate(change.entries, start=1):
            self.add("applications", applicant=change.applicant, rank=str(rank), program=entry)

    def settle(self, change: Open | Close) -> None:
        """A class opened by decree, or without its minimum; a closed one without its seats as well."""
        name = change.order_class
        at = self.lines("order_classes", order_class=name)
        if isinstance(change, Open) and self.decree:
            if not at:
                self.add("order_classes", order_class=name, min_size="0")
                at = self.lines("order_classes", order_class=name)
            self.put("order_classes", at, must_open="1")
            return
        self.put("order_classes", at, min_size="0")
        if isinstance(change, Open):
            return
        if "must_open" in self.open("order_classes"):
            self.put("order_classes", at, must_open="")
        programs = self.given["programs"]
        inside = [at for at, c in enumerate(_classes(programs)) if c == name]
        self.put("programs", inside, capacity="0")
        names = {programs["program"][at] for at in inside}
        held = [at for at, p in enumerate(self.given["reserves"]["program"]) if p in names]
        if held:
            self.put("reserves", held, seats="0")
            if "must_fill" in self.open("reserves"):
                self.put("reserves", held, must_fill="")

    def tables(self) -> Tables:
        """The round as changed, its seed that of the round given."""
        given = self.given
        made = {
            name: Table(columns, self.rows[name])
            for name, columns in self.columns.items()
            if name in given.tables or self.rows[name]
        }
        policy = given.policy
        if given.draw is not None:
            policy = pinned(given, Policy.from_tables(given)).to_toml().encode()
        return Tables(given.tables | made, policy, None, list(given.issues))
