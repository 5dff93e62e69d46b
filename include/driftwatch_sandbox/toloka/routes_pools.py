"""Pools and trainings: they share their ids, their states and the operations that change them."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Body, Box, Injected, Sandbox, fails, lag, listed, reply, shown
from driftwatch_sandbox.toloka.errors import field_error, not_found, wrong_status
from driftwatch_sandbox.toloka.exchange import OWNER
from driftwatch_sandbox.toloka.operations import Outcome, Work
from driftwatch_sandbox.toloka.search import search
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.validation import check_pool, check_training

router = APIRouter()
_POOL_FIELDS = [
    "project_id",
    "private_name",
    "private_comment",
    "public_description",
    "public_instructions",
    "may_contain_adult_content",
    "will_expire",
    "reward_per_assignment",
    "assignment_max_duration_seconds",
    "auto_close_after_complete_delay_seconds",
    "dynamic_pricing_config",
    "auto_accept_solutions",
    "auto_accept_period_day",
    "assignments_issuing_config",
    "priority",
    "filter",
    "quality_control",
    "speed_quality_balance",
    "dynamic_overlap_config",
    "mixer_config",
    "training_config",
    "metadata",
    "defaults",
]
_TRAINING_FIELDS = [
    "project_id",
    "private_name",
    "may_contain_adult_content",
    "assignment_max_duration_seconds",
    "mix_tasks_in_creation_order",
    "shuffle_tasks_in_task_suite",
    "training_tasks_in_task_suite_count",
    "task_suites_required_to_pass",
    "retry_training_after_days",
    "inherited_instructions",
    "public_instructions",
    "metadata",
]
_READ_ONLY = ["id", "status", "created", "type", "owner", "last_started", "last_stopped", "last_close_reason"]
_KINDS = {"pools": ("POOL", "pool_id"), "trainings": ("TRAINING", "training_id")}


@router.get("/v1/pools")
def find_pools(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "pools", request, fault)


@router.get("/v1/trainings")
def find_trainings(box: Box, request: Request, fault: Injected) -> Any:
    page = search(box.store, "trainings", request.query_params, hide_younger_than=lag(fault))
    return reply(page | {"items": [_as_training(item) for item in page["items"]]})


@router.post("/v1/pools")
def create_pool(box: Box, body: Body) -> Any:
    _check(box, "pools", body, new=True)
    return shown(_create(box, "pools", body), 201)


@router.post("/v1/trainings")
def create_training(box: Box, body: Body) -> Any:
    _check(box, "trainings", body, new=True)
    return shown(_as_training(_create(box, "trainings", body)), 201)


@router.get("/v1/pools/{pool_id}")
def get_pool(box: Box, pool_id: str) -> Any:
    return shown(box.exchange.pool(pool_id))


@router.get("/v1/trainings/{training_id}")
def get_training(box: Box, training_id: str) -> Any:
    return shown(_as_training(_get(box, "trainings", training_id)))


@router.put("/v1/pools/{pool_id}")
def update_pool(box: Box, pool_id: str, body: Body) -> Any:
    return shown(_update(box, "pools", pool_id, body))


@router.put("/v1/trainings/{training_id}")
def update_training(box: Box, training_id: str, body: Body) -> Any:
    return shown(_as_training(_update(box, "trainings", training_id, body)))


@router.patch("/v1/pools/{pool_id}")
def patch_pool(box: Box, pool_id: str, body: Body) -> Any:
    if not isinstance(body, dict) or set(body) != {"priority"} or not isinstance(body["priority"], int):
        raise field_error("priority", "VALUE_REQUIRED", "only the priority, a whole number, can be patched")
    with box.store.transaction():
        pool = _get(box, "pools", pool_id) | {"priority": body["priority"]}
        box.exchange.save_pool(pool)
    return shown(pool)


@router.post("/v1/{kind}/{pool_id}/open")
def open_pool(box: Box, kind: str, pool_id: str, fault: Injected) -> Any:
    # open_pool() is also how clients open a training.
    pool = box.exchange.pool(pool_id) if kind == "pools" else _get(box, kind, pool_id)
    if pool["status"] == "OPEN":
        return Response(status_code=204)
    box.exchange.check_can_open(pool)
    return _start(box, kind, "OPEN", pool_id, fault)


@router.post("/v1/{kind}/{pool_id}/close")
@router.post("/v1/{kind}/{pool_id}/close-for-update")
def close_pool(box: Box, kind: str, pool_id: str, request: Request, fault: Injected) -> Any:
    pool = box.exchange.pool(pool_id) if kind == "pools" else _get(box, kind, pool_id)
    if pool["status"] == "CLOSED":
        return Response(status_code=204)
    if pool["status"] != "OPEN":
        raise wrong_status("pool", pool_id, pool["status"], "OPEN")
    reason = "FOR_UPDATE" if request.url.path.endswith("close-for-update") else "MANUAL"
    return _start(box, kind, "CLOSE", pool_id, fault, reason)


@router.post("/v1/{kind}/{pool_id}/archive")
def archive_pool(box: Box, kind: str, pool_id: str, fault: Injected) -> Any:
    pool = _get(box, kind, pool_id)
    if pool["status"] == "ARCHIVED":
        return Response(status_code=204)
    if pool["status"] != "CLOSED":
        raise wrong_status("pool", pool_id, pool["status"], "CLOSED")
    return _start(box, kind, "ARCHIVE", pool_id, fault)


@router.post("/v1/{kind}/{pool_id}/clone")
def clone_pool(box: Box, kind: str, pool_id: str, fault: Injected) -> Any:
    _get(box, kind, pool_id)
    return _start(box, kind, "CLONE", pool_id, fault)


def register(box: Sandbox) -> None:
    def subject(operation: Document) -> str:
        return next(iter(operation["parameters"].values()))

    def open_(operation: Document) -> Outcome:
        box.exchange.open_pool(subject(operation))
        box.wake.set()
        return {}, []

    def close(operation: Document) -> Outcome:
        box.exchange.close_pool(subject(operation), operation["_work"])
        return {}, []

    def archive(operation: Document) -> Outcome:
        box.exchange.save_pool(box.exchange.pool(subject(operation)) | {"status": "ARCHIVED"})
        return {}, []

    def clone(operation: Document) -> Outcome:
        kind = "pools" if operation["type"] == "POOL.CLONE" else "trainings"
        copy = _create(box, kind, _get(box, kind, subject(operation)))
        return {_KINDS[kind][1]: copy["id"]}, []

    works: dict[str, Work] = {"OPEN": open_, "CLOSE": close, "ARCHIVE": archive, "CLONE": clone}
    for prefix, _ in _KINDS.values():
        box.operations.works.update({f"{prefix}.{verb}": work for verb, work in works.items()})


def _start(box: Sandbox, kind: str, verb: str, pool_id: str, fault: Any, work: Any = None) -> Any:
    prefix, id_name = _KINDS[kind]
    return reply(box.operations.start(f"{prefix}.{verb}", {id_name: pool_id}, work, fails=fails(fault)), 202)


def _get(box: Sandbox, kind: str, pool_id: str) -> Document:
    found = box.store.get(kind, pool_id) if kind in _KINDS else None
    if found is None:
        raise not_found(kind.removesuffix("s"), pool_id)
    return found


def _as_training(training: Document) -> Document:
    """A training as the calls of trainings show it, without its type. As a pool it has a type."""
    return {name: value for name, value in training.items() if name != "type"}


def _check(box: Sandbox, kind: str, body: Any, new: bool) -> None:
    project_id = body.get("project_id") if isinstance(body, dict) else None
    project = box.store.get("projects", project_id) if isinstance(project_id, str) else None
    if kind == "trainings":
        check_training(body, project)
    else:
        check_pool(body, project, new)
    if project is not None and new and project["status"] != "ACTIVE":
        raise wrong_status("project", project["id"], project["status"], "ACTIVE")


def _create(box: Sandbox, kind: str, body: Document) -> Document:
    with box.store.transaction():
        pool = _writable(kind, body) | {
            "id": str(box.store.next_id("pools")),
            "status": "CLOSED",
            "created": times.now_text(),
            "type": "REGULAR" if kind == "pools" else "TRAINING",
            "owner": OWNER,
        }
        box.store.put(kind, pool)
    return pool


def _update(box: Sandbox, kind: str, pool_id: str, body: Any) -> Document:
    with box.store.transaction():
        known = _get(box, kind, pool_id)
        if known["status"] == "ARCHIVED":
            raise wrong_status("pool", pool_id, "ARCHIVED", "OPEN", "CLOSED")
        _check(box, kind, body, new=False)
        pool = _writable(kind, body) | {name: known[name] for name in _READ_ONLY if name in known}
        box.exchange.save_pool(pool)
    return pool


def _writable(kind: str, body: Document) -> Document:
    """The fields that a client may set. Read-only and unknown fields that it sends are left out."""
    names = _POOL_FIELDS if kind == "pools" else _TRAINING_FIELDS
    pool = {name: body[name] for name in names if body.get(name) is not None}
    if kind == "trainings":
        return pool
    base: Document = {"priority": 0, "auto_accept_solutions": True, "defaults": {}}
    pool = base | pool
    pool["will_expire"] = times.normal(pool["will_expire"])
    pool["reward_per_assignment"] = float(pool["reward_per_assignment"])
    pool["defaults"] = {"default_overlap_for_new_tasks": 1, "default_overlap_for_new_task_suites": 1} | pool["defaults"]
    control = pool.get("quality_control") or {}
    for config in control.get("configs") or []:
        config["collector_config"].setdefault("uuid", str(uuid.uuid4()))
    return pool
