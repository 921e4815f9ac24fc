"""Good results worked out by hand: every claim of theirs is proved."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from matcher.verify import PROVED, TRUSTED, Claim, Round, Verdict, line, main, verify

from .verify_rounds import (
    SEED,
    STABLE_CLOSING,
    Vector,
    broken,
    claim,
    digest,
    distances,
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

EMPTY = "applicant,program,rule,value,limit"
HEAD = "program,stage,state,cap,listed,score,lottery,price"


def proved(verdict: Verdict) -> bool:
    """Whether every claim is proved."""
    assert [c for c in verdict.claims if c.status != PROVED] == []
    return not verdict.broken


def test_stable(tmp_path: Path) -> None:
    verdict = verify(stable(tmp_path))
    assert proved(verdict)
    assert [c.name for c in verdict.claims] == [
        *("inputs", "assignment", "capacity", "caps", "reserves", "min_size"),
        *("no_justified_envy", "no_waste", "cutoffs", "outcome"),
    ]
    outcome = claim(verdict, "outcome").numbers
    assert outcome["closed"] == ["M"]
    assert outcome["closings"] == len(STABLE_CLOSING)
    assert outcome["reopenable"] == []
    assert outcome["objective"] == {"placed": 3, "reserves": 1, "rank": -1, "fit": 0}


def test_result_elsewhere(tmp_path: Path) -> None:
    folder = stable(tmp_path / "round")
    (folder / "result").rename(tmp_path / "out")
    assert proved(verify(str(folder), tmp_path / "out"))


def test_optimal(tmp_path: Path) -> None:
    verdict = verify(optimal(tmp_path))
    assert proved(verdict)
    assert [c.name for c in verdict.claims][-2:] == ["cutoffs", "optimality"]
    assert claim(verdict, "no_justified_envy").numbers["pairs"] == []
    # Cap Y is full, so each of the four is as well off, at the prices, with no place.
    equal = claim(verdict, "cutoffs").numbers["equal"]
    assert [pair[0] for pair in equal] == ["A", "C", "D", "E"]


def test_optimal_without_reserves_in_the_objective_and_other_ranks(tmp_path: Path) -> None:
    """Two people, two programs: both placed, one at her second choice, in every kind of rank."""
    given = {
        "applicants": "applicant\nA\nB",
        "programs": "program,capacity\nP,1\nQ,1",
        "applications": "applicant,rank,program\nA,1,P\nA,2,Q\nB,1,P",
        "scores": "applicant,program,score\nA,P,9\nB,P,8",
    }
    placements = "applicant,program,rank,seat,reason\nA,Q,2,open,ordinary\nB,P,1,open,ordinary"
    kinds = {
        "min_cost": (["rank"], {"rank": -5}),
        "rank_maximal": (["rank_1", "rank_2", "rank_0"], {"rank_1": 1, "rank_2": 1}),
        "generous": (["rank_0", "rank_2", "rank_1"], {"rank_2": -1, "rank_1": -1}),
    }
    for kind, (parts, values) in kinds.items():
        names = ["placed", *parts, "lottery_1", "lottery_2"]

        def cost(a: str, p: str, rank: int, kind: str = kind, parts: list[str] = parts) -> Vector:
            sign = {"min_cost": 0, "rank_maximal": -1, "generous": 1}[kind]
            middle = [sign * (part == f"rank_{rank}") for part in parts]
            if kind == "min_cost":
                middle = [5 * (rank == 2)]
            return (-1, *middle, *(-w for w in weights(a, p)))

        zero = (0,) * len(names)
        arcs = [("A", "sink", zero, 0, 1), ("B", "sink", zero, 0, 1)]
        arcs += [("A", "P|open", cost("A", "P", 1), 0, 1), ("A", "Q|open", cost("A", "Q", 2), 1, 1)]
        arcs += [("B", "P|open", cost("B", "P", 1), 1, 1)]
        for p in "PQ":
            arcs += [(f"{p}|open", f"non {p}", zero, 1, 1), (f"non {p}", p, zero, 1, 1)]
            arcs += [(p, "sink", zero, 1, 1)]
        found = distances(arcs)
        potentials = {
            "applicants": {a: found[a] for a in "AB"},
            "seats": {f"{p}|open": found[f"{p}|open"] for p in "PQ"},
            "nonhard": {p: found[f"non {p}"] for p in "PQ"},
            "programs": {p: found[p] for p in "PQ"},
            "caps": {},
        }
        prices = {p: ";".join(map(str, found[f"{p}|open"] or ())) for p in "PQ"}
        pairs = (("A", "Q"), ("B", "P"))
        lots = [sum(weights(a, p)[k] for a, p in pairs) for k in (0, 1)]
        objective = dict.fromkeys(names, 0) | {"placed": 2} | values
        objective |= {"lottery_1": lots[0], "lottery_2": lots[1]}
        extra = f'objective = ["placed", "rank"]\nrank = "{kind}"\nrank_costs = [0, 5]\n'
        folder = write(
            tmp_path,
            policy("optimal", extra=extra),
            given,
            {
                "placements": placements,
                "thresholds": f"{HEAD}\nP,open,full,,,,,{prices['P']}\nQ,open,full,,,,,{prices['Q']}",
                "classes": "order_class,opened,placed,min_size\nP,1,1,0\nQ,1,1,0",
                "barred": EMPTY,
            },
            objective,
            certificate={"components": names, "potentials": potentials, "unique": True},
        )
        verdict = verify(folder)
        assert proved(verdict), kind
        assert claim(verdict, "no_justified_envy").numbers["pairs"] == [["A", "P", "B"]]
        assert claim(verdict, "no_waste").numbers["pairs"] == []


CAPS = {
    "applicants": "applicant\np1\np2\nq1\nq2\nr1\nw1",
    "order_classes": "order_class,min_size,college\nW,2,U\nV,0,U",
    "programs": """
        program,capacity,order_class,plan_order
        W1,2,W,1
        P,2,V,2
        Q,2,V,3
        R,1,V,4""",
    "applications": """
        applicant,rank,program
        p1,1,P
        p2,1,P
        q1,1,Q
        q2,1,Q
        r1,1,R
        w1,1,W1""",
    "scores": """
        applicant,program,score
        p1,P,9
        p2,P,8
        q1,Q,9
        q2,Q,8.5""",
    "caps": """
        cap,seats,college,programs
        Y,3,U,
        X,1,,Q""",
}


def caps(folder: Path) -> Path:
    """Write a round with a cap in a cap.

    X lets q1 in and not q2.  Under Y the programs W1, P, cap X and R take turns: w1, p1, q1, and
    r1 is refused; but W has one of two and is closed, and then it is p1, q1, r1.
    """
    result = {
        "placements": """
            applicant,program,rank,seat,reason
            p1,P,1,open,ordinary
            p2,,,,not_reached
            q1,Q,1,open,ordinary
            q2,,,,not_reached
            r1,R,1,open,ordinary
            w1,,,,not_reached""",
        "thresholds": f"""
            {HEAD}
            P,open,cut,Y,1,9,@p1,
            Q,open,cut,X,1,9.0,@q1,
            R,open,full,,1,,@r1,""",
        "classes": "order_class,opened,placed,min_size\nV,1,3,0\nW,0,0,2",
        "barred": EMPTY,
    }
    closing = [{"order_class": "W", "placed": 1, "min_size": 2, "shortfall": 1}]
    objective = {"placed": 3, "reserves": 0, "rank": 0, "fit": 0}
    return write(folder, policy(), CAPS, result, objective, certificate={"closing": closing})


def test_caps_take_turns_and_closing_under_a_full_cap_starts_again(tmp_path: Path) -> None:
    assert proved(verify(caps(tmp_path)))


def test_overlapping_caps_are_read_in_any_order(tmp_path: Path) -> None:
    """Two caps over the same programs: the smaller id is the inner one; one over none is idle."""
    folder = caps(tmp_path)
    (folder / "caps.csv").write_text("cap,seats,college,programs\nZ,9,U,\nY,3,U,\nX,1,,Q\nN,0,,;\n")
    sign(folder)
    assert proved(verify(folder))


OPEN_FIRST = {
    "applicants": "applicant,groups\na,\nb,\ng,G",
    "programs": "program,capacity\nP,3",
    "applications": "applicant,rank,program\na,1,P\nb,1,P\ng,1,P",
    "scores": "applicant,program,score\na,P,90\nb,P,80\ng,P,50",
    "reserves": "program,group,seats,hard\nP,G,1,0\nP,H,1,1",
}


def test_open_first(tmp_path: Path) -> None:
    """The one open seat comes first and takes a; H stays empty, G takes g; b is left."""
    result = {
        "placements": """
            applicant,program,rank,seat,reason
            a,P,1,open,ordinary
            b,,,,not_reached
            g,P,1,G,ordinary""",
        "thresholds": f"""
            {HEAD}
            P,open_first,full,,1,90,@a,
            P,hard:H,not_full,,,,,
            P,soft:G,full,,1,50,@g,
            P,open,full,,,,,""",
        "classes": "order_class,opened,placed,min_size\nP,1,2,0",
        "barred": EMPTY,
    }
    rules = policy(closure="exact", extra='reserve_order = "open_first"\n')
    objective = {"placed": 2, "reserves": 1, "rank": 0, "fit": 0}
    assert proved(verify(write(tmp_path, rules, OPEN_FIRST, result, objective)))


def test_overlapping_groups(tmp_path: Path) -> None:
    """x could fill either seat, y only A and z only B: x and y sit, so x takes B."""
    given = {
        "applicants": "applicant,groups\nw,C\nx,A;B\ny,A\nz,B",
        "programs": "program,capacity\nP,3",
        "applications": "applicant,rank,program\nw,1,P\nx,1,P\ny,1,P\nz,1,P",
        "scores": "applicant,program,score\nx,P,90\ny,P,80\nz,P,70\nw,P,60",
        "reserves": "program,group,seats\nP,A,1\nP,B,1\nP,C,1\nP,D,0",
    }
    result = {
        "placements": """
            applicant,program,rank,seat,reason
            w,P,1,C,ordinary
            x,P,1,B,ordinary
            y,P,1,A,ordinary
            z,,,,not_reached""",
        "thresholds": f"""
            {HEAD}
            P,soft:A,full,,1,80,@y,
            P,soft:B,full,,1,90,@x,
            P,soft:C,full,,1,60,@w,
            P,open,full,,,,,""",
        "classes": "order_class,opened,placed,min_size\nP,1,3,0",
        "barred": EMPTY,
    }
    objective = {"placed": 3, "reserves": 3, "rank": 0, "fit": 0}
    assert proved(verify(write(tmp_path, policy(), given, result, objective)))


PARALLEL = {
    "applicants": "applicant,adjustment\na,college\nb,industry\nc,district\nd,alliance\ne,",
    "order_classes": """
        order_class,min_size,college,industry,district,plan_order
        K,0,U,I,D,1
        L,0,U,J,E,2
        M,0,V,I,,3
        N,0,V,J,D,4""",
    "programs": "program,capacity,order_class,channel\nK1,1,K,W\nL1,1,L,W\nM1,1,M,W\nN1,1,N,W",
    "applications": "applicant,rank,program\na,1,K\nb,1,K1\nc,1,K1\ne,1,K",
    "scores": """
        applicant,channel,program,score,fit
        a,W,,70,
        b,W,,80,
        c,W,,75,
        d,W,,50,
        e,W,,90,
        d,,M1,,3
        d,,N1,,9""",
}


def test_parallel_and_the_scopes_of_adjustment(tmp_path: Path) -> None:
    """e takes K1.  a goes on in college U: L1.  b in industry I: M1.  c in district D: N1.

    d consents to all: no list, so no relation to any college, and the fit decides the order: N1,
    M1, then K1 and L1; everywhere she is below somebody who is adjusted as well.
    """
    result = {
        "placements": """
            applicant,program,rank,seat,reason
            a,L1,0,open,ordinary
            b,M1,0,open,ordinary
            c,N1,0,open,ordinary
            d,,,,not_reached
            e,K1,1,open,ordinary""",
        "thresholds": f"""
            {HEAD}
            K1,open,full,,1,90,@e,
            L1,open,full,,0,70,@a,
            M1,open,full,,0,80,@b,
            N1,open,full,,0,75,@c,""",
        "classes": "order_class,opened,placed,min_size\nK,1,1,0\nL,1,1,0\nM,1,1,0\nN,1,1,0",
        "barred": EMPTY,
    }
    objective = {"placed": 4, "reserves": 0, "rank": -6, "fit": 0}
    rules = policy("parallel") + "[preferences]\nmax = 2\n"
    assert proved(verify(write(tmp_path, rules, PARALLEL, result, objective)))


def test_reopenable(tmp_path: Path) -> None:
    """K closes before L does; without L its two people would both come back."""
    given = {
        "applicants": "applicant\na\nb\nc",
        "order_classes": "order_class,min_size,plan_order\nL,3,1\nK,2,2",
        "programs": "program,capacity,order_class\nL1,3,L\nK1,2,K",
        "applications": "applicant,rank,program\na,1,L1\na,2,K1\nb,1,K1\nc,1,L1",
    }
    result = {
        "placements": """
            applicant,program,rank,seat,reason
            a,,,,not_reached
            b,,,,not_reached
            c,,,,not_reached""",
        "thresholds": HEAD,
        "classes": "order_class,opened,placed,min_size\nK,0,0,2\nL,0,0,3",
        "barred": EMPTY,
    }
    closing = [
        {"order_class": "K", "placed": 1, "min_size": 2, "shortfall": 1},
        {"order_class": "L", "placed": 2, "min_size": 3, "shortfall": 1},
    ]
    objective = {"placed": 0, "reserves": 0, "rank": 0, "fit": 0}
    certificate = {"closing": closing}
    verdict = verify(write(tmp_path, policy(), given, result, objective, certificate=certificate))
    assert proved(verdict)
    assert claim(verdict, "outcome").numbers["reopenable"] == ["K"]


def test_exact_closing_is_trusted(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit(folder / "policy.toml", "sequential", "exact")
    edit_json(folder / "result" / "result.json", {"status": "FEASIBLE", "publishable": False})
    sign(folder)
    verdict = verify(folder)
    assert not verdict.broken
    assert claim(verdict, "outcome").status == TRUSTED
    assert claim(verdict, "outcome").trusted == "closing_not_rechecked"


def test_another_mechanism_than_the_policy_names_is_said(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit(folder / "policy.toml", 'name = "stable"', 'name = "parallel"')
    sign(folder)
    assert claim(verify(folder), "inputs").trusted == "override:parallel"


def test_a_stage_that_is_not_full_shows_nobody(tmp_path: Path) -> None:
    """With three seats at L1 and nobody adjusted, D and E are in and one seat is left."""
    folder = stable(tmp_path)
    edit(folder / "programs.csv", "L1,L,1", "L1,L,3")
    edit(folder / "applicants.csv", "B,,alliance,", "B,,,")
    edit(folder / "result" / "placements.csv", "D,,,,not_reached", "D,L1,1,open,ordinary")
    edit(folder / "result" / "classes.csv", "L,1,1,0", "L,1,2,0")
    values = {"placed": 4, "reserves": 1, "rank": -1, "fit": 0}
    rows = [{"name": k, "value": v, "bound": v} for k, v in values.items()]
    edit_json(folder / "result" / "result.json", {"objective": rows})
    steps = [{"order_class": "M", "placed": 1, "min_size": 3, "shortfall": 2}]
    edit_json(folder / "result" / "certificate.json", {"closing": steps})
    edit(folder / "result" / "thresholds.csv", "L1,open,full,,1,95,@E", "L1,open,not_full,,1,85,@D")
    sign(folder)
    assert broken(verify(folder)) == ["cutoffs"]
    edit(folder / "result" / "thresholds.csv", "1,85,@D", ",,")
    sign(folder)
    assert proved(verify(folder))


def test_a_class_that_needs_one_person_is_never_closed(tmp_path: Path) -> None:
    """L is empty until K closes, and then it takes the one who wanted K."""
    given = {
        "applicants": "applicant\nA",
        "order_classes": "order_class,min_size\nK,2\nL,1\nN,1",
        "programs": "program,capacity,order_class\nK1,2,K\nL1,1,L\nN1,1,N",
        "applications": "applicant,rank,program\nA,1,K1\nA,2,L1",
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nA,L1,2,open,ordinary",
        "thresholds": f"{HEAD}\nL1,open,full,,1,,@A,\nN1,open,not_full,,,,,",
        "classes": "order_class,opened,placed,min_size\nK,0,0,2\nL,1,1,1\nN,0,0,1",
        "barred": EMPTY,
    }
    closing = [{"order_class": "K", "placed": 1, "min_size": 2, "shortfall": 1}]
    objective = {"placed": 1, "reserves": 0, "rank": -1, "fit": 0}
    folder = write(tmp_path, policy(), given, result, objective, certificate={"closing": closing})
    assert proved(verify(folder))


def test_dice_and_lottery_draws(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit(folder / "policy.toml", '[lottery]\nseed = "00ff"\n', "")
    thirty = list(range(61, 81))
    draws = [
        ({"kind": "dice", "value": "0123456789 0123456789"}, "01234567890123456789"),
        (
            {"kind": "kl8", "issue": "2026100", "value": thirty[::-1]},
            "2026100," + ",".join(map(str, thirty)),
        ),
        (
            {"kind": "kl8", "issue": "7", "value": " ".join(f"{n:02}" for n in range(1, 21))},
            "7," + ",".join(f"{n:02}" for n in range(1, 21)),
        ),
    ]
    old = SEED
    for draw, value in draws:
        text = f"orderclass-seed-1|{digest(folder)}|{value}"
        seed = hashlib.sha256(text.encode()).hexdigest()
        (folder / "draw.json").write_text(json.dumps(draw | {"seed": seed, "witnesses": []}))
        path = folder / "result" / "thresholds.csv"
        text = path.read_text("utf-8")
        for a in "ACE":
            text = text.replace(lottery(a, seed=old), lottery(a, seed=seed))
        path.write_text(text, "utf-8")
        old = seed
        sign(folder)
        assert proved(verify(folder))
    (folder / "draw.json").write_text(json.dumps(draw | {"seed": "00"}))
    assert verify(folder).broken


def test_report(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    report = {
        "placed": 3,
        "profile": {"1": 2, "2": 1, "3": 0, "0": 0, "unplaced": 4},
        "groups": {"G": {"applicants": 1, "placed": 1}, "Z": {"applicants": 0, "placed": 0}},
    }
    path = folder / "result" / "report.json"
    path.write_text(json.dumps(report))
    verdict = verify(folder)
    assert proved(verdict)
    assert claim(verdict, "report").numbers["checked"] == ["placed", "profile", "groups"]
    path.write_text("{}")
    assert claim(verify(folder), "report").trusted == "report_not_rechecked"


def test_json_and_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stable(tmp_path)
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == "已证明 输入与摘要 | PROVED inputs"
    assert len(printed.splitlines()) == 10
    assert main([str(folder), "--json", "--result", str(folder / "result")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["broken"] is False
    assert document["claims"][2] == {
        "name": "capacity",
        "status": "PROVED",
        "numbers": {"seats": 6},
        "trusted": "",
        "violations": [],
    }
    edit(folder / "policy.toml", "sequential", "exact")
    assert main([str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("不成立 输入与摘要 | BROKEN inputs ×1 {")
    assert lines[-1] == "须信任 结果重算 | TRUSTED outcome closing_not_rechecked"


def test_lines_of_what_is_listed_and_of_what_is_not_judged() -> None:
    envy = Claim("no_justified_envy", PROVED, {"pairs": [["A", "P", "B"]] * 1234})
    assert line(envy) == (
        "已证明 高分落榜已逐对列全，共 1,234 对 | PROVED every justified envy listed, 1,234 pairs"
    )
    waste = Claim("no_waste", PROVED, {"pairs": []})
    assert (
        line(waste)
        == "已证明 空位未用已逐对列全，共 0 对 | PROVED every unused seat listed, 0 pairs"
    )
    assert line(Claim("no_waste", PROVED, {"pairs": 0})) == "已证明 无空位未用 | PROVED no_waste"
    assert line(Claim("caps", TRUSTED, {}, "after:inputs")) == (
        "未检验 总量上限 | NOT JUDGED caps after:inputs"
    )


def test_verdict_is_a_value() -> None:
    assert Verdict((Claim("inputs", PROVED),)) == Verdict((Claim("inputs", PROVED),))


def test_labels_pass_by_groups_without_a_seat(tmp_path: Path) -> None:
    """x names 0 before A and the seat of A is gone for y: she sits with B."""
    given = {
        "applicants": "applicant,groups\nx,0;A\ny,A;B",
        "programs": "program,capacity\nP,2",
        "applications": "applicant,rank,program\nx,1,P\ny,1,P",
        "scores": "applicant,program,score\nx,P,90\ny,P,80",
        "reserves": "program,group,seats\nP,A,1\nP,B,1",
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nx,P,1,A,ordinary\ny,P,1,B,ordinary",
        "thresholds": f"{HEAD}\nP,soft:A,full,,1,90,@x,\nP,soft:B,full,,1,80,@y,\nP,open,full,,,,,",
        "classes": "order_class,opened,placed,min_size\nP,1,2,0",
        "barred": EMPTY,
    }
    objective = {"placed": 2, "reserves": 2, "rank": 0, "fit": 0}
    assert proved(verify(write(tmp_path, policy(), given, result, objective)))


def test_the_best_of_what_else_she_could_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class is one rank for its programs: only the lottery tells them apart; Z has no seat."""
    lots = {"P": 9, "Q": 5, "R": 1, "S": 5}
    monkeypatch.setattr(Round, "weights", lambda self, a, program: (lots[program.id], 0))
    zero, price, other = (0, 0, 0), (0, 4, 0), (-1, -5, 0)
    full = {"P": price, "Q": zero, "R": zero, "S": zero, "Z": None}
    potentials = {
        "applicants": {"A": other},
        "seats": {f"{p}|open": found for p, found in full.items()},
        "nonhard": full,
        "programs": full,
        "caps": {},
    }
    names = ["placed", "lottery_1", "lottery_2"]
    folder = write(
        tmp_path,
        policy("optimal", extra='objective = ["placed"]\n'),
        {
            "applicants": "applicant\nA",
            "order_classes": "order_class,min_size\nK,1",
            "programs": "program,capacity,order_class\nP,1,K\nQ,1,K\nR,1,K\nS,1,K\nZ,0,K",
            "applications": "applicant,rank,program\nA,1,K",
        },
        {
            "placements": "applicant,program,rank,seat,reason\nA,P,1,open,ordinary",
            "thresholds": f"{HEAD}\nP,open,full,,,,,0;4;0"
            + "".join(f"\n{p},open,not_full,,,,,0;0;0" for p in "QRS")
            + "\nZ,open,full,,,,,",
            "classes": "order_class,opened,placed,min_size\nK,1,1,1",
            "barred": EMPTY,
        },
        {"placed": 1, "lottery_1": 9, "lottery_2": 0},
        certificate={"components": names, "potentials": potentials, "unique": True},
    )
    verdict = verify(folder)
    assert proved(verdict)
    assert claim(verdict, "cutoffs").numbers["equal"] == [["A", "Q", "S"]]
