"""How often segments raise a false alarm, and what is found of one broken camera of many: on features of real photos.

    python -m bench.judgement.segments

Writes docs/benchmarks/judgement/segments*.csv and segments.md. The images of a camera are drawn from the photos of `drift_data` without
repeating one, so a camera's day and its usual images have one distribution; a broken camera's day has the same photos damaged. Seeds are
fixed.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from bench.judgement.drift_data import OUT, REFERENCE_PHOTOS, extracted
from driftwatch.drift import segment_tests
from driftwatch.drift.segment_tests import Sample, Tested
from driftwatch.drift.two_sample import scores

STATED = 0.01  # of the day; image quality has half, and its segments half of that
SEGMENTS_RATE, WHOLE_RATE, ALONE_RATE = STATED / 4, STATED / 4, STATED / 2
SIZES = ((10, 140), (20, 280), (50, 700), (200, 1000), (500, 1000))  # images of the day and usual ones
SPLITS, POOLS = 100_000, 10
LEVELS = (1e-2, 1e-3, 1e-4, 3.3e-5)
CAMERAS = (10, 50, 100, 300)
# Damage, severity, and the share of the camera's images that have it.
DAMAGES = (("gaussian_blur", 1, 1.0), ("gaussian_noise", 1, 1.0), ("brightness", 1, 1.0), ("gaussian_blur", 1, 0.3))
POWER_SIZES, POWER_CAMERAS, DRAWS, WHOLE_DRAWS = (20, 50, 200), (10, 50, 100), 60, 15
REFERENCE, MOST_OF_DAY = 2_000, 5_000


def sample(clean: np.ndarray, n: int, usual: int, rng: np.random.Generator) -> Sample:
    """A camera's day and its usual images, without drift."""
    rows = rng.permutation(len(clean))[: n + usual]
    return Sample(clean[rows[:n]], clean[rows[n:]])


def constant(null: np.ndarray) -> float:
    """c, as `segment_tests` fits it."""
    tail = segment_tests._TAIL
    return segment_tests.FAR * tail * 10.0 ** float(np.sort(null)[::-1][int(len(null) * tail) - 1])


def false_alarms(clean: np.ndarray) -> tuple[pd.DataFrame, dict[int, float]]:
    """How often a segment's p-value is below a level, for each size: the mean over calibrations as large as the product's. Also c."""
    rows, constants = [], {}
    for n, usual in SIZES:
        rng = np.random.default_rng([1, n])
        parts = [
            segment_tests._splits(sample(clean, n, usual, rng), SPLITS // POOLS, [2, n, pool]) for pool in range(POOLS)
        ]
        null = np.concatenate(parts)
        draws = [constant(rng.choice(null, segment_tests.SPLITS, replace=False)) for _ in range(40)]
        constants[n] = float(np.mean(draws))
        found = [[float((c * 10.0**-null <= level).mean()) for level in LEVELS] for c in draws]
        rows.append(
            {
                "images": n,
                "usual": usual,
                "c": constants[n],
                **dict(zip(map(str, LEVELS), np.mean(found, 0), strict=True)),
            }
        )
        print(f"false alarms: {n} images, c = {constants[n]:.0f}", flush=True)
    return pd.DataFrame(rows), constants


def of_day(alarms: pd.DataFrame) -> pd.DataFrame:
    """The chance that any of so many segments of mixed sizes is called drifted, all of them sharing STATED: by Holm's first step, with the
    measured chances between the levels."""
    known = np.log10([float(level) for level in LEVELS])[::-1]
    rows = []
    for cameras in CAMERAS:
        at = np.log10(STATED / cameras)
        each = [
            np.interp(at, known, np.log10([max(row[str(level)], 1e-7) for level in LEVELS[::-1]]))
            for _, row in alarms.iterrows()
        ]
        rows.append(
            {
                "segments": cameras,
                "stated": STATED,
                "found": 1 - (1 - float(np.mean(10.0 ** np.array(each)))) ** cameras,
            }
        )
    return pd.DataFrame(rows)


def power(clean: np.ndarray, constants: dict[int, float]) -> pd.DataFrame:
    """How often one broken camera is named, and how often the whole day's test alone sees it."""
    rows = []
    for name, severity, share in DAMAGES:
        broken = extracted(name, severity).features.to_numpy(float)
        for n in POWER_SIZES:
            usual = dict(SIZES)[n]
            p_values = [_broken_p(clean, broken, n, usual, constants[n], share, [3, n, turn]) for turn in range(DRAWS)]
            for cameras in POWER_CAMERAS:
                whole = [
                    _whole_p(clean, broken, n, cameras, share, [4, n, cameras, turn]) for turn in range(WHOLE_DRAWS)
                ]
                rows.append({
                    "damage": name, "share": share, "images": n, "segments": cameras,
                    "named": float((np.array(p_values) <= SEGMENTS_RATE / cameras).mean()),
                    "whole_day_alone": float((np.array(whole) <= ALONE_RATE).mean()),
                })  # fmt: skip
                print(f"power: {rows[-1]}", flush=True)
    return pd.DataFrame(rows)


def _broken_p(
    clean: np.ndarray, broken: np.ndarray, n: int, usual: int, c: float, share: float, seed: list[int]
) -> float:
    rng = np.random.default_rng(seed)
    photos = rng.permutation(len(broken))[:n]
    sound = round(n * (1 - share))
    ours = np.concatenate([clean[REFERENCE_PHOTOS + photos[:sound]], broken[photos[sound:]]])
    others = np.setdiff1d(np.arange(len(clean)), REFERENCE_PHOTOS + photos)
    one = Sample(ours, clean[rng.permutation(others)[:usual]])
    return Tested(one.scores(), c).p_value


def _whole_p(clean: np.ndarray, broken: np.ndarray, n: int, cameras: int, share: float, seed: list[int]) -> float:
    """The p-value of the day as a whole, of at most MOST_OF_DAY images. Photos are too few for such a day: rows are drawn again and again,
    each with a little noise of its own, so that none is another's copy."""
    rng = np.random.default_rng(seed)
    images = min(n * cameras, MOST_OF_DAY)
    damaged = round(images / cameras * share)
    spread = clean.std(axis=0) * 0.1

    def drawn(values: np.ndarray, count: int) -> np.ndarray:
        return values[rng.integers(0, len(values), count)] + rng.normal(size=(count, values.shape[1])) * spread

    day = np.concatenate([drawn(clean, images - damaged), drawn(broken, damaged)])
    pooled = np.concatenate([day, drawn(clean, REFERENCE)])
    found = scores(pooled, (np.arange(len(pooled)) < images)[:, None]).max()
    return min(1.0, 60.0 * 10.0**-found)


def main() -> None:
    start = time.perf_counter()
    clean = extracted().features.to_numpy(float)
    alarms, constants = false_alarms(clean)
    alarms.to_csv(OUT / "segments_tail.csv", index=False, float_format="%.6g")
    days = of_day(alarms)
    days.to_csv(OUT / "segments_alarms.csv", index=False, float_format="%.4g")
    found = power(clean, constants)
    found.to_csv(OUT / "segments_power.csv", index=False, float_format="%.3g")
    (OUT / "segments.md").write_text(page(alarms, days, found), encoding="utf-8")
    print(f"segments: {time.perf_counter() - start:.0f} s", flush=True)


def page(alarms: pd.DataFrame, days: pd.DataFrame, found: pd.DataFrame) -> str:
    """The page in Markdown."""
    about = (
        "`make bench-judgement` writes this page (bench/judgement/segments.py). A camera's images are drawn from 1,999 real photos without repeating one, so that "
        "its day and its usual images have one distribution. A broken camera's day has the same photos with the mildest damage of ImageNet-C, at full size."
    )
    lines = ["# Segments: false alarms, and one broken camera of many", "", about, ""]
    lines += [
        "## How well the far tail holds",
        "",
        f"How often a segment without drift has a p-value below the stated level, as a multiple of it; with each size's c. From {SPLITS:,} splits of each size: at the last level about three are stated, so "
        "that 0.3 to 2 is what chance gives.",
        "",
    ]
    lines += _table(["images, usual", "c", *(f"{level:g}" for level in LEVELS)], [
        [f"{row.images:.0f}, {row.usual:.0f}", f"{row.c:.0f}", *(f"{row[str(level)] / level:.2f}" for level in LEVELS)] for _, row in alarms.iterrows()
    ])  # fmt: skip
    lines += [
        "",
        "## False alarms of a day",
        "",
        "The chance that any of so many segments of mixed sizes is called drifted, where all of them together have 1 %: by the table above, and by Holm. The day as a whole, the other kinds and the segments of each "
        "have parts of the day's 1 % that add up to it.",
        "",
    ]
    lines += _table(
        ["segments", "stated", "found"],
        [[f"{row.segments:.0f}", f"{row.stated:.1%}", f"{row.found:.2%}"] for _, row in days.iterrows()],
    )
    lines += [
        "",
        "## One broken camera",
        "",
        "How often it is named, at the default rate (1 % a day for all kinds; 0.25 % for image quality of all segments), and in brackets how often the whole day's test alone, at 0.5 %, sees that anything changed.",
        f"The whole day is simulated with at most {MOST_OF_DAY:,} images and {REFERENCE:,} of the reference; its rows are photos drawn again and again with a tenth of a standard deviation of noise, since there are too few of them. "
        "Mild brightness is a tenth of the scale more: with 20 images it is not found, whoever looks.",
        "",
    ]
    heads = [f"{cameras} cameras" for cameras in POWER_CAMERAS]
    rows = []
    for (damage, share, n), of in found.groupby(["damage", "share", "images"], sort=False):
        what = str(damage).replace("_", " ") + ("" if share == 1 else f", {share:.0%} of its images")
        rows.append([what, f"{n}", *(f"{row.named:.0%} ({row.whole_day_alone:.0%})" for row in of.itertuples())])
    lines += _table(["damage", "images each", *heads], rows)
    return "\n".join([*lines, ""])


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


if __name__ == "__main__":
    main()
