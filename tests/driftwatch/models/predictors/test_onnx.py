"""An ONNX model answers as ONNX Runtime does, and says what it sees."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.errors import NeedsAttention
from driftwatch.models.archive import DamagedModel
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.onnx import OnnxPredictor, opened
from driftwatch.models.predictors.tensors import tensor_of

from ..onnx_models import HIDDEN, Net, data, model

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3)).astype(np.uint8)


def facts(**about) -> ModelFacts:
    return ModelFacts(
        "v1",
        ("a", "b"),
        ModelInput(height=16, width=16, **{"layout": "nchw", "scale": 1 / 255, **about}),
        Head("logits"),
    )


def of(net: Net, **about) -> OnnxPredictor:
    return opened(data(net), facts(**about), "m.onnx")


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_answers_and_embeddings_are_those_of_the_graph_however_many_it_takes_at_once(batch) -> None:
    found, embeddings = of(Net(batch=batch)).log_scores([IMAGES[:4], IMAGES[4:]], 5)
    whole = model(Net())
    whole.graph.output.append(onnx.ValueInfoProto(name="pooled"))
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=["CPUExecutionProvider"])
    answer, pooled = session.run(["answer", "pooled"], {"image": tensor_of(IMAGES, facts().input)})
    np.testing.assert_allclose(found, answer, atol=1e-5)
    assert embeddings is not None
    assert embeddings.shape == (7, HIDDEN)
    np.testing.assert_allclose(embeddings, pooled, atol=1e-2)


def test_the_layout_is_told_from_the_model() -> None:
    with pytest.raises(
        NeedsAttention, match=r"m\.onnx takes images of \['\?', 16, 16, 3\].*set model\.input\.layout: nhwc"
    ):
        of(Net(layout="nhwc"))


def test_a_map_before_the_answers_is_averaged_over_space() -> None:
    """The last layer is a convolution; the mean over space comes after it."""
    changed = model(Net())
    graph = changed.graph
    del graph.node[3:]
    kernel = onnx.numpy_helper.from_array(np.ones((2, HIDDEN, 1, 1), np.float32), "last")
    graph.initializer.append(kernel)
    graph.node.extend(
        [
            helper.make_node("Conv", ["positive", "last"], ["scored"]),
            helper.make_node("GlobalAveragePool", ["scored"], ["kept"]),
            helper.make_node("Flatten", ["kept"], ["answer"]),
        ]
    )
    found = opened(changed.SerializeToString(), facts(), "m")
    _, embeddings = found.log_scores([IMAGES], 4)
    _, pooled = of(Net()).log_scores([IMAGES], 4)
    np.testing.assert_allclose(embeddings, pooled, atol=1e-2)


def test_a_hidden_layer_that_has_not_one_row_for_each_image_is_no_embedding() -> None:
    """As of a model that sees two crops of each image: the first rows are those of the first images alone."""
    changed = model(Net())
    graph = changed.graph
    del graph.node[-1]
    half = {"rows": np.array([-1, HIDDEN // 2], np.int64), "both": np.array([-1, 2, 2], np.int64)}
    graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in half.items())
    graph.initializer.append(onnx.numpy_helper.from_array(np.ones((HIDDEN // 2, 2), np.float32), "last"))
    graph.node.extend(
        [
            helper.make_node("Reshape", ["pooled", "rows"], ["crops"]),
            helper.make_node("MatMul", ["crops", "last"], ["scored"]),
            helper.make_node("Reshape", ["scored", "both"], ["each"]),
            helper.make_node("ReduceMean", ["each"], ["answer"], axes=[1], keepdims=0),
        ]
    )
    found = opened(changed.SerializeToString(), facts(), "m")
    raw, embeddings = found.log_scores([IMAGES], 4)
    assert (raw.shape, embeddings) == ((7, 2), None)


def test_a_model_that_cannot_answer_a_batch_says_how_to_export_it() -> None:
    """It says that any number of images goes in, and reshapes to one."""
    changed = model(Net())
    changed.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 2], np.int64), "one"))
    changed.graph.node[-1].output[0] = "both"
    changed.graph.node.append(helper.make_node("Reshape", ["both", "one"], ["answer"]))
    with pytest.raises(DamagedModel, match=r"(?s)model v1 cannot answer 7 images at once: .*first axis"):
        opened(changed.SerializeToString(), facts(), "m").raw([IMAGES], 7)


def test_an_output_of_untold_shape_may_be_the_answers() -> None:
    changed = model(Net(end=("Softmax",)))
    changed.graph.output[0].type.tensor_type.ClearField("shape")
    found = opened(changed.SerializeToString(), facts(), "m")
    assert found.raw([IMAGES], 7)[0].shape == (7, 2)


def test_what_onnx_runtime_cannot_run_is_refused_with_its_words() -> None:
    changed = model(Net())
    changed.graph.node.append(helper.make_node("NoSuchOperator", ["positive"], ["more"], domain="com.microsoft"))
    changed.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(DamagedModel, match=r"m\.onnx cannot be run by ONNX Runtime .*NoSuchOperator"):
        opened(changed.SerializeToString(), facts(), "m.onnx")
