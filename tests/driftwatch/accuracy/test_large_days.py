"""A day that is judged by a sample has the accuracy and the segments of its labels, and no table of all images is read whole."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import day_store

from driftwatch.accuracy.without_labels import estimate_day
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.segments import SegmentConfig
from driftwatch.images import judged
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import JudgedImages, judged_predictions, keeping_answers
from driftwatch.storage import Storage

from .days import evaluated
from .segment_days import write_days
from .test_without_labels import HELD, write_day

MOST = 30


def as_a_large_day(day: DayStore) -> None:
    """What ingest and prediction leave beside the tables of a day of more than MOST images."""
    storage, keys = day.storage, day.keys
    images = JudgedImages()
    images.add(storage.read_arrow(keys.manifest), storage.read_arrow(keys.features).select(["image_id", *COLUMNS]))
    ingest = samples.INGEST | {"day": str(day.date), "accepted": 80, "model_version": "v1", "judged": images.write(day)}
    storage.write_json(keys.ingest, ingest)
    answers = storage.read_arrow(keys.predictions)
    with keeping_answers(day, answers.schema, None) as kept:
        kept.add_table(answers)
    assert len(judged_predictions(day)) == MOST


def test_the_labels_say_the_same_of_a_large_day(
    storage: Storage, monitor: MonitorConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = monitor.model_copy(update={"segments": {"camera": SegmentConfig(key="^([^/]+)/")}})
    (keys,) = write_days(storage, config, 1)
    whole = evaluated(storage, keys, config)
    labelled = storage.read_bytes(keys.labelled)
    monkeypatch.setattr(judged, "MOST", MOST)
    as_a_large_day(day_store(storage, keys, config))
    read, whole_reads = type(storage).read_bytes, []

    def of(self: Storage, key: str) -> bytes:
        assert key not in (keys.manifest, keys.features, keys.predictions), key
        whole_reads.append(key)
        return read(self, key)

    monkeypatch.setattr(type(storage), "read_bytes", of)
    found = evaluated(storage, keys, config)
    assert whole_reads.count(keys.judged_predictions) == 1  # with a thousand classes it is most of the memory
    assert found.confusion_matrix == whole.confusion_matrix
    assert (found.labels, found.sampled, found.verdict) == (whole.labels, whole.sampled, whole.verdict)
    assert found.segments == whole.segments
    assert found.slices == whole.slices
    assert storage.read_bytes(keys.labelled) == labelled
    assert found.accuracy.value == pytest.approx(whole.accuracy.value, abs=0.02)


def test_the_estimate_of_a_large_day_is_the_serving_versions_of_the_whole_day(
    storage: Storage, monitor: MonitorConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = write_day(MonitorStore(storage, monitor), HELD, 80)
    ids = [f"{number:064x}" for number in range(80)]
    images = pd.DataFrame({"image_id": ids, "status": "accepted"})
    monkeypatch.setattr(judged, "MOST", MOST)
    sample = JudgedImages()
    sample.add(pa.Table.from_pandas(images), pa.Table.from_pandas(images[["image_id"]]))
    counts = {"accepted": 80, "model_version": "v1", "judged": sample.write(day)}
    storage.write_json(day.keys.ingest, samples.INGEST | counts)
    # Of the sample, the images with the smallest ids, 7 answered all but one; of the day 8 answered most, and 9 none of the sample.
    table = storage.read_table(day.keys.predictions).assign(
        image_id=ids, model_version=["7"] * 29 + ["8"] * 48 + ["9"] * 3
    )
    storage.write_table(day.keys.predictions, table)
    answers = storage.read_arrow(day.keys.predictions)
    with keeping_answers(day, answers.schema, None) as kept:
        kept.add_table(answers)
    found = estimate_day(day)
    assert found.serving_version == "8"
    assert [(row.version, row.accuracy.n) for row in found.versions] == [("8", 1), ("7", 29), ("9", 0)]
    assert found.versions[2].accuracy.reason == "the sample that the day is judged by has no image that it answered"
