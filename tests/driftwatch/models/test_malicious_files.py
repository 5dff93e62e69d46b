"""A model file of each kind that would run code: it is refused, and the code did not run."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import onnx
import pytest
from onnx import helper

from driftwatch.errors import NeedsAttention
from driftwatch.models.champion import read_model

from .conftest import make_config
from .onnx_models import Net, model


class Payload:
    """To unpickle it is to run a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def pickled(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps(Payload(mark)))


def zipped(*more: str) -> Callable[[Path, Path], None]:
    """As torch.save writes it; with `code` as torch.jit.save does."""

    def make(path: Path, mark: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("net/data.pkl", pickle.dumps(Payload(mark)))
            for name in more:
                archive.writestr(f"net/{name}", f"import os; os.system('touch {mark}')")

    return make


def lambda_layer(path: Path, mark: Path) -> None:
    """The payload runs when the layer is called, which loading it does to learn its shape."""
    image = keras.Input((32, 32, 3))
    run = eval(f"lambda x: (__import__('os').system('touch {mark}'), x)[1]")
    x = keras.layers.Lambda(run)(image)
    keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x))).save(path)


def saved_model(path: Path, mark: Path) -> None:
    """It writes a file whenever it answers, and has an initializer that does."""
    import tensorflow as tf

    class Writes(tf.Module):
        def __init__(self) -> None:
            self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [2]), 0)

        @tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3])])
        def answer(self, image):
            tf.io.write_file(str(mark), "x")
            return tf.reduce_mean(image, axis=[1, 2])[:, :2]

    made = Writes()
    tf.saved_model.save(made, str(path), signatures=made.answer)


def layer_of_a_saved_model(path: Path, mark: Path) -> None:
    """A .keras file that has a SavedModel loaded from a folder beside it."""
    saved_model(path.parent / "beside", mark)
    image = keras.Input((32, 32, 3))
    keras.Model(image, keras.layers.TFSMLayer(str(path.parent / "beside"), "serving_default")(image)).save(path)


def custom_operator(path: Path, mark: Path) -> None:
    found = model(Net(size=(32, 32)))
    found.graph.node.append(
        helper.make_node("PyOp", ["answer"], ["more"], domain="ai.onnx.contrib", code=f"open('{mark}', 'w')")
    )
    found.opset_import.append(helper.make_opsetid("ai.onnx.contrib", 1))
    onnx.save(found, path)


FILES: dict[str, tuple[str, Callable[[Path, Path], None], str]] = {
    "Lambda layer": ("m.keras", lambda_layer, "safe mode"),
    "SavedModel in a layer": ("m.keras", layer_of_a_saved_model, "safe mode"),
    "pickle": ("m.pkl", pickled, "pickle"),
    "pickle of joblib": ("m.joblib", pickled, "pickle"),
    "pickle by another name": ("m.keras", pickled, "pickle"),
    "PyTorch, old": ("m.pth", pickled, "PyTorch"),
    "PyTorch": ("m.pt", zipped(), "PyTorch"),
    "TorchScript": ("m.pt", zipped("code/__torch__.py"), "TorchScript"),
    "ONNX with a custom operator": ("m.onnx", custom_operator, r"native code, which is never loaded"),
}


def refused(path: Path, mark: Path, said: str) -> None:
    before = mark.exists()
    with pytest.raises(NeedsAttention, match=rf"(?s)^{path}.*{said}"):
        read_model(path, make_config(path.parent / "storage"))
    assert mark.exists() is before is False


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused_and_not_executed(name: str, tmp_path: Path) -> None:
    file, make, said = FILES[name]
    mark = tmp_path / "it ran".replace(" ", "-")
    make(tmp_path / file, mark)
    mark.unlink(missing_ok=True)  # making the file may run it
    refused(tmp_path / file, mark, said)


def test_the_payload_of_a_pickle_does_run_where_it_is_loaded(tmp_path: Path) -> None:
    """So the tests above can fail."""
    pickled(tmp_path / "m.pkl", tmp_path / "mark")
    pickle.loads((tmp_path / "m.pkl").read_bytes())
    assert (tmp_path / "mark").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("m.h5", lambda_layer, "Lambda"),
        pytest.param(
            "saved", saved_model, "WriteFile", marks=pytest.mark.all_faults("test_conversion.py converts one of these")
        ),
    ],
)
def test_one_that_is_converted_is_refused_there_and_not_executed(name: str, make, said: str, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    make(tmp_path / name, mark)
    mark.unlink(missing_ok=True)
    refused(tmp_path / name, mark, said)
