"""What production writes down is what Driftwatch reads: the log of its own model answers a day as that model does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from tests.stores import SMALLEST

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.ingest import DayModel, ingest_day
from driftwatch.models.logged.day import answer_day
from driftwatch.storage import open_storage
from driftwatch_sandbox.production import Production, columns, main, taken_over

DAY, SIDE = date(2026, 3, 4), 32
COLOURS = ("red", "green")


def save(path: Path, colour: str, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 80, (SIDE, SIDE, 3))
    pixels[:, :, COLOURS.index(colour)] += 150
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def model(tmp_path) -> Path:
    """Logits are a tenth of the mean of red and of green."""
    image = keras.Input((SIDE, SIDE, 3))
    dense = keras.layers.Dense(2)
    made = keras.Model(image, dense(keras.layers.GlobalAveragePooling2D()(image)))
    dense.set_weights([np.eye(3, 2, dtype="float32") / 10, np.zeros(2, "float32")])
    made.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_the_same_model_as_onnx_says_the_same_and_a_day_of_two_versions_is_answered_by_both(tmp_path, model):
    from driftwatch_sandbox import team

    team.export(model, tmp_path / "model.onnx")
    for number in range(7):
        save(tmp_path / f"day/{number}.png", COLOURS[number % 2], number)
    was = Production.of(model, COLOURS, "prod-1").answers(tmp_path / "day")
    now = Production.of(tmp_path / "model.onnx", COLOURS, "prod-2").answers(tmp_path / "day")
    assert now["answer"].tolist() == was["answer"].tolist() == [COLOURS[number % 2] for number in range(7)]
    assert np.allclose(now["p_red"], was["p_red"], atol=1e-5)
    both = taken_over(now, was, 0.3)
    assert both["file"].tolist() == now["file"].tolist()
    assert both["model"].tolist() == ["prod-1"] * 2 + ["prod-2"] * 5


@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet"])
def test_the_log_of_a_day_is_read_back(tmp_path, model, end):
    logged = {"path": f"logs/{{day}}/a.{end}", "columns": columns(COLOURS), "settle_seconds": 0}
    settings = {
        **SMALLEST,
        "classes": COLOURS,
        "model": {"predictions": "logged", "logged": logged, "content_features": "none", "input_size": SIDE},
    }
    store = MonitorStore(open_storage(f"file://{tmp_path}/storage"), MonitorConfig.model_validate(settings))
    day, folder = store.day(DAY), tmp_path / "storage/demo/incoming/2026-03-04"
    for number in range(9):
        save(folder / f"gate{number % 2}/{number}.png", COLOURS[number % 3 == 0], number)
    (folder / "note.png").write_text("no picture")
    ingest_day(day.with_config(store.config.model_copy(update={"images": store.config.images.model_copy(update={"settle_seconds": 0, "max_reject_share": 1.0})})), DayModel("v1", ModelInput(height=SIDE, width=SIDE)))  # fmt: skip
    log = tmp_path / f"storage/logs/{DAY}/a.{end}"
    main([str(model), str(folder), str(log), "--classes", *COLOURS, "--version", "prod-2"])
    found = answer_day(day, "v1", open_storage)
    assert (found.used, found.unanswered, found.versions, found.other_case) == (9, 0, {"prod-2": 9}, 0)
    said = day.storage.read_table(day.keys.predictions).set_index("image_id")["prediction"]
    manifest = day.storage.read_table(day.keys.manifest).query("status == 'accepted'")
    truth = [COLOURS[int(Path(key).stem) % 3 == 0] for key in manifest["key"]]
    assert said.loc[manifest["image_id"]].tolist() == truth
