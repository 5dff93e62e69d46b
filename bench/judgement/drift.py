"""The drift half of `make bench-judgement`: false alarms, power, bursts, and the time of a day's test, on real photos.

    python -m bench.judgement.drift [whole|alarms|power|bursts|page]

Writes docs/benchmarks/judgement/drift_*.csv and drift.html. Nothing in the product was tuned on other photos than these. Photos of
references and of batches are never the same; see `drift_data` for the corruptions. Seeds are fixed; the first run extracts
features for some minutes and trains a small model, both kept in var/bench.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
import pandas as pd

from bench.judgement.drift_data import (
    CACHE,
    MAIN,
    OUT,
    RATES,
    REFERENCE_PHOTOS,
    REFERENCES,
    SIZES,
    Extracted,
    corruptions,
    extracted,
)
from bench.judgement.drift_page import QUALITY_OF_CLASSES, page
from driftwatch.drift.class_shares import compare_shares
from driftwatch.drift.embeddings import fit_projection, project
from driftwatch.profiling import Reference

TRAINED_ON, CHANGED, OF_CLASSES = 600, 80, 50
DECIDING_BATCHES, OTHER_BATCHES = 100, 20  # for the cells that the aims speak of, and for the others


def embeddings_and_answers() -> tuple[np.ndarray, np.ndarray]:
    """Of all photos, by a small model trained on the first TRAINED_ON of them."""
    kept = CACHE / "model.npz"
    if not kept.exists():
        from driftwatch.artifacts.model_input import ModelInput
        from driftwatch.models.champion import RECIPES
        from driftwatch.models.keras_file import from_bytes
        from driftwatch.models.predictors.from_images import ModelFacts
        from driftwatch.models.predictors.heads import Head
        from driftwatch.models.predictors.keras import KerasPredictor
        from driftwatch.models.training.base import Labelled, Recipe, TrainingSet, trainer

        photos = extracted()
        labels = (photos.table["label"] == "dog").to_numpy("int64")
        recipe = Recipe(**{**RECIPES["fast"], "epochs": 12})
        train = Labelled(photos.inputs[:TRAINED_ON], labels[:TRAINED_ON])
        model = from_bytes(trainer().train(TrainingSet(train, 2), recipe).model, "the benchmark's model")
        facts = ModelFacts("", ("cat", "dog"), ModelInput(height=64, width=64), Head("logits"))
        raw, embeddings = KerasPredictor(facts, model).log_scores([photos.inputs], 256)
        right = raw.argmax(axis=1) == labels
        print(
            f"model: {right[:TRAINED_ON].mean():.3f} right on its own photos, {right[TRAINED_ON:].mean():.3f} on others"
        )
        np.savez(kept, embeddings=embeddings, answers=raw.argmax(axis=1))
    found = np.load(kept)
    return found["embeddings"], found["answers"]


def draw(rng: np.random.Generator, pool: np.ndarray, labels: np.ndarray, n: int, cats: float) -> np.ndarray:
    """n photos of the pool; `cats` is their share of cats."""
    first = round(n * cats)
    cat, dog = (rng.permutation(pool[labels[pool] == name]) for name in ("cat", "dog"))
    return np.concatenate([cat[:first], dog[: n - first]])


def alarms() -> None:
    """False alarms of each kind and of the day: a new reference, for each mix and size with batches that have no photo in common,
    REFERENCES times. Many batches against few references would hardly tell more than the references."""
    embeddings_and_answers()
    kept = CACHE / "alarms.csv"
    rows = pd.read_csv(kept).to_dict("records") if kept.exists() else []
    missing = sorted(set(range(REFERENCES)) - {row["reference"] for row in rows})
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        for number, found in zip(missing, pool.map(alarms_of, missing), strict=True):
            rows += found
            if number % 5 == 4:
                pd.DataFrame(rows).to_csv(kept, index=False)
                print(f"alarms: reference {number + 1} of {REFERENCES}", flush=True)
    pd.DataFrame(rows).to_csv(kept, index=False)


def alarms_of(number: int) -> list[dict[str, object]]:
    """Of one reference, with batches of photos that the model has not seen: p-values by kind, a row for each batch. Of clean batches
    as many as the photos give without using one twice, of the others one for each size."""
    photos, components, of_trained = _known()
    labels = photos.table["label"].to_numpy()
    answers = embeddings_and_answers()[1]
    with_classes = photos.features.assign(prediction=answers)
    rng = np.random.default_rng([11, number])
    order = rng.permutation(np.arange(TRAINED_ON, len(labels)))
    held_out, pool = order[:400], order[400:]
    known = np.concatenate([np.arange(TRAINED_ON), held_out])
    quality = Reference.build(with_classes.iloc[known], seed=number)
    content = Reference.build(components.iloc[held_out], seed=number)
    counts = np.bincount(answers[held_out], minlength=2)
    many = number % 2
    rows: list[dict[str, object]] = []
    for n in SIZES:
        # A real change takes fewer to see; and 500 is more than the pool has of one class.
        only = [("100 %", float(many))] if number < CHANGED and n < 500 else []
        batches = [("clean", rows_of) for rows_of in rng.permutation(pool)[: len(pool) // n * n].reshape(-1, n)]
        batches += [(mix, draw(rng, pool, labels, n, cats)) for mix, cats in [("70/30", 0.7 if many else 0.3), *only]]
        for place, (mix, rows_of) in enumerate(batches):
            share = compare_shares(np.bincount(answers[rows_of], minlength=2), counts, 0.0025, number)
            found = {
                "image_quality": quality.test(photos.features.iloc[rows_of]).p_value,
                "content": content.test(components.iloc[rows_of]).p_value,
                "predictions": share.p_value,
            }
            # One of each, for the first references, will do: such a test often calibrates for its own mix, which takes most of the time.
            if number < OF_CLASSES and (mix != "clean" or place == 0):
                found[QUALITY_OF_CLASSES] = quality.test(with_classes.iloc[rows_of]).p_value
            rows.append({"reference": number, "n": n, "mix": mix, **found})
    rows_of = rng.permutation(pool)[:100]
    found = {"content": of_trained.test(components.iloc[rows_of]).p_value}
    rows.append({"reference": number, "n": 100, "mix": "clean, reference of training images", **found})
    return rows


@cache
def _known() -> tuple[Extracted, pd.DataFrame, Reference]:
    """What a process needs once: the photos, their components, and a reference of images that the model was trained on."""
    photos = extracted()
    embeddings = embeddings_and_answers()[0]
    components = project(embeddings, fit_projection(embeddings[:TRAINED_ON]))
    components["prediction"] = embeddings_and_answers()[1]
    return photos, components, Reference.build(components[:400], 0.01)


def power() -> None:
    """Power of the image-quality test at 1 % and at its share of a day's 1 %, for each corruption; bursts; time."""
    photos = extracted()
    clean = photos.features
    reference = Reference.build(clean[:REFERENCE_PHOTOS], 0.01, seed=0)
    pool = np.arange(REFERENCE_PHOTOS, len(clean))
    rng = np.random.default_rng(12)
    rows = []

    def cell(name: str, severity: int, n: int, share: float, batches: int = OTHER_BATCHES) -> None:
        broken = extracted(name, severity).features
        found = []
        for _ in range(batches):
            chosen = rng.permutation(len(pool))[:n]
            k = round(share * n)
            batch = pd.concat([broken.iloc[chosen[:k]], clean.iloc[pool[chosen[k:]]]])
            found.append(reference.test(batch).p_value)
        p = np.array(found)
        rows.append(
            {
                "corruption": name,
                "severity": severity,
                "n": n,
                "share": share,
                "batches": len(p),
                "power_at_0.01": (p <= 0.01).mean(),
                "power_at_0.005": (p <= 0.005).mean(),
            }
        )
        pd.DataFrame(rows).to_csv(OUT / "drift_power.csv", index=False)

    levels = {name: len(found) for name, found in corruptions().items()}
    for name in MAIN:
        cell(name, 1, 100, 1.0, DECIDING_BATCHES)
        cell(name, 3, 100, 0.2, DECIDING_BATCHES)
    for name in levels:
        if name not in MAIN:
            cell(name, 1, 100, 1.0)
    for name in MAIN:
        for n in (50, 200, 500):
            cell(name, 1, n, 1.0)
            cell(name, 3, n, 0.2)
        for severity in range(2, 6):
            cell(name, severity, 100, 1.0)
        for severity in (1, 2, 4, 5):
            cell(name, severity, 100, 0.2)
        print(f"power: {name}", flush=True)


def bursts_and_time() -> None:
    """False alarms of days of bursts, with and without their hashes; the time of a test after calibration."""
    photos = extracted()
    clean = photos.features
    rng = np.random.default_rng(13)
    rows = []
    for number in range(8):
        order = rng.permutation(len(clean))
        reference = Reference.build(clean.iloc[order[:1000]], 0.1, seed=number)
        for _ in range(15):
            scenes = np.repeat(rng.permutation(order[1000:])[:40], 5)
            # Frames of a burst: the scene's features with a tenth of their spread as noise, its hash with up to two bits changed.
            frames = clean.iloc[scenes].reset_index(drop=True)
            noise = 0.1 * clean.std() * (~clean.columns.str.contains("ImagePixel"))  # one camera, one size
            frames = frames + noise.to_numpy() * rng.normal(size=frames.shape)
            hashes = [
                f"{int(photos.table['phash'].iloc[scene], 16) ^ (1 << int(rng.integers(0, 60))):016x}"
                for scene in scenes
            ]
            told, untold = reference.test(frames.assign(phash=hashes)), reference.test(frames)
            rows.append(
                {"effective_n": told.effective_n, "with_hashes": told.p_value, "without_hashes": untold.p_value}
            )
    found = pd.DataFrame(rows)
    table = [
        {
            "images": 200,
            "scenes": 40,
            "stated": rate,
            "days": len(found),
            "mean_effective_n": found["effective_n"].mean(),
            "with_hashes": (found["with_hashes"] <= rate).mean(),
            "without_hashes": (found["without_hashes"] <= rate).mean(),
        }
        for rate in RATES
    ]
    pd.DataFrame(table).round(4).to_csv(OUT / "drift_bursts.csv", index=False)
    timing = []
    for rows_of in (1000, 2000, 5000):
        many = pd.concat([clean] * 3)[:rows_of]
        reference = Reference.build(many + 1e-6 * rng.normal(size=many.shape), seed=0)
        start = time.process_time()
        reference.calibration(500)
        calibrated = time.process_time() - start
        batch, seconds = clean[-500:], []
        for _ in range(7):
            start = time.process_time()
            reference.test(batch)
            seconds.append(time.process_time() - start)
        timing.append(
            {
                "reference": rows_of,
                "n": 500,
                "calibration_s": round(calibrated, 2),
                "test_ms": round(1000 * min(seconds), 1),
                "aim_ms": 50,
                "test_over_aim": round(1000 * min(seconds) / 50, 2),
            }
        )
    pd.DataFrame(timing).to_csv(OUT / "drift_timing.csv", index=False)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    steps = {"alarms": (alarms,), "power": (power,), "bursts": (bursts_and_time,), "page": (page,)}
    chosen = sys.argv[1] if len(sys.argv) > 1 else "whole"
    if chosen not in {*steps, "whole"}:
        raise SystemExit(f"{chosen!r}: allowed are whole, {', '.join(steps)}")
    for name, functions in steps.items():
        if chosen in (name, "whole"):
            for function in functions:
                function()


if __name__ == "__main__":
    main()
