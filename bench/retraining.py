"""What retraining buys on real photos: `make bench-retraining` (about 40 CPU minutes; a stopped run goes on where it was).

The recipe: the monitor file's default one on all photos, at 96 px, and its accuracy on held-out ones. Before and after: for each
seed a champion by the recipe `fast` at 64 px from 1,000 photos; days of other photos, broken by a blur, by lost contrast, by
pixelation, or not at all; labels of which 6 % are wrong; and a retraining by the product's own steps, with and without imitation
of the damage. Tested on photos that are in no training set and no day. Writes docs/benchmarks/retraining/*.csv.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from bench.retraining_runs import once_for_each_day, retrain
from bench.retraining_world import (
    CLEAN_POOL,
    DAMAGES,
    DAYS,
    NEXT_DAYS,
    NEXT_POOL,
    ORIGINAL,
    POOL,
    ROOT,
    WORK,
    World,
    monitor,
    put_training,
    site,
)
from driftwatch.artifacts.store import MonitorStore

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

RESULTS = ROOT / "docs" / "benchmarks" / "retraining"
# Labels in the training part, and whether the damage is imitated.
VARIANTS = [(0, True), (100, False), (100, True), (200, False), (200, True)]
SMALL_VARIANTS = [(100, True), (200, True)]


def bench_recipe(photos: list[Path], seed: int) -> dict[str, Any]:
    """The default recipe on 80 % of all photos, tested on the 15 % that are held out."""
    from driftwatch.models.champion import train_champion
    from driftwatch.models.registry import card

    folder = WORK / "recipe"
    shutil.rmtree(folder, ignore_errors=True)
    config = monitor(folder)
    config = config.model_copy(update={"retraining": config.retraining.model_copy(update={"seed": seed})})
    storage, layout = site(config)
    put_training(storage, layout, config, photos)
    wall, cpu = time.perf_counter(), time.process_time()
    version = train_champion(MonitorStore(storage, config))
    found = card(MonitorStore(storage, config), version)
    accuracy = found.metrics.holdout.accuracy
    return {
        "seed": seed,
        "trained_on": found.data.by_source["original"]["train"],
        "held_out": accuracy.n,
        "accuracy": round(accuracy.value, 4),
        "low": round(accuracy.low, 4),
        "high": round(accuracy.high, 4),
        "epochs": len(found.history),
        "threads": int(os.environ["DRIFTWATCH_THREADS"]),
        "wall_seconds": round(time.perf_counter() - wall),
        "cpu_seconds": round(time.process_time() - cpu),
    }


def remembered(name: str, key: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The row from the notes of a run that was stopped, or made now and noted."""
    notes = WORK / f"{name}.jsonl"
    rows = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    for row in rows:
        if all(row[field] == value for field, value in key.items()):
            return row
    row = make()
    with notes.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(row, flush=True)
    return row


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, and the standard deviation of what the day gained."""
    rows = rows.assign(
        gain=rows["day_after"] - rows["day_before"], clean_gain=rows["clean_after"] - rows["clean_before"]
    )
    by = rows.groupby(["damage", "labels", "imitated"], sort=False)
    columns = ["day_before", "day_after", "gain", "clean_before", "clean_after", "clean_gain"]
    table = by[columns].mean().round(3)
    table["gain_sd"] = by["gain"].std().round(3)
    table["promoted"] = by["gate"].apply(lambda gates: f"{(gates == 'promote').sum()} of {len(gates)}")
    return table.reset_index()


def bench_days(photos: list[Path], seeds: list[int], small: bool) -> None:
    """The challengers of each seed and day, and what they gained; writes `runs` and `summary`, of a small run `small_runs` and `small_summary`."""
    rows, broken = [], SMALL_VARIANTS if small else VARIANTS
    for seed in seeds:
        world = cache(partial(World, photos, seed))
        for name in DAYS:
            once_for_each_day(seed, name)
            for training, imitate in broken if name in DAMAGES else [(200, True)]:
                key = {"seed": seed, "damage": name, "labels": training, "imitated": imitate}
                make = partial(lambda *of, w=world: retrain(w(), *of), name, training, imitate)
                rows.append(remembered("days", key, make))
    table, prefix = pd.DataFrame(rows), "small_" if small else ""
    table.to_csv(RESULTS / f"{prefix}runs.csv", index=False)
    means = summary(table)
    means.to_csv(RESULTS / f"{prefix}summary.csv", index=False)
    print(means.to_string(index=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("recipe", "days"))
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared" / "photos", help="<class>/<file>.jpg")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--small", action="store_true", help="two seeds, two challengers of each day, one of a clean one"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs noted")
    options = parser.parse_args()
    photos = sorted(options.photos.glob("*/*.jpg"))
    if len(photos) < ORIGINAL + POOL + NEXT_DAYS * NEXT_POOL + CLEAN_POOL + 100:
        parser.error(
            f"{options.photos} has {len(photos)} photos in <class>/ folders; about 2,000 are needed (--photos)"
        )
    if options.fresh and options.part == "days":
        for path in WORK.glob("seed*"):
            shutil.rmtree(path)
    if options.fresh:
        (WORK / f"{options.part}.jsonl").unlink(missing_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    # TensorFlow keeps its number of threads for the process: two for the recipe, which is timed, one for what is only repeated.
    os.environ.setdefault("DRIFTWATCH_THREADS", "2" if options.part == "recipe" else "1")
    if options.part == "recipe":
        found = [remembered("recipe", {"seed": 0}, lambda: bench_recipe(photos, 0))]
        pd.DataFrame(found).to_csv(RESULTS / "recipe.csv", index=False)
    else:
        bench_days(photos, options.seeds, options.small)


if __name__ == "__main__":
    main()
