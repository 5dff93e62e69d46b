"""What tells the content of images is chosen with the reference, and days are described alike."""

from __future__ import annotations

import numpy as np
import pytest
from tests.cards import model_card
from tests.stores import SMALLEST, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.config import MonitorConfig
from driftwatch.images.gist import WIDTH
from driftwatch.models.content import chosen, content_of, embeds_days, kind_of_day
from driftwatch.models.registry import register
from driftwatch.storage import open_storage

SEEN = np.ones((2, 5), "float16")


def config(setting: str) -> MonitorConfig:
    return MonitorConfig.model_validate({**SMALLEST, "model": {"content_features": setting}})


@pytest.mark.parametrize(
    ("setting", "with_embeddings", "without"),
    [("auto", "embeddings", "gist"), ("gist", "gist", "gist"), ("none", "embeddings", "none")],
)
def test_the_setting_says_what_a_reference_is_made_of(setting, with_embeddings, without):
    assert chosen(config(setting), embeds=True) == with_embeddings
    assert chosen(config(setting), embeds=False) == without


def test_a_day_is_described_as_its_reference_whatever_the_setting_says_now(tmp_path):
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"), config("gist"))
    assert kind_of_day(store, "v1", embeds=True) == "gist"
    store.write(store.keys.reference_predictions("v1"), UsualPredictions(images=9, counts={}))
    assert kind_of_day(store, "v1", embeds=True) == "embeddings"
    store.write(store.keys.reference_predictions("v1"), UsualPredictions(images=9, counts={}, content="none"))
    assert kind_of_day(store, "v1", embeds=True) == "none"


@pytest.mark.parametrize(
    ("predictions", "kind", "expected"),
    [
        ("champion", "keras", True),
        ("logged", "logged", True),
        ("logged", "keras", False),
        ("endpoint", "keras", False),
    ],
)
def test_embeddings_are_compared_where_the_same_model_answers_the_days(tmp_path, predictions, kind, expected):
    model = {
        "predictions": predictions,
        "logged": {"path": "logs/{day}/*", "columns": {"key": "k", "prediction": "p", "embedding": "e"}},
        "endpoint": {"connection": "models", "model": "cats"},
    }
    made = MonitorConfig.model_validate({**SMALLEST, "model": model})
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"), made)
    found = register(store, "v0001-00000000", b"bytes", model_card(version="v0001-00000000", kind=kind))
    assert embeds_days(store, found.version) is expected


def test_images_are_looked_at_for_gist_alone():
    def unread():
        raise AssertionError("an image was read")
        yield

    assert content_of("embeddings", SEEN, unread()) is SEEN
    assert content_of("none", SEEN, unread()) is None
    blocks = [
        np.zeros((3, 20, 30, 3), np.uint8),
        np.zeros((0, 20, 30, 3), np.uint8),
        np.zeros((1, 20, 30, 3), np.uint8),
    ]
    assert content_of("gist", None, blocks).shape == (4, WIDTH)
    assert content_of("gist", SEEN, []).shape == (0, WIDTH)
