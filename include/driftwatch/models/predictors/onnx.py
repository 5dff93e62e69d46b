"""The registered ONNX model as a predictor: ONNX Runtime on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import onnx_graph
from driftwatch.models.archive import DamagedModel
from driftwatch.models.onnx_file import checked
from driftwatch.models.onnx_graph import Hidden, Value
from driftwatch.models.predictors.from_images import ImagePredictor, ModelFacts, Run, load_registered
from driftwatch.models.predictors.shapes import chosen_output, refuse_other_input, refuse_scaled_bytes
from driftwatch.models.runtime import threads

if TYPE_CHECKING:
    import onnx
    import onnxruntime


@dataclass(frozen=True)
class OnnxPredictor(ImagePredictor):
    """See `ImagePredictor`. `answer` is the output that is asked for, `hidden` where the embedding comes from."""

    session: onnxruntime.InferenceSession
    image: Value
    answer: str
    hidden: Hidden | None
    parameters: int

    def runner(self, batch_size: int) -> tuple[Run, int]:
        """Batches of the model's own size, if it has one."""
        wanted = [self.answer, *([self.hidden.name] if self.hidden else [])]
        dtype = onnx_graph.input_type(self.image)

        def run(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            try:
                raw, *hidden = self.session.run(wanted, {self.image.name: batch.astype(dtype, copy=False)})
            except Exception as error:  # ONNX Runtime's own errors have no common class
                raise DamagedModel(
                    f"model {self.facts.version} cannot answer {len(batch)} images at once: {error}. Export it with a free first axis, or with "
                    "a fixed one"
                ) from error
            return _flat(raw, len(batch)), self._embedding(hidden[0]) if hidden else None

        return run, self.image.dims[0] or 0

    def _embedding(self, hidden: np.ndarray) -> np.ndarray:
        """[n, width]: a map is averaged over space."""
        axes = range(2, hidden.ndim) if self.hidden and self.hidden.channels_first else range(1, hidden.ndim - 1)
        found: np.ndarray = hidden.astype(np.float32).mean(axis=tuple(axes)) if axes else hidden
        return found


def load_model(store: MonitorStore, version: str) -> OnnxPredictor:
    """The version's model, after its file's sha256 was compared. Raises UnknownVersion, DamagedArtifact, or DamagedModel."""
    return load_registered(store, version, opened)


def opened(data: bytes, facts: ModelFacts, name: str) -> OnnxPredictor:
    """The model in the bytes of its file. `name` is for the errors. Raises DamagedModel, or NeedsAttention for one that does not fit."""
    model = checked(data, name)
    image = onnx_graph.image_input(model, name)
    refuse_other_input(image.dims, facts.input, name)
    if image.type == "UINT8":
        refuse_scaled_bytes(facts.input, name)
    listed = {value.name: value.answers(facts.columns) for value in onnx_graph.outputs(model)}
    described = "; ".join(map(str, onnx_graph.outputs(model)))
    answer = chosen_output(listed, described, facts, name)
    hidden = onnx_graph.hidden_of(model, answer)
    session = _session(model, hidden, name)
    return OnnxPredictor(facts, session, image, answer, hidden, onnx_graph.parameters(model))


def _session(model: onnx.ModelProto, hidden: Hidden | None, name: str) -> onnxruntime.InferenceSession:
    """Threads are as many as TensorFlow gets, and no more with more cores: so the same machine words give the same answers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what fails is raised
    data = onnx_graph.with_output(model, hidden.name) if hidden else model.SerializeToString()
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has errors of its own for what it cannot run
        raise DamagedModel(
            f"{name} cannot be run by ONNX Runtime {onnxruntime.__version__} on the CPU: {error}. Export it with an older opset, such "
            "as 17, and with standard operators"
        ) from error


def _flat(raw: np.ndarray, images: int) -> np.ndarray:
    """[n, columns]; a model may answer [n], or with axes of length 1 behind."""
    if raw.ndim == 0 or raw.shape[0] != images:
        raise NeedsAttention(
            f"the model answers {list(raw.shape)} for {images} images: the first axis must be the image's"
        )
    return raw.reshape(images, -1)
