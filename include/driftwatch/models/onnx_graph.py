"""What an ONNX model's graph says of itself: its image input, its outputs, and where its last hidden layer is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    import onnx

_WEIGHTED = ("Gemm", "MatMul", "Conv", "FusedMatMul", "FusedConv", "FusedGemm")
_INPUT_TYPES = {"FLOAT": np.float32, "FLOAT16": np.float16, "DOUBLE": np.float64, "UINT8": np.uint8}
_ANSWER_TYPES = ("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16")


@dataclass(frozen=True)
class Value:
    """An input or an output. `dims`: None where any number goes. `type`: as ONNX names it, such as FLOAT; empty for what is no tensor."""

    name: str
    dims: tuple[int | None, ...]
    type: str

    def __str__(self) -> str:
        return f"{self.name} {self.type.lower() or 'no tensor'} {['?' if dim is None else dim for dim in self.dims]}"

    def answers(self, columns: Sequence[int]) -> bool:
        """Whether it may be [n, columns], for one of these numbers of columns."""
        known = [dim for dim in self.dims[1:] if dim is not None]
        whole = len(known) == len(self.dims[1:])
        return self.type in _ANSWER_TYPES and (math.prod(known) in columns if whole else len(self.dims) <= 4)


@dataclass(frozen=True)
class Hidden:
    """The value that the last layer with weights is given. `spatial`: the axes that are averaged to make an embedding of it."""

    name: str
    channels_first: bool


def image_input(model: onnx.ModelProto, name: str) -> Value:
    """The one input, which takes images. Raises NeedsAttention."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [_value(value) for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1 or len(inputs[0].dims) != 4 or inputs[0].type not in _INPUT_TYPES:
        listed = "; ".join(map(str, inputs)) or "none"
        raise NeedsAttention(
            f"{name} has the inputs {listed}; needed is one, a batch of images with four axes, of float, float16 or uint8: export the "
            "model with the others made constants"
        )
    return inputs[0]


def input_type(value: Value) -> np.dtype:
    return np.dtype(_INPUT_TYPES[value.type])


def outputs(model: onnx.ModelProto) -> list[Value]:
    return [_value(value) for value in model.graph.output]


def parameters(model: onnx.ModelProto) -> int:
    return sum(math.prod(tensor.dims) for tensor in model.graph.initializer)


def hidden_of(model: onnx.ModelProto, answer: str) -> Hidden | None:
    """Where the last hidden layer is that leads to the output `answer`. None if no layer with weights does, or it is given the image
    itself."""
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    seen = {value.name for value in graph.input if value.name not in weights}  # what depends on the image
    image = set(seen)
    for node in graph.node:
        if seen.intersection(node.input):
            seen.update(node.output)
    needed = {answer}
    for node in reversed(graph.node):
        if not needed.intersection(node.output):
            continue
        needed.update(node.input)
        given = [name for name in node.input if name in seen]
        if node.op_type in _WEIGHTED and len(given) == 1:  # of two values of the image it is attention, not a layer
            return None if given[0] in image else Hidden(given[0], node.op_type.endswith("Conv"))
    return None


def with_output(model: onnx.ModelProto, name: str) -> bytes:
    """The model's bytes with one more output."""
    import onnx

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    if name not in {value.name for value in changed.graph.output}:
        changed.graph.output.append(onnx.ValueInfoProto(name=name))
    whole: bytes = changed.SerializeToString()
    return whole


def _value(value: onnx.ValueInfoProto) -> Value:
    """An output whose shape is not told may be the answers."""
    import onnx

    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type"):
        return Value(value.name, (), "")
    if not tensor.HasField("shape"):
        return Value(value.name, (None, None), onnx.TensorProto.DataType.Name(tensor.elem_type))
    dims = tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in tensor.shape.dim)
    return Value(value.name, dims, onnx.TensorProto.DataType.Name(tensor.elem_type))
