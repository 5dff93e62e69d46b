"""A model's classes and input size are those of its card, whatever the monitor file says now."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.stores import day_store, monitor_store

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.accuracy.later_days import outdated
from driftwatch.accuracy.without_labels import estimate_day
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.handover import promote_challenger
from driftwatch.labels.consensus import merge_day
from driftwatch.models.as_trained import OtherModel, as_trained, for_day, refuse_other, refuse_other_champion
from driftwatch.models.challenger import train_challenger
from driftwatch.models.dataset import collect_training_set, dataset_card
from driftwatch.models.metrics import share
from driftwatch.models.registry import card
from driftwatch.models.rollback import rollback
from driftwatch.storage import Storage, open_storage
from driftwatch.view.report.facts import gather
from driftwatch.view.report.sections import model
from driftwatch.view.verdicts import reasons

LAYOUT = MonitorKeys("demo")
DAY = LAYOUT.day(date(2026, 1, 5))
HOLDOUT = share(450, 500, 0.95)
CARD = samples.CARD | {"version": "v1", "classes": ["cat", "dog"], "input_size": 96}
CARD["metrics"] = {
    "holdout": CARD["metrics"]["holdout"] | {"accuracy": HOLDOUT.model_dump(exclude_unset=True), "n": 500}
}


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


@pytest.fixture
def storage(config: MonitorConfig) -> Storage:
    found = open_storage(config.storage.uri)
    found.write_json(LAYOUT.model_card("v1"), CARD)
    found.write_json(LAYOUT.champion, {"version": "v1", "previous": None})
    return found


def changed(config: MonitorConfig, classes: tuple[str, ...] = ("cat", "dog"), size: int = 96) -> MonitorConfig:
    model = {**config.model.model_dump(), "input": {"size": size}}
    return MonitorConfig.model_validate({**config.model_dump(), "classes": classes, "model": model})


@pytest.mark.parametrize(
    ("classes", "size", "said"),
    [
        (("dog", "cat"), 96, "in another order"),
        (("cat", "hound"), 96, "others: .*hound"),
        (("cat", "dog", "bird"), 96, "others: .*bird"),
        (("Cat", "Dog"), 96, "others"),
        (("cat", "dog"), 128, "its input has the size 96, and model.input.size is 128"),
    ],
)
def test_a_file_that_describes_another_model_than_the_champion_is_refused_with_what_to_do(
    storage: Storage, config: MonitorConfig, classes: tuple[str, ...], size: int, said: str
) -> None:
    with pytest.raises(OtherModel, match=rf"(?s)v1 .*{said}.*--replace"):
        refuse_other_champion(monitor_store(storage, LAYOUT, changed(config, classes, size)))
    refuse_other_champion(monitor_store(storage, LAYOUT, config))
    refuse_other(model_card(**CARD), config)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"size": [96, 64]}, r"the size 96, and model.input.size is \[96, 64\]"),
        ({"resize": "crop"}, "the resize squash, and model.input.resize is crop"),
        ({"interpolation": "bilinear"}, "the interpolation area, and model.input.interpolation is bilinear"),
        ({"scale": "caffe"}, "the colour rgb, and model.input.colour is bgr.*model.input.mean is .*103.939"),
        ({"layout": "nchw"}, "the layout nhwc, and model.input.layout is nchw"),
    ],
)
def test_a_file_that_gives_the_model_something_else_is_refused_by_the_settings_name(
    storage: Storage, config: MonitorConfig, said: dict[str, Any], wrong: str
) -> None:
    other = with_input(config, {"size": 96, **said})
    with pytest.raises(OtherModel, match=rf"(?s)v1 .*{wrong}.*--replace"):
        refuse_other_champion(monitor_store(storage, LAYOUT, other))
    storage.write_json(LAYOUT.model_card("v1"), written_card(ModelInput.of(other.model.input)))
    refuse_other_champion(monitor_store(storage, LAYOUT, other))
    found = as_trained(monitor_store(storage, LAYOUT, config), "v1")
    assert ModelInput.of(found.model.input) == ModelInput.of(other.model.input)


# Each begins something by the monitor file: a training set, a model, a champion. What is begun is refused before anything is written.
BEGINS = {
    "collect_training_set": lambda store: collect_training_set(store, "run", DAY.day, DAY.day),
    "the retraining's plan": lambda store: dataset_card(store, DAY.day, DAY.day),
    "train_challenger": lambda store: train_challenger(store, "run", "test"),
    "promote_model": lambda store: promote_challenger(store, "run", "test"),
    "roll_back": lambda store: rollback(store, "v1", "test"),
    "the gate": lambda store: refuse_other(card(store, "v1"), store.config, "challenger"),
    "ingest_images": refuse_other_champion,
}


@pytest.mark.parametrize("classes", [("dog", "cat"), ("cat", "hound")], ids=["order", "name"])
@pytest.mark.parametrize("step", sorted(BEGINS))
def test_no_step_begins_with_classes_of_another_order_or_name_and_each_tells_both_lists(
    storage: Storage, config: MonitorConfig, step: str, classes: tuple[str, str]
) -> None:
    storage.write_json(LAYOUT.retraining("run", "gate.json"), samples.GATE | {"decision": "promote", "version": "v1"})
    storage.write_json(LAYOUT.champion, {"version": "v2", "previous": "v1"})
    storage.write_json(LAYOUT.model_card("v2"), CARD | {"version": "v2"})
    before = {item.key for item in storage.list(LAYOUT.monitor)}
    with pytest.raises(OtherModel, match=re.escape("['cat', 'dog']") + ".*" + re.escape(str([*classes]))):
        BEGINS[step](monitor_store(storage, LAYOUT, changed(config, classes)))
    assert {item.key for item in storage.list(LAYOUT.monitor)} == before


def test_the_report_of_a_judged_day_says_the_same_when_the_order_was_changed(
    storage: Storage, config: MonitorConfig
) -> None:
    write_day(storage, config, DAY)
    storage.write_table(DAY.manifest, pd.DataFrame({"image_id": ["a"], "status": ["accepted"]}))
    evaluate_day(day_store(storage, DAY, config), HOLDOUT, reasons)
    first, then = (
        dict(model(gather(day_store(storage, DAY, changed(config, order)))))
        for order in (("cat", "dog"), ("dog", "cat"))
    )
    assert sorted(re.findall(r"[a-z]+ \d+ %|[a-z]+ \d+%", first["Its answers"])) == sorted(
        re.findall(r"[a-z]+ \d+ %|[a-z]+ \d+%", then["Its answers"])
    )
    assert {**first, "Its answers": ""} == {**then, "Its answers": ""}


def test_one_number_that_is_the_chance_of_the_other_class_is_refused(config: MonitorConfig) -> None:
    one = model_card(**CARD | {"output": "sigmoid", "positive_class": "cat"})
    with pytest.raises(OtherModel, match=r"its one number is the chance of cat, and model\.positive_class is dog"):
        refuse_other(one, config)
    said = config.model.model_copy(update={"positive_class": "cat"})
    refuse_other(one, config.model_copy(update={"model": said}))


def with_input(config: MonitorConfig, said: dict[str, Any]) -> MonitorConfig:
    model = {**config.model.model_dump(), "input": said}
    return MonitorConfig.model_validate({**config.model_dump(), "model": model})


def written_card(about: ModelInput) -> dict[str, Any]:
    return model_card(**CARD).model_copy(update={"input": about}).stored()


def write_day(storage: Storage, config: MonitorConfig, day: Any, version: str = "v1") -> None:
    """Forty images of the first two classes, answered by `version` and labelled by two people, with a control task each."""
    classes = config.classes
    ids = [f"{day.day.day}-{number:02d}" for number in range(40)]
    said = [classes[number % 2] for number in range(40)]
    scores = {f"score.{name}": [0.9 if name == answer else 0.1 for answer in said] for name in classes}
    storage.write_json(day.ingest, samples.INGEST | {"model_version": version})
    predictions = pd.DataFrame({"image_id": ids, "prediction": said, **scores, "model_version": version})
    storage.write_table(day.predictions, predictions)
    rows = [
        (f"p{who}", f"w{who}", image_id, answer, control, answer if control else None)
        for who in range(2)
        for number, (image_id, answer) in enumerate(zip([*ids, "known"], [*said, "cat"], strict=True))
        for control in [number == 40]
    ]
    names = ["assignment_id", "annotator_id", "image_id", "answer", "control", "known_label"]
    pages = pd.DataFrame(rows, columns=names).assign(
        status="ACCEPTED", submitted="2026-01-05T10:00:00+00:00", seconds=30.0, reward=0.05
    )
    storage.write_table(day.assignments, pages)
    merge_day(day_store(storage, day, config), ids)


def outcome(storage: Storage, config: MonitorConfig) -> list[bytes]:
    """Everything of a day that is made from its predictions and answers, made again."""
    merge_day(day_store(storage, DAY, config), storage.read_table(DAY.labels)["image_id"].tolist())
    estimate_day(day_store(storage, DAY, config))
    judge_content_and_predictions(day_store(storage, DAY, config), "v1")
    evaluate_day(day_store(storage, DAY, config), HOLDOUT, reasons)
    keys = (DAY.labels, DAY.estimate, DAY.content_drift, DAY.performance, DAY.performance_profile)
    return [storage.read_bytes(key) for key in keys]


@pytest.mark.parametrize("classes", [("cat", "dog", "bird"), ("bird", "cat", "dog"), ("dog", "cat"), ("cat", "hound")])
def test_a_day_that_an_earlier_model_judged_comes_out_the_same_when_classes_were_changed(
    storage: Storage, config: MonitorConfig, classes: tuple[str, ...]
) -> None:
    write_day(storage, config, DAY)
    before = outcome(storage, config)
    assert outcome(storage, changed(config, classes)) == before


def test_days_of_other_classes_are_not_pooled_with_the_days_of_the_new_ones(
    storage: Storage, config: MonitorConfig
) -> None:
    config = changed(config, ("cat", "dog"))
    write_day(storage, config, DAY)
    evaluate_day(day_store(storage, DAY, config), HOLDOUT, reasons)
    three = changed(config, ("bird", "cat", "dog"))
    storage.write_json(LAYOUT.model_card("v2"), {**CARD, "version": "v2", "classes": list(three.classes)})
    after = LAYOUT.day(DAY.day + timedelta(days=1))
    write_day(storage, three, after, "v2")
    found = evaluate_day(day_store(storage, after, three), HOLDOUT, reasons)
    assert found.pooled_days == (after.day,)
    assert found.confusion_matrix.labels == ("bird", "cat", "dog")
    days = [day_store(storage, day, three).read(Performance) for day in (DAY, after)]
    assert outdated(monitor_store(storage, LAYOUT, three), days) == []


def test_a_day_is_handled_by_its_own_models_card(storage: Storage, config: MonitorConfig) -> None:
    wanted = changed(config, ("bird", "cat", "dog"), 128)
    found = as_trained(monitor_store(storage, LAYOUT, wanted), "v1")
    assert (found.classes, found.model.input.size) == (("cat", "dog"), 96)
    assert as_trained(MonitorStore(storage, config), "v1") is config
    assert for_day(MonitorStore(storage, wanted).day(DAY.day)) is wanted  # not taken in yet
    storage.write_json(DAY.ingest, samples.INGEST | {"model_version": "v1"})
    assert for_day(day_store(storage, DAY, wanted)) == found
