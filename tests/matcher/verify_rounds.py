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

from matcher import verify

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


def broken(verdict: verify.Verdict) -> list[str]:
    """Return the names of the broken claims."""
    return [claim.name for claim in verdict.claims if claim.status == verify.BROKEN]


def claim(verdict: verify.Verdict, name: str) -> verify.Claim:
    """Return one claim."""
    return next(claim for claim in verdict.claims if claim.name == name)


def codes(verdict: verify.Verdict, name: str) -> list[str]:
    """Return the codes of the violations of a claim."""
    return [violation["code"] for violation in claim(verdict, name).violations]
