"""What steps around labels cost on a large day, in seconds and memory: to draw samples, to count strata, to collect a training set, to
forget an image.

    python -m bench.large_samples 1000000 3000000

The manifest, the features and the answers are made up, of ten classes. Each step runs in a process of its own, as a task does.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.steps import DAY, alone, monitor_at, timed

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore

CLASSES = tuple(f"class{place}" for place in range(10))
NOW = datetime(2026, 1, 6, 6, tzinfo=timezone.utc)


def main(sizes: list[int]) -> None:
    print(
        "| images | step | processor time, microseconds an image | most memory | of it the libraries |\n|---|---|---|---|---|"
    )
    for n in sizes:
        home = Path(tempfile.mkdtemp(prefix="driftwatch-strata-"))
        try:
            alone(_fill, home, n)
            alone(_plan, home, n)
            for step in (_draw, _keep, _unsure, _count, _collect, _find, _blank):
                cost = alone(step, home, n)
                told = (
                    f"{cost['seconds'] / n * 1e6:.1f}",
                    f"{cost['peak'] / 1e6:.0f} MB",
                    f"{cost['before'] / 1e6:.0f} MB",
                )
                print(f"| {n:,} | {step.__doc__} | {' | '.join(told)} |", flush=True)
        finally:
            shutil.rmtree(home)


def _day(home: Path) -> DayStore:
    people = {
        "backend": "toloka", "project_name": "-", "question": "-", "instructions": "-", "sampling": "stratified", "sample_size": 300,
        "max_cost_per_day": 1000, "max_cost_per_month": 10000,
    }  # fmt: skip
    return monitor_at(home, classes=list(CLASSES), labels=people).day(DAY)


def _fill(home: Path, n: int) -> None:
    from driftwatch.artifacts.ingest import Ingest
    from driftwatch.images.features import COLUMNS
    from driftwatch.storage.tables import writing_table

    day, rng = _day(home), np.random.default_rng(n)
    text = pa.string()
    manifest = pa.schema([("image_id", text), ("key", text), ("status", text), ("phash", text)])
    scores = [f"score.{name}" for name in CLASSES]
    answers = pa.schema(
        [("image_id", text), ("prediction", text), *((name, pa.float64()) for name in scores), ("model_version", text)]
    )
    features = pa.schema([("image_id", text), *((name, pa.float64()) for name in COLUMNS)])
    with (
        writing_table(day.storage, day.keys.manifest, manifest) as one,
        writing_table(day.storage, day.keys.features, features) as measured,
        writing_table(day.storage, day.keys.predictions, answers) as other,
    ):
        for start in range(0, n, 50_000):
            rows = min(50_000, n - start)
            ids = [rng.bytes(32).hex() for _ in range(rows)]
            found = rng.dirichlet(1 / np.arange(1, 11), rows)
            keys = [f"{day.keys.incoming}/{number:09d}.jpg" for number in range(start, start + rows)]
            one.add(
                pa.table([ids, keys, ["accepted"] * rows, [rng.bytes(8).hex() for _ in range(rows)]], schema=manifest)
            )
            measured.add(pa.table([ids, *rng.normal(size=(len(COLUMNS), rows))], schema=features))
            said = pa.array(np.array(CLASSES)[found.argmax(axis=1)])
            other.add(pa.table([ids, said, *found.T, ["v1"] * rows], schema=answers))
    day.storage.write_table(day.keys.judged, day.storage.read_arrow(day.keys.manifest).slice(0, 100).to_pandas())
    day.write(
        Ingest(
            input_size=96,
            day=DAY,
            listed=n,
            accepted=n,
            duplicate=0,
            quarantined=0,
            reasons={},
            model_version="v1",
            judged=100_000,
        )
    )


def _plan(home: Path, n: int) -> None:
    """What create_annotation_pool and merge_annotations leave."""
    from driftwatch.artifacts.annotation import AnnotationPlan, Cost
    from driftwatch.labels.draw import Wanted, draw_sample, keep_strata
    from driftwatch.labels.sample import accepted_of_any_day

    day = _day(home)
    sample = draw_sample(accepted_of_any_day(day), Wanted(0, 300, stratified=True), None)
    plan = AnnotationPlan(
        day=DAY, state="planned", seed=0, overlap=3, sample=sample.images, strata=sample.strata, control=(),
        cost=Cost(pages=0, reward=0, fee=0, total=0, currency="USD", control_share=0), project_id=None, pool_id=None, operation_ids=(),
        expires=NOW, links_expire=NOW,
    )  # fmt: skip
    keep_strata(day, plan)
    day.write(plan)
    ids = [image.image_id for image in sample.images]
    labels = pd.DataFrame({"image_id": ids, "label": CLASSES[0], "status": "consensus", "confidence": 1.0})
    day.storage.write_table(day.keys.labels, labels)


def _draw(home: Path, n: int) -> dict[str, float]:
    """draw a stratified sample of 300"""
    from driftwatch.labels.draw import Wanted, draw_sample
    from driftwatch.labels.sample import accepted_of_any_day

    day = _day(home)
    return timed(lambda: draw_sample(accepted_of_any_day(day), Wanted(0, 300, stratified=True), None))


def _keep(home: Path, n: int) -> dict[str, float]:
    """write the stratum of each image"""
    from driftwatch.labels.answered import answered_in
    from driftwatch.labels.sample import accepted_of_any_day

    day = _day(home)
    return timed(lambda: answered_in(accepted_of_any_day(day)).write_strata(300))


def _unsure(home: Path, n: int) -> dict[str, float]:
    """draw a plain sample of 300, and choose 300 images for training"""
    from driftwatch.labels.draw import Wanted, draw_sample
    from driftwatch.labels.sample import accepted_of_any_day

    day = _day(home)
    return timed(lambda: draw_sample(accepted_of_any_day(day), Wanted(0, 300, extra=300), None))


def _count(home: Path, n: int) -> dict[str, float]:
    """count the images of each stratum for the evaluation"""
    from driftwatch.artifacts.annotation import AnnotationPlan
    from driftwatch.labels.kept_strata import images_of_strata, strata_of_images

    day = _day(home)
    drawn = [image.image_id for image in day.read(AnnotationPlan).sample]

    def count() -> None:
        strata_of_images(day, drawn)
        assert sum(images_of_strata(day)["v1"].values()) == n

    return timed(count)


def _collect(home: Path, n: int) -> dict[str, float]:
    """take the 300 labels into a training set"""
    from driftwatch.models.human_labels import HumanLabels
    from driftwatch.models.splits import known_splits

    day = _day(home)

    def collect() -> None:
        labels = HumanLabels(day.config, set())
        assert len(labels.usable(labels.add(day.monitor, str(DAY), known_splits(day.monitor))))

    return timed(collect)


def _find(home: Path, n: int) -> dict[str, float]:
    """find an image that is to be forgotten, and what looks nearly the same"""
    from driftwatch.retention.search import forget_plan

    day = _day(home)
    return timed(lambda: forget_plan(day.monitor, [f"incoming/{DAY}/{n // 2:09d}.jpg"]))


def _blank(home: Path, n: int) -> dict[str, float]:
    """take it out of the manifest, the predictions and the strata"""
    from driftwatch.retention.large_tables import blank_large
    from driftwatch.retention.search import forget_plan, replacements

    day = _day(home)
    names = replacements(forget_plan(day.monitor, [f"incoming/{DAY}/{n // 2:09d}.jpg"]).images)

    def blank() -> None:
        changed = [
            blank_large(day.storage, key, names) for key in (day.keys.manifest, day.keys.predictions, day.keys.strata)
        ]
        assert all(changed)

    return timed(blank)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or [1_000_000, 3_000_000])
