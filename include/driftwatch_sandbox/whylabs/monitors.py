"""The configuration of monitors: analyzers, monitors, the whole document, notification actions, schemas."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Body, Request

from driftwatch_sandbox.whylabs.errors import invalid, not_found
from driftwatch_sandbox.whylabs.store import Store, now_ms
from driftwatch_sandbox.whylabs.uploads import check_dataset

router = APIRouter()
_MODEL = "/v0/organizations/{org}/models/{dataset}"
_CONFIG = _MODEL + "/monitor-config"
_ACTIONS = "/v0/notification-settings/{org}/actions"
_ACTION_TYPES = ("EMAIL", "SLACK", "PAGER_DUTY", "TEAMS", "WEBHOOK")
_REQUIRED = {
    "analyzer": ("id", "config", "targetMatrix"),
    "monitor": ("id", "analyzerIds", "schedule", "mode", "actions"),
}
_ID = re.compile(r"[0-9a-zA-Z_-]{10,128}")
_ALL = ""  # actions belong to the organisation, not to a dataset


def check_config(kind: str, body: dict[str, Any]) -> None:
    """Refuses what WhyLabs' schema refuses: missing parts, short ids, trailing windows out of range."""
    missing = [name for name in _REQUIRED[kind] if name not in body]
    if missing:
        raise invalid(f"{kind} {body.get('id')}: missing {', '.join(missing)}")
    if not _ID.fullmatch(body["id"]):
        raise invalid(f"{kind} {body['id']}: an id is 10 to 128 characters of a-z, A-Z, 0-9, - and _")
    baseline = body.get("config", {}).get("baseline", {})
    if baseline.get("type") == "TrailingWindow" and not 4 <= baseline.get("size", 0) <= 90:
        raise invalid(f"{kind} {body['id']}: config.baseline.size must be 4 to 90")


def whole(store: Store, dataset: str, organisation: str) -> dict[str, Any]:
    return {
        "orgId": organisation,
        "datasetId": dataset,
        "granularity": "daily",
        "allowPartialTargetBatches": False,
        "analyzers": store.documents(dataset, "analyzer"),
        "monitors": store.documents(dataset, "monitor"),
    }


@router.get(_CONFIG + "/v3")
def get_config(request: Request, dataset: str) -> dict[str, Any]:
    check_dataset(request, dataset)
    return whole(request.app.state.store, dataset, request.app.state.settings.organisation)


@router.put(_CONFIG + "/v3/validate")
def validate_config(request: Request, dataset: str, body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
    check_dataset(request, dataset)
    for kind in _REQUIRED:
        for document in body.get(f"{kind}s", []):
            check_config(kind, document)
    return {}


@router.put(_CONFIG + "/v3")
@router.patch(_CONFIG + "/v3")
def put_config(request: Request, dataset: str, body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
    """PUT replaces the document, PATCH adds to it."""
    validate_config(request, dataset, body)
    store: Store = request.app.state.store
    with store.transaction():
        for kind in _REQUIRED:
            if request.method == "PUT":
                kept = {document["id"] for document in body.get(f"{kind}s", [])}
                for document in store.documents(dataset, kind):
                    if document["id"] not in kept:
                        store.delete_document(dataset, kind, document["id"])
            for document in body.get(f"{kind}s", []):
                _put(request, dataset, kind, document)
    return {}


@router.get(_CONFIG + "/{kind}/{document_id}")
def get_document(request: Request, dataset: str, kind: str, document_id: str) -> Any:
    return _found(request, dataset, kind, document_id)


@router.put(_CONFIG + "/{kind}/{document_id}")
def put_document(
    request: Request,
    dataset: str,
    kind: str,
    document_id: str,
    body: dict[str, Any] = Body(),  # noqa: B008
) -> dict[str, Any]:
    check_dataset(request, dataset)
    if kind not in _REQUIRED:
        raise not_found(f"monitor-config has no {kind}")
    check_config(kind, body)
    if body["id"] != document_id:
        raise invalid(f"the id in the path, {document_id}, is not the body's, {body['id']}")
    _put(request, dataset, kind, body)
    return {}


def _put(request: Request, dataset: str, kind: str, body: dict[str, Any]) -> None:
    """Keeps the document with WhyLabs' own metadata. From now on this analyzer also analyses the days that it has not analysed."""
    store: Store = request.app.state.store
    before = store.document(dataset, kind, body["id"])
    version = before["metadata"]["version"] + 1 if before else 1
    metadata = {"version": version, "schemaVersion": 1, "updatedTimestamp": now_ms(), "author": "system"}
    store.put_document(dataset, kind, body["id"], {**body, "metadata": metadata})
    if kind == "analyzer":
        store.change("DELETE FROM documents WHERE dataset = ? AND kind = 'analysed'", dataset)
        request.app.state.analyst.wake()


@router.delete(_CONFIG + "/{kind}/{document_id}")
def delete_document(request: Request, dataset: str, kind: str, document_id: str) -> dict[str, Any]:
    _found(request, dataset, kind, document_id)
    request.app.state.store.delete_document(dataset, kind, document_id)
    return {}


@router.get(_ACTIONS)
def list_actions(request: Request) -> list[Any]:
    return request.app.state.store.documents(_ALL, "action")


@router.get(_ACTIONS + "/{action_id}")
def get_action(request: Request, action_id: str) -> Any:
    found = request.app.state.store.document(_ALL, "action", action_id)
    if found is None:
        raise not_found(f"action {action_id} not found")
    return found


@router.put(_ACTIONS + "/{kind}/{action_id}")
@router.post(_ACTIONS + "/{kind}/{action_id}")
def put_action(request: Request, kind: str, action_id: str, body: dict[str, Any] = Body()) -> None:  # noqa: B008
    if kind not in _ACTION_TYPES:
        raise invalid(f"action type {kind}: allowed are {', '.join(_ACTION_TYPES)}")
    organisation = request.app.state.settings.organisation
    action = {"id": action_id, "type": kind, "orgId": organisation, "enabled": True, "payload": body}
    request.app.state.store.put_document(_ALL, "action", action_id, action)


@router.put(_MODEL + "/schema/metric")
def put_metric_schema(request: Request, dataset: str, body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
    check_dataset(request, dataset)
    request.app.state.store.put_document(dataset, "metric", str(body.get("label")), body)
    return {}


@router.put(_MODEL + "/schema/column/{column}")
def put_column_schema(request: Request, dataset: str, column: str, body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
    check_dataset(request, dataset)
    request.app.state.store.put_document(dataset, "column", column, body)
    return {}


def _found(request: Request, dataset: str, kind: str, document_id: str) -> Any:
    check_dataset(request, dataset)
    found = request.app.state.store.document(dataset, kind, document_id) if kind in _REQUIRED else None
    if found is None:
        raise not_found(f"{kind} {document_id} not found")
    return found
