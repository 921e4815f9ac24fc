"""A good result broken in exactly one way: the verdict names exactly that claim."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from matcher.verify import BROKEN, PROVED, TRUSTED, verify

from .test_verify import CAPS, EMPTY, HEAD, caps
from .verify_rounds import (
    Vector,
    broken,
    claim,
    codes,
    edit,
    edit_json,
    lottery,
    optimal,
    policy,
    sign,
    stable,
    weights,
    write,
)

Change = tuple[str, str, str]  # file, old text, new text

MUTATIONS: list[tuple[str, str, list[Change]]] = [
    ("inputs", "round", [("result/result.json", '"round": "r1"', '"round": "r2"')]),
    ("assignment", "row_missing", [("result/placements.csv", "D,,,,not_reached\n", "")]),
    ("assignment", "rank", [("result/placements.csv", "E,L1,2", "E,L1,1")]),
    ("assignment", "seat", [("result/placements.csv", "C,K1,1,G", "C,K1,1,open")]),
    ("assignment", "seat", [("result/placements.csv", "D,,,,", "D,,,open,")]),
    (
        "assignment",
        "reason",
        [("result/placements.csv", "L1,2,open,ordinary", "L1,2,open,relaxed")],
    ),
    ("assignment", "reason", [("result/placements.csv", "H,,,,no_choice", "H,,,,not_reached")]),
    ("assignment", "reason", [("result/placements.csv", "F,,,,barred", "F,,,,no_choice")]),
    ("assignment", "not_admitted", [("applications.csv", "E,2,L1\n", "")]),
    ("assignment", "not_admitted", [("applicants.csv", "A,,,\n", "A,,,other\n")]),
    ("assignment", "person_twice", [("applicants.csv", "applicant,", "person,applicant,")]),
    ("assignment", "barred", [("result/barred.csv", "F,K1,review,documents,passed\n", "")]),
    ("assignment", "barred", [("result/barred.csv", "review,doc", "rejected,doc")]),
    ("capacity", "over_capacity", [("programs.csv", "K1,K,2", "K1,K,1")]),
    ("caps", "over_cap", [("caps.csv", "", "cap,seats,programs\nX,2,K1;L1\n")]),
    (
        "reserves",
        "hard_reserve",
        [
            ("reserves.csv", "seats\nK1,G,1", "seats,hard\nK1,G,1,1"),
            ("applicants.csv", "C,G", "C,"),
        ],
    ),
    (
        "min_size",
        "short",
        [("order_classes.csv", "K,2", "K,3"), ("result/classes.csv", "K,1,2,2", "K,0,2,3")],
    ),
    ("min_size", "class", [("result/classes.csv", "K,1,2,2", "K,1,1,2")]),
    ("min_size", "class", [("result/classes.csv", "M,0,0,3", "M,1,0,3")]),
    ("min_size", "class", [("result/classes.csv", "L,1,1,0", "L,1,1,1")]),
    ("min_size", "class", [("result/classes.csv", "M,0,0,3\n", "")]),
    ("no_justified_envy", "justified_envy", [("scores.csv", "B,K1,80", "B,K1,91")]),
    ("no_waste", "waste", [("programs.csv", "L1,L,1", "L1,L,2")]),
    ("cutoffs", "threshold", [("result/thresholds.csv", "L1,open,full", "L1,open,not_full")]),
    (
        "cutoffs",
        "threshold",
        [("result/thresholds.csv", "open,full,,1,90,@A", "open,full,,1,90,@B")],
    ),
    ("cutoffs", "threshold", [("result/thresholds.csv", "1,95,@E", "1,95.01,@E")]),
    ("cutoffs", "threshold", [("result/thresholds.csv", "full,,1,95", "full,,0,95")]),
    ("cutoffs", "threshold", [("result/thresholds.csv", "full,,1,95", "full,X,1,95")]),
    ("cutoffs", "threshold", [("result/thresholds.csv", "K1,soft:G,full,,1,70,@C,\n", "")]),
    ("cutoffs", "threshold", [("result/thresholds.csv", "soft:G,full", "hard:G,full")]),
    ("cutoffs", "price", [("result/thresholds.csv", "1,95,@E,", "1,95,@E,1")]),
    ("outcome", "closing", [("result/certificate.json", '"placed": 2', '"placed": 1')]),
    ("outcome", "closing", [("result/certificate.json", "closing", "closed")]),
    ("outcome", "objective", [("result/result.json", '"value": -1', '"value": 0')]),
    ("outcome", "objective", [("result/result.json", '"name": "rank"', '"name": "ranks"')]),
    ("outcome", "bound", [("result/result.json", '"bound": -1', '"bound": 0')]),
    ("outcome", "unique", [("result/result.json", '"unique": true', '"unique": false')]),
    (
        "outcome",
        "publishable",
        [("result/result.json", '"publishable": true', '"publishable": false')],
    ),
    ("outcome", "status", [("result/result.json", '"OPTIMAL"', '"FEASIBLE"')]),
]


def mutate(folder: Path, changes: list[Change]) -> None:
    """Change files and set the digests right again."""
    for name, old, new in changes:
        if old == "":
            (folder / name).write_text(new, "utf-8")
        elif new.startswith("person,"):
            lines = (folder / name).read_text("utf-8").splitlines()
            people = [new + lines[0].partition(",")[2], *("p," + line for line in lines[1:])]
            (folder / name).write_text("\n".join(people) + "\n", "utf-8")
        else:
            text = (folder / name).read_text("utf-8")
            for a in "ABCE":
                old, new = old.replace(f"@{a}", lottery(a)), new.replace(f"@{a}", lottery(a))
            assert text.count(old) == 1, (name, old, text)
            (folder / name).write_text(text.replace(old, new), "utf-8")
    sign(folder)


@pytest.mark.parametrize(
    ("name", "code", "changes"), MUTATIONS, ids=[f"{m[0]}-{m[2][0][2].strip()}" for m in MUTATIONS]
)
def test_stable(name: str, code: str, changes: list[Change], tmp_path: Path) -> None:
    folder = stable(tmp_path)
    mutate(folder, changes)
    verdict = verify(folder)
    assert broken(verdict) == [name]
    assert code in codes(verdict, name)


FILES = ("placements.csv", "thresholds.csv", "classes.csv", "barred.csv", "certificate.json")


@pytest.mark.parametrize("name", [*FILES, "inputs"])
def test_a_digest_that_does_not_match(name: str, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    info = json.loads((folder / "result" / "result.json").read_text("utf-8"))
    info["digests"][name] = "0" * 64
    edit_json(folder / "result" / "result.json", info)
    verdict = verify(folder)
    assert broken(verdict) == ["inputs"]
    assert [v["file"] for v in claim(verdict, "inputs").violations] == [name]


def test_a_change_of_the_folder_after_the_commitment(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit(folder / "scores.csv", "A,K1,90", "A,K1,90.0")
    assert broken(verify(folder)) == ["inputs"]
    # The order of rows and columns is not part of the digest.
    folder = stable(tmp_path)
    (folder / "reserves.csv").write_text("seats,program,group\r\n\r\n1,K1,G\r\n")
    assert broken(verify(folder)) == []


def test_a_lottery_number_of_nobody(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    mutate(folder, [("result/thresholds.csv", lottery("E"), "0" * 64)])
    verdict = verify(folder)
    assert broken(verdict) == ["inputs", "cutoffs"]
    assert codes(verdict, "inputs") == ["lottery"]


def test_what_rests_on_a_broken_claim_is_not_judged(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    mutate(folder, [("programs.csv", "K1,K,2", "K1,K,1")])
    verdict = verify(folder)
    after = [c.name for c in verdict.claims if c.trusted == "after:capacity"]
    assert after == ["no_justified_envy", "no_waste", "cutoffs", "outcome"]


def test_a_stable_placement_that_is_not_the_best_one(tmp_path: Path) -> None:
    """Two people who would like to change places, two programs that would not."""
    given = {
        "applicants": "applicant\nA\nB",
        "programs": "program,capacity\nP,1\nQ,1",
        "applications": "applicant,rank,program\nA,1,P\nA,2,Q\nB,1,Q\nB,2,P",
        "scores": "applicant,program,score\nA,P,8\nA,Q,9\nB,P,9\nB,Q,8",
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nA,Q,2,open,ordinary\nB,P,2,open,ordinary",
        "thresholds": f"{HEAD}\nP,open,full,,1,9,@B,\nQ,open,full,,1,9,@A,",
        "classes": "order_class,opened,placed,min_size\nP,1,1,0\nQ,1,1,0",
        "barred": EMPTY,
    }
    objective = {"placed": 2, "reserves": 0, "rank": -2, "fit": 0}
    verdict = verify(write(tmp_path, policy(), given, result, objective))
    assert broken(verdict) == ["outcome"]
    assert codes(verdict, "outcome") == ["differs", "differs"]


def test_an_exact_closing_that_leaves_a_class_short(tmp_path: Path) -> None:
    """The closed set of the result itself, run again, leaves K below its minimum."""
    given = {
        "applicants": "applicant\nA\nB",
        "order_classes": "order_class,min_size\nK,2\nL,0",
        "programs": "program,capacity,order_class\nK1,2,K\nL1,1,L",
        "applications": "applicant,rank,program\nA,1,L1\nA,2,K1\nB,1,K1",
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nA,K1,2,open,ordinary\nB,K1,1,open,ordinary",
        "thresholds": f"{HEAD}\nK1,open,full,,1,,{max(lottery('A'), lottery('B'))},\n"
        "L1,open,not_full,,,,,",
        "classes": "order_class,opened,placed,min_size\nK,1,2,2\nL,0,0,0",
        "barred": EMPTY,
    }
    objective = {"placed": 2, "reserves": 0, "rank": -1, "fit": 0}
    folder = write(tmp_path, policy(closure="exact"), given, result, objective)
    assert broken(verify(folder)) == ["no_waste"]
    # Another class that keeps A out makes it an outcome that no run gives.
    edit(folder / "programs.csv", "L1,1,L", "L1,0,L")
    edit(folder / "applications.csv", "A,1,L1", "A,3,L1")
    edit(folder / "result" / "thresholds.csv", "L1,open,not_full", "L1,open,full")
    edit(folder / "order_classes.csv", "K,2", "K,3")
    edit(folder / "programs.csv", "K1,2,K", "K1,3,K")
    sign(folder)
    assert broken(verify(folder)) == ["min_size"]


def test_exact_without_minimum_sizes_is_one_run(tmp_path: Path) -> None:
    """Both would like to change places, and no class has a minimum above one."""
    given = {
        "applicants": "applicant\nA\nB",
        "order_classes": "order_class,min_size\nK,1\nL,1",
        "programs": "program,capacity,order_class\nK1,1,K\nL1,1,L",
        "applications": "applicant,rank,program\nA,1,K1\nA,2,L1\nB,1,L1\nB,2,K1",
        "scores": "applicant,program,score\nA,K1,1\nB,K1,2\nA,L1,2\nB,L1,1",
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nA,L1,2,open,ordinary\nB,K1,2,open,ordinary",
        "thresholds": f"{HEAD}\nK1,open,full,,1,2,@B,\nL1,open,full,,1,2,@A,",
        "classes": "order_class,opened,placed,min_size\nK,1,1,1\nL,1,1,1",
        "barred": EMPTY,
    }
    objective = {"placed": 2, "reserves": 0, "rank": -2, "fit": 0}
    verdict = verify(write(tmp_path, policy(closure="exact"), given, result, objective))
    assert broken(verdict) == ["outcome"]


def test_caps(tmp_path: Path) -> None:
    folder = caps(tmp_path)
    edit(folder / "result" / "thresholds.csv", "Q,open,cut,X", "Q,open,cut,Y")
    sign(folder)
    assert broken(verify(folder)) == ["cutoffs"]
    folder = caps(tmp_path)
    edit(folder / "result" / "thresholds.csv", "P,open,cut,Y,1,9,@p1", "P,open,cut,Y,1,8,@p2")
    sign(folder)
    verdict = verify(folder)
    assert broken(verdict) == ["cutoffs"]
    assert codes(verdict, "cutoffs") == ["threshold", "reach"]


def test_caps_that_cross(tmp_path: Path) -> None:
    folder = caps(tmp_path)
    (folder / "caps.csv").write_text(
        CAPS["caps"].replace(" ", "").strip() + "\nZ,9,,P;Q\nA,9,,Q;R\n"
    )
    sign(folder)
    verdict = verify(folder)
    assert broken(verdict) == ["inputs"]
    assert codes(verdict, "inputs") == ["caps_cross"]


def test_parallel_reads_no_score_by_program(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit_json(folder / "result" / "result.json", {"mechanism": "parallel"})
    verdict = verify(folder)
    assert broken(verdict) == ["inputs"]
    assert set(codes(verdict, "inputs")) == {"score_by_program"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("placed", 2),
        ("profile", {"1": 2, "2": 1}),
        ("profile", {"1": 2, "2": 1, "0": 1, "unplaced": 4}),
        ("profile", []),
        ("groups", {"G": {"applicants": 1, "placed": 0}}),
        ("groups", 3),
    ],
)
def test_report(key: str, value: object, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    (folder / "result" / "report.json").write_text(json.dumps({key: value}))
    assert broken(verify(folder)) == ["report"]


# --- optimal


def certificate(folder: Path, change: Callable[[dict], None]) -> None:
    """Change the certificate and set the digests right again."""
    path = folder / "result" / "certificate.json"
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document))
    sign(folder)


def bump(kind: str, node: str, part: int, by: int) -> Callable[[dict], None]:
    """Return a change of one component of one potential."""

    def change(document: dict) -> None:
        document["potentials"][kind][node][part] += by

    return change


@pytest.mark.parametrize("part", range(6))
@pytest.mark.parametrize(
    ("kind", "node"),
    [
        ("applicants", "A"),
        ("applicants", "B"),
        ("applicants", "C"),
        ("seats", "P|open"),
        ("seats", "R|hard:G"),
        ("seats", "S|soft:G"),
        ("nonhard", "R"),
        ("programs", "S"),
        ("caps", "X"),
        ("caps", "Y"),
    ],
)
@pytest.mark.parametrize("by", [-1, 1])
def test_potentials(kind: str, node: str, part: int, by: int, tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    certificate(folder, bump(kind, node, part, by))
    assert broken(verify(folder)) == ["optimality"]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("components", lambda d: d["components"].reverse()),
        ("potential_missing", lambda d: d["potentials"]["caps"].pop("X")),
        ("potential_unknown", lambda d: d["potentials"]["caps"].update(Z=None)),
        ("potential_unknown", lambda d: d["potentials"]["seats"].update({"P|hard:G": None})),
        ("potential", lambda d: d["potentials"]["programs"].update(P=None)),
        ("potential", lambda d: d["potentials"]["applicants"].update(A=None)),
        ("potential", lambda d: d["potentials"]["caps"]["X"].pop()),
        ("potential", lambda d: bump("caps", "X", 0, 2**63)(d)),
        ("type", lambda d: d["potentials"]["caps"].update(X=[0.5] * 6)),
        ("type", lambda d: d["potentials"]["caps"].update(X=[True] * 6)),
        ("type", lambda d: d["potentials"].update(caps=[])),
        ("type", lambda d: d.pop("potentials")),
        ("unique", lambda d: d.update(unique=False)),
        ("unique", lambda d: d.pop("unique")),
    ],
)
def test_certificates(code: str, change: Callable[[dict], None], tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    certificate(folder, change)
    verdict = verify(folder)
    assert broken(verdict) == ["optimality"]
    assert code in codes(verdict, "optimality")


def test_potentials_that_are_right_but_not_the_least_distances(tmp_path: Path) -> None:
    """F has no arc that is free, so her distance is infinite; a finite one proves nothing less."""
    folder = optimal(tmp_path)
    certificate(folder, lambda d: d["potentials"]["applicants"].update(F=[0] * 6))
    verdict = verify(folder)
    assert broken(verdict) == ["optimality"]
    assert codes(verdict, "optimality") == ["not_shortest"]


def test_optimal_objective(tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    mutate(folder, [("result/result.json", '"value": 7', '"value": 8')])
    verdict = verify(folder)
    assert broken(verdict) == ["optimality"]
    assert set(codes(verdict, "optimality")) == {"objective", "bound"}


@pytest.mark.parametrize("node", ["P,open", "Q,open", "R,hard:G", "S,open"])
def test_a_published_price(node: str, tmp_path: Path) -> None:
    """Every price but the certificate's is wrong, whether or not anybody would act on it."""
    folder = optimal(tmp_path)
    path = folder / "result" / "thresholds.csv"
    line = next(x for x in path.read_text("utf-8").splitlines() if x.startswith(node))
    parts = line.rsplit(",", 1)[1].split(";")
    price = ";".join([*parts[:4], str(int(parts[4]) - 1), parts[5]])
    mutate(folder, [("result/thresholds.csv", line, line.rsplit(",", 1)[0] + "," + price)])
    verdict = verify(folder)
    assert broken(verdict) == ["cutoffs"]
    assert "price" in codes(verdict, "cutoffs")


def test_prices_that_lead_people_elsewhere(tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    path = folder / "result" / "thresholds.csv"
    line = next(x for x in path.read_text("utf-8").splitlines() if x.startswith("P,open"))
    price = line.rsplit(",", 1)[1]
    mutate(folder, [("result/thresholds.csv", line, line.replace(price, "9;0;0;0;0;0"))])
    assert "not_best" in codes(verify(folder), "cutoffs")
    mutate(folder, [("result/thresholds.csv", "9;0;0;0;0;0", "0;0;0;0;0;0")])
    assert "not_best" in codes(verify(folder), "cutoffs")
    mutate(folder, [("result/thresholds.csv", "0;0;0;0;0;0", "0;x;0;0;0;0")])
    assert codes(verify(folder), "cutoffs") == ["number"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("P,open,full", "P,open,not_full", "threshold"),
        ("S,soft:G,not_full", "S,soft:G,full", "threshold"),
        ("S,open,not_full,,", "S,open,not_full,X,", "threshold"),
        ("P,open,full,,,,,", f"P,open,full,,1,90,{lottery('A')},", "threshold"),
        ("S,soft:G", "S,soft:H", "threshold"),
    ],
)
def test_optimal_thresholds(old: str, new: str, code: str, tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    mutate(folder, [("result/thresholds.csv", old, new)])
    verdict = verify(folder)
    assert broken(verdict) == ["cutoffs"]
    assert code in codes(verdict, "cutoffs")


def test_a_price_on_a_free_seat(tmp_path: Path) -> None:
    """Without the caps and B nothing is scarce; a price above zero is then wrong by itself."""
    folder = optimal(tmp_path)
    (folder / "caps.csv").unlink()
    sign(folder)
    verdict = verify(folder)
    assert claim(verdict, "optimality").status == BROKEN
    assert "price_of_free_seat" in codes(verdict, "cutoffs")


def test_another_plan_as_good(tmp_path: Path) -> None:
    """A and B are the same to P but for the lottery; B in place of A is not the optimum."""
    folder = optimal(tmp_path)
    edit(folder / "result" / "placements.csv", "A,P,1,open,ordinary", "A,,,,not_reached")
    edit(folder / "result" / "placements.csv", "B,,,,not_reached", "B,P,1,open,ordinary")
    sign(folder)
    verdict = verify(folder)
    assert broken(verdict) == ["cutoffs", "optimality"]


def test_ties_that_the_lottery_leaves_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With lottery weights that are all equal, A or B at P is the same: not unique."""
    from matcher.verify import Round

    monkeypatch.setattr(Round, "weights", lambda self, a, program: (1, 1))
    given = {
        "applicants": "applicant\nA\nB",
        "programs": "program,capacity\nP,1",
        "applications": "applicant,rank,program\nA,1,P\nB,1,P",
    }
    least: Vector = (1, 1, 1)  # A leaves, or B does not come: one placed, two weights
    zero = (0, 0, 0)
    potentials = {
        "applicants": {"A": zero, "B": zero},
        "seats": {"P|open": least},
        "nonhard": {"P": least},
        "programs": {"P": least},
        "caps": {},
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nA,P,1,open,ordinary\nB,,,,not_reached",
        "thresholds": f"{HEAD}\nP,open,full,,,,,1;1;1",
        "classes": "order_class,opened,placed,min_size\nP,1,1,0",
        "barred": EMPTY,
    }
    names = ["placed", "lottery_1", "lottery_2"]
    extra = {"components": names, "potentials": potentials, "unique": False}
    folder = write(
        *(tmp_path, policy("optimal", extra='objective = ["placed"]\n'), given, result),
        dict.fromkeys(names, 1),
        certificate=extra,
        unique=False,
        publishable=False,
    )
    verdict = verify(folder)
    assert broken(verdict) == []
    assert claim(verdict, "cutoffs").numbers["equal"] == [["A", ""], ["B", "P"]]
    certificate(folder, lambda d: d.update(unique=True))
    edit_json(folder / "result" / "result.json", {"unique": True, "publishable": True})
    assert codes(verify(folder), "optimality") == ["unique"]
    assert weights("A", "P") != (1, 1)


def test_what_is_not_proved_of_optimal(tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    info = {"status": "FEASIBLE", "publishable": False}
    edit_json(folder / "result" / "result.json", info)
    assert claim(verify(folder), "optimality").trusted == "bound_of_the_solver"
    folder = optimal(tmp_path)
    (folder / "caps.csv").write_text("cap,seats,programs\nX,1,S\nY,4,P;Q;R;S\nZ,3,P;Q\nV,4,Q;R\n")
    sign(folder)
    verdict = verify(folder)
    assert claim(verdict, "inputs").status == PROVED
    assert claim(verdict, "optimality").trusted == "pairs"
    folder = optimal(tmp_path)
    (folder / "caps.csv").write_text("cap,seats,programs\nX,1,S\nY,4,P;Q;R;S\n")
    (folder / "order_classes.csv").write_text("order_class,min_size\nT,2\n")
    (folder / "programs.csv").write_text(
        "program,capacity,order_class\nP,1,\nQ,1,\nR,2,\nS,2,\nT,2,T\n"
    )
    edit(folder / "result" / "classes.csv", "S,1,1,0", "S,1,1,0\nT,0,0,2")
    edit(folder / "applications.csv", "E,1,S", "E,1,S\nB,2,T\nE,3,T")
    sign(folder)
    verdict = verify(folder)
    assert not verdict.broken
    assert claim(verdict, "optimality").status == TRUSTED
    assert claim(verdict, "optimality").trusted == "openings"


def test_optimal_does_not_take_open_seats_first(tmp_path: Path) -> None:
    folder = optimal(tmp_path)
    edit(folder / "policy.toml", "[mechanism]\n", '[mechanism]\nreserve_order = "open_first"\n')
    sign(folder)
    assert "open_first" in codes(verify(folder), "inputs")


def test_waste_in_optimal_is_listed(tmp_path: Path) -> None:
    """D sits in the hard-reserve program while Q is free; B would like Q and is left out by Y."""
    folder = optimal(tmp_path)
    (folder / "caps.csv").write_text("cap,seats,programs\nX,1,S\nY,9,P;Q;R;S\n")
    edit(folder / "applications.csv", "B,1,P", "B,1,P\nB,2,Q")
    sign(folder)
    verdict = verify(folder)
    assert claim(verdict, "no_waste").status == PROVED
    assert claim(verdict, "no_waste").numbers["pairs"] == [["B", "Q"]]
    assert "optimality" in broken(verdict)
