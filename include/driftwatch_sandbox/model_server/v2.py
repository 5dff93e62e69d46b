"""The Open Inference Protocol v2, with Triton's binary tensor data extension."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from driftwatch_sandbox.model_server.model import KINDS, ServedModel

HEADER = "Inference-Header-Content-Length"


def router_of(model: ServedModel) -> APIRouter:
    router = APIRouter(prefix="/v2")

    def found(name: str, version: str | None = None) -> str:
        version = model.version(version)
        if name != model.name or version is None:
            raise HTTPException(404, f"Request for unknown model: '{name}' is not found")
        return version

    @router.get("")
    def server() -> Any:
        return {"name": "stand-in", "version": "1", "extensions": ["binary_tensor_data"] if model.binary else []}

    @router.get("/models/{name}/ready")
    @router.get("/models/{name}/versions/{version}/ready")
    def ready(name: str, version: str | None = None) -> Response:
        found(name, version)
        return Response(status_code=400 if model.loading else 200)  # an empty body, as Triton's

    @router.get("/models/{name}")
    @router.get("/models/{name}/versions/{version}")
    def about(name: str, version: str | None = None) -> Any:
        found(name, version)
        outputs = [{"name": one, "datatype": kind, "shape": [-1, -1]} for one, kind in model.outputs.items()]
        inputs = [{"name": "image", "datatype": model.datatype, "shape": model.shape}]
        return {"name": name, "versions": model.versions, "platform": "stand-in", "inputs": inputs, "outputs": outputs}

    async def infer(name: str, request: Request, version: str | None = None) -> Response:
        version = found(name, version)
        body = await request.body()
        return await run_in_threadpool(_infer, model, version, body, request.headers.get(HEADER))

    router.post("/models/{name}/infer")(infer)
    router.post("/models/{name}/versions/{version}/infer")(infer)
    return router


def _infer(model: ServedModel, version: str, body: bytes, header: str | None) -> Response:
    end = int(header) if header else len(body)
    asked = json.loads(body[:end])
    (given,) = asked["inputs"]
    if given["name"] != "image" or given["datatype"] != model.datatype:
        raise HTTPException(400, f"unexpected input '{given['name']}' of {given['datatype']}")
    kind = KINDS[given["datatype"]]
    if "data" in given:
        tensor = np.array(given["data"], kind).reshape(given["shape"])
    else:
        size = given["parameters"]["binary_data_size"]
        tensor = np.frombuffer(body[end : end + size], kind).reshape(given["shape"])
    if model.shape[0] > 0 and len(tensor) != model.shape[0]:
        raise HTTPException(400, f"unexpected shape {list(tensor.shape)}: the batch size is {model.shape[0]}")
    wanted = [one["name"] for one in asked.get("outputs", [])] or list(model.outputs)
    outputs = {name: found for name, found in model.answered(tensor, version).items() if name in wanted}
    return _answer(model, version, outputs, binary=asked.get("parameters", {}).get("binary_data_output", False))


def _answer(model: ServedModel, version: str, outputs: dict[str, np.ndarray], binary: bool) -> Response:
    about, raw = [], b""
    for name, found in outputs.items():
        datatype = model.outputs[name]
        data = found.astype(KINDS[datatype])
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(data.shape)}
        if binary:
            output["parameters"] = {"binary_data_size": data.nbytes}
            raw += data.tobytes()
        else:
            output["data"] = data.reshape(-1).tolist()
        about.append(output)
    head = json.dumps({"model_name": model.name, "model_version": version, "outputs": about}).encode()
    if not binary:
        return Response(head, media_type="application/json")
    return Response(head + raw, media_type="application/octet-stream", headers={HEADER: str(len(head))})
