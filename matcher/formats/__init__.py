"""Rounds in the formats of other programs: a file read as a round, a round written as a file.

A file of the Glasgow format or of PrefLib becomes :class:`matcher.tables.Tables` and back.  What a
file says is kept or refused by name; what a round says and a file cannot hold is refused by name
too, except its rules, its seed and what it tells about people, which no such file is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..market import Market
from ..policy import Policy
from ..tables import InvalidRound, Issue, Tables, decoded
from . import glasgow, preflib
from .lists import crossing_ties, of_market, to_tables, unwritable

KINDS = ("glasgow", "preflib", "round")
"""The formats, by the names that the command line has for them."""

_SUFFIXES = {"hr": "glasgow", "hrt": "glasgow"} | dict.fromkeys(preflib.TYPES, "preflib")


def kind_of(path: Path) -> str | None:
    """The format of a file by its suffix, ``round`` for a folder or a bare name, None if unknown.

    >>> kind_of(Path("a.hrt")), kind_of(Path("a.toi")), kind_of(Path("a")), kind_of(Path("a.txt"))
    ('glasgow', 'preflib', 'round', None)
    """
    if path.is_dir() or not path.suffix:
        return "round"
    return _SUFFIXES.get(_suffix(path))


def _suffix(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()


def seats_beside(path: Path) -> Path:
    """Where the seats of a PrefLib file stand: ``a.capacities.csv`` beside ``a.soi``."""
    return path.with_name(path.stem + ".capacities.csv")


class Refused(ValueError):
    """A conversion that cannot be done as asked: the code of a notice, and what it speaks of."""

    def __init__(self, code: str, **numbers: object) -> None:
        super().__init__(code)
        self.code, self.numbers = code, numbers


@dataclass(frozen=True)
class Conversion:
    """From which file or folder to which, and in which formats.

    Parameters
    ----------
    source, target
        What is read, what is to be written.
    origin, goal
        Their formats, of :data:`KINDS`.
    seats
        For a PrefLib source: the CSV file ``program,capacity``; None for one seat each.
    """

    source: Path
    target: Path
    origin: str
    goal: str
    seats: Path | None = None

    @classmethod
    def plan(
        cls, source: Path, target: Path, origin: str | None = None, goal: str | None = None,
        seats: Path | None = None,
    ) -> Conversion:  # fmt: skip
        """The conversion between two places; formats and seats that are not stated are looked for.

        Raises
        ------
        Refused
            Where a format cannot be told, a file is missing, or something is in the way.
        """
        origin, goal = origin or kind_of(source), goal or kind_of(target)
        if origin is None:
            raise Refused("format_unknown", path=source, option="--from")
        if goal is None:
            raise Refused("format_unknown", path=target, option="--to")
        if seats and origin != "preflib":
            raise Refused("seats_unused", path=seats)
        if origin == "preflib" and seats is None and seats_beside(source).is_file():
            seats = seats_beside(source)
        for path in (source, seats) if origin != "round" else ():
            if path and not path.exists():
                raise Refused("file_missing", path=path)
        if goal == "round":
            if target.exists() and not (target.is_dir() and not any(target.iterdir())):
                raise Refused("not_empty", path=target)
        else:
            beside = [seats_beside(target)] if goal == "preflib" else []
            for path in (target, *beside):
                if path.exists():
                    raise Refused("file_exists", path=path)
        return cls(source, target, origin, goal, seats)

    def read(self) -> Tables:
        """The round that the source says, where it is no round itself.

        Raises
        ------
        InvalidRound
            With everything that is wrong, each at its line.
        OSError
            If a file cannot be read.
        """
        name, issues = self.source.name, list[Issue]()
        text, given = _decoded(self.source), None
        if self.origin == "glasgow":
            return to_tables(glasgow.parse(text, name), name)
        try:
            if self.seats:
                given = preflib.parse_seats(self.seats.read_bytes(), self.seats.name)
        except InvalidRound as error:
            issues += error.issues
        try:
            lists = preflib.parse(text, name, _suffix(self.source), given)
        except InvalidRound as error:
            raise InvalidRound([*error.issues, *issues]) from None
        if self.seats and given is not None:
            issues += preflib.check_seats(lists, given, self.seats.name)
        issues += crossing_ties(lists, name) if issues else ()
        if issues:
            raise InvalidRound(issues)
        return to_tables(lists, name)

    def files(self, market: Market, policy: Policy) -> dict[Path, bytes]:
        """The files that say what a round says, and their content; none where the goal is a round.

        PrefLib's seats stand beside the file, unless each program has one.

        Raises
        ------
        InvalidRound
            With everything that the round asks for and the format cannot hold.
        """
        if self.goal == "round":
            return {}
        lists = of_market(market, policy)
        if self.goal == "glasgow":
            issues = [*unwritable(market, lists, "Glasgow", True), *glasgow.unwritable(lists)]
        else:
            issues = [
                *unwritable(market, lists, "PrefLib", False),
                *preflib.unwritable(lists, _suffix(self.target)),
            ]
        if issues:
            raise InvalidRound(issues)
        if self.goal == "glasgow":
            return {self.target: glasgow.dump(lists).encode()}
        made = {self.target: preflib.dump(lists, self.target.name).encode()}
        seats = preflib.dump_seats(lists)
        return made | ({seats_beside(self.target): seats.encode()} if seats else {})

    def write(self, tables: Tables, files: dict[Path, bytes]) -> None:
        """Write the files, or, where the goal is a round, its folder."""
        if self.goal == "round":
            tables.write(self.target)
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _decoded(path: Path) -> str:
    return decoded(path.read_bytes(), path.name, path.name).replace("\r\n", "\n")
