"""Keras models to and from the bytes of a .keras file."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from driftwatch.models.archive import DamagedModel, check_archive, refused_by_keras

if TYPE_CHECKING:
    import keras

# Keras writes the time into the saved file. With a fixed time, the same weights give the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def from_bytes(data: bytes, name: str) -> keras.Model:
    """A Keras model from the bytes of a .keras file, loaded in safe mode. `name` is for the error. Raises DamagedModel."""
    import keras

    check_archive(data, name)
    with tempfile.TemporaryDirectory(prefix="driftwatch-model-") as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        try:
            return keras.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras passes on the errors of its layers and of zip
            raise DamagedModel(refused_by_keras(name, error)) from error


def to_bytes(model: keras.Model) -> bytes:
    """The model as a .keras file, without optimizer and time stamps. So the same weights give the same bytes."""
    bare = type(model).from_config(model.get_config())  # cloning would keep the optimizer
    bare.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory(prefix="driftwatch-model-") as folder:
        path = Path(folder) / "model.keras"
        bare.save(path)
        target = io.BytesIO()
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as result:
            for name in sorted(source.namelist()):
                data = source.read(name)
                if name == "metadata.json":
                    data = re.sub(rb'"date_saved": "[^"]*"', b'"date_saved": ""', data)
                result.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return target.getvalue()


def answering(model: keras.Model, output: str | None) -> keras.Model:
    """The part of the model that leads to one of its outputs; the model itself if that is its only one."""
    import keras

    if len(model.outputs) == 1:
        return model
    return keras.Model(model.inputs, model.outputs[model.output_names.index(output)])
