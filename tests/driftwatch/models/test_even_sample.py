"""What may judge a model is a plain random sample, however the labelled images were chosen."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.annotation import AnnotationPlan, SampledImage, Stratum
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.models import dataset
from driftwatch.models.even_sample import only_for_training

DAY = date(2026, 1, 3)


def test_of_a_stratified_sample_each_image_stays_with_the_same_chance(world) -> None:
    store = monitor_store(world.storage, world.layout, world.config)
    ids = [f"{number:064x}" for number in range(1000)]
    strata = [Stratum(name="sure", images=4000, asked=500), Stratum(name="unsure", images=1000, asked=500)]
    sample = [
        SampledImage(image_id=name, key=name, stratum=strata[place // 500].name) for place, name in enumerate(ids)
    ]
    plan = AnnotationPlan.model_validate_json(json.dumps(samples.PLAN)).model_copy(
        update={"sample": tuple(sample), "strata": tuple(strata)}
    )
    store.day(DAY).write(plan)
    uneven = only_for_training(store.day(DAY), pd.DataFrame({"image_id": ids, "extra": False}))
    assert not uneven & set(ids[:500])
    assert (
        90 < len(set(ids[500:]) - uneven) < 160
    )  # 8 images of the day stand behind a sure one, 2 behind an unsure one


def test_labels_of_hard_images_are_marked_and_never_judge(world) -> None:
    labels = world.add_day(DAY, 60)
    day = world.layout.day(DAY)
    world.storage.write_table(day.labels, labels.head(20))
    store = monitor_store(world.storage, world.layout, world.config)
    dataset.collect_training_set(store, "before", DAY, DAY)
    assert "extra" not in world.storage.read_table(world.layout.retraining("before", dataset.SET))
    world.storage.write_table(day.extra_labels, labels.tail(40))
    card = dataset.collect_training_set(store, "one", DAY, DAY)
    table = world.storage.read_table(world.layout.retraining("one", dataset.SET))
    extra = table[table["image_id"].isin(labels.tail(40)["image_id"])]
    assert card.new_labels == 20 + len(extra) > 50
    assert set(extra["split"]) <= {dataset.TRAIN, dataset.VALIDATION}
    assert table["extra"].sum() == len(extra)


def test_images_of_a_greater_chance_than_those_that_came_late_never_judge(world) -> None:
    store = monitor_store(world.storage, world.layout, world.config)
    late = {"number": 1, "images": 100, "share": 0.1, "surplus": ["a", "b"]}
    plan = {**samples.PLAN, "supplements": [{**samples.PLAN, "late": late}]}
    store.day(DAY).write(AnnotationPlan.model_validate_json(json.dumps(plan)))
    labels = pd.DataFrame({"image_id": ["a", "b", "c", "d"], "extra": [False, False, False, True]})
    assert only_for_training(store.day(DAY), labels) == {"a", "b", "d"}
    # The labels of a table were drawn by no plan.
    found = {
        "covers": "all",
        "images": 4,
        "labelled": 4,
        "until": "2026-02-03T00:00:00+00:00",
        "open": False,
        "day": str(DAY),
    }
    counts = {"source": "t", "files": 1, "rows": 4, "earlier": 0, "without_image": 0, "refused": 0}
    store.day(DAY).write(
        LabelTable.model_validate_json(
            json.dumps({**found, **counts, "strangers": {}, "reasons": {}, "unknown_classes": []})
        )
    )
    assert only_for_training(store.day(DAY), labels) == {"d"}
    store.storage.delete(store.day(DAY).key(LabelTable))
