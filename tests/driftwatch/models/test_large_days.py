"""A retraining on labels of a day that is judged by a sample: the set is the one of all its labels, and no table of the day is held whole."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.keys import SET
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images import judged
from driftwatch.images.judged import JudgedImages
from driftwatch.models import challenger
from driftwatch.models.dataset import collect_training_set, image_keys, load_inputs
from driftwatch.models.predictors.base import Asked
from driftwatch.models.predictors.logged import LoggedAnswers
from driftwatch.models.registry import card, champion_version

DAY = date(2026, 1, 4)
IMAGES, MOST = 60, 20


@pytest.fixture
def labelled(world) -> MonitorStore:
    """A day of IMAGES images of a drifted camera, of which half have a label."""
    labels = world.add_day(DAY, IMAGES, lambda rgb: (rgb * 0.5).astype(np.uint8), verdict="alert")
    world.storage.write_table(world.layout.day(DAY).labels, labels.iloc[::2])
    return monitor_store(world.storage, world.layout, world.config)


def _as_a_large_day(store: MonitorStore, patch: pytest.MonkeyPatch) -> None:
    """The day is judged by MOST of its images, and reading a table of all of them at once fails."""
    patch.setattr(judged, "MOST", MOST)
    day = store.day(DAY)
    images = JudgedImages()
    images.add(day.storage.read_arrow(day.keys.manifest), day.storage.read_arrow(day.keys.features))
    counts = {"day": str(DAY), "accepted": IMAGES, "judged": images.write(day)}
    assert counts["judged"] == MOST
    day.storage.write_json(day.keys.ingest, samples.INGEST | counts)
    read = type(day.storage).read_bytes

    def reads(self, key: str) -> bytes:
        assert key not in (day.keys.manifest, day.keys.features, day.keys.predictions), key
        return read(self, key)

    patch.setattr(type(day.storage), "read_bytes", reads)


def test_the_set_its_inputs_and_its_files_are_the_same(labelled, monkeypatch) -> None:
    before = collect_training_set(labelled, "r1", DAY, DAY)
    table = labelled.storage.read_table(labelled.keys.retraining("r1", SET))
    inputs, keys = load_inputs(labelled, table), image_keys(labelled, table)
    _as_a_large_day(labelled, monkeypatch)
    sample = set(labelled.storage.read_table(labelled.day(DAY).keys.judged)["image_id"])
    assert 0 < table["image_id"].isin(sample).sum() < before.new_labels
    assert collect_training_set(labelled, "r2", DAY, DAY) == before
    again = labelled.storage.read_table(labelled.keys.retraining("r2", SET))
    assert again.to_dict("list") == table.to_dict("list")
    assert np.array_equal(load_inputs(labelled, again), inputs)
    assert image_keys(labelled, again).tolist() == keys.tolist()
    assert keys.notna().all()


def test_the_damage_is_that_of_the_sample(labelled, monkeypatch) -> None:
    collect_training_set(labelled, "r1", DAY, DAY)
    table = labelled.storage.read_table(labelled.keys.retraining("r1", SET))
    config = labelled.config
    imitates = config.model_copy(update={"retraining": config.retraining.model_copy(update={"imitate_drift": True})})
    store = monitor_store(labelled.storage, labelled.keys, imitates)
    whole = challenger.damage_of(store, table)
    _as_a_large_day(store, monkeypatch)
    found = challenger.damage_of(store, table)
    assert found is not None
    assert found.kind == whole.kind
    assert found.strength == pytest.approx(whole.strength, rel=0.3)


def test_what_production_answered_is_found_without_holding_the_days_answers(labelled, monkeypatch) -> None:
    day, classes = labelled.day(DAY), labelled.config.classes
    table = day.storage.read_table(day.keys.features)[["image_id"]].assign(
        prediction=[classes[number % 2] for number in range(IMAGES)], model_version="7"
    )
    day.storage.write_table(day.keys.predictions, table)
    day.storage.write_json(day.key(Answers), samples.ANSWERS)
    _as_a_large_day(labelled, monkeypatch)
    asked = table["image_id"].iloc[[41, 2, 17]].tolist()
    nothing_else = table.head(0).set_index("image_id")
    production = LoggedAnswers(labelled, card(labelled, champion_version(labelled)), nothing_else)
    said = production.predict(Asked([], image_ids=asked), 8)
    assert said.answers == [classes[1], classes[0], classes[1]]
    assert list(said.versions) == ["7"] * 3
