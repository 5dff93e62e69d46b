"""A model is taken from MLflow by its address: the one file that can be imported, whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from driftwatch.errors import NeedsAttention
from driftwatch.models.mlflow.importing import model_at
from driftwatch.models.mlflow.mirror import show_versions

MLMODEL = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: model.pkl\n"


def onnx_model() -> onnx.ModelProto:
    """Small, with weights that MLflow's ONNX flavour keeps in a file of their own."""
    weights = numpy_helper.from_array(np.arange(3000, dtype=np.float32).reshape(1000, 3), "weights")
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1000])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "weights"], ["y"])], "g", [given], [answer], [weights])
    return helper.make_model(graph)


def address(shown, number: str) -> str:
    return f"models:/{shown.model}/{number}"


def test_an_onnx_model_comes_with_the_weights_that_lie_beside_it(shown, tmp_path):
    model = onnx_model()
    onnx.save_model(model, str(tmp_path / "model.onnx"), save_as_external_data=True, location="w", size_threshold=0)
    files = {name: (tmp_path / name).read_bytes() for name in ("model.onnx", "w")}
    assert b"\x00\x00\x80\x3f" not in files["model.onnx"]
    number = shown.log_files({**files, "MLmodel": b"flavors: {onnx: {data: model.onnx}}", "requirements.txt": b"onnx"})
    with model_at(shown.store, address(shown, number)) as found:
        file = Path(found)
        assert file.name == f"{shown.model.replace(' ', '_')}-{number}.onnx"
        loaded = onnx.load(str(file), load_external_data=False)
    (weights,) = loaded.graph.initializer
    assert not weights.external_data
    assert numpy_helper.to_array(weights).sum() == np.arange(3000).sum()
    assert not file.exists()


def test_a_keras_model_is_found_in_its_folder_and_by_an_alias(shown):
    number = shown.log_files({"data/model.keras": b"keras", "data/keras_module.txt": b"keras", "MLmodel": b"{}"})
    shown.post("registered-models/alias", name=shown.model, alias="champion", version=number)
    with model_at(shown.store, f"models:/{shown.model}@champion") as found:
        file = Path(found)
        assert (file.suffix, file.read_bytes()) == (".keras", b"keras")


def test_a_version_that_driftwatch_shows_there_can_be_taken_from_there(shown):
    shown.register(b"one")
    show_versions(shown.store)
    with model_at(shown.store, address(shown, "1")) as file:
        assert Path(file).read_bytes() == b"one"


def test_a_file_of_this_machine_is_taken_as_it_is(shown, tmp_path):
    with model_at(shown.store, str(tmp_path / "model.onnx")) as file:
        assert file == str(tmp_path / "model.onnx")
    assert shown.door.asked == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"MLmodel": MLMODEL, "model.pkl": b"\x80\x04"}, r"flavours are python_function, sklearn\..*mlflow\.onnx\.log_model"),
        ({"MLmodel": b"[", "model.pkl": b""}, "its MLmodel cannot be read"),
        ({"a.onnx": b"a", "b.keras": b"b"}, "more than one model: a.onnx, b.keras.*mlflow artifacts download"),
        ({"data/model/saved_model.pb": b"a"}, "is a SavedModel, a folder"),
        ({"model.onnx": b"\xff\xffno model"}, "no whole ONNX model"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused_with_what_to_do(shown, files, said):
    number = shown.log_files(files)
    with pytest.raises(NeedsAttention, match=said), model_at(shown.store, address(shown, number)):
        pass
    assert not [asked for asked in shown.door.asked if asked.startswith("GET") and asked.endswith(".pkl")]


def test_weights_outside_of_the_models_folder_are_not_read(shown, tmp_path):
    onnx.save_model(onnx_model(), str(tmp_path / "m.onnx"), save_as_external_data=True, location="w", size_threshold=0)
    model = onnx.load(str(tmp_path / "m.onnx"), load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../../../../../../etc/passwd"
    number = shown.log_files({"model.onnx": model.SerializeToString()})
    with pytest.raises(NeedsAttention, match="no whole ONNX model"), model_at(shown.store, address(shown, number)):
        pass


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("models:/{model}", "write models:/name/version or models:/name@alias"),
        ("models:/{model}/latest", "write models:/name/version"),
        ("models:/none/1", "no registered model 'none' at the address in the Airflow connection mlflow_default"),
        ("models:/{model}/99", "has no version 99"),
        ("models:/{model}@prod", "no alias 'prod' in MLflow; there are: none"),
    ],
)
def test_an_address_of_nothing_says_what_there_is(shown, place, said):
    shown.log_files({"model.keras": b"one"})
    with pytest.raises(NeedsAttention, match=said), model_at(shown.store, place.format(model=shown.model)):
        pass


def test_files_that_the_server_does_not_pass_on_are_told(shown):
    shown.post("registered-models/create", name=shown.model)
    made = shown.post("model-versions/create", name=shown.model, source="s3://bucket/model")
    number = str(made["model_version"]["version"])
    with (
        pytest.raises(NeedsAttention, match="s3://bucket/model, which its server does not pass on"),
        model_at(shown.store, address(shown, number)),
    ):
        pass
