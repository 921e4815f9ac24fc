"""Rounds and results small enough to be worked out by hand, written as files.

``@A`` in a text of a result stands for the lottery number of applicant ``A``.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matcher.verify import BROKEN, Claim, Verdict

SEED = "00ff"


def policy(mechanism: str = "stable", closure: str = "sequential", extra: str = "") -> str:
    """Return a policy with the seed of the tests; ``extra`` are further TOML lines."""
    return (
        f'[policy]\nround = "r1"\n[lottery]\nseed = "{SEED}"\n'
        f'[mechanism]\nname = "{mechanism}"\nclosure = "{closure}"\n{extra}'
    )


def lottery(applicant: str, name: str = "r1", seed: str = SEED) -> str:
    """Return the lottery number of an applicant as it is published."""
    text = f"lottery|{name}|{applicant}"
    return hmac.new(bytes.fromhex(seed), text.encode(), hashlib.sha256).hexdigest()


def weights(applicant: str, program: str) -> tuple[int, int]:
    """Return the two tie weights of a pair."""
    text = f"tie|r1|{applicant}|{program}"
    bits = int(hmac.new(bytes.fromhex(SEED), text.encode(), hashlib.sha256).hexdigest(), 16)
    return bits >> 236, bits >> 216 & 0xFFFFF


def table(text: str) -> str:
    """Return CSV text from lines that may be indented."""
    lines = (line.strip() for line in text.strip().splitlines())
    return re.sub("@([A-Za-z0-9]+)", lambda m: lottery(m[1]), "\n".join(lines) + "\n")


def canonical(text: str) -> bytes:
    """Return the canonical form of a CSV text, for the digest."""
    header, *rows = csv.reader(io.StringIO(text))
    order = sorted(range(len(header)), key=lambda k: header[k])
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([header[k] for k in order])
    writer.writerows(sorted([row[k] for k in order] for row in rows))
    return buffer.getvalue().encode()


def digest(folder: Path) -> str:
    """Return the digest of a round folder."""
    total = hashlib.sha256()
    for path in sorted([folder / "policy.toml", *folder.glob("*.csv")]):
        text = path.read_text("utf-8")
        content = text.encode() if path.suffix == ".toml" else canonical(text)
        total.update(f"{path.name}\n{len(content)}\n".encode() + content)
    return total.hexdigest()


def sign(folder: Path) -> None:
    """Write the right digests into ``result.json``."""
    out = folder / "result"
    names = ("placements.csv", "thresholds.csv", "classes.csv", "barred.csv", "certificate.json")
    digests = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    edit_json(out / "result.json", {"digests": {"inputs": digest(folder), **digests}})


def edit_json(path: Path, changes: Mapping[str, Any]) -> None:
    """Change some names of a JSON file."""
    document = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**document, **changes}, ensure_ascii=False), "utf-8")


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that occurs exactly once in a file."""
    text = path.read_text("utf-8")
    assert text.count(table(old).strip("\n")) == 1, (old, text)
    path.write_text(text.replace(table(old).strip("\n"), table(new).strip("\n")), "utf-8")


def write(
    folder: Path,
    rules: str,
    given: Mapping[str, str],
    result: Mapping[str, str],
    objective: Mapping[str, int],
    **extra: Any,
) -> Path:
    """Write a round and its result; ``extra`` are names of ``result.json`` or the certificate."""
    folder.mkdir(exist_ok=True)
    out = folder / "result"
    out.mkdir(exist_ok=True)
    (folder / "policy.toml").write_text(rules, "utf-8")
    for name, text in given.items():
        (folder / f"{name}.csv").write_text(table(text), "utf-8")
    for name, text in result.items():
        (out / f"{name}.csv").write_text(table(text), "utf-8")
    name = re.search('name = "(.*)"', rules)
    assert name
    info = {
        "mechanism": name[1],
        "status": "OPTIMAL",
        "unique": True,
        "publishable": True,
        "objective": [{"name": k, "value": v, "bound": v} for k, v in objective.items()],
        "round": "r1",
        "runtime_s": 0.1,
        "versions": {},
    }
    certificate = extra.pop("certificate", {"closing": []})
    edit_json(out / "result.json", info | extra)
    edit_json(out / "certificate.json", certificate)
    sign(folder)
    return folder


STABLE = {
    "applicants": """
        applicant,groups,adjustment,review
        A,,,
        B,,alliance,
        C,G,,passed
        D,,,
        E,,,
        F,,,documents
        H,,,""",
    "order_classes": """
        order_class,min_size
        K,2
        L,0
        M,3""",
    "programs": """
        program,order_class,capacity
        K1,K,2
        L1,L,1
        M1,M,3""",
    "applications": """
        applicant,rank,program
        A,1,K1
        B,1,K1
        C,1,K1
        D,1,L1
        E,1,M1
        E,2,L1
        F,1,K1""",
    "scores": """
        applicant,program,score
        A,K1,90
        B,K1,80
        C,K1,70
        D,L1,85
        E,L1,95""",
    "reserves": """
        program,group,seats
        K1,G,1""",
}
STABLE_RESULT = {
    "placements": """
        applicant,program,rank,seat,reason
        A,K1,1,open,ordinary
        B,,,,not_reached
        C,K1,1,G,ordinary
        D,,,,not_reached
        E,L1,2,open,ordinary
        F,,,,barred
        H,,,,no_choice""",
    "thresholds": """
        program,stage,state,cap,listed,score,lottery,price
        K1,soft:G,full,,1,70,@C,
        K1,open,full,,1,90,@A,
        L1,open,full,,1,95,@E,""",
    "classes": """
        order_class,opened,placed,min_size
        K,1,2,2
        L,1,1,0
        M,0,0,3""",
    "barred": """
        applicant,program,rule,value,limit
        F,K1,review,documents,passed""",
}
STABLE_OBJECTIVE = {"placed": 3, "reserves": 1, "rank": -1, "fit": 0}
STABLE_CLOSING = [{"order_class": "M", "placed": 2, "min_size": 3, "shortfall": 1}]


def stable(folder: Path) -> Path:
    """Write the round that most tests start from.

    Everybody proposes: K1 takes C for the reserve and A, refuses B; L1 takes D; E goes to M1 and
    so does B, adjusted.  M has two of three, is closed, E takes the seat of D.
    """
    certificate = {"closing": STABLE_CLOSING}
    texts = (policy(), STABLE, STABLE_RESULT, STABLE_OBJECTIVE)
    return write(folder, *texts, certificate=certificate)


def broken(verdict: Verdict) -> list[str]:
    """Return the names of the broken claims."""
    return [claim.name for claim in verdict.claims if claim.status == BROKEN]


def claim(verdict: Verdict, name: str) -> Claim:
    """Return one claim."""
    return next(claim for claim in verdict.claims if claim.name == name)


def codes(verdict: Verdict, name: str) -> list[str]:
    """Return the codes of the violations of a claim."""
    return [violation["code"] for violation in claim(verdict, name).violations]


Vector = tuple[int, ...]


def plus(a: Vector, b: Vector) -> Vector:
    """Add two costs."""
    return tuple(x + y for x, y in zip(a, b, strict=True))


def minus(a: Vector) -> Vector:
    """Turn a cost around."""
    return tuple(-x for x in a)


def distances(arcs: list[tuple[str, str, Vector, int, int]]) -> dict[str, Vector | None]:
    """Return the least residual cost from each node to ``sink``, by relaxing until it rests.

    An arc is (tail, head, cost, flow, capacity).
    """
    residual = [(u, v, cost) for u, v, cost, flow, capacity in arcs if flow < capacity]
    residual += [(v, u, minus(cost)) for u, v, cost, flow, _ in arcs if flow > 0]
    found: dict[str, Vector | None] = {node: None for arc in arcs for node in arc[:2]}
    found["sink"] = tuple([0] * len(arcs[0][2]))
    changed = True
    for _ in found:
        changed = False
        for u, v, cost in residual:
            far, near = found[v], found[u]
            if far is not None and (near is None or plus(cost, far) < near):
                found[u] = plus(cost, far)
                changed = True
    assert not changed, "the flow is not optimal"
    return found


LARGEST = {
    "applicants": """
        applicant
        A
        B
        C
        D
        E
        H""",
    "order_classes": """
        order_class,min_size
        M,3""",
    "programs": """
        program,order_class,capacity
        P,,1
        Q,,1
        R,M,3
        S,,2
        T,,0""",
    "applications": """
        applicant,rank,program
        A,1,P
        B,1,P
        B,2,Q
        C,1,Q
        C,2,S
        D,1,S
        E,1,R
        E,2,S
        E,3,T""",
    "scores": """
        applicant,program,score
        A,P,80
        B,P,80
        B,Q,70
        C,Q,70
        C,S,60
        D,S,60
        E,S,50""",
}
LARGEST_RESULT = {
    "placements": """
        applicant,program,rank,seat,reason
        A,P,1,open,ordinary
        B,,,,not_reached
        C,Q,1,open,ordinary
        D,S,1,open,ordinary
        E,S,2,open,ordinary
        H,,,,no_choice""",
    "thresholds": """
        program,stage,state,cap,listed,score,lottery,price
        P,open,full,,1,80,,
        Q,open,full,,1,70,,
        S,open,full,,1,50,,
        T,open,full,,,,,""",
    "classes": """
        order_class,opened,placed,min_size
        M,0,0,3
        P,1,1,0
        Q,1,1,0
        S,1,2,0
        T,0,0,0""",
    "barred": "applicant,program,rule,value,limit",
}
LARGEST_CLOSING = [{"order_class": "M", "placed": 1, "min_size": 3, "shortfall": 2}]
LARGEST_COVER = {"applicants": [], "programs": ["P", "Q", "S"]}


def largest(folder: Path) -> Path:
    """Write a round of ``max_placement`` that is found by looking.

    With R open everybody but H has a place: A at P, B at Q, C and D at S, E at R.  Its class has one
    of three and is closed.  Then four seats are left, for A or B at P, C at Q, D and E at S with the
    least cost of ranks.  The lottery decides between A and B, who tie.
    """
    assert weights("A", "P") > weights("B", "P")
    pairs = [("A", "P"), ("C", "Q"), ("D", "S"), ("E", "S")]
    drawn = {f"lottery_{k + 1}": sum(weights(a, p)[k] for a, p in pairs) for k in (0, 1)}
    values = {"placed": 4, "rank": -1, "fit": 0} | drawn
    certificate = {"closing": LARGEST_CLOSING, "cover": LARGEST_COVER}
    rules = policy("max_placement")
    return write(folder, rules, LARGEST, LARGEST_RESULT, values, certificate=certificate)


OPTIMAL = {
    "applicants": """
        applicant,groups
        A,
        B,
        C,G
        D,
        E,
        F,""",
    "programs": """
        program,capacity
        P,1
        Q,1
        R,2
        S,2""",
    "applications": """
        applicant,rank,program
        A,1,P
        A,2,Q
        B,1,P
        C,1,R
        D,1,R
        E,1,S
        E,2,R""",
    "scores": """
        applicant,program,score,fit
        A,P,90,
        B,P,80,
        C,R,50,
        D,R,60,7
        E,R,70,""",
    "reserves": """
        program,group,seats,hard
        R,G,1,1
        S,G,1,""",
    "caps": """
        cap,seats,programs
        X,1,S
        Y,4,P;Q;R;S""",
}
OPTIMAL_NAMES = ["placed", "reserves", "rank", "fit", "lottery_1", "lottery_2"]


def optimal(folder: Path) -> Path:
    """Write a round of ``optimal`` whose plan is found by looking.

    Cap Y lets four of five people in, so nobody needs a second choice: C takes the hard seat of R
    and D the open one, E the seat of S that cap X allows, and the lottery decides for A at P
    against B.  Q stays empty.  F lists nothing.
    """
    assert weights("A", "P") > weights("B", "P")
    rank = {"A": ("P", 1), "C": ("R", 1), "D": ("R", 1), "E": ("S", 1)}
    flow = {"A": "P|open", "C": "R|hard:G", "D": "R|open", "E": "S|open"}
    fits = {("D", "R"): 7}

    def cost(a: str, p: str, number: int) -> Vector:
        first, second = weights(a, p)
        return (-1, 0, number - 1, -fits.get((a, p), 0), -first, -second)

    zero, reserve = (0,) * 6, (0, -1, 0, 0, 0, 0)
    arcs = [(a, "sink", zero, int(a not in rank), 1) for a in "ABCDEF"]
    lists = [("A", 1, "P"), ("A", 2, "Q"), ("B", 1, "P"), ("C", 1, "R"), ("D", 1, "R")]
    for a, number, p in [*lists, ("E", 1, "S"), ("E", 2, "R")]:
        stages = ["open", *(["hard:G"] if (a, p) == ("C", "R") else [])]
        for stage in stages:
            seat = f"{p}|{stage}"
            arcs.append((a, seat, cost(a, p, number), int(flow.get(a) == seat), 1))
    held = {"P": 1, "Q": 0, "R": 2, "S": 1}
    for p, seats in (("P", 1), ("Q", 1), ("R", 2), ("S", 2)):
        hard = int(p == "R")
        arcs.append((f"{p}|open", f"non {p}", zero, held[p] - hard, seats))
        arcs.append((f"non {p}", p, zero, held[p] - hard, seats - hard))
        arcs.append((p, "X" if p == "S" else "Y", zero, held[p], seats))
    arcs.append(("R|hard:G", "R", reserve, 1, 1))
    arcs.append(("S|soft:G", "non S", reserve, 0, 1))
    arcs += [("X", "Y", zero, 1, 1), ("Y", "sink", zero, 4, 4)]
    found = distances(arcs)
    potentials = {
        "applicants": {a: found[a] for a in "ABCDEF"},
        "seats": {node: found[node] for node in found if "|" in node},
        "nonhard": {p: found[f"non {p}"] for p in "PQRS"},
        "programs": {p: found[p] for p in "PQRS"},
        "caps": {c: found[c] for c in "XY"},
    }
    certificate = {"components": OPTIMAL_NAMES, "potentials": potentials, "unique": True}
    states = {"S|soft:G": "not_full", "S|open": "not_full", "Q|open": "not_full"}
    seats = ["P|open", "Q|open", "R|hard:G", "R|open", "S|soft:G", "S|open"]
    lines = [
        f"{node.replace('|', ',')},{states.get(node, 'full')},,,,,"
        + ";".join(str(part) for part in found[node] or ())
        for node in seats
    ]
    result = {
        "placements": """
            applicant,program,rank,seat,reason
            A,P,1,open,ordinary
            B,,,,not_reached
            C,R,1,G,ordinary
            D,R,1,open,ordinary
            E,S,1,open,ordinary
            F,,,,no_choice""",
        "thresholds": "\n".join(["program,stage,state,cap,listed,score,lottery,price", *lines]),
        "classes": """
            order_class,opened,placed,min_size
            P,1,1,0
            Q,0,0,0
            R,1,2,0
            S,1,1,0""",
        "barred": "applicant,program,rule,value,limit",
    }
    lottery = [sum(weights(a, p)[k] for a, (p, _) in rank.items()) for k in (0, 1)]
    values = dict(zip(OPTIMAL_NAMES, (4, 1, 0, 7, *lottery), strict=True))
    return write(folder, policy("optimal"), OPTIMAL, result, values, certificate=certificate)
