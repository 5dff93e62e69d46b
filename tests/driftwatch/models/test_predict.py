"""Predictions keep the day's order, are probabilities, and repeat to the byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.errors import NeedsAttention
from driftwatch.images import judged
from driftwatch.images.inputs import DayInputs, write_index
from driftwatch.models.predict import (
    answer_again,
    merge_predictions,
    predict_day,
    predict_shard,
)
from driftwatch.models.predictors.keras import load_model
from driftwatch.models.registry import champion_version

from ..kills import killed_at, kills, touches
from .conftest import World, open_world

if TYPE_CHECKING:
    from driftwatch.images.shards import Shard

DAY = date(2026, 1, 3)


def predict(world) -> dict:
    version = champion_version(monitor_store(world.storage, world.layout))
    return predict_day(day_store(world.storage, world.layout.day(DAY), world.config), version)


def test_the_same_day_gives_the_same_bytes_in_the_days_order(world) -> None:
    labels = world.add_day(DAY, 41).set_index("image_id")
    keys = world.layout.day(DAY)
    counts = predict(world)
    first = world.storage.read_bytes(keys.predictions)
    predict(world)
    table = world.storage.read_table(keys.predictions)
    assert world.storage.read_bytes(keys.predictions) == first
    assert table["image_id"].tolist() == world.storage.read_table(keys.features)["image_id"].tolist()
    assert table.columns.tolist() == ["image_id", "prediction", "score.across", "score.upright", "model_version"]
    assert (table["prediction"].to_numpy() == labels.loc[table["image_id"], "label"].to_numpy()).mean() > 0.9
    assert counts["images"] == 41
    assert sum(counts["predictions"].values()) == 41
    best = table[["score.across", "score.upright"]].to_numpy()
    assert np.allclose(best.sum(axis=1), 1, atol=2e-6)


def test_batches_and_the_filled_up_last_one_change_no_answer(world) -> None:
    world.add_day(DAY, 41)
    model = load_model(
        monitor_store(world.storage, world.layout), champion_version(monitor_store(world.storage, world.layout))
    )
    inputs = DayInputs(day_store(world.storage, world.layout.day(DAY))).take(range(41))
    assert np.allclose(model.log_scores([inputs], 16)[0], model.model(inputs.astype("float32")), atol=1e-4)


def test_the_embedding_is_the_last_hidden_layers_and_explains_the_logits(world) -> None:
    world.add_day(DAY, 41)
    predict(world)
    keys = world.layout.day(DAY)
    embeddings = world.storage.read_array(keys.embeddings)
    model = load_model(
        monitor_store(world.storage, world.layout), champion_version(monitor_store(world.storage, world.layout))
    )
    weights, bias = model.model.get_layer("logits").get_weights()
    assert embeddings.shape == (41, len(weights))
    expected = model.model(DayInputs(day_store(world.storage, keys)).take(range(41)).astype("float32"))
    assert np.allclose(embeddings.astype("float32") @ weights + bias, expected, atol=0.05)


@pytest.fixture(scope="module")
def answered(trained, tmp_path_factory) -> SimpleNamespace:
    """A day of 41 images in three shards that were answered and not merged, to be copied; `whole` and `counts`: as it is answered
    in one."""
    from driftwatch.images import shards

    root = tmp_path_factory.mktemp("answered") / "storage"
    shutil.copytree(trained, root)
    world = open_world(root)
    with pytest.MonkeyPatch.context() as patch:
        blocks_of_8(patch)
        world.add_day(DAY, 41)
        counts, keys = predict(world), world.layout.day(DAY)
        whole = {key: world.storage.read_bytes(key) for key in (keys.predictions, keys.embeddings)}
        for key in whole:
            world.storage.delete(key)
        parts = shards.shards_of(41, 16)
        for part in reversed(parts):
            answer(world, part)
    assert len(parts) == 3
    return SimpleNamespace(root=root, parts=parts, whole=whole, counts=counts)


def blocks_of_8(patch: pytest.MonkeyPatch) -> None:
    from driftwatch.images import ingest, one_pass, shards

    for module in (ingest, one_pass, shards):
        patch.setattr(module, "BLOCK", 8)


def answer(world: World, part: Shard) -> None:
    version = champion_version(monitor_store(world.storage, world.layout))
    predict_shard(day_store(world.storage, world.layout.day(DAY), world.config), version, part)


class InShards:
    """The day in shards, and what its merge must make of it."""

    def __init__(self, answered: SimpleNamespace, root: Path) -> None:
        shutil.copytree(answered.root, root)
        self.world, self.parts = open_world(root), answered.parts
        self.storage, self.keys = self.world.storage, self.world.layout.day(DAY)
        self.whole, self.counts = answered.whole, answered.counts

    def handed_over(self) -> dict[str, bytes]:
        return {item.key: self.storage.read_bytes(item.key) for item in self.storage.list(self.keys.shards)}

    def hand_over(self, there: dict[str, bytes]) -> None:
        for item in self.storage.list(self.keys.shards):
            self.storage.delete(item.key)
        for key, data in there.items():
            self.storage.write_bytes(key, data)

    def merge(self) -> None:
        version = champion_version(monitor_store(self.storage, self.world.layout))
        counts = merge_predictions(day_store(self.storage, self.keys, self.world.config), version, len(self.parts))
        assert counts == self.counts
        assert {key: self.storage.read_bytes(key) for key in self.whole} == self.whole
        assert self.handed_over() == {}


@pytest.fixture
def in_shards(answered, tmp_path, monkeypatch) -> InShards:
    blocks_of_8(monkeypatch)
    return InShards(answered, tmp_path / "storage")


def test_a_day_in_shards_is_answered_as_it_would_be_whole(in_shards) -> None:
    there = in_shards.handed_over()
    in_shards.merge()
    in_shards.merge()
    # A single shard that is cleared and answered again after the merge.
    for some in (list(there)[:2], list(there)[-2:]):
        in_shards.hand_over({key: there[key] for key in some})
        in_shards.merge()


def test_a_merge_of_answers_killed_at_each_write_and_each_delete_and_tried_again_gives_the_same_day(in_shards) -> None:
    there = in_shards.handed_over()
    touched = touches(in_shards.merge)
    assert sorted(what.split()[1] for what in touched) == ["delete"] * 6 + ["write"] * 2
    for place, when in kills(touched):
        for key in in_shards.whole:
            in_shards.storage.delete(key)
        in_shards.hand_over(there)
        killed_at(place, when, in_shards.merge)
        in_shards.merge()


def test_of_a_day_that_is_judged_by_a_sample_its_answers_are_kept_apart_whatever_is_killed(
    in_shards, monkeypatch
) -> None:
    storage, keys = in_shards.storage, in_shards.keys
    day, there = day_store(storage, keys, in_shards.world.config), in_shards.handed_over()
    monkeypatch.setattr(judged, "MOST", 15)
    images = judged.JudgedImages()
    images.add(storage.read_arrow(keys.manifest), storage.read_arrow(keys.features))
    counts = {
        "day": str(DAY),
        "accepted": 41,
        "model_version": champion_version(day.monitor),
        "judged": images.write(day),
    }
    storage.write_json(keys.ingest, samples.INGEST | counts)
    kept = (keys.judged_predictions, keys.judged_embeddings)
    for place, when in kills(touches(in_shards.merge)):
        for key in (*in_shards.whole, *kept):
            storage.delete(key)
        in_shards.hand_over(there)
        killed_at(place, when, in_shards.merge)
        in_shards.merge()
        chosen = storage.read_table(keys.judged)["image_id"]
        answers = storage.read_table(keys.predictions)
        places = np.flatnonzero(answers["image_id"].isin(chosen))
        assert storage.read_table(kept[0]).equals(answers.iloc[places].reset_index(drop=True))
        np.testing.assert_array_equal(storage.read_array(kept[1]), storage.read_array(keys.embeddings)[places])


def test_another_model_is_asked_about_even_blocks_of_a_day_that_is_judged_by_a_sample(in_shards) -> None:
    in_shards.merge()
    day = day_store(in_shards.storage, in_shards.keys, in_shards.world.config)
    version = champion_version(day.monitor)
    whole, _ = answer_again(day, version, 20)
    assert len(whole) == 41
    counts = {"day": str(DAY), "accepted": 41, "model_version": version, "judged": 15}
    in_shards.storage.write_json(in_shards.keys.ingest, samples.INGEST | counts)
    some, embeddings = answer_again(day, version, 20)
    blocks = [*range(8), *range(16, 24), 40]  # the first block of eight, the third, and the last, which has one image
    assert some["image_id"].tolist() == whole["image_id"].iloc[blocks].tolist()
    np.testing.assert_allclose(embeddings, in_shards.storage.read_array(in_shards.keys.embeddings)[blocks], atol=1e-2)


def test_a_shard_killed_at_each_write_and_answered_again_hands_over_the_same(in_shards) -> None:
    there, first = in_shards.handed_over(), partial(answer, in_shards.world, in_shards.parts[0])
    touched = touches(first)
    assert [what.split()[1] for what in touched] == ["write"] * 2
    for place, when in kills(touched):
        in_shards.hand_over(dict(list(there.items())[2:]))
        killed_at(place, when, first)
        first()
        assert in_shards.handed_over() == there


def test_the_model_is_traced_once_for_all_blocks(world, monkeypatch) -> None:
    store = monitor_store(world.storage, world.layout)
    model = replace(load_model(store, champion_version(store)))  # nobody has asked it yet
    seen = []
    layer = next(layer for layer in model.model.layers if layer.weights)
    call = layer.call

    def noted(images, *args, **kwargs):
        seen.append(tuple(images.shape))
        return call(images, *args, **kwargs)

    monkeypatch.setattr(layer, "call", noted)
    blocks = [np.zeros((n, 32, 32, 3), np.uint8) for n in (40, 7, 0, 16)]
    raw, embeddings = model.log_scores(blocks, 16)
    assert len(raw) == len(embeddings) == 63
    assert [shape[0] for shape in seen if shape[0] is not None] == [16]


def test_a_day_without_an_accepted_image_has_no_predictions_and_no_error(world) -> None:
    world.add_day(DAY, 3)
    keys = world.layout.day(DAY)
    world.storage.write_table(keys.features, world.storage.read_table(keys.features).head(0))
    write_index(day_store(world.storage, keys), ModelInput.square(32), [0])
    assert predict(world)["images"] == 0
    assert len(world.storage.read_table(keys.predictions)) == 0
    assert len(world.storage.read_array(keys.embeddings)) == 0


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (ModelInput.square(64), "size is 64, and model.input.size is 32"),
        (ModelInput(height=32, width=48), r"size is \[32, 48\], and model.input.size is 32"),
        (ModelInput(height=32, width=32, resize="pad"), "resize is pad, and model.input.resize is squash"),
    ],
)
def test_a_day_of_other_pictures_than_the_models_is_refused_with_what_to_do(world, stored, said) -> None:
    world.add_day(DAY, 3)
    write_index(day_store(world.storage, world.layout.day(DAY)), stored, [3])
    with pytest.raises(NeedsAttention, match=rf"images of {DAY} .*{said}.*Clear ingest_images"):
        predict(world)


def test_a_days_model_is_asked_without_loading_what_only_a_log_needs() -> None:
    code = "import sys, driftwatch.models.predict; print([name for name in {needless} if name in sys.modules])"
    needless = ("driftwatch.models.logged.day", "driftwatch.models.recheck", "pandas", "scipy.optimize", "scipy.stats")
    run = subprocess.run(
        [sys.executable, "-c", code.format(needless=needless)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_answers_of_an_earlier_run_about_other_images_are_not_the_days(in_shards):
    """As many as the day has images, and the shards' own files are gone."""
    in_shards.merge()
    storage, keys = in_shards.storage, in_shards.keys
    features = storage.read_table(keys.features)
    features.loc[3, "image_id"] = "0" * 64
    storage.write_table(keys.features, features)
    with pytest.raises(
        NeedsAttention, match="the answers are about other images than the day has: clear predict_shards"
    ):
        in_shards.merge()


def test_embeddings_that_a_late_try_left_beside_another_trys_answers_are_refused(in_shards):
    """As many as the shard has images: the try wrote them, and was killed before it wrote its answers."""
    storage = in_shards.storage
    key = next(key for key in in_shards.handed_over() if key.endswith("embeddings.npy"))
    right = storage.read_array(key)
    storage.write_array(key, right[::-1].copy())
    with pytest.raises(NeedsAttention, match=r"the answers are about other images.*clear predict_shards"):
        in_shards.merge()
    storage.write_array(key, right)
    in_shards.merge()


def test_answers_that_a_try_left_late_about_images_of_an_earlier_run_are_refused(in_shards):
    """As many as the shard has images."""
    storage, keys, there = in_shards.storage, in_shards.keys, in_shards.handed_over()
    index = storage.read_json(keys.inputs_index)
    blocks = index["blocks"]
    storage.write_json(keys.inputs_index, {**index, "blocks": [*blocks[:2], "0" * 12, *blocks[3:]]})
    with pytest.raises(
        NeedsAttention,
        match=r"0001\.predictions\.parquet: the answers are about other images than the day has: clear predict",
    ):
        in_shards.merge()
    assert in_shards.handed_over() == there
    storage.write_json(keys.inputs_index, index)
    in_shards.merge()


def test_a_shards_answers_that_are_gone_before_they_are_joined_are_named_with_what_to_do(in_shards):
    storage, (lost, *_) = in_shards.storage, in_shards.handed_over()
    storage.delete(lost.replace("embeddings.npy", "predictions.parquet"))
    with pytest.raises(
        NeedsAttention, match=r"shards: predict_shards has left nothing of 1 of 3 shards: clear predict_shards"
    ):
        in_shards.merge()
    answer(in_shards.world, in_shards.parts[0])
    in_shards.merge()
