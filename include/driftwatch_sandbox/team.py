"""The team that owns the model, as it works beside Driftwatch: it trains on a set that was handed over, and exports ONNX.

    python -m driftwatch_sandbox.team export MODEL.keras MODEL.onnx
    python -m driftwatch_sandbox.team retrain PLACE MODEL.keras

`retrain` knows nothing but PLACE, the address of the folder that was handed over, and the team's own model, from which it goes on. It leaves
model.onnx in PLACE, and model.keras, from which a later training can go on.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftwatch.artifacts.base import read
from driftwatch.artifacts.handover import Handover
from driftwatch.storage import Storage, open_storage

if TYPE_CHECKING:
    from driftwatch.models.training.base import Labelled, TrainingSet

# As the example monitor fine-tunes a champion. Damaged copies and recent labels share the recent half of what is drawn.
EPOCHS, LEARNING_RATE, MOST_COPIES = 12, 1e-3, 1000
SEED = 0


def export(model: Path, target: Path) -> None:
    """Writes the Keras model as ONNX. What it answers stays the same."""
    import keras

    loaded = keras.models.load_model(model, compile=False)
    # Keras exports only a model that was called.
    loaded(np.zeros((1, *loaded.input_shape[1:]), "float32"), training=False)
    aside = target.with_name(f".{target.name}")
    loaded.export(aside, format="onnx", verbose=False)
    aside.replace(target)


def retrain(place: str, start: Path) -> None:
    """Trains the model `start` further on the set in `place`, by the built-in Keras trainer, and leaves the new one there."""
    from driftwatch.models.predictors.heads import Head
    from driftwatch.models.training.base import Attempt, Recipe, Start, trainer

    folder = open_storage(place)
    manifest = read(folder, "manifest.json", Handover)
    data, shown = training_set(manifest, folder.read_table(manifest.set.name))
    recipe = Recipe(
        epochs=EPOCHS, learning_rate=LEARNING_RATE, patience=0, small_share=0.0, seed=SEED, epoch_size=shown
    )
    told = Attempt(on_epoch=lambda row: print(f"epoch {row.epoch} of {EPOCHS}: accuracy {row.accuracy}", flush=True))
    trained = trainer().train(data, recipe, Start(start.read_bytes(), Head("logits"), str(start)), told)
    with tempfile.TemporaryDirectory(prefix="driftwatch-team-") as made:
        model = Path(made) / "model.keras"
        model.write_bytes(trained.model)
        export(model, model.with_suffix(".onnx"))
        for path in (model, model.with_suffix(".onnx")):
            folder.write_bytes(path.name, path.read_bytes())


def training_set(manifest: Handover, table: pd.DataFrame) -> tuple[TrainingSet, int]:
    """The images of the set, and copies of the original ones with the camera's damage; and how many images an epoch shows.

    Labels of the bad days weigh more than the rest. The copies take half of their weight.
    """
    from driftwatch.models.training.base import TrainingSet

    storage = open_storage(manifest.storage)
    learnt = table[table["split"] == "train"].reset_index(drop=True)
    train, weights = _labelled(storage, manifest, learnt), learnt["weight"].to_numpy(float, copy=True)
    originals = learnt[learnt["source"] == "original"]
    replayed = weights < weights.max()
    if manifest.damage and manifest.damage.strength:
        chosen = originals.sample(min(MOST_COPIES, len(originals)), random_state=SEED)
        weights[~replayed] /= 2
        train = train.and_then(_labelled(storage, manifest, chosen, damaged=True))
        weights = np.concatenate([weights, np.full(len(chosen), weights[~replayed].sum() / len(chosen))])
    validation = _labelled(storage, manifest, table[table["split"] == "validation"])
    data = TrainingSet(train, len(manifest.classes), validation, weights, manifest.input, manifest.classes)
    return data, 2 * int(replayed.sum())


def _labelled(storage: Storage, manifest: Handover, rows: pd.DataFrame, damaged: bool = False) -> Labelled:
    from driftwatch.models.training.base import Labelled

    pictures = [_picture(storage, manifest, key, damaged) for key in rows["key"]]
    size = (manifest.input.height, manifest.input.width)
    images = np.stack(pictures) if pictures else np.zeros((0, *size, 3), np.uint8)
    return Labelled.of(images, rows, manifest.classes)


def _picture(storage: Storage, manifest: Handover, key: str, damaged: bool) -> np.ndarray:
    from PIL import Image, ImageOps

    from driftwatch.images.resize import model_input
    from driftwatch.models.damage import apply_damage

    with Image.open(io.BytesIO(storage.read_bytes(key))) as image:
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    damage = manifest.damage
    if damaged and damage and damage.strength:
        pixels = apply_damage(pixels, damage.kind, damage.strength)
    return model_input(pixels, manifest.input)


def main(arguments: Sequence[str] | None = None) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = argparse.ArgumentParser(prog="python -m driftwatch_sandbox.team", description=__doc__)
    does = parser.add_subparsers(required=True, dest="does")
    exporting, training = does.add_parser("export"), does.add_parser("retrain")
    exporting.add_argument("model", type=Path)
    exporting.add_argument("target", type=Path)
    training.add_argument("place", help="its address: file:///…, s3://…")
    training.add_argument("start", type=Path)
    options = parser.parse_args(arguments)
    if options.does == "export":
        export(options.model, options.target)
    else:
        retrain(options.place, options.start)


if __name__ == "__main__":
    main()
