"""Profiles by segment: whylogs' own segments, the same bytes for the same rows, a limit with a message."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pytest

from driftwatch.drift.whylogs_profiles import confusion_counts, content_hash, feature_profile, read_profile, summary
from driftwatch.drift.whylogs_segments import refuse_too_many, segmented_features, segmented_performance
from driftwatch.errors import NeedsAttention

DAY = date(2026, 1, 5)
FEATURES = pd.DataFrame({"image.entropy": np.arange(20.0), "image.Hue.mean": np.arange(20.0)[::-1]})
CAMERA = pd.Series(["door & 1=2"] * 8 + ["door-2"] * 10 + [None] * 2)
LIGHT = pd.Series(["day"] * 15 + ["night"] * 5)
TAG = "whylogs.tag."


def profiles(payload: bytes) -> dict[tuple[str, str], object]:
    """The profiles of a zip, by segmentation and segment, as their tags say."""
    found = {}
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        for name in archive.namelist():
            view = read_profile(archive.read(name))
            ((key, value),) = [item for item in view.metadata.items() if item[0].startswith(TAG)]
            found[key.removeprefix(TAG), value] = view
    return found


def test_each_segment_of_each_segmentation_has_a_profile_and_images_in_none_are_in_no_profile() -> None:
    found = profiles(segmented_features(FEATURES, {"camera": CAMERA, "light": LIGHT}, DAY).payload)
    counts = {segment: summary(view)["image.entropy"]["count"] for segment, view in found.items()}
    assert counts == {
        ("camera", "door & 1=2"): 8,
        ("camera", "door-2"): 10,
        ("light", "day"): 15,
        ("light", "night"): 5,
    }
    assert summary(found["camera", "door-2"])["image.entropy"]["mean"] == np.arange(8, 18).mean()


def test_the_same_rows_in_any_order_are_the_same_bytes_and_other_rows_have_another_hash() -> None:
    order = np.random.default_rng(1).permutation(20)
    one = segmented_features(FEATURES, {"camera": CAMERA}, DAY)
    other = segmented_features(FEATURES.iloc[order], {"camera": CAMERA.iloc[order]}, DAY)
    moved = segmented_features(FEATURES, {"camera": CAMERA.replace("door-2", "door-3")}, DAY)
    assert one == other
    assert one.content_hash != moved.content_hash


def test_whylogs_itself_segments_the_same_way() -> None:
    """The same tags and numbers as `why.log` with `segment_on_column`."""
    from whylogs.api.logger.segment_processing import segment_processing
    from whylogs.core import DatasetSchema
    from whylogs.core.segmentation_partition import segment_on_column

    partitions = segment_on_column("camera")
    rows = FEATURES.assign(camera=CAMERA)
    theirs = segment_processing(DatasetSchema(segments=partitions), pandas=rows)
    ours = profiles(segmented_features(FEATURES, {"camera": CAMERA}, DAY).payload)
    assert {segment.key[0] for segment in theirs.segments()} == {name for _, name in ours}
    for segment in theirs.segments():
        profile, view = theirs.profile(segment).view(), ours["camera", segment.key[0]]
        assert view.metadata["segp_id"] == segment.parent_id == partitions["camera"].id
        assert summary(profile)["image.Hue.mean"] == summary(view)["image.Hue.mean"]


def test_the_performance_of_a_segment_is_its_confusion_matrix_with_all_classes() -> None:
    scored = pd.DataFrame({"label": ["cat"] * 20, "prediction": ["cat", "dog"] * 10, "score": 0.75})
    found = profiles(segmented_performance(scored, {"camera": CAMERA}, DAY, ["cat", "dog", "fox"]).payload)
    counts = confusion_counts(found["camera", "door-2"])
    assert counts["labels"] == ["cat", "dog", "fox"]
    assert counts["counts"] == [[5, 5, 0], [0, 0, 0], [0, 0, 0]]


def test_too_many_segments_are_refused_with_the_setting_and_the_numbers() -> None:
    refuse_too_many({"camera": CAMERA, "light": LIGHT}, 4, DAY)
    with pytest.raises(
        NeedsAttention,
        match=r"publish\.segments has 4 segments on 2026-01-05 \(camera 2, light 2\); publish\.most_segments allows 3",
    ):
        refuse_too_many({"camera": CAMERA, "light": LIGHT}, 3, DAY)


def test_where_no_image_is_in_a_segment_there_is_nothing_to_publish() -> None:
    assert segmented_features(FEATURES, {"camera": pd.Series([None] * 20)}, DAY).segments == 0


def test_the_profile_of_all_images_is_as_it_was() -> None:
    view = read_profile(feature_profile(FEATURES, DAY))
    assert not [key for key in view.metadata if key.startswith(TAG)]
    assert content_hash(FEATURES) == content_hash(FEATURES[::-1])
