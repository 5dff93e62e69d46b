"""Does the search for slices find the bad ones, and none where there are none? Are segments named as seldom as stated?

Simulated labels: 13 features with correlations, 20 cameras, day and night, and predicted classes of uneven shares; the model is right on 85 %. A bad slice has
5, 10 or 20 % of the images and is worse by 20 or 30 points: one camera, or at night the low end of a feature. `python -m bench.judgement.slices` writes
docs/benchmarks/judgement/slices.csv and segments_accuracy.csv, in some four minutes of one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from bench.judgement.performance_photos import ROOT
from driftwatch.accuracy.segments import Judging, judge_segments
from driftwatch.accuracy.slice_search import Answers, Factor, worst_slice
from driftwatch.accuracy.slices import chosen_high
from driftwatch.models.metrics import wilson

OUT = ROOT / "docs" / "benchmarks" / "judgement"
ALPHA, LEAST, WRONG, FEATURES, CAMERAS = 0.05, 10, 0.15, 13, 20
FALSE_RUNS, POWER_RUNS, PERMUTATIONS = 200, 40, 99
KINDS = ("camera", "night and a feature")


@dataclass(frozen=True)
class World:
    """Images as the search sees them, which of them are `bad`, and the chance of each to be answered wrongly."""

    factors: list[Factor]
    bad: np.ndarray
    chance: np.ndarray


def world(rng: np.random.Generator, labels: int, classes: int, kind: str, share: float, drop: float) -> World:
    """`share` of the images is bad, which `kind` says which; 0 for none."""
    common = rng.standard_normal((labels, 4))
    features = [0.6 * common[:, place % 4] + 0.8 * rng.standard_normal(labels) for place in range(FEATURES)]
    shares = np.array([0.6, 0.4]) if classes == 2 else 1 / np.arange(1, classes + 1)
    answer, night = rng.choice(classes, labels, p=shares / shares.sum()), rng.random(labels) < 0.4
    camera = rng.integers(1, CAMERAS, labels)
    bad = np.zeros(labels, dtype=bool)
    if share and kind == "camera":
        bad = rng.random(labels) < share
        camera[bad] = 0
    elif share:
        bad = night & (features[0] < np.quantile(features[0], min(share / night.mean(), 1.0)))
    factors = [_cut(f"feature {place}", values) for place, values in enumerate(features)]
    factors.append(Factor("predicted_class", tuple(map(str, range(classes))), answer))
    factors.append(Factor("camera", tuple(map(str, range(CAMERAS))), camera))
    factors.append(Factor("light", ("day", "night"), night.astype(int)))
    return World(factors, bad, WRONG + drop * bad)


def _cut(name: str, values: np.ndarray) -> Factor:
    ends = np.quantile(values, [1 / 3, 2 / 3])
    return Factor(name, ("low", "middle", "high"), np.searchsorted(ends, values, side="right"))


@dataclass(frozen=True)
class Setting:
    """`labels` of images of which `share` is worse by `drop`."""

    classes: int
    labels: int
    kind: str = "none"
    share: float = 0.0
    drop: float = 0.0


def row_of(setting: Setting, runs: int) -> dict[str, object]:
    """How often a slice is told, how often it is the bad one, and how often its interval holds the slice's accuracy.

    Beside it: how often the worst slice would be told without a correction (each by itself at the same level)."""
    told, right, held, plain, alone = 0, 0, 0, 0, 0
    for run in range(runs):
        rng = np.random.default_rng([setting.classes, setting.labels, round(100 * setting.share), run])
        of = world(rng, setting.labels, setting.classes, setting.kind, setting.share, setting.drop)
        wrong = (rng.random(setting.labels) < of.chance).astype(float)
        answers = Answers(wrong, np.ones(setting.labels), np.zeros(setting.labels, dtype=int))
        found = worst_slice(answers, of.factors, ALPHA, LEAST, PERMUTATIONS)
        if found is None:
            continue
        members, n = found.members, int(found.members.sum())
        alone += _uncorrected(wrong, members) <= ALPHA
        if found.p_value > ALPHA:
            continue
        told += 1
        right += (members & of.bad).sum() > 0.5 * (members | of.bad).sum()
        value, truth, outside = 1 - wrong[members].mean(), 1 - of.chance[members].mean(), 1 - wrong[~members].mean()
        low, high = wilson(value, n, 0.95)
        plain += low <= truth <= high
        wide = max(high, min(chosen_high(int(wrong[members].sum()), n, found.least_share, 0.95), outside))
        held += low <= truth <= wide
    return {
        "classes": setting.classes, "labels": setting.labels, "bad slice": setting.kind, "share": setting.share,
        "worse by": setting.drop, "runs": runs, "told": round(told / runs, 3),
        "the bad one": round(right / runs, 3) if setting.share else None,
        "interval holds": round(held / told, 3) if told >= 10 else None,
        "Wilson's alone": round(plain / told, 3) if told >= 10 else None,
        "told without correction": round(alone / runs, 3),
    }  # fmt: skip


def _uncorrected(wrong: np.ndarray, members: np.ndarray) -> float:
    from scipy.stats import hypergeom

    n, inside = int(members.sum()), int(wrong[members].sum())
    return float(hypergeom.sf(inside - 1, len(wrong), int(wrong.sum()), n))


def slices() -> pd.DataFrame:
    settings = [(Setting(classes, labels), FALSE_RUNS) for classes in (2, 100) for labels in (100, 300, 1000)]
    settings += [
        (Setting(10, labels, kind, share, drop), POWER_RUNS)
        for labels in (100, 300, 1000)
        for kind in KINDS
        for share in (0.05, 0.1, 0.2)
        for drop in (0.2, 0.3)
    ]
    rows = []
    for setting, runs in settings:
        began = time.perf_counter()
        rows.append(row_of(setting, runs))
        print(f"{rows[-1]}: {time.perf_counter() - began:.0f} s", flush=True)
    return pd.DataFrame(rows)


def segment_rows(cameras: int, labels: int, drop: float, days: int) -> dict[str, object]:
    """Days of `cameras` with about `labels` labels each, of which one is worse by `drop`; at the floor itself the others would be named most
    often by chance, so the floor is their accuracy."""
    judging = Judging(floor=1 - WRONG, alpha=0.01, least=10, needed=30, confidence=0.95)
    named, false = 0, 0
    for day in range(days):
        rng = np.random.default_rng([cameras, labels, round(100 * drop), day])
        camera = rng.integers(0, cameras, cameras * labels)
        wrong = rng.random(len(camera)) < WRONG + drop * (camera == 0)
        table = pd.DataFrame(
            {
                "image_id": list(map(str, range(len(camera)))),
                "label": wrong,
                "prediction": False,
                "weight": 1.0,
                "stratum": "",
                "camera": camera,
            }
        )
        found = judge_segments([table], {"camera": "camera"}, {"camera": {}}, judging)
        alerts = {each.name for each in found if each.verdict == "alert"}
        named += "0" in alerts and drop > 0
        false += bool(alerts - ({"0"} if drop else set()))
    return {
        "cameras": cameras, "labels of each": labels, "worse by": drop, "days": days,
        "named": round(named / days, 3) if drop else None, "days with a false name": round(false / days, 4),
    }  # fmt: skip


def segments() -> pd.DataFrame:
    rows = []
    for cameras, labels, drop in product((10, 50, 100), (20, 50), (0.0, 0.2, 0.3, 0.5)):
        rows.append(segment_rows(cameras, labels, drop, days=2000 // cameras))
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(names: Sequence[str]) -> None:
    for name, make, file in (("segments", segments, "segments_accuracy.csv"), ("slices", slices, "slices.csv")):
        if not names or name in names:
            found = make()
            found.to_csv(OUT / file, index=False)
            print(found.to_string(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
