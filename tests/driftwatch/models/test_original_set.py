"""Replacing the original training set: nothing before everything fits, and never a mixture of two sets."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.config import MonitorConfig
from driftwatch.drift.handover import build_reference_of
from driftwatch.errors import NeedsAttention
from driftwatch.labels.known_images import _holdout, control_tasks
from driftwatch.labels.plan import plan_labelling
from driftwatch.models import registry
from driftwatch.models.as_trained import OtherModel
from driftwatch.models.challenger import CHALLENGER, _decoded, _originals, train_challenger
from driftwatch.models.champion import import_champion
from driftwatch.models.dataset import SET, collect_training_set, image_keys, load_inputs
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.original_set import read_training_images, refuse_other_set, set_keys, take_in_training_set
from driftwatch.models.predict import predict_day
from driftwatch.models.rollback import rollback_target
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.evidence_usual import training_images
from driftwatch.view.gate import reason_text

from ..kills import killed_at, kills, touches

NOW = datetime(2026, 1, 5, tzinfo=timezone.utc)
DAY = date(2026, 1, 4)


def replace_images(world: Any, n: int = 40) -> None:
    """Other pictures in place of all."""
    rng = np.random.default_rng(9)
    for item in world.storage.list(world.layout.training_images):
        world.storage.delete(item.key)
    for label in world.config.classes:
        for number in range(500, 500 + n):
            world.put_training(label, str(number), world.striped(rng, label))


def test_a_kill_at_any_change_leaves_the_old_set_or_the_new_one_and_a_repeat_ends_well(world) -> None:
    storage, layout = world.storage, world.layout
    old = set(storage.read_table(layout.training_set)["image_id"])
    folder, saved = Path(storage.root) / layout.monitor / "training", Path(storage.root) / "saved"
    shutil.copytree(folder, saved, ignore=shutil.ignore_patterns("images"))
    replace_images(world)
    new = read_training_images(monitor_store(storage, layout, world.config))
    touched = touches(lambda: new.write(storage, layout))
    assert {what.split()[1] for what in touched} == {"write", "delete"}
    found = set()
    for place, when in kills(touched):
        shutil.copytree(saved, folder, dirs_exist_ok=True)
        killed_at(place, when, lambda: new.write(storage, layout))
        keys = set_keys(monitor_store(storage, layout))
        table, inputs = storage.read_table(keys.table), storage.read_array(keys.inputs)
        assert storage.read_table(keys.features)["image_id"].tolist() == table["image_id"].tolist()
        ids = set(table["image_id"])
        assert ids in (old, set(new.table["image_id"]))
        if ids != old:
            assert np.array_equal(inputs, new.inputs)
        features = storage.read_table(keys.features).set_index("image_id")
        shown = training_images(Artifacts(monitor_store(storage, layout, world.config))).set_index("image_id")
        assert shown[features.columns].equals(features), "a page shows another image's numbers"
        assert {image.image_id for image in _holdout(monitor_store(storage, layout)).itertuples()} <= ids
        found.add(ids == old)
        new.write(storage, layout)
        assert storage.read_table(layout.training_set)["image_id"].tolist() == new.table["image_id"].tolist()
        assert not storage.list(f"{layout.monitor}/training/next")
    assert found == {True, False}
    assert len(touched) > 8


def with_input(world: Any, **said: Any) -> MonitorConfig:
    """The world's monitor file with other pictures."""
    model = {**world.config.model.model_dump(), "input": {"size": 32, **said}}
    return MonitorConfig.model_validate({**world.config.model_dump(), "model": model})


def test_a_set_of_other_pictures_is_refused_by_the_setting_and_one_of_other_numbers_is_not(world) -> None:
    storage, layout = world.storage, world.layout
    table = storage.read_table(layout.training_set)
    refuse_other_set(monitor_store(storage, layout, with_input(world, scale="imagenet", layout="nchw")), table)
    cropped = monitor_store(storage, layout, with_input(world, size=[48, 32], resize="crop"))
    said = r"(?s)inputs\.npy.*their size is 32, and model\.input\.size is \[48, 32\].*resize is squash.*driftwatch champion import"
    with pytest.raises(NeedsAttention, match=said):
        refuse_other_set(cropped, table)
    take_in_training_set(cropped)
    assert storage.read_array(layout.training_inputs).shape[1:] == (48, 32, 3)
    refuse_other_set(cropped, table)
    with pytest.raises(NeedsAttention, match=r"resize is crop, and model\.input\.resize is pad"):
        refuse_other_set(monitor_store(storage, layout, with_input(world, size=[48, 32], resize="pad")), table)


def test_a_set_that_an_early_driftwatch_took_in_was_squashed_to_the_side_that_it_has(world) -> None:
    storage, layout = world.storage, world.layout
    storage.delete(layout.training_pixels)
    table = storage.read_table(layout.training_set)
    refuse_other_set(monitor_store(storage, layout, world.config), table)
    with pytest.raises(NeedsAttention, match=r"size is 32, and model\.input\.size is 64"):
        refuse_other_set(monitor_store(storage, layout, with_input(world, size=64)), table)


def test_a_set_that_does_not_fit_replaces_nothing(world) -> None:
    layout = world.layout
    before = {item.key: world.storage.read_bytes(item.key) for item in world.storage.list("stripes/training")}
    for path in (Path(world.storage.root) / world.layout.training_images / "upright").iterdir():
        path.unlink()
    with pytest.raises(NeedsAttention, match="no usable image"):
        take_in_training_set(monitor_store(world.storage, world.layout, world.config))
    for key in (layout.training_set, layout.training_inputs, layout.training_features, layout.training_pixels):
        assert world.storage.read_bytes(key) == before[key]


def test_a_collected_set_finds_its_images_by_id_and_names_those_that_are_gone(world) -> None:
    storage, layout = world.storage, world.layout
    world.add_day(DAY, 60)
    collect_training_set(monitor_store(storage, layout, world.config), "r1", DAY, DAY)
    table = storage.read_table(layout.retraining("r1", SET))
    inputs = load_inputs(monitor_store(storage, layout, world.config), table)
    rng = np.random.default_rng(7)
    for label in world.config.classes:  # these come before the others: all rows move
        for number in range(3):
            world.put_training(label, f"!{number}", world.striped(rng, label))
    take_in_training_set(monitor_store(storage, layout, world.config))
    assert np.array_equal(load_inputs(monitor_store(storage, layout, world.config), table), inputs)
    replace_images(world)
    take_in_training_set(monitor_store(storage, layout, world.config))
    with pytest.raises(NeedsAttention, match=r"(?s)no more, the first is .*start the retraining anew"):
        load_inputs(monitor_store(storage, layout, world.config), table)


def test_the_same_model_on_other_images_is_another_version_with_its_own_numbers(world, tmp_path) -> None:
    storage, layout, config = world.storage, world.layout, world.config
    path = tmp_path / "theirs.keras"
    flat = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    keras.Sequential([keras.Input((32, 32, 3)), *flat]).save(path)
    first = import_champion(monitor_store(storage, layout, config), path)
    assert import_champion(monitor_store(storage, layout, config), path) == first
    card = storage.read_bytes(layout.model_card(first))
    replace_images(world)
    take_in_training_set(monitor_store(storage, layout, config))
    second = import_champion(monitor_store(storage, layout, config), path)
    assert second != first
    assert second[-8:] == first[-8:]
    assert registry.card(monitor_store(storage, layout), second).metrics.holdout.n < 40
    assert storage.read_bytes(layout.model_card(first)) == card
    assert build_reference_of(monitor_store(storage, layout, config), second).images == 80
    turned = MonitorConfig.model_validate({**config.model_dump(), "classes": config.classes[::-1]})
    third = import_champion(monitor_store(storage, layout, turned), path)
    assert registry.card(monitor_store(storage, layout), third).classes == ("upright", "across")


def test_changed_classes_are_refused_wherever_a_models_outputs_are_read(world) -> None:
    storage, layout, config = world.storage, world.layout, world.config
    version = registry.champion_version(monitor_store(storage, layout))
    world.add_day(DAY, 60)
    collect_training_set(monitor_store(storage, layout, config), "r1", DAY, DAY)
    before = {item.key: storage.read_bytes(item.key) for item in storage.list(layout.monitor)}
    for classes in (["upright", "across"], ["across", "upright", "dots"], ["across", "vertical"]):
        other = MonitorConfig.model_validate({**config.model_dump(), "classes": classes})
        for step in (
            lambda other=other: collect_training_set(monitor_store(storage, layout, other), "r2", DAY, DAY),
            lambda other=other: train_challenger(monitor_store(storage, layout, other), "r1", "test"),
            lambda other=other: build_reference_of(monitor_store(storage, layout, other), version),
            lambda other=other: rollback_target(
                monitor_store(storage, layout, other),
                ChampionPointer(version="v9", previous=version, promoted_by="x"),
                None,
            ),
        ):
            with pytest.raises(OtherModel, match="another model than the monitor file describes"):
                step()
    assert {item.key: storage.read_bytes(item.key) for item in storage.list(layout.monitor)} == before


def test_labels_of_a_class_that_is_gone_are_left_out_and_counted(world) -> None:
    storage, layout = world.storage, world.layout
    labels = world.add_day(DAY, 60)
    labels.loc[labels.index[:5], "label"] = "dots"
    storage.write_table(layout.day(DAY).labels, labels)
    found = collect_training_set(monitor_store(storage, layout, world.config), "r1", DAY, DAY)
    assert found.left_out["class_is_gone"] == 5
    assert set(storage.read_table(layout.retraining("r1", SET))["label"]) == set(world.config.classes)


def renamed(world: Any) -> Any:
    """The same monitor under another name, its folder moved."""
    root = Path(world.storage.root)
    (root / "stripes").rename(root / "lines")
    config = MonitorConfig.model_validate({**world.config.model_dump(), "name": "lines"})
    return type(world)(storage=world.storage, layout=MonitorKeys("lines"), config=config)


def test_a_renamed_monitor_goes_on_from_what_it_has(world) -> None:
    world.add_day(DAY, 60)
    old_plan = plan_labelling(day_store(world.storage, world.layout.day(DAY), world.config), NOW)
    day_store(world.storage, world.layout.day(DAY), world.config).write(old_plan)
    collect_training_set(monitor_store(world.storage, world.layout, world.config), "r1", DAY, DAY)
    version = registry.champion_version(monitor_store(world.storage, world.layout))
    predict_day(day_store(world.storage, world.layout.day(DAY), world.config), version)
    answers = world.storage.read_bytes(world.layout.day(DAY).predictions)
    world = renamed(world)
    storage, layout, config = world.storage, world.layout, world.config
    assert not storage.list("stripes")
    predict_day(day_store(storage, layout.day(DAY), config), version)
    assert storage.read_bytes(layout.day(DAY).predictions) == answers
    assert control_tasks(day_store(storage, layout.day(DAY), config), exclude=lambda ids: ())
    kept = plan_labelling(day_store(storage, layout.day(DAY), config), NOW)
    assert [image.image_id for image in kept.sample] == [image.image_id for image in old_plan.sample]
    images = [*kept.sample, *kept.control]
    assert all(storage.exists(image.key) for image in images)
    table = storage.read_table(layout.retraining("r1", SET))
    assert all(storage.exists(key) for key in image_keys(monitor_store(storage, layout), table))
    storage.write_json(
        layout.retraining("r1", CHALLENGER), {"version": version, "parent": version, "requested_by": "test"}
    )
    assert evaluate_challenger(monitor_store(storage, layout, config), "r1", in_words=reason_text).version == version
    assert len(_originals(monitor_store(storage, layout), "train", 0)) == len(
        list(_decoded(storage, config, _originals(monitor_store(storage, layout), "train", 0)))
    )
    take_in_training_set(monitor_store(storage, layout, config))
    assert storage.read_table(layout.training_set)["key"].str.startswith("lines/").all()
