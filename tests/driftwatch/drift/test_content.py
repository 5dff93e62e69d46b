"""Content is tested by the embeddings: new content is found, another mix of the same classes is none."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.artifacts.drift import ContentTest
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.artifacts.store import DayStore
from driftwatch.drift import Reference
from driftwatch.drift.content import content_components, judge_content
from driftwatch.drift.reference import CONTENT
from driftwatch.storage import open_storage

from .days import a_day, monitor, put_held_out, put_predictions, seen

USUAL = UsualPredictions(images=300, counts={"cat": 150, "dog": 150})


@pytest.fixture
def day(tmp_path) -> DayStore:
    storage = open_storage(f"file://{tmp_path}")
    put_held_out(storage)
    return a_day(storage)


def judged(day: DayStore, usual: UsualPredictions | None = USUAL) -> ContentTest:
    table = content_components(day, "v1", usual)
    return judge_content(day, "v1", day.storage.read_table(day.keys.predictions), usual, table)


def test_the_reference_is_the_held_out_images_along_the_axes_of_those_trained_on(day):
    reference = Reference.load(day.monitor, "v1", CONTENT)
    assert len(reference.features) == 300
    assert set(reference.classes) == {"cat", "dog"}
    # The training embeddings are half as large as new ones: along their axes, held-out images are twice as spread.
    assert reference.features["component_01"].std() == pytest.approx(2, abs=0.3)
    assert day.storage.exists(monitor(day.storage).keys.reference_projection("v1"))


def test_a_component_that_moved_is_named_with_the_images_that_moved_it(day):
    embeddings, predictions = seen(120, 3)
    embeddings[:40] *= 2.5
    ids = put_predictions(day, embeddings, predictions)
    test = judged(day)
    assert (test.verdict, test.reason, test.n) == ("drifted", None, 120)
    assert "distance" in test.drifted_features
    assert len(test.examples) == 6
    assert set(test.examples) <= set(ids[:40])


def test_a_burst_is_worth_one_image(day):
    embeddings, predictions = seen(100, 3)
    rng = np.random.default_rng(0)
    put_predictions(day, embeddings, predictions, phash=[rng.bytes(8).hex() for _ in range(20)] + ["00ff" * 4] * 80)
    test = judged(day)
    assert (test.verdict, test.effective_n) == ("not_enough_evidence", 21)
    assert test.reason == "21 independent images; profiling.min_images is 30"
    assert {row.verdict for row in test.features} == {"not_enough_evidence"}


def test_without_enough_held_out_images_nothing_is_tested(day):
    put_predictions(day, *seen(100, 3))
    test = judged(day, UsualPredictions(images=49, counts={"cat": 20, "dog": 29}))
    assert (test.verdict, test.features, test.examples, test.effective_n) == ("not_enough_evidence", (), (), 100)
    assert test.reason == "v1 has 49 held-out images; 50 are needed: add images to the training set"


def test_a_version_without_anything_that_tells_content_says_so_and_its_predictions_are_still_known(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    put_held_out(storage, kind="none")
    store = monitor(storage)
    usual = store.read(store.keys.reference_predictions("v1"), UsualPredictions)
    assert (usual.content, usual.images) == ("none", 300)
    assert not storage.exists(store.keys.reference_projection("v1"))
    day = a_day(storage)
    put_predictions(day, *seen(100, 3))
    test = judged(day, usual)
    assert (test.verdict, test.p_value) == ("not_enough_evidence", None)
    assert test.reason == "v1 gives no embeddings, and model.content_features was none when it was registered"


def test_a_day_whose_answers_have_no_embeddings_or_others_is_not_judged_by_them(day):
    put_predictions(day, *seen(100, 3))
    day.storage.write_array(day.keys.embeddings, np.zeros((100, 7), "float16"))
    assert judged(day).reason == "the day's embeddings have 7 numbers each, and those of the reference of v1 have 24"
    day.storage.delete(day.keys.embeddings)
    assert judged(day).reason == "the day's answers have no embeddings, and the reference of v1 is made of embeddings"
