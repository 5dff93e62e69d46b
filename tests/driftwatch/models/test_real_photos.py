"""A champion on real photos, a camera that pixelates, and the gate's answer to three challengers.

It trains for minutes, so `make test` leaves it out: `make test-faults` and `make bench-retraining` show it.
"""

from __future__ import annotations

import io
import logging
import time
from datetime import date

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.driftwatch.artifacts import samples
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.retraining import GateResult
from driftwatch.config import MonitorConfig
from driftwatch.images.ingest import DayModel, ingest_day
from driftwatch.models import keras_file, registry
from driftwatch.models.challenger import CHALLENGER, train_challenger
from driftwatch.models.champion import train_champion
from driftwatch.models.dataset import collect_training_set, take_in_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.predictors.keras import load_model
from driftwatch.storage import open_storage
from driftwatch.view.gate import reason_text

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)
logger = logging.getLogger(__name__)
pytestmark = [pytest.mark.all_faults("it trains for minutes"), pytest.mark.slow, pytest.mark.timeout(1200)]


def pixelated(data: bytes) -> bytes:
    """The photo as blocks, twelve across, at its own size."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    blocks = image.resize((12, max(1, round(12 * image.height / image.width))), Image.Resampling.BOX)
    buffer = io.BytesIO()
    blocks.resize(image.size, Image.Resampling.NEAREST).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def add_day(storage, layout, config, day, photos, damage, verdict) -> None:
    keys, truth = layout.day(day), {}
    for path in photos:
        key = f"{keys.incoming}/{path.name}"
        storage.write_bytes(key, damage(path.read_bytes()))
        truth[key] = path.parent.name
    ingest_day(day_store(storage, keys, config), DayModel("v0001-00000000", ModelInput.of(config.model.input)))
    manifest = storage.read_table(keys.manifest)
    manifest = manifest[manifest["status"] == "accepted"]
    labels = {"image_id": manifest["image_id"], "label": manifest["key"].map(truth), "confidence": 1.0}
    storage.write_table(keys.labels, pd.DataFrame({**labels, "status": "consensus"}).sort_values("image_id"))
    storage.write_json(keys.performance, {**samples.PERFORMANCE, "verdict": verdict})
    storage.write_json(keys.drift, {**samples.DAY_DRIFT, "verdict": "ok" if verdict == "ok" else "drifted"})


@pytest.fixture(scope="module", autouse=True)
def _small_network() -> None:
    """Real photos train the real network: the small one, of the other tests of this folder, learns too little from them."""


@pytest.fixture(scope="module")
def photos(shared, tmp_path_factory):
    """1,100 photos for training, a clean day of 300 and a broken one of 160, and a champion by the recipe `fast`, cut short."""
    root = tmp_path_factory.mktemp("photos")
    config = MonitorConfig.model_validate(
        {
            "name": "photos",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{root}"},
            "model": {"input_size": 48},
            "retraining": {"epochs": 3},
            "annotation": {"project_name": "Pets", "question": "Which?", "instructions": "Look."},
        }
    )
    storage, layout = open_storage(config.storage.uri), MonitorKeys("photos")
    paths = sorted((shared / "photos").glob("*/*.jpg"))
    paths = [paths[place] for place in np.random.default_rng(0).permutation(len(paths))]
    for path in paths[:1100]:
        storage.write_bytes(f"{layout.training_images}/{path.parent.name}/{path.name}", path.read_bytes())
    take_in_training_set(monitor_store(storage, layout, config))
    wall, cpu = time.perf_counter(), time.process_time()
    version = train_champion(monitor_store(storage, layout, config), "fast", epochs=14)
    logger.warning("fast: %.0f s wall, %.0f s CPU", time.perf_counter() - wall, time.process_time() - cpu)
    registry.promote(monitor_store(storage, layout), version, "test", None)
    add_day(storage, layout, config, CLEAN, paths[1100:1400], lambda data: data, "ok")
    add_day(storage, layout, config, BROKEN, paths[1400:1560], pixelated, "alert")
    for run_key in ("better", "single", "opposite"):
        collect_training_set(monitor_store(storage, layout, config), run_key, CLEAN, BROKEN)
    return storage, layout, config


def gate_of(photos, run_key: str) -> GateResult:
    gate = evaluate_challenger(monitor_store(*photos), run_key, in_words=reason_text)
    for reason in gate.reasons:
        logger.warning("%s: %s", run_key, reason)
    return gate


def test_the_fast_recipe_learns_from_real_photos(photos) -> None:
    storage, layout, _ = photos
    holdout = registry.card(
        monitor_store(storage, layout), registry.champion_version(monitor_store(storage, layout))
    ).metrics.holdout
    logger.warning("fast: holdout %s", holdout.accuracy)
    assert holdout.accuracy.low > 0.55


def test_retraining_on_the_pixelated_day_makes_the_model_better_there(photos) -> None:
    storage, layout, config = photos
    wall, cpu = time.perf_counter(), time.process_time()
    version = train_challenger(monitor_store(storage, layout, config), "better", "test")
    logger.warning("fine-tune: %.0f s wall, %.0f s CPU", time.perf_counter() - wall, time.process_time() - cpu)
    logger.warning("damage %s", registry.card(monitor_store(storage, layout), version).data.damage)
    gate = gate_of(photos, "better")
    assert registry.card(monitor_store(storage, layout), version).data.damage.kind == "pixelate"
    assert gate.recent.difference > 0


@pytest.mark.parametrize(
    ("run_key", "weight", "bias"),
    [
        ("single", 0, [0, 5]),
        ("opposite", -1, [0, 0]),  # as after learning from labels that are all wrong
    ],
)
def test_a_challenger_of_a_single_class_or_of_wrong_labels_is_kept_out(photos, run_key, weight, bias) -> None:
    storage, layout, _ = photos
    champion = registry.champion_version(monitor_store(storage, layout))
    model = load_model(monitor_store(storage, layout), champion).model
    weights, biases = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([weights * weight, biases * weight + bias])
    data = keras_file.to_bytes(model)
    version = registry.version_for(monitor_store(storage, layout), data)
    registry.register(
        monitor_store(storage, layout), version, data, registry.card(monitor_store(storage, layout), champion)
    )
    storage.write_json(
        layout.retraining(run_key, CHALLENGER), {"version": version, "parent": champion, "requested_by": "test"}
    )
    assert gate_of(photos, run_key).decision == "keep"
