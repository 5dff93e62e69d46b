"""False alarms of the drift of predictions, by number of classes and of images, where nothing drifted.

`python -m bench.judgement.predictions` writes docs/benchmarks/judgement/predictions_false_alarms.csv; a few minutes of one core. Each
reference is made of a training set of its own, of 22 images a class (220 with two classes), of which by `poses` half of the classes have few
that are not near-duplicates; so have the days. The rate that is stated is 1 %.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.judgement.performance_photos import ROOT
from driftwatch.drift.class_shares import compare_shares, whole_counts
from driftwatch.drift.dependence import bursts, share_weights
from driftwatch.drift.predictions import usual_predictions
from driftwatch.models.splits import COLUMNS, TRAIN, decide_splits

OUT = ROOT / "docs" / "benchmarks" / "judgement"
RATE, ACCURACY, REFERENCES, DAYS = 0.01, 0.9, 12, 6
SIZES = (50, 200, 1000, 5000)


def images(k: int, n: int, poses: int, rng: np.random.Generator, balanced: bool = False) -> pd.DataFrame:
    """n images: label, prediction and phash; of every other class all are near-duplicates of one of `poses` pictures, where not 0."""
    code = np.arange(n) % k if balanced else rng.integers(0, k, n)
    wrong = rng.random(n) > ACCURACY
    answer = np.where(wrong, (code + 1 + (rng.integers(0, 2, n) if k > 2 else 0)) % k, code)
    pose = np.where((code % 2 == 0) & (poses > 0), rng.integers(0, max(poses, 1), n), -1)
    far = rng.integers(0, 2**63, n)
    phash = [
        hashlib.sha256(f"{c} {p}".encode()).hexdigest()[:16] if p >= 0 else f"{value:016x}"
        for c, p, value in zip(code, pose, far, strict=True)
    ]
    names = np.array([f"{place:03d}" for place in range(k)])
    return pd.DataFrame({"label": names[code], "prediction": names[answer], "phash": phash})


def reference(k: int, poses: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Usual counts as they are made, and as they were: of the held-out images, of near-duplicates one, by a split without labels."""
    table = images(k, 220 if k == 2 else 22 * k, poses, rng, balanced=True)
    table["image_id"] = [hashlib.sha256(rng.bytes(16)).hexdigest() for _ in range(len(table))]
    first = ~pd.Series(bursts(table)).duplicated().to_numpy()
    names = sorted(table["label"].unique())
    nothing = pd.DataFrame(columns=COLUMNS)
    split = decide_splits(nothing, table, 0.15).set_index("image_id")["split"]
    held = first & (table["image_id"].map(split) != TRAIN).to_numpy()
    now = usual_predictions(table, held, names)
    split = decide_splits(nothing, table.drop(columns="label"), 0.15).set_index("image_id")["split"]
    held = first & (table["image_id"].map(split) != TRAIN).to_numpy()
    return now, table.loc[held, "prediction"].value_counts().reindex(names, fill_value=0).to_numpy()


def alarms(k: int, poses: int, number: int) -> dict[tuple[int, str], int]:
    """Alarms on DAYS days of each size against one reference, as days are tested and as they were."""
    rng = np.random.default_rng([41, k, poses, number])
    now, before = reference(k, poses, rng)
    found = dict.fromkeys(((n, way) for n in SIZES for way in ("now", "before")), 0)
    for n in SIZES:
        for day in range(DAYS):
            table = images(k, n, poses, rng)
            codes = table["prediction"].astype(int).to_numpy()
            cluster = bursts(table)
            weights = 1 / np.bincount(cluster)[cluster]
            counted, worth = share_weights(weights)
            ours = whole_counts(counted * (worth / counted.sum()), codes, k)
            found[n, "now"] += compare_shares(ours, now, RATE, day).p_value <= RATE
            found[n, "before"] += compare_shares(whole_counts(weights, codes, k), before, RATE, day).p_value <= RATE
    return found


def false_alarms(
    of: Callable[[int, int, int], dict[tuple[int, str], int]] = alarms,
) -> pd.DataFrame:
    rows = []
    for k in (2, 10, 100):
        for poses in (0, 3):
            found = [of(k, poses, number) for number in range(REFERENCES)]
            about = "all pictures differ" if not poses else f"every other class has {poses} pictures"
            for n in SIZES:
                shares = {way: sum(one[n, way] for one in found) / REFERENCES / DAYS for way in ("now", "before")}
                rows.append(
                    {"classes": k, "images of a class": about, "images a day": n, "days": REFERENCES * DAYS, **shares}
                )
    return pd.DataFrame(rows).round(4)


def main() -> None:
    began = time.perf_counter()
    found = false_alarms()
    found.to_csv(OUT / "predictions_false_alarms.csv", index=False)
    print(f"{time.perf_counter() - began:.0f} s\n{found.to_string()}", flush=True)


if __name__ == "__main__":
    main()
