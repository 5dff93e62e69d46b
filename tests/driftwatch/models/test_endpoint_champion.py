"""Production's own model behind a server is registered as champion, and answers a day; its file says which model it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.served_model import ServedModel
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.credentials import Access
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.handover import build_reference_of
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.endpoint_champion import import_endpoint, look_at_endpoint
from driftwatch.models.predict import predict_day
from driftwatch.models.predictors.base import Asked, predictor
from driftwatch.models.predictors.endpoint.plan import DoesNotFit
from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel as Serving
from driftwatch_servers.serving import running

from .conftest import World

DAY = date(2026, 1, 3)


def stripes(tensor: np.ndarray, version: str) -> np.ndarray:
    """The chance of `upright`, as production answers it."""
    grey = tensor.mean(axis=3)
    lines, columns = (np.abs(np.diff(grey, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    return 1 / (1 + np.exp(lines - columns))[:, None]


@pytest.fixture
def serving() -> Iterator[tuple[Serving, str]]:
    model = Serving("stripes", (-1, 32, 32, 3), stripes)
    with running(create_app(model)) as url:
        yield model, url


@pytest.fixture
def store(serving, world: World) -> MonitorStore:
    """A monitor with a training set, and a Keras champion as yet, whose answers come from the server now."""
    endpoint = {"connection": "models", "model": "stripes", "images_per_request": 64}
    model = {"predictions": "endpoint", "endpoint": endpoint, "input": {"size": 32}}
    config = MonitorConfig.model_validate({**world.config.model_dump(exclude={"model"}), "model": model})

    def access(connection: str, needed_by: str) -> Access:
        assert (connection, needed_by) == ("models", "model.endpoint.connection")
        return Access("the Airflow connection models", serving[1], "")

    return MonitorStore(world.storage, config, access)


def with_output(store: MonitorStore, output: str) -> MonitorStore:
    model = store.config.model.model_copy(update={"output": output})
    return store.with_config(store.config.model_copy(update={"model": model}))


def with_endpoint(store: MonitorStore, **changes: object) -> MonitorStore:
    assert store.config.model.endpoint
    endpoint = store.config.model.endpoint.model_copy(update=changes)
    return store.with_config(
        store.config.model_copy(update={"model": store.config.model.model_copy(update={"endpoint": endpoint})})
    )


def test_the_server_answers_for_the_champion_and_each_day(store, serving, world):
    version = import_endpoint(store)
    card = registry.card(store, version)
    served = store.read(store.keys.model(version, "endpoint"), ServedModel)
    assert served == ServedModel(protocol="v2", model="stripes", address=serving[1], versions=("1",))
    assert (card.kind, card.output, card.positive_class, card.temperature) == ("endpoint", "sigmoid", "upright", 1.0)
    assert card.metrics.holdout.accuracy.value > 0.95
    build_reference_of(store, version)
    registry.promote(store, version, "test", registry.champion_version(store))

    labels = world.add_day(DAY, 41).set_index("image_id")["label"]
    day = store.day(DAY)
    counts = predict_day(day, version)
    table = store.storage.read_table(day.keys.predictions)
    assert (counts["model_version"], set(table["model_version"])) == (version, {"1"})
    assert (labels.loc[table["image_id"]].to_numpy() == table["prediction"].to_numpy()).mean() > 0.9
    first = store.storage.read_bytes(day.keys.predictions)
    predict_day(day, version)
    assert store.storage.read_bytes(day.keys.predictions) == first
    assert judge_content_and_predictions(day, version).predictions.verdict != "drifted"


def test_a_day_of_a_champion_that_is_a_file_may_be_answered_by_the_server(store, world):
    version = registry.champion_version(store)
    world.add_day(DAY, 12)
    day = with_output(store, "sigmoid").day(DAY)
    predict_day(day, version)
    table = store.storage.read_table(day.keys.predictions)
    assert set(table["model_version"]) == {"1"}
    assert predictor(store, version).predict(Asked([np.zeros((1, 32, 32, 3), np.uint8)]), 1).versions == [version]


def test_the_same_server_is_the_same_version_and_another_release_a_new_one(store, serving):
    first = import_endpoint(store)
    assert import_endpoint(store) == first
    serving[0].versions.append("2")
    second = import_endpoint(store)
    assert second.startswith("v0003-")
    assert store.read(store.keys.model(second, "endpoint"), ServedModel).versions == ("2",)


def test_a_monitor_file_of_another_model_is_refused_with_both(store):
    version = import_endpoint(store)
    other = with_endpoint(store, model="dots")
    with pytest.raises(
        NeedsAttention, match=rf"{version} is the model 'stripes' by v2, and model\.endpoint says 'dots' by v2"
    ):
        predictor(other, version)
    gone = store.with_config(
        store.config.model_copy(update={"model": store.config.model.model_copy(update={"endpoint": None})})
    )
    with pytest.raises(NeedsAttention, match=r"stripes has no section model\.endpoint: put it back"):
        predictor(gone, version)


def test_a_file_that_was_changed_is_refused(store):
    version = import_endpoint(store)
    store.storage.write_bytes(store.keys.model(version, "endpoint"), b"{}")
    with pytest.raises(registry.DamagedModel, match=r"model\.json has sha256"):
        predictor(store, version)


def test_a_look_tells_how_the_model_will_be_asked_without_an_answer(store, serving):
    who, plan = look_at_endpoint(store)
    assert (who, plan.input, plan.output) == (f"the model 'stripes' at {serving[1]}", "image", "scores")
    assert serving[0].requests == []
    serving[0].shape = (-1, 64, 64, 3)
    with pytest.raises(DoesNotFit, match=r"takes \[-1, 64, 64, 3\], and model\.input makes \[n, 32, 32, 3\]"):
        look_at_endpoint(store)


def test_keys_tell_the_kind():
    assert MonitorKeys("m").model("v1", "endpoint") == "m/models/v1/model.json"
