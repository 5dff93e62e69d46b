"""TensorFlow Serving's REST: the versions of a model, its signature, and predictions in rows or columns."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from driftwatch_sandbox.model_server.model import KINDS, ServedModel

_KINDS = {"FP32": "DT_FLOAT", "FP16": "DT_HALF", "FP64": "DT_DOUBLE", "UINT8": "DT_UINT8", "INT64": "DT_INT64", "BYTES": "DT_STRING"}  # fmt: skip
SIGNATURE, LABEL = "serving_default", "stable"  # the label is on the newest version


def router_of(model: ServedModel) -> APIRouter:
    router = APIRouter(prefix="/v1/models")

    def found(name: str, version: str | None) -> str:
        loaded = model.version(version)
        if name != model.name or loaded is None:
            raise HTTPException(404, f"Servable not found for request: Specific({name}, {version})")
        return loaded

    @router.get("/{name}")
    @router.get("/{name}/versions/{version}")
    @router.get("/{name}/labels/{label}")
    def status(name: str, version: str | None = None, label: str | None = None) -> Any:
        asked = model.versions[-1:] if label == LABEL else [] if label else model.versions
        states = ["LOADING" if model.loading else "AVAILABLE"] * len(asked)
        known = [
            {"version": one, "state": state, "status": {"error_code": "OK", "error_message": ""}}
            for one, state in zip(asked, states, strict=True)
            if version in (None, one)
        ]
        if name != model.name or not known:
            raise HTTPException(404, f"Could not find any versions of model {name}")
        return {"model_version_status": known}

    @router.get("/{name}/versions/{version}/metadata")
    def metadata(name: str, version: str) -> Any:
        version = found(name, version)
        signature = {
            "inputs": {"image": _tensor(model.datatype, model.shape)},
            "outputs": {one: _tensor(kind, (-1, -1)) for one, kind in model.outputs.items()},
            "method_name": "tensorflow/serving/predict",
        }
        return {
            "model_spec": {"name": name, "signature_name": "", "version": version},
            "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
        }

    @router.post("/{name}/versions/{version}:predict")
    async def predict(name: str, version: str, request: Request) -> Response:
        version = found(name, version)
        asked = json.loads(await request.body())
        if asked.get("signature_name", SIGNATURE) != SIGNATURE:
            raise HTTPException(400, f'Serving signature name: "{asked["signature_name"]}" not found in signature def')
        return await run_in_threadpool(_predict, model, version, asked)

    return router


def _tensor(datatype: str, shape: tuple[int, ...]) -> Any:
    axes = [{"size": str(size), "name": ""} for size in shape]
    return {"dtype": _KINDS[datatype], "tensor_shape": {"dim": axes, "unknown_rank": False}, "name": "image:0"}


def _predict(model: ServedModel, version: str, asked: Any) -> Response:
    in_rows = "instances" in asked
    data = asked["instances"] if in_rows else asked["inputs"]
    if isinstance(data, dict):
        data = data["image"]
    outputs = model.answered(np.array(data, KINDS[model.datatype]), version)
    lists = {name: found.tolist() for name, found in outputs.items()}
    if len(lists) == 1:
        (only,) = lists.values()
        body = {"predictions" if in_rows else "outputs": only}
    elif in_rows:
        body = {"predictions": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]}
    else:
        body = {"outputs": lists}
    return Response(json.dumps(body), media_type="application/json")  # NaN is written as it is, as the real server does
