"""An ONNX file that brings code, leans on other files, or promises too much is refused before anything of it runs."""

from __future__ import annotations

import resource
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from driftwatch.models.archive import DamagedModel
from driftwatch.models.onnx_file import checked

from .onnx_models import Net, data, model, of_graph


def changed(change: Callable[[onnx.ModelProto], object]) -> bytes:
    found = model(Net())
    change(found)
    return found.SerializeToString()


def custom(net: onnx.ModelProto) -> None:
    net.graph.node.append(helper.make_node("PyOp", ["answer"], ["more"], domain="ai.onnx.contrib"))
    net.opset_import.append(helper.make_opsetid("ai.onnx.contrib", 1))


def hidden_custom(net: onnx.ModelProto) -> None:
    """Inside a branch."""
    inner = helper.make_graph(
        [helper.make_node("PyOp", [], ["x"], domain="evil")], "g", [], [helper.make_tensor_value_info("x", 1, [1])]
    )
    net.graph.node.append(helper.make_node("If", ["answer"], ["more"], then_branch=inner, else_branch=inner))


def elsewhere(tensor: onnx.TensorProto) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def huge(net: onnx.ModelProto) -> None:
    """A few bytes that ask for forty gigabytes."""
    net.graph.initializer.append(numpy_helper.from_array(np.array([100_000, 100_000], np.int64), "shape"))
    net.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["zeros"]))
    net.graph.node.append(helper.make_node("ReduceSum", ["zeros"], ["none"], keepdims=0))


def hidden_huge(net: onnx.ModelProto) -> None:
    """Inside a branch, which has the shape itself."""
    shape = numpy_helper.from_array(np.array([100_000, 100_000], np.int64), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["x"], keepdims=0),
    ]
    inner = helper.make_graph(nodes, "g", [], [helper.make_tensor_value_info("x", 1, [])], [shape])
    net.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    net.graph.node.append(helper.make_node("If", ["yes"], ["more"], then_branch=inner, else_branch=inner))


BROKEN = {
    "no protobuf": (lambda: b"\x08\x07" + bytes(50), "is no whole ONNX file"),
    "empty": (lambda: b"\x08\x09", "its graph has no node"),
    "cut short": (lambda: data()[: len(data()) // 2], "is no (whole ONNX file|valid ONNX model)"),
    "operators of a library": (lambda: changed(custom), r"ai\.onnx\.contrib\.PyOp.*native code, which is never loaded"),
    "the same in a branch": (lambda: changed(hidden_custom), r"evil\.PyOp"),
    "weights in another file": (
        lambda: changed(lambda net: elsewhere(net.graph.initializer[0])), r"keeps the weights 'kernel' in another file.*onnx\.save",
    ),
    "a constant in another file": (
        lambda: changed(lambda net: net.graph.node.append(_constant_elsewhere())), "in another file",
    ),
    "forty gigabytes": (lambda: changed(huge), r"'zeros' of \[100000, 100000\], 10,000,000,000 numbers; at most 250,000,000"),
    "the same forty in a branch": (lambda: changed(hidden_huge), r"'zeros' of \[100000, 100000\]"),
    "a node without its input": (lambda: changed(lambda net: net.graph.node.pop(0)), "is no valid ONNX model"),
    "weights shorter than they say": (
        lambda: changed(lambda net: net.graph.initializer[0].dims.__setitem__(0, 10**9)), "is no valid ONNX model",
    ),
}  # fmt: skip


def _constant_elsewhere() -> onnx.NodeProto:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "value")
    elsewhere(tensor)
    return helper.make_node("Constant", [], ["c"], value=tensor)


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused_by_name_and_costs_nothing(name: str) -> None:
    make, said = BROKEN[name]
    found = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedModel, match=rf"(?s)^s3://models/m\.onnx .*{said}"):
        checked(found, "s3://models/m.onnx")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_a_models_own_functions_are_put_in_place_and_operators_of_onnx_runtime_pass() -> None:
    function = helper.make_function(
        "mine", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])], [helper.make_opsetid("", 17)]
    )
    nodes = [
        helper.make_node("Twice", ["image"], ["two"], domain="mine"),
        helper.make_node("Gelu", ["two"], ["answer"], domain="com.microsoft"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [value("image", 1, ["n", 3, 4, 4])], [value("answer", 1, ["n", 3, 4, 4])])
    found = checked(of_graph(graph, functions=[function], domains=("mine", "com.microsoft")).SerializeToString(), "m")
    assert [node.op_type for node in found.graph.node] == ["Add", "Gelu"]
