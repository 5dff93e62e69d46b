"""Tiny ONNX models, built by hand: a convolution, a mean over space, and one layer of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 17, 9
HIDDEN = 6


@dataclass(frozen=True)
class Net:
    """What the model is like. `size`: None for any. `batch`: None for any. `end`: the operators behind the last layer, such as Softmax.
    `dtype`: of the numbers inside; `image`: of the input, if another."""

    columns: int = 2
    end: tuple[str, ...] = ()
    layout: str = "nchw"
    channels: int = 3
    size: tuple[int, int] | None = (16, 16)
    batch: int | None = None
    dtype: int = TensorProto.FLOAT
    image: int | None = None
    seed: int = 0
    spread: float = 1.0


def model(net: Net = Net()) -> onnx.ModelProto:
    """Outputs: `answer`. The hidden layer of HIDDEN numbers is `pooled`."""
    numpy_type = helper.tensor_dtype_to_np_dtype(net.dtype)
    rng = np.random.default_rng(net.seed)
    weights = {
        "kernel": rng.normal(0, 0.3, (HIDDEN, net.channels, 3, 3)),
        "dense": rng.normal(0, net.spread, (HIDDEN, net.columns)),
        "bias": rng.normal(0, 0.1, (net.columns,)),
    }
    nodes, last = [], "image"

    def add(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        nonlocal last
        nodes.append(helper.make_node(kind, [*inputs], [output], **attributes))
        last = output

    if net.image not in (None, net.dtype):
        add("Cast", [last], "cast", to=net.dtype)
    if net.layout == "nhwc":
        add("Transpose", [last], "moved", perm=[0, 3, 1, 2])
    add("Conv", [last, "kernel"], "map", strides=[2, 2])
    add("Relu", [last], "positive")
    add("GlobalAveragePool", [last], "mean")
    add("Flatten", [last], "pooled")
    add("Gemm", [last, "dense", "bias"], "raw" if net.end else "answer")
    for number, kind in enumerate(net.end):
        add(
            kind,
            [last],
            "answer" if number == len(net.end) - 1 else f"end{number}",
            **({"axis": 1} if kind == "Softmax" else {}),
        )
    height, width = net.size or ("h", "w")
    sides = (net.channels, height, width) if net.layout == "nchw" else (height, width, net.channels)
    image = helper.make_tensor_value_info("image", net.image or net.dtype, [net.batch or "n", *sides])
    answer = helper.make_tensor_value_info("answer", net.dtype, [net.batch or "n", net.columns])
    kept = [numpy_helper.from_array(value.astype(numpy_type), name) for name, value in weights.items()]
    return of_graph(helper.make_graph(nodes, "net", [image], [answer], kept))


def of_graph(graph: onnx.GraphProto, **more: Any) -> onnx.ModelProto:
    domains = more.pop("domains", ())
    imports = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR, **more)


def data(net: Net = Net()) -> bytes:
    whole: bytes = model(net).SerializeToString()
    return whole
