"""A camera that differs from day to day by nature: how often it is called drifted, and what is still found of a broken one.

    python -m bench.judgement.segment_days

Writes docs/benchmarks/judgement/segment_days.csv and segment_days.md. A camera's images are real photos of `drift_data`. On each day its light
is another: a common factor, drawn for the day, moves the features of brightness, contrast, colour and saturation, by `varies` standard
deviations of a day's images. The test of a segment is made twice, by usual images as one sample (before) and by days (now). Seeds are fixed.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from bench.judgement.drift_data import OUT, REFERENCE_PHOTOS, extracted
from bench.judgement.segments import SEGMENTS_RATE
from driftwatch.drift.between_days import caps
from driftwatch.drift.segment_tests import Sample, Tested
from driftwatch.images.features import COLUMNS

# How many tests the scores count for, as docs/benchmarks/judgement/segments_tail.csv has it for these sizes.
TESTS_COUNT = {20: 80.0, 50: 92.0}
DAYS, CAMERAS, DRAWS = 14, 10, 320
VARIES = (0.0, 0.1, 0.2, 0.3, 0.5)
DAMAGES = ("none", "gaussian_blur", "gaussian_noise", "brightness")
OF_LIGHT = [
    place
    for place, name in enumerate(COLUMNS)
    if any(part in name for part in ("Brightness", "Contrast", "Saturation", "Hue", "Color"))
]


def camera(clean: np.ndarray, broken: np.ndarray | None, n: int, varies: float, rng: np.random.Generator) -> Sample:
    """One day of `n` images, which `broken` damages, and DAYS usual ones; each with a light of its own."""
    batch = rng.permutation(len(clean) - REFERENCE_PHOTOS)[:n]
    ours = clean[REFERENCE_PHOTOS + batch] if broken is None else broken[batch]
    others = np.setdiff1d(np.arange(len(clean)), REFERENCE_PHOTOS + batch)
    usual = clean[rng.permutation(others)[: n * DAYS]]
    days = np.repeat(np.arange(DAYS), n)
    light, sign = rng.normal(size=DAYS + 1) * varies, rng.choice([-1.0, 1.0], len(OF_LIGHT))
    moved = sign * clean[:, OF_LIGHT].std(axis=0)
    ours, usual = ours.copy(), usual.copy()
    ours[:, OF_LIGHT] += light[-1] * moved
    usual[:, OF_LIGHT] += light[days][:, None] * moved
    return Sample(ours, usual, days=days)


def named(sample: Sample, n: int) -> tuple[bool, bool]:
    """Whether the camera, one of CAMERAS, is called drifted: before and now."""
    assert sample.days is not None
    before = replace(sample, days=None).scores()
    now = np.minimum(before, caps(sample.ours, sample.usual, sample.days))
    most = SEGMENTS_RATE / CAMERAS
    return Tested(before, TESTS_COUNT[n]).p_value <= most, Tested(now, TESTS_COUNT[n]).p_value <= most


def main() -> None:
    start, clean, rows = time.perf_counter(), extracted().features.to_numpy(float), []
    for damage in DAMAGES:
        broken = None if damage == "none" else extracted(damage, 1).features.to_numpy(float)
        draws = DRAWS if broken is None else DRAWS // 8
        for n in TESTS_COUNT:
            for varies in VARIES:
                rng = np.random.default_rng([23, DAMAGES.index(damage), n, round(100 * varies)])
                found = np.array([named(camera(clean, broken, n, varies, rng), n) for _ in range(draws)])
                before, now = found.mean(axis=0)
                rows.append(
                    {"damage": damage, "images": n, "varies": varies, "draws": draws, "before": before, "now": now}
                )
            print(f"{damage}, {n} images: {time.perf_counter() - start:.0f} s", flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(OUT / "segment_days.csv", index=False, float_format="%.4g")
    (OUT / "segment_days.md").write_text(page(table), encoding="utf-8")


def page(table: pd.DataFrame) -> str:
    """The page in Markdown."""
    lines = [
        "# A camera that differs from day to day", "",
        f"`make bench-judgement` writes this page (bench/judgement/segment_days.py). One camera of {CAMERAS}, with {DAYS} usual days of as many images; photos and damage as in [segments.md](segments.md).\nEach day has a light of its own: the features of brightness, contrast, "
        "colour and saturation move together, by the stated number of standard deviations of one day's images.\nThe camera is called drifted where its p-value is at most "
        f"{SEGMENTS_RATE:g} / {CAMERAS}.\n*Before*: all usual images are one sample. *Now*: where the usual days differ more than their images explain, the day is compared with them as days.", "",
    ]  # fmt: skip
    for damage, title in (
        ("none", "False alarms"),
        *((name, f"Found: {name.replace('_', ' ')}, the mildest of ImageNet-C") for name in DAMAGES[1:]),
    ):
        part = table[table["damage"] == damage]
        lines += [f"## {title}", "", f"{part['draws'].iloc[0]} days a cell.", ""]
        lines += [
            "| days differ by | " + " | ".join(f"{n} images: before, now" for n in TESTS_COUNT) + " |",
            "|---|" + "---|" * len(TESTS_COUNT),
        ]
        for varies, cells in part.groupby("varies"):
            lines.append(
                f"| {varies:g} | " + " | ".join(f"{row.before:.1%}, {row.now:.1%}" for row in cells.itertuples()) + " |"
            )
        lines.append("")
    lines += [
        "Damage that has nothing to do with the light is found as before. "
        "Where the days do not differ, mild brightness is found a little more seldom: some features are taken for ones whose days differ. "
        "Where they do, a change of the light that is about as large as their own is not told any more: it is one of the camera's days.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
