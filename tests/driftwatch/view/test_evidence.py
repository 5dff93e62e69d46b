"""Changed images beside normal ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.evidence_days import CHANGED, IMAGES, MOVED, USUAL, write_days, write_labels
from tests.stores import monitor_store

from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.segments import SegmentDrift, SegmentFeature
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import day_images
from driftwatch.view.evidence import Asked, Pairs, first_asked, pairs
from driftwatch.view.evidence_choices import choices
from driftwatch.view.evidence_search import found_text
from driftwatch.view.image_page import find_image, image_page


@pytest.fixture
def artifacts(storage: Storage, config: MonitorConfig) -> Artifacts:
    store = monitor_store(storage, MonitorKeys(config.name), config)
    write_days(store)
    return Artifacts(store)


def drift_of(artifacts: Artifacts) -> DayDrift:
    found = artifacts.find(artifacts.keys.day(CHANGED).drift, DayDrift)
    assert found
    return found


@pytest.fixture
def shown(artifacts: Artifacts) -> Callable[..., Pairs]:
    def show(**asked: object) -> Pairs:
        table = day_images(artifacts, CHANGED)
        assert table is not None
        return pairs(artifacts, drift_of(artifacts), table, Asked(**asked))

    return show


def test_a_changed_image_stands_beside_one_of_a_usual_day_with_its_class_and_segment(shown, artifacts) -> None:
    found = shown()
    assert (found.found, found.page, found.pages) == (IMAGES, 1, 2)
    assert found.about == f"images of {USUAL}, on which the images were as usual"
    usual = day_images(artifacts, USUAL).set_index("image_id")
    changed = day_images(artifacts, CHANGED).set_index("image_id")
    for pair in found.pairs:
        here, there = changed.loc[pair.changed.image_id], usual.loc[pair.usual.image_id]
        assert (pair.changed.day, pair.usual.day) == (str(CHANGED), str(USUAL))
        assert (here["prediction"], here["segment.camera"]) == (there["prediction"], there["segment.camera"])
        assert next(row for row in pair.moved if row.name == "brightness").looks == "darker"


def test_the_most_unusual_images_come_first_and_no_neighbour_comes_twice_on_a_page(shown, artifacts) -> None:
    hue = "image.Hue.mean"
    middle = next(row.reference_quantiles[2] for row in drift_of(artifacts).features if row.feature == hue)
    first, last = shown(feature=hue), shown(feature=hue, page=99)
    assert (last.page, len(first.pairs) + len(last.pairs)) == (2, IMAGES)
    away = [abs(pair.changed.values[hue] - middle) for found in (first, last) for pair in found.pairs]
    assert away == sorted(away, reverse=True)
    used = [pair.usual.image_id for pair in first.pairs]
    assert len(set(used)) == len(used)


def test_images_are_narrowed_down_by_class_segment_and_whether_the_model_was_right(shown, artifacts) -> None:
    write_labels(artifacts.store.day(CHANGED))
    wrong = shown(answer="wrong")
    assert wrong.found == 2
    assert all(pair.changed.note in ("model: cat, people: dog", "model: dog, people: cat") for pair in wrong.pairs)
    assert {pair.changed.note.partition(",")[0] for pair in shown(label="dog").pairs} == {"model: dog"}
    of_door = shown(segment="camera=door-2")
    assert of_door.found == IMAGES / 2
    assert all("/door-2/" in pair.changed.key and "/door-2/" in pair.usual.key for pair in of_door.pairs)
    for nothing in ({"segment": "camera=door-9"}, {"segment": "site=1"}, {"label": "horse"}):
        assert shown(**nothing).pairs == ()


def test_labels_of_a_table_are_told_as_the_table_s(shown, artifacts) -> None:
    day = artifacts.store.day(CHANGED)
    labels = write_labels(day)
    artifacts.storage.write_bytes(day.key(LabelTable), b"{}")
    wrong = shown(answer="wrong")
    assert all(pair.changed.note in ("model: cat, table: dog", "model: dog, table: cat") for pair in wrong.pairs)
    row = find_image(artifacts, str(CHANGED), labels["image_id"][0])
    found = image_page(artifacts, str(CHANGED), row)
    assert ("The table said", "cat" if row["prediction"] == "dog" else "dog") in found.facts
    assert not any("eople" in name for name, _ in found.facts)
    assert found.votes == []
    row["label"], row["status"] = None, "unanswered"
    assert ("The table said", "nothing: it has no label of this image, or has not come") in image_page(artifacts, str(CHANGED), row).facts  # fmt: skip


def test_what_can_be_asked_for_names_the_moved_feature_first(artifacts) -> None:
    found = choices(artifacts, drift_of(artifacts), day_images(artifacts, CHANGED))
    assert found.features[0] == (MOVED, "brightness: darker")
    assert found.classes == [("cat", "cat"), ("dog", "dog")]
    assert found.segments == [("camera=door-1", "camera door-1"), ("camera=door-2", "camera door-2")]
    assert found.answers == []  # no label yet


def test_where_only_a_segment_drifted_its_own_images_are_shown_by_what_moved_there(artifacts, shown) -> None:
    moved = SegmentFeature(feature=MOVED, test="ks", effect=0.9, direction="down", p_value=0.001)
    segment = SegmentDrift(by="camera", name="door-2", images=10, status="drifted", features=(moved,))
    drift = drift_of(artifacts).model_copy(update={"whole": "ok", "segments": (segment,), "drifted_features": ()})
    assert first_asked(drift_of(artifacts)) == Asked()
    assert first_asked(drift) == Asked(segment="camera=door-2")
    found = shown()
    assert found_text(found, drift, first_asked(drift)).endswith(" images, the most changed first.")
    assert found_text(found, drift, Asked()).endswith("of the day as a whole nothing changed, only in 1 segment.")
    calm = drift.model_copy(update={"segments": ()})
    assert found_text(found, calm, Asked()).endswith("the most unusual first: nothing changed on this day.")


def test_without_a_usual_day_or_a_training_image_there_is_no_neighbour_and_it_is_said(artifacts, shown) -> None:
    artifacts.storage.delete(artifacts.keys.day(USUAL).drift)
    found = shown()
    assert found.about == "training images: no day before this one was as usual"
    assert all(pair.usual is None for pair in found.pairs)


def test_a_usual_day_that_cannot_be_read_is_left_out(artifacts, shown) -> None:
    artifacts.storage.write_bytes(artifacts.keys.day(USUAL).features, b"{broken")
    assert shown().about == "training images: no day before this one was as usual"


def test_an_image_has_its_features_beside_the_usual_range_its_scores_votes_and_segments(artifacts) -> None:
    labels = write_labels(artifacts.store.day(CHANGED))
    row = find_image(artifacts, str(CHANGED), labels["image_id"][3])
    found = image_page(artifacts, str(CHANGED), row)
    assert ("camera", "door-2") in found.facts
    assert ("People said", "unclear: no label") in found.facts
    assert found.votes == [("unclear", 2), ("cat", 1)]
    assert [(score.name, score.share, score.answered) for score in found.scores] == [
        ("dog", "90 %", True),
        ("cat", "10 %", False),
    ]
    assert found.features[0].outside
    brightness = next(feature for feature in found.features if feature.column == MOVED)
    assert float(brightness.value) < float(brightness.usual.split(" to ")[0])
    assert find_image(artifacts, str(CHANGED), "0" * 64) is None
