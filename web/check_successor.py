#!/usr/bin/env python3
"""核对更正公示：每一版只改了复核成立的内容。 Check that each successor corrects what rechecks upheld, and nothing else.

    python check_successor.py FIRST.zip SECOND.zip ...

按公布次序给出各版全量结果包。 The full bundles of a round, in the order of their publication.

逐版核对：文件与 SHA256SUMS 相符；总码由全部行得出；指明的上一版就是前一个包；承诺和摇号不变；
锁定的资料加上 changes.json 列出的更正，正好是这一版的资料；以前的更正和操作记录都还在。
每一版的结果是否由其资料得出，另用 verify.py 核对。

Of each: the files match SHA256SUMS; the root follows from the lines; the parent that it names is the
bundle before; commitment and draw are the first's; the frozen round with the corrections of changes.json
is exactly this round; earlier corrections and the audit chain are still there.  That the result follows
from the round is for verify.py to prove.

只用 Python 标准库，不联网。 Standard library only; it never goes online.
结果 / exit status: 0 相符 matches · 1 不符 differs · 2 看不懂 unreadable
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sys
import tomllib
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

Row = dict[str, str]
Rows = dict[str, list[Row]]
SUMS = "SHA256SUMS"


class Bundle:
    """A full bundle, as its archive holds it."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.name, self.digest = path.name, sha256(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self.names = archive.namelist()
            self.files = {name: archive.read(name) for name in self.names}

    def json(self, name: str) -> Any:
        """A file that holds JSON."""
        return json.loads(self.files[name])

    def tables(self) -> Rows:
        """The tables of its round, file by file; blank cells left out."""
        found = {}
        for name, data in self.files.items():
            if match := re.fullmatch(r"round/([a-z_]+\.csv)", name):
                found[match[1]] = [
                    {column: cell for column, cell in row.items() if cell}
                    for row in csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True)
                ]
        return found

    def policy(self) -> tuple[dict[str, Any], str]:
        """The rules without the seed, and the seed that they state."""
        rules = tomllib.loads(self.files["round/policy.toml"].decode())
        lottery = rules.pop("lottery", {})
        seed = str(lottery.pop("seed", ""))
        return rules | ({"lottery": lottery} if lottery else {}), seed

    def round_digest(self) -> str:
        """The digest of its round: what a commitment fixes."""
        total = hashlib.sha256()
        fed = {
            name.removeprefix("round/"): data
            for name, data in self.files.items()
            if re.fullmatch(r"round/([a-z_]+\.csv|policy\.toml)", name)
        }
        for name in sorted(fed):
            content = canonical(fed[name]) if name.endswith(".csv") else fed[name]
            total.update(f"{name}\n{len(content)}\n".encode() + content)
        return total.hexdigest()

    def root(self) -> str:
        """The root of its lines."""
        level = [bytes.fromhex(leaf) for leaf in self.json("lines.json")["leaves"]]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
            level = above + level[len(above) * 2 :]
        return level[0].hex() if level else sha256(b"")

    def altered(self) -> list[str]:
        """Files that ``SHA256SUMS`` does not confirm, or does not name."""
        lines = self.files[SUMS].decode().splitlines()
        stated = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        found = {name: sha256(data) for name, data in self.files.items() if name != SUMS}
        return sorted(n for n in stated | found if stated.get(n) != found.get(n))


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def canonical(data: bytes) -> bytes:
    """A table with columns and rows in the order of their code points."""
    head, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    order = sorted(range(len(head)), key=head.__getitem__)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([head[at] for at in order])
    writer.writerows(sorted([row[at] for at in order] for row in rows))
    return text.getvalue().encode()


def corrected(tables: Rows, changes: list[dict[str, Any]]) -> Rows | None:
    """The tables with every change made; None where one does not fit what stands there."""
    made = {name: [dict(row) for row in rows] for name, rows in tables.items()}
    for change in changes:
        rows, key = made.setdefault(change["file"], []), change["key"]
        found = [row for row in rows if all(row.get(k, "") == v for k, v in key.items())]
        after = {k: v for k, v in change["after"].items() if v}
        if change["before"] is None:
            if found or any(after.get(k, "") != v for k, v in key.items()):
                return None
            rows.append(after)
            continue
        if (
            len(found) != 1
            or set(change["before"]) != set(change["after"])
            or set(key) & set(after)
        ):
            return None
        row = found[0]
        if any(row.get(k, "") != v for k, v in change["before"].items()):
            return None
        for name in change["after"]:
            row.pop(name, None)
        row.update(after)
    return made


def same(a: Rows, b: Rows) -> bool:
    """Whether two rounds hold the same rows."""

    def counted(rows: list[Row]) -> Counter[frozenset[tuple[str, str]]]:
        return Counter(frozenset(row.items()) for row in rows)

    return all(counted(a.get(n, [])) == counted(b.get(n, [])) for n in a.keys() | b.keys())


def seed_of(digest: str, draw: dict[str, Any]) -> str:
    """The seed that a draw makes of a frozen round."""
    value = str(draw["value"])
    if draw["kind"] == "kl8":
        value = ",".join([str(draw["issue"]), *re.findall("[0-9]+", value)])
    return sha256(f"orderclass-seed-1|{digest}|{value}".encode())


def faults_of_first(first: Bundle) -> list[str]:
    """What is wrong with the first bundle."""
    draw, commitment = first.json("round/draw.json"), first.json("commitment.json")
    digest = first.round_digest()
    checks = {
        "SHA256SUMS": not first.altered() and len(first.names) == len(first.files),
        "lines.json": first.root() == first.json("lines.json")["root"],
        "commitment.json": digest == commitment["digest"],
        "round/draw.json": draw["seed"] == seed_of(digest, draw),
    }
    return [name for name, holds in checks.items() if not holds]


def faults_of(first: Bundle, before: Bundle, this: Bundle) -> list[str]:
    """What is wrong with a successor, given the first bundle and the one before it."""
    parent, stated = this.json("parent.json"), this.json("changes.json")
    changes = stated["changes"]
    earlier = before.json("changes.json")["changes"] if "changes.json" in before.files else []
    rules, seed = this.policy()
    digest, draw = this.round_digest(), first.json("round/draw.json")
    made = corrected(first.tables(), changes)
    checks = {
        "SHA256SUMS": not this.altered() and len(this.names) == len(this.files),
        "lines.json": this.root() == this.json("lines.json")["root"],
        "parent.json": parent["bundle"] == stated["parent"] == before.digest
        and parent["root"] == before.json("lines.json")["root"],
        "commitment.json": this.json("commitment.json") == first.json("commitment.json"),
        "draw": stated["draw"] == draw and "round/draw.json" not in this.files,
        "round/policy.toml": rules == first.policy()[0] and seed == draw["seed"],
        "changes.json": bool(changes)
        and all(change["ticket"] for change in changes)
        and changes[: len(earlier)] == earlier
        and stated["snapshot"] == first.json("commitment.json")["digest"],
        "round": made is not None
        and same(made, this.tables())
        and digest == stated["round"] == this.json("round/result/result.json")["digests"]["inputs"],
        "audit.jsonl": this.files["audit.jsonl"].startswith(before.files["audit.jsonl"]),
    }
    return [name for name, holds in checks.items() if not holds]


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if len(arguments) < 2:
        print(__doc__)
        return 2
    try:
        bundles = [Bundle(Path(name)) for name in arguments]
        found = [faults_of_first(bundles[0])]
        found += [faults_of(bundles[0], before, this) for before, this in pairwise(bundles)]
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        csv.Error,
    ) as error:
        print(f"看不懂 / unreadable: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for bundle, faults in zip(bundles, found, strict=True):
        said = f"不符 / differs: {', '.join(faults)}" if faults else "相符 / matches"
        print(f"  {bundle.name}: {said}")
        if not faults and "changes.json" in bundle.files:
            for change in bundle.json("changes.json")["changes"]:
                where = " ".join(v for v in change["key"].values() if v)
                print(f"    {change['ticket']} {change['file']} {where}: "
                      f"{change['before'] or '—'} → {change['after']}")  # fmt: skip
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
