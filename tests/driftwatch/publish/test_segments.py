"""Profiles by segment reach the WhyLabs stand-in and the local sink as segments, once, and a revision deletes the day once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.accuracy.days import write_small_day
from tests.stores import day_store

from driftwatch.artifacts.store import DayStore
from driftwatch.config import MonitorConfig
from driftwatch.config.segments import SegmentConfig
from driftwatch.errors import ConfigError, NeedsAttention
from driftwatch.publish.local import LocalSink
from driftwatch.publish.segments import features_by_segment, performance_by_segment
from driftwatch.publish.upload import Profile, publish_each
from driftwatch.publish.whylabs.sink import WhyLabsSink
from driftwatch.storage import open_storage


@pytest.fixture
def day(small_monitor, tmp_path) -> DayStore:
    """A day of 80 images: ten of door-2 and 70 of door-1; 40 labels, of which the model is wrong on eight of door-2."""
    monitor = small_monitor(f"file://{tmp_path}")
    publish = monitor.publish.model_copy(update={"segments": ("camera", "predicted_class")})
    monitor = monitor.model_copy(update={"publish": publish, "segments": {"camera": SegmentConfig(key="^([^/]+)/")}})
    storage = open_storage(monitor.storage.uri)
    keys = write_small_day(storage, monitor, 5, labels=40, wrong=8)
    ids = storage.read_table(keys.predictions)["image_id"].tolist()
    camera = ["door-2" if place < 10 else "door-1" for place in range(80)]
    manifest = {"image_id": ids, "key": ids, "status": "accepted", "segment.camera": camera}
    storage.write_table(keys.manifest, pd.DataFrame(manifest))
    values = np.arange(80.0)
    storage.write_table(keys.features, pd.DataFrame({"image_id": ids, "image.Brightness.mean": values}))
    return day_store(storage, keys, monitor)


def sent(day: DayStore, sink, profiles: list[Profile], revise: bool = False) -> list[str]:
    done = publish_each(day.storage, day.keys.published, sink, profiles, revise=revise, sleep=lambda seconds: None)
    return [each.state for each in done]


def test_whylabs_has_the_day_as_segments_beside_the_whole_and_counts_it_once(server, day) -> None:
    sink = WhyLabsSink(server.api())
    for _ in range(2):
        states = sent(day, sink, [*features_by_segment(day), *performance_by_segment(day)])
    assert states == ["skipped", "skipped"]
    segments = server.state()["days"]["2026-01-05"]["segments"]
    images = {name: found["columns"].get("image.Brightness.mean", {}).get("count") for name, found in segments.items()}
    labels = {name: found["confusion"]["counts"] for name, found in segments.items()}
    assert images == {
        "camera=door-1": 70,
        "camera=door-2": 10,
        "predicted_class=cat": None,
        "predicted_class=dog": None,
    }
    assert labels["camera=door-2"] == [[2, 8], [0, 0]]
    assert labels["predicted_class=dog"] == [[0, 8], [0, 0]]


def test_a_revision_of_the_whole_and_its_segments_deletes_the_day_once(server, day) -> None:
    sink = WhyLabsSink(server.api())
    (whole,) = [Profile("features", day.date, each.payload, each.content_hash) for each in features_by_segment(day)]
    sent(day, sink, [whole, *features_by_segment(day)])
    features = day.storage.read_table(day.keys.features)
    day.storage.write_table(day.keys.features, features.assign(**{"image.Brightness.mean": 1.0}))
    (other,) = features_by_segment(day)
    changed = Profile("features", day.date, other.payload, other.content_hash)
    assert sent(day, sink, [changed, other], revise=True) == ["revised", "revised"]
    assert len(server.requests("DELETE", "/dataset-profiles/")) == 1
    means = server.state()["days"]["2026-01-05"]["segments"]["camera=door-1"]["columns"]["image.Brightness.mean"]
    assert (means["max"], means["count"]) == (1.0, 140)  # `whole` is the same zip here


def test_the_local_sink_keeps_a_zip_beside_the_profile(day) -> None:
    sink = LocalSink(day.storage, "demo", "demo/profiles")
    assert sent(day, sink, [*features_by_segment(day), *performance_by_segment(day)]) == ["uploaded", "uploaded"]
    kept = [item.key.rpartition("/")[2] for item in day.storage.list("demo/profiles")]
    assert kept == ["features_by_segment.zip", "performance_by_segment.zip"]


def test_nothing_is_published_by_segment_where_nobody_asks_and_too_many_are_refused(day) -> None:
    def with_publish(**settings: object) -> DayStore:
        publish = day.config.publish.model_copy(update=settings)
        return day.with_config(day.config.model_copy(update={"publish": publish}))

    quiet, many = with_publish(segments=()), with_publish(most_segments=1)
    assert features_by_segment(quiet) == performance_by_segment(quiet) == []
    with pytest.raises(NeedsAttention, match=r"camera 2\).*most_segments allows 1"):
        features_by_segment(many)
    with pytest.raises(NeedsAttention, match=r"camera 2, predicted_class 2"):
        performance_by_segment(many)


def test_a_segmentation_that_the_monitor_has_not_is_refused_by_name(day) -> None:
    with pytest.raises((ConfigError, ValueError), match=r"publish\.segments \['region'\] must be segmentations"):
        MonitorConfig.model_validate(
            {**day.config.model_dump(exclude_unset=True), "publish": {"sinks": ["local"], "segments": ["region"]}}
        )
