"""KServe's Open Inference Protocol v2 over REST, which Triton, MLServer and KServe speak.

Tensors go as bytes behind a JSON header where the server has the binary tensor data extension, else as JSON. Each answer names the version
that gave it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import orjson

from driftwatch.http import ServiceError, ServiceRefusedRequest
from driftwatch.models.predictors.endpoint.link import Reply
from driftwatch.models.predictors.endpoint.plan import NUMBERS, SCORES, DoesNotFit, Told
from driftwatch.models.predictors.endpoint.served import Answer, Served, picked, rows

EXTENSION = "binary_tensor_data"
HEADER = "Inference-Header-Content-Length"


class _Server(Reply):
    extensions: tuple[str, ...] = ()


class _Model(Reply):
    inputs: tuple[Told, ...] = ()
    outputs: tuple[Told, ...] = ()
    versions: tuple[str, ...] = ()


class _Parameters(Reply):
    binary_data_size: int = 0


class _Output(Reply):
    name: str = ""
    datatype: str = ""
    shape: tuple[int, ...] = ()
    data: Any = None
    parameters: _Parameters = _Parameters()

    @property
    def size(self) -> int:
        """Of its bytes, which stand behind the JSON; 0 where its data stand in it."""
        return self.parameters.binary_data_size if self.data is None else 0


class _Answers(Reply):
    model_version: str | None = None
    outputs: tuple[_Output, ...]


class V2(Served):
    """See `Served`. `open` asks the server for the model's metadata, whether it is ready, and for its extensions."""

    binary: bool = False
    only_version: str | None = None

    @property
    def path(self) -> str:
        version = f"/versions/{quote(self.config.version, safe='')}" if self.config.version else ""
        return f"v2/models/{quote(self.config.model, safe='')}{version}"

    def open(self) -> None:
        about = self.link.read(self.link.get(self.path), _Model)
        self._refuse_unready()
        self.plan = self.planner.plan(about.inputs, about.outputs)
        self.only_version = self.config.version or (about.versions[0] if len(about.versions) == 1 else None)
        self.binary = self._lists_binary() if self.config.binary is None else self.config.binary
        if self.plan.datatype == "FP16" and not self.binary:
            raise DoesNotFit(
                f"{self.planner.who}: its input {self.plan.input!r} takes FP16, which has no JSON form: set model.endpoint.binary to true if "
                "the server takes tensors as bytes, or serve the model with an input of FP32"
            )

    def ask(self, tensor: np.ndarray) -> Answer:
        content, headers = self._request(self.plan.sent(tensor))
        response = self.link.post(f"{self.path}/infer", content, headers)
        length = response.headers.get(HEADER, "")
        end = int(length) if length.isdecimal() else len(response.content)
        about = self.link.read(response, _Answers, response.content[:end])
        output = picked({one.name: one for one in about.outputs}, self.plan.output, self.planner.who)
        raw = response.content[end + sum(one.size for one in about.outputs[: about.outputs.index(output)]) :]
        return Answer(self._scores(output, raw[: output.size], len(tensor)), about.model_version or self.only_version)

    def _refuse_unready(self) -> None:
        try:
            self.link.get(f"{self.path}/ready")
        except ServiceRefusedRequest as error:  # some servers answer 400 until it is loaded
            raise ServiceError(
                f"{self.planner.who} is not ready: look at the server, and run the task again later ({error})",
                error.status,
            ) from error

    def _lists_binary(self) -> bool:
        try:
            found: httpx.Response = self.link.get("v2")
        except ServiceRefusedRequest:  # a gateway that lets the model's own paths through alone
            return False
        return EXTENSION in (self.link.read(found, _Server).extensions)

    def _request(self, tensor: np.ndarray) -> tuple[bytes, dict[str, str]]:
        about = {"name": self.plan.input, "shape": list(tensor.shape), "datatype": self.plan.datatype}
        outputs: dict[str, Any] = {"outputs": [{"name": self.plan.output}]} if self.plan.output else {}
        if not self.binary:
            whole = {"inputs": [{**about, "data": tensor.reshape(-1)}], **outputs}
            return orjson.dumps(whole, option=orjson.OPT_SERIALIZE_NUMPY), {"Content-Type": "application/json"}
        raw = tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes()
        sent = {**about, "parameters": {"binary_data_size": len(raw)}}
        head = orjson.dumps({"inputs": [sent], **outputs, "parameters": {"binary_data_output": True}})
        return head + raw, {"Content-Type": "application/octet-stream", HEADER: str(len(head))}

    def _scores(self, output: _Output, raw: bytes, images: int) -> np.ndarray:
        who = self.planner.who
        if output.datatype not in SCORES:
            raise DoesNotFit(
                f"{who}: its output {output.name!r} is {output.datatype or 'of no datatype'}, and scores are {', '.join(SCORES)}: set "
                "model.output_name to the one that has them"
            )
        if not output.size:
            return rows(output.data, images, who, output.shape)
        kind = np.dtype(NUMBERS[output.datatype]).newbyteorder("<")
        return rows(np.frombuffer(raw[: len(raw) // kind.itemsize * kind.itemsize], kind), images, who, output.shape)
