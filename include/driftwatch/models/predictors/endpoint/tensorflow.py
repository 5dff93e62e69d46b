"""TensorFlow Serving over REST.

An answer does not name the version that gave it. So before each request the server is asked which version it serves, and that one is asked
by its number: what stands beside the answers is what gave them. Where that version was taken away in between, the new one is asked.

https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import orjson
from pydantic import Field

from driftwatch.http import ServiceError, ServiceRefusedRequest
from driftwatch.models.predictors.endpoint.link import Reply
from driftwatch.models.predictors.endpoint.plan import DoesNotFit, Told
from driftwatch.models.predictors.endpoint.served import Answer, Served, picked, rows

_KINDS = {
    "DT_FLOAT": "FP32", "DT_HALF": "FP16", "DT_DOUBLE": "FP64", "DT_UINT8": "UINT8", "DT_INT32": "INT32", "DT_INT64": "INT64",
}  # fmt: skip


class _Axis(Reply):
    size: int = -1


class _Shape(Reply):
    dim: tuple[_Axis, ...] = ()
    unknown_rank: bool = False


class _Tensor(Reply):
    dtype: str = ""
    tensor_shape: _Shape = _Shape()

    def told(self, name: str) -> Told:
        shape = tuple(axis.size for axis in self.tensor_shape.dim)
        return Told(name, _KINDS.get(self.dtype, self.dtype), None if self.tensor_shape.unknown_rank else shape or None)


class _Signature(Reply):
    inputs: dict[str, _Tensor] = Field(default_factory=dict)
    outputs: dict[str, _Tensor] = Field(default_factory=dict)


class _Signatures(Reply):
    signature_def: dict[str, _Signature]


class _Metadata(Reply):
    signature_def: _Signatures


class _Model(Reply):
    metadata: _Metadata


class _Version(Reply):
    version: str
    state: str


class _Versions(Reply):
    model_version_status: tuple[_Version, ...]


class _Answers(Reply):
    predictions: Any = None
    outputs: Any = None


class TensorFlow(Served):
    """See `Served`. `open` asks for the version that is served and for the signature."""

    @property
    def path(self) -> str:
        return f"v1/models/{quote(self.config.model, safe='')}"

    @property
    def asked_for(self) -> str:
        """The path of the version, or label, that the monitor file names."""
        version = self.config.version
        if version is None:
            return self.path
        return f"{self.path}/{'versions' if version.isdecimal() else 'labels'}/{quote(version, safe='')}"

    def open(self) -> None:
        response = self.link.get(f"{self.path}/versions/{self._served()}/metadata")
        signatures = self.link.read(response, _Model).metadata.signature_def.signature_def
        signature = signatures.get(self.config.signature)
        if signature is None:
            raise DoesNotFit(
                f"{self.planner.who} has the signatures {', '.join(sorted(signatures)) or 'none'}, and model.endpoint.signature is "
                f"{self.config.signature!r}: name one of them"
            )
        inputs, outputs = (
            [about.told(name) for name, about in sorted(found.items())]
            for found in (signature.inputs, signature.outputs)
        )
        self.plan = self.planner.plan(inputs, outputs)

    def ask(self, tensor: np.ndarray) -> Answer:
        content, version = self._request(self.plan.sent(tensor)), self._served()
        try:
            response = self._predict(version, content)
        except ServiceRefusedRequest as error:
            gone, version = version, self._served()
            if error.status != 404 or version == gone:
                raise
            response = self._predict(version, content)
        return Answer(self._scores(self.link.read(response, _Answers), len(tensor)), version)

    def _predict(self, version: str, content: bytes) -> httpx.Response:
        return self.link.post(f"{self.path}/versions/{version}:predict", content, {"Content-Type": "application/json"})

    def _served(self) -> str:
        """The number of the newest version that can be asked now."""
        states = self.link.read(self.link.get(self.asked_for), _Versions).model_version_status
        ready = [int(one.version) for one in states if one.state == "AVAILABLE" and one.version.isdecimal()]
        if not ready:
            said = ", ".join(f"{one.version} is {one.state}" for one in states) or "none is told"
            raise ServiceError(
                f"{self.planner.who} has no version that is AVAILABLE ({said}): look at the server, and run the task again later"
            )
        return str(max(ready))

    def _request(self, tensor: np.ndarray) -> bytes:
        if tensor.dtype == np.float16:  # in JSON a number is a number
            tensor = tensor.astype(np.float32)
        # Row by row, an input without its name is the only one.
        data = tensor if self.config.body == "instances" else {self.plan.input: tensor}
        whole = {"signature_name": self.config.signature, self.config.body: data}
        return orjson.dumps(whole, option=orjson.OPT_SERIALIZE_NUMPY)

    def _scores(self, found: _Answers, images: int) -> np.ndarray:
        who, output, data = self.planner.who, self.plan.output, found.outputs
        if self.config.body == "instances":
            data = found.predictions
            if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
                data = [picked(row, output, who) for row in data]
        elif isinstance(data, dict):
            data = picked(data, output, who)
        return rows(data, images, who)
