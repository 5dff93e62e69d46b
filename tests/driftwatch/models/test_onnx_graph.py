"""What a graph says of its input, its outputs and its last hidden layer."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from driftwatch.errors import NeedsAttention
from driftwatch.models.onnx_graph import Hidden, hidden_of, image_input, outputs, parameters, with_output

from .onnx_models import HIDDEN, Net, model


def test_the_input_has_its_axes_and_its_type() -> None:
    assert str(image_input(model(Net()), "m")) == "image float ['?', 3, 16, 16]"
    assert image_input(model(Net(size=None, batch=4)), "m").dims == (4, 3, None, None)
    assert image_input(model(Net(image=TensorProto.UINT8)), "m").type == "UINT8"


def test_a_second_input_or_one_of_other_axes_is_refused() -> None:
    two = model(Net())
    two.graph.input.append(helper.make_tensor_value_info("length", TensorProto.INT64, ["n"]))
    with pytest.raises(NeedsAttention, match=r"m has the inputs image .*; length int64 \['\?'\]; needed is one"):
        image_input(two, "m")
    flat = model(Net())
    flat.graph.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 768]))
    with pytest.raises(NeedsAttention, match=r"image float \['\?', 768\]"):
        image_input(flat, "m")


def test_weights_that_are_listed_as_inputs_are_none() -> None:
    old = model(Net())
    old.graph.input.append(helper.make_tensor_value_info("bias", TensorProto.FLOAT, [2]))
    assert image_input(old, "m").name == "image"


@pytest.mark.parametrize(
    ("dims", "kind", "fits"),
    [
        (["n", 2], TensorProto.FLOAT, True), (["n", 1], TensorProto.FLOAT, True), (["n"], TensorProto.FLOAT, True),
        (["n", 2, 1, 1], TensorProto.FLOAT16, True), (["n", "c"], TensorProto.FLOAT, True), (["n", 6], TensorProto.FLOAT, False),
        (["n", 2], TensorProto.INT64, False), (["n", 2, 7, 7], TensorProto.FLOAT, False),
    ],
)  # fmt: skip
def test_an_output_may_be_the_answers_if_it_has_their_columns(dims, kind, fits) -> None:
    net = model(Net())
    net.graph.output[0].CopyFrom(helper.make_tensor_value_info("answer", kind, dims))
    assert outputs(net)[0].answers((2, 1)) is fits


def test_the_last_hidden_layer_is_what_the_last_layer_with_weights_is_given() -> None:
    assert hidden_of(model(Net(end=("Softmax",))), "answer") == Hidden("pooled", channels_first=False)
    whole = onnx.load_model_from_string(with_output(model(Net()), "pooled"))
    assert [value.name for value in whole.graph.output] == ["answer", "pooled"]


def test_a_product_of_two_values_of_the_image_is_no_layer() -> None:
    net = model(Net())
    net.graph.node.append(helper.make_node("MatMul", ["answer", "answer"], ["square"]))
    assert hidden_of(net, "square") == Hidden("pooled", channels_first=False)


def test_a_model_of_one_layer_sees_nothing_before_it() -> None:
    net = model(Net())
    del net.graph.node[1:]
    assert hidden_of(net, "map") is None
    assert hidden_of(net, "image") is None


def test_parameters_are_counted() -> None:
    assert parameters(model(Net())) == HIDDEN * 27 + HIDDEN * 2 + 2
