"""Production's answers are looked up: those that were registered, and those of the days."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.predictors.base import Asked, predictor
from driftwatch.storage import open_storage

CLASSES = ("cat", "dog")


def ids(*numbers: int) -> list[str]:
    return [f"{number:064x}" for number in numbers]


def frame(numbers: range, dog: float, version: str | None = None) -> pd.DataFrame:
    said = "dog" if dog > 0.5 else "cat"
    return pd.DataFrame(
        {
            "image_id": ids(*numbers),
            "prediction": said,
            "score.cat": 1 - dog,
            "score.dog": dog,
            "model_version": version,
        }
    )


@pytest.fixture
def store(tmp_path) -> MonitorStore:
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))


def registered(store: MonitorStore, table: pd.DataFrame, kind: str = "logged") -> str:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    card = model_card(kind=kind, classes=list(CLASSES), output="probabilities", temperature=1.0, parameters=0)
    version = registry.version_for(store, buffer.getvalue())
    return registry.register(store, version, buffer.getvalue(), card).version


def put_day(store: MonitorStore, day: date, table: pd.DataFrame, logged: bool = True) -> None:
    keys = store.keys.day(day)
    store.storage.write_table(keys.predictions, table)
    if logged:
        store.storage.write_json(keys.answers, samples.ANSWERS)


def test_answers_come_in_the_order_asked_for_and_no_image_is_looked_at(store):
    version = registered(store, frame(range(4), 0.9))

    def unread():
        raise AssertionError("an image was read")
        yield

    found = predictor(store, version).predict(Asked(unread(), image_ids=ids(2, 0)), 1)
    assert (found.answers, found.versions, found.embeddings) == (["dog", "dog"], [version] * 2, None)
    np.testing.assert_allclose(found.scores, [[0.1, 0.9]] * 2)
    assert found.table(CLASSES)["prediction"].tolist() == ["dog", "dog"]


def test_what_was_not_registered_is_looked_up_in_the_newest_day_of_a_log(store):
    version = registered(store, frame(range(4), 0.9))
    put_day(store, date(2026, 1, 2), frame(range(3, 8), 0.2, "prod-1"))
    put_day(store, date(2026, 1, 3), frame(range(7, 9), 0.8, "prod-2"))
    put_day(store, date(2026, 1, 4), frame(range(20, 30), 0.8, "v1"), logged=False)
    found = predictor(store, version).predict(Asked([], image_ids=ids(3, 6, 7, 20)), 1)
    assert found.answers == ["dog", "cat", "dog", None]
    assert found.versions == [version, "prod-1", "prod-2", version]
    assert np.isnan(found.scores[3]).all()


def test_an_answer_of_a_day_with_a_class_that_is_gone_is_none(store):
    version = registered(store, frame(range(4), 0.9))
    before = frame(range(5, 8), 0.2, "prod-1").assign(**{"score.ferret": 0.0})
    before.loc[1, ["prediction", "score.cat", "score.ferret"]] = "ferret", 0.1, 0.7
    put_day(store, date(2026, 1, 2), before)
    found = predictor(store, version).predict(Asked([], image_ids=ids(5, 6, 7)), 1)
    assert found.answers == ["cat", None, "cat"]
    assert np.isnan(found.scores).all(axis=1).tolist() == [False, True, False]


def test_answers_without_scores_are_answers(store):
    version = registered(store, frame(range(4), 0.9)[["image_id", "prediction"]])
    table = predictor(store, version).predict(Asked([], image_ids=ids(1)), 1).table(CLASSES)
    assert table["prediction"].tolist() == ["dog"]
    assert table["score.dog"].isna().all()


def test_images_without_ids_and_versions_that_are_models_are_refused(store):
    version = registered(store, frame(range(4), 0.9))
    with pytest.raises(NeedsAttention, match="no ids to look them up by"):
        predictor(store, version).predict(Asked([]), 1)
    other = registered(store, frame(range(5), 0.9), kind="keras")
    with pytest.raises(NeedsAttention, match="a model of kind keras"):
        predictor(store, other, "logged")


def test_a_file_that_is_no_table_is_told(store):
    data = b"no table"
    version = registry.version_for(store, data)
    registry.register(store, version, data, model_card(kind="logged", classes=list(CLASSES)))
    with pytest.raises(NeedsAttention, match=r"model\.parquet is no whole parquet table"):
        predictor(store, version)
