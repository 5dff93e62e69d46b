"""What runs in the process that converts (see `conversion`). It gives the converted file on its standard output, and writes none."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorflow.core.protobuf import saved_model_pb2

MEMORY, CPU_SECONDS = 12 * 2**30, 600
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
# What a SavedModel may do beside computing: keep variables, restore them, call its own functions, draw random numbers. Nothing is saved
# while a model is converted, but every SavedModel has the operators for it.
_ALLOWED = frozenset(
    {
        "Assert", "AssignVariableOp", "DisableCopyOnRead", "If", "MergeV2Checkpoints", "PartitionedCall", "RandomStandardNormal",
        "RandomUniform", "RandomUniformInt", "ReadVariableOp", "RestoreV2", "RngReadAndSkip", "RngSkip", "SaveV2", "StatefulPartitionedCall",
        "StatefulUniform", "StatefulUniformInt", "TruncatedNormal", "VarHandleOp", "VarIsInitializedOp", "VariableV2", "While",
    }
)  # fmt: skip
# These keep nothing, and yet look at other files, or call Python.
_REFUSED = frozenset({"EagerPyFunc", "ImmutableConst", "MatchingFiles", "PyFunc", "PyFuncStateless", "ReadFile"})
_FORBIDDEN_EVENTS = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")


def main() -> None:
    """`jail FORMAT PATH`: the converted model on standard output, or one line on standard error that says why not."""
    what, path = sys.argv[1], Path(sys.argv[2])
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no part of the answer
    without_network()
    convert = {"h5": _keras_of_h5, "saved_model": _onnx_of_saved_model}[what]
    try:
        found = convert(path)
    except Exception as error:  # whatever a library raises becomes the one line that is told
        print(f"{type(error).__name__}: {' '.join(str(error).split())}"[:2000], file=sys.stderr)
        sys.exit(1)
    with answer:
        answer.write(found)


def without_network() -> None:
    """Where the system allows it, the process gets a network of its own, which has no way out. In any case Python refuses sockets and
    other programs from here on."""
    if hasattr(ctypes.CDLL(None), "unshare"):
        ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK)
    sys.addaudithook(_refuse)


def limit(most_written: int) -> None:
    """No more memory and time than a conversion needs, and no file of more than that many bytes."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_written, most_written))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN_EVENTS):
        raise PermissionError(f"a model may not do {event}")


def _keras_of_h5(path: Path) -> bytes:
    import keras

    from driftwatch.models.archive import MOST_BYTES, check_weights
    from driftwatch.models.keras_file import to_bytes

    limit(MOST_BYTES)  # Keras makes a .keras file by way of the temporary folder; it runs no code from the model
    check_weights(path.read_bytes(), path.name)
    return to_bytes(keras.models.load_model(path, compile=False, safe_mode=True))


def _onnx_of_saved_model(path: Path) -> bytes:
    import tensorflow as tf
    import tf2onnx
    from tensorflow.core.protobuf import saved_model_pb2

    limit(0)
    found = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    refuse_effects(found)
    loaded = tf.saved_model.load(str(path))
    names = list(loaded.signatures)
    if not names:
        raise ValueError("it has no signature: save it by model.export(), or tf.saved_model.save with signatures")
    serve = loaded.signatures["serving_default" if "serving_default" in names else names[0]]
    _, named = serve.structured_input_signature
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in named.items()]
    function = tf.function(lambda *given: serve(**dict(zip(named, given, strict=True))), input_signature=specs)
    model, _ = tf2onnx.convert.from_function(function, input_signature=specs, opset=17)
    whole: bytes = model.SerializeToString()
    return whole


def refuse_effects(found: saved_model_pb2.SavedModel) -> None:
    """Raises ValueError for a SavedModel that can do more than compute: write or read files, call Python, ask other machines."""
    from tensorflow.python.framework import op_def_registry

    used: set[str] = set()
    for graph in found.meta_graphs:
        functions = graph.graph_def.library.function
        nodes = [*graph.graph_def.node, *(node for part in functions for node in part.node_def)]
        used.update({node.op for node in nodes} - {part.signature.name for part in functions})
    known = {name: op_def_registry.get(name) for name in used - _ALLOWED}
    more = sorted(name for name, op in known.items() if op is None or op.is_stateful or name in _REFUSED)
    if more:
        raise ValueError(
            f"it has operators that do more than compute, and a classifier needs none such: {', '.join(more)}"
        )
