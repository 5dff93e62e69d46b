"""An ONNX file is checked before it is run: that it is whole, that it holds all its weights and only operators that ONNX Runtime brings, and
that no value whose shape the file tells is larger than a worker can hold. Nothing of it is run for that, so a shape that the model reckons from
the image is not known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from driftwatch.models.archive import DamagedModel

if TYPE_CHECKING:
    import onnx

# Operators of these domains are part of ONNX Runtime. Others would need a library of native code.
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# Numbers in one value, for one image. The largest map of a usual network has some 10 million.
MOST_NUMBERS = 250_000_000


def checked(data: bytes, name: str) -> onnx.ModelProto:
    """The model in the bytes, its own functions put in place and its values' shapes told. Raises DamagedModel, which says what is wrong and what to do.

    `name` names the file in the error.
    """
    import onnx
    from onnx import checker, inliner, shape_inference

    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's DecodeError differs between its versions
        raise DamagedModel(f"{name} is no whole ONNX file: {error}. Export the model again") from error
    if not model.graph.node:
        raise DamagedModel(f"{name} is no whole ONNX file: its graph has no node. Export the model again")
    _refuse_external(model, name)
    _refuse_foreign(model, name)
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        shaped = shape_inference.infer_shapes(model, data_prop=True)
        checker.check_model(shaped)
    except Exception as error:  # the checker has errors of its own, and so has C++
        raise DamagedModel(f"{name} is no valid ONNX model: {error}. Export the model again") from error
    for graph in _graphs(shaped.graph):
        _refuse_large(graph, name)
    return shaped


def _refuse_external(model: onnx.ModelProto, name: str) -> None:
    import onnx

    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise DamagedModel(
                f"{name} keeps the weights {tensor.name!r} in another file. Save all in one file: "
                "python -c \"import onnx; onnx.save(onnx.load('model.onnx'), 'whole.onnx')\", or torch.onnx.export(..., "
                "external_data=False)"
            )


def _refuse_foreign(model: onnx.ModelProto, name: str) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise DamagedModel(
                f"{name} has the operator {node.domain}.{node.op_type}, which is none of ONNX Runtime: it would need a library of native "
                "code, which is never loaded. Export the model with standard operators alone"
            )


def _refuse_large(graph: onnx.GraphProto, name: str) -> None:
    for value in (*graph.value_info, *graph.output, *graph.input):
        dims = [dim.dim_value if dim.HasField("dim_value") else 1 for dim in value.type.tensor_type.shape.dim]
        if math.prod(dims) > MOST_NUMBERS:
            raise DamagedModel(
                f"{name} has a value {value.name!r} of {dims}, {math.prod(dims):,} numbers; at most {MOST_NUMBERS:,} are allowed"
            )


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph, and those inside its nodes."""
    yield graph
    yield from _inside(graph.node)


def _inside(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs):
                yield from _graphs(inner)


def _all_graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    yield from _graphs(model.graph)
    for function in model.functions:
        yield from _inside(function.node)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node, of inner graphs and functions too."""
    for graph in _all_graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every constant: initializers and attributes, dense and sparse."""
    for graph in _all_graphs(model):
        yield from graph.initializer
        yield from (part for sparse in graph.sparse_initializer for part in (sparse.values, sparse.indices))
    for node in _nodes(model):
        for attribute in node.attribute:
            yield from (*([attribute.t] if attribute.HasField("t") else ()), *attribute.tensors)
            sparse = (
                *([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else ()),
                *attribute.sparse_tensors,
            )
            yield from (part for found in sparse for part in (found.values, found.indices))
