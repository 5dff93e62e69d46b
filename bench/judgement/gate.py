"""How often the gate promotes: challengers as good, better, and better but for one class, by number of classes and of evaluation images.

`python -m bench.judgement.gate` writes docs/benchmarks/judgement/gate.csv and gate_advice.csv; about three minutes of one core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.judgement.performance_photos import ROOT
from driftwatch.config.retraining import RetrainingConfig
from driftwatch.models.gate_rules import Finding, decide

OUT = ROOT / "docs" / "benchmarks" / "judgement"
SETTINGS = RetrainingConfig()
RECENT_IMAGES = 200
RECENT = {"same": (0.05, 0.05), "better": (0.2, 0.04)}  # shares won and lost where the days alerted
CHAMPION = 0.9


@dataclass(frozen=True)
class Challenger:
    """On clean images: shares `won` and `lost`, and `ruined`, the share of one class that it loses."""

    name: str
    recent: str
    won: float
    lost: float
    ruined: float = 0.0


CHALLENGERS = (
    Challenger("the same everywhere", "same", 0.03, 0.03),
    Challenger("better on recent days, the same on clean images", "better", 0.03, 0.03),
    Challenger("better everywhere", "better", 0.05, 0.02),
    Challenger("better, much comes and goes", "better", 0.06, 0.06),
    Challenger("better, but one class lost half", "better", 0.03, 0.03, 0.45),
    Challenger("better, but one class lost two thirds", "better", 0.03, 0.03, 0.6),
)


def images(
    part: str, label: np.ndarray, classes: tuple[str, ...], won: np.ndarray, lost: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows for the gate: each image is won, lost, or right or wrong with both models, by its own shares."""
    drawn = rng.random(len(label))
    is_won, is_lost = drawn < won, (drawn >= won) & (drawn < won + lost)
    both = rng.random(len(label)) < (CHAMPION - lost) / (1 - won - lost)
    truth, wrong = np.array(classes)[label], np.array(classes)[(label + 1) % len(classes)]
    champion = np.where(is_won, wrong, np.where(is_lost | both, truth, wrong))
    challenger = np.where(is_lost, wrong, np.where(is_won | both, truth, wrong))
    ids = [f"{part}{number}" for number in range(len(label))]
    return pd.DataFrame({"image_id": ids, "part": part, "label": truth, "champion": champion, "challenger": challenger})


def table(challenger: Challenger, k: int, n: int, rng: np.random.Generator) -> pd.DataFrame:
    classes = tuple(f"class {place:02d}" for place in range(k))
    won, lost = RECENT[challenger.recent]
    recent = np.arange(RECENT_IMAGES) % k
    clean = np.repeat(np.arange(k), n)
    ruined = (clean == 0) & (challenger.ruined > 0)
    parts = [
        images("recent", recent, classes, np.full(len(recent), won), np.full(len(recent), lost), rng),
        images(
            "clean",
            clean,
            classes,
            np.where(ruined, 0.0, challenger.won),
            np.where(ruined, challenger.ruined, challenger.lost),
            rng,
        ),
    ]
    return pd.concat(parts, ignore_index=True)


def row(challenger: Challenger, k: int, n: int, runs: int = 40) -> dict[str, object]:
    """Shares of `runs` gates (a quarter with 100 classes) that promote, that keep for good reason, and that name the first class."""
    classes = tuple(f"class {place:02d}" for place in range(k))
    runs = runs if k < 100 else runs // 4
    found = [
        decide(table(challenger, k, n, np.random.default_rng([31, k, n, run])), classes, SETTINGS)
        for run in range(runs)
    ]
    shares = {
        kind: np.mean([gate.decision == kind for gate in found]) for kind in ("promote", "keep", "not_enough_evidence")
    }
    named = np.mean([any(reason.name == classes[0] for reason in gate.reasons) for gate in found])
    return {
        "classes": k,
        "clean images a class": n,
        "challenger": challenger.name,
        **shares,
        "first class named": named,
    }


def decisions() -> pd.DataFrame:
    rows = [row(challenger, k, n) for k in (2, 10, 100) for n in (5, 10, 15, 30, 60) for challenger in CHALLENGERS]
    return pd.DataFrame(rows).round(3)


def advice(runs: int = 60) -> pd.DataFrame:
    """The images of each class that the gate asks for where 5 of each are too few, and how often a class that lost half is seen with so many."""
    rows = []
    ruined = CHALLENGERS[4]
    for k in (2, 10, 100):
        asked = []
        for run in range(20):
            gate = decide(
                table(CHALLENGERS[1], k, 5, np.random.default_rng([32, run])),
                tuple(f"class {place:02d}" for place in range(k)),
                SETTINGS,
            )
            reason = next(reason for reason in gate.reasons if reason.finding is Finding.CLASSES_TOO_FEW)
            asked.append(reason.needed)
        n = int(np.median(asked))
        seen = [
            decide(table(ruined, k, n, np.random.default_rng([33, run])), tuple(f"class {place:02d}" for place in range(k)), SETTINGS).decision == "keep"
            for run in range(runs if k < 100 else runs // 3)
        ]  # fmt: skip
        rows.append(
            {
                "classes": k,
                "asked for": n,
                "fewest": min(asked),
                "most": max(asked),
                "ruined class seen with so many": round(float(np.mean(seen)), 3),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    for name, make in (("gate", decisions), ("gate_advice", advice)):
        began = time.perf_counter()
        found = make()
        found.to_csv(OUT / f"{name}.csv", index=False)
        print(f"{name}: {time.perf_counter() - began:.0f} s\n{found.to_string()}", flush=True)


if __name__ == "__main__":
    main()
