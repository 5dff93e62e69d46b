"""docs/models.md: its lines of the monitor file are allowed, and its code runs where its packages are installed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from tests.driftwatch.models.onnx_models import IR, OPSET, Net, model

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.model import ModelConfig
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.onnx import opened

from .commands import commands
from .pages import ROOT

FILE = ROOT / "docs/models.md"
PAGE = FILE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.S | re.M)
YAML = [text for kind, text in BLOCKS if kind == "yaml"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
COMMANDS = commands(FILE)


@pytest.mark.parametrize("text", YAML)
def test_each_section_model_is_allowed(text: str) -> None:
    found = ModelConfig.model_validate(yaml.safe_load(text)["model"])
    assert ModelInput.of(found.input)


@pytest.mark.parametrize("code", PYTHON)
def test_all_code_is_sound_python(code: str) -> None:
    compile(code, "docs/models.md", "exec")


def test_the_page_has_a_part_for_each_kind_and_all_of_it_is_looked_at() -> None:
    parts = re.findall(r"^## (.*)$", PAGE, flags=re.M)
    assert parts[1:] == [
        "Keras", "PyTorch", "ONNX", "scikit-learn or XGBoost on embeddings", "TensorFlow Serving", "KServe, Triton, MLServer", "SageMaker",
    ]  # fmt: skip
    assert (len(YAML), len(PYTHON), len(COMMANDS)) == (7, 5, 8)


def test_a_network_and_a_classifier_on_its_embeddings_are_joined_to_one_model_that_takes_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(model(Net(columns=5)), "network.onnx")
    onnx.save(_classifier(width=5), "classifier.onnx")
    (code,) = [code for code in PYTHON if "merge_models" in code]
    exec(compile(code, "docs/models.md", "exec"), {})
    about = ModelInput(height=16, width=16, layout="nchw")
    facts = ModelFacts("joined", ("cat", "dog"), about, Head("probabilities"))
    found = opened(Path("model.onnx").read_bytes(), facts, "model.onnx")
    raw, embeddings = found.raw([np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)], 3)
    assert raw.shape == (3, 2)
    assert np.allclose(raw.sum(axis=1), 1, atol=1e-5)
    assert embeddings is not None


def _classifier(width: int) -> onnx.ModelProto:
    """As skl2onnx writes a logistic regression: a label and probabilities."""
    weights = np.random.default_rng(1).normal(0, 0.01, (2, width)).astype(np.float32)
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["embedding"],
            ["label", "raw"],
            domain="ai.onnx.ml",
            coefficients=weights.ravel().tolist(),
            intercepts=[0.0, 0.1],
            classlabels_ints=[0, 1],
            multi_class=1,
            post_transform="NONE",
        ),
        helper.make_node("Softmax", ["raw"], ["probabilities"], axis=1),
    ]
    given = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", width])
    label = helper.make_tensor_value_info("label", TensorProto.INT64, ["n"])
    chances = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])
    graph = helper.make_graph(
        nodes, "classifier", [given], [label, chances], [numpy_helper.from_array(weights, "unused")]
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR + 1)
