"""What a day costs whose answers production wrote down, beside one that a model answers.

`python -m bench.speed.logged` prints a table in Markdown; a minute of one core. A day of IMAGES images: its log is read, joined, accounted for
and written. The model is the built-in network at SIDE px, on stored inputs. Times are the least of RUNS, of one process.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.gist import gist
from driftwatch.models.logged.day import answer_day
from driftwatch.storage import open_storage

IMAGES, OF_PIXELS, SIDE, RUNS = 20_000, 512, 96, 3
DAY = date(2026, 3, 4)


def a_day(root: Path, end: str) -> DayStore:
    """The manifest of a day, and its log."""
    columns = {"key": "file", "prediction": "class", "scores": {"cat": "p_cat", "dog": "p_dog"}, "time": "at"}
    logged = {"path": f"logs/{{day}}/a.{end}", "columns": columns, "settle_seconds": 0}
    config = MonitorConfig.model_validate(
        {
            "name": "bench",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{root}"},
            "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
            "model": {"predictions": "logged", "logged": logged, "content_features": "none"},
        }
    )
    day = MonitorStore(open_storage(f"file://{root}"), config).day(DAY)
    files = [f"gate-{number % 20}/{number:06d}.jpg" for number in range(IMAGES)]
    keys = [f"{day.keys.incoming}/{file}" for file in files]
    ids = [f"{number:064x}" for number in range(IMAGES)]
    day.storage.write_table(day.keys.manifest, pd.DataFrame({"key": keys, "image_id": ids, "status": "accepted"}))
    dog = np.random.default_rng(0).random(IMAGES).round(4)
    table = {"file": files, "class": np.where(dog > 0.5, "dog", "cat"), "p_cat": 1 - dog, "p_dog": dog}
    log = pd.DataFrame(table).assign(at="2026-03-04T10:00:00Z")
    target = root / f"logs/{DAY}/a.{end}"
    target.parent.mkdir(parents=True, exist_ok=True)
    if end == "parquet":
        log.to_parquet(target, index=False)
    elif end == "csv":
        log.to_csv(target, index=False)
    else:
        target.write_text("".join(json.dumps(row) + "\n" for row in log.to_dict("records")))
    return day


def network() -> Callable[[np.ndarray], object]:
    """The built-in network, untrained: that takes as long."""
    from driftwatch.config.recipe import RecipeConfig
    from driftwatch.models.architecture import build
    from driftwatch.models.predictors.from_images import ModelFacts
    from driftwatch.models.predictors.heads import Head
    from driftwatch.models.predictors.keras import KerasPredictor

    facts = ModelFacts("", ("cat", "dog"), ModelInput(height=SIDE, width=SIDE), Head("logits"))
    model = KerasPredictor(facts, build(ModelInput(height=SIDE, width=SIDE), 2, width=RecipeConfig().width))
    return lambda images: model.log_scores([images], 256)


def seconds(work: Callable[[], object]) -> float:
    work()
    found = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    rows = []
    for end in ("parquet", "csv", "jsonl"):
        with tempfile.TemporaryDirectory() as folder:
            day = a_day(Path(folder), end)
            rows.append(
                (f"read and join the log, {end}", seconds(lambda day=day: answer_day(day, "v1", open_storage)) / IMAGES)
            )
    images = np.random.default_rng(0).integers(0, 256, (OF_PIXELS, SIDE, SIDE, 3)).astype(np.uint8)
    answer = network()
    rows.append(("GIST of the stored input", seconds(lambda: gist(images)) / OF_PIXELS))
    rows.append(("the built-in network answers the stored input", seconds(lambda: answer(images)) / OF_PIXELS))
    last = rows[-1][1]
    print("| for each image | ms of a core | of the network's |\n|---|---|---|")
    for name, took in rows:
        print(f"| {name} | {1000 * took:.3f} | {took / last:.1%} |")


if __name__ == "__main__":
    main()
