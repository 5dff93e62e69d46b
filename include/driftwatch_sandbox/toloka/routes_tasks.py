"""Tasks, operations and their logs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from driftwatch_sandbox.toloka import tasks
from driftwatch_sandbox.toloka.context import Body, Box, Injected, Sandbox, fails, listed, reply, shown
from driftwatch_sandbox.toloka.errors import conflict, field_error, not_found, validation, wrong_status
from driftwatch_sandbox.toloka.fields import check_values
from driftwatch_sandbox.toloka.store import Document, public
from driftwatch_sandbox.toloka.validation import MAX_OVERLAP, Check

router = APIRouter()
_MAX_SYNC, _MAX_ASYNC = 5000, 100_000


@router.post("/v1/tasks")
def create_tasks(
    box: Box,
    body: Body,
    fault: Injected,
    operation_id: UUID | None = None,
    async_mode: bool = False,
    allow_defaults: bool = False,
    open_pool: bool = False,
    skip_invalid_items: bool = False,
) -> Any:
    items = body if isinstance(body, list) else [body]
    limit = _MAX_ASYNC if async_mode else _MAX_SYNC
    if len(items) > limit:
        raise field_error("body", "ARRAY_SIZE_GREATER_THAN_MAX", f"{len(items)} tasks; at most {limit} in a request")
    _check_pools_take_tasks(box, items)
    if async_mode:
        parameters = {
            "allow_defaults": allow_defaults,
            "open_pool": open_pool,
            "skip_invalid_items": skip_invalid_items,
            "async_mode": True,
        }
        name = str(operation_id) if operation_id else None
        return reply(box.operations.start("TASK.BATCH_CREATE", parameters, items, name, fails(fault)), 202)
    errors = tasks.item_errors(box, items, allow_defaults)
    valid = [index for index in range(len(items)) if index not in errors]
    if errors and (not skip_invalid_items or not valid):
        single = not isinstance(body, list)
        raise validation(
            errors[0] if single else {f"{i}.{k}": v for i, found in errors.items() for k, v in found.items()}
        )
    with box.store.transaction():
        created = tasks.create(box, [items[index] for index in valid])
        if open_pool:
            tasks.open_pools(box, created)
    if not isinstance(body, list):
        return shown(created[0], 201)
    by_index = {str(index): public(task) for index, task in zip(valid, created, strict=True)}
    return reply({"items": by_index, "validation_errors": {str(index): found for index, found in errors.items()}}, 201)


def _check_pools_take_tasks(box: Sandbox, items: list[Any]) -> None:
    lookup = tasks.PoolLookup(box)
    pool_ids = (item.get("pool_id") for item in items if isinstance(item, dict))
    for pool_id in {pool_id for pool_id in pool_ids if isinstance(pool_id, str)}:
        pool, _ = lookup(pool_id)
        if pool and pool["status"] == "ARCHIVED":
            raise wrong_status("pool", pool_id, "ARCHIVED", "OPEN", "CLOSED")
        if pool and pool["type"] == "REGULAR" and not pool.get("mixer_config"):
            raise conflict(
                "MIXER_CONFIG_REQUIRED", f"pool {pool_id} has no mixer_config: tasks need it", pool_id=pool_id
            )


@router.get("/v1/tasks")
def find_tasks(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "tasks", request, fault)


@router.get("/v1/tasks/{task_id}")
def get_task(box: Box, task_id: str) -> Any:
    return shown(_task(box, task_id))


@router.patch("/v1/tasks/{task_id}")
def patch_task(box: Box, task_id: str, body: Body) -> Any:
    with box.store.transaction():
        task = _task(box, task_id)
        _check_overlap(body, required=False)
        for name in ("known_solutions", "message_on_unknown_solution", "baseline_solutions"):
            if body.get(name) is not None:
                task[name] = body[name]
        if body.get("known_solutions"):
            pool = box.exchange.pool(task["pool_id"])
            spec = (box.store.get("projects", pool["project_id"]) or {})["task_spec"]["output_spec"]
            for index, solution in enumerate(body["known_solutions"]):
                path = f"known_solutions.{index}.output_values"
                errors = check_values(solution.get("output_values"), spec, path, partial=True)
                if errors:
                    raise validation(errors)
        return shown(_save_overlap(box, task, body, least=1))


@router.patch("/v1/tasks/{task_id}/set-overlap-or-min")
def set_overlap(box: Box, task_id: str, body: Body) -> Any:
    """Sets the overlap, or the nearest one that the answers that are there allow."""
    with box.store.transaction():
        task = _task(box, task_id)
        _check_overlap(body, required=True)
        board = box.exchange.board(task["pool_id"])
        return shown(_save_overlap(box, task, body, least=board.held[task_id]))


def _check_overlap(body: Any, required: bool) -> None:
    check = Check(body)
    check.boolean("infinite_overlap")
    check.whole("overlap", 1, MAX_OVERLAP, required=required and not body.get("infinite_overlap"))
    check.finish()


def _save_overlap(box: Sandbox, task: Document, body: Document, least: int) -> Document:
    if body.get("infinite_overlap"):
        task |= {"infinite_overlap": True, "overlap": None}
    elif body.get("overlap") is not None:
        task |= {"infinite_overlap": False, "overlap": max(body["overlap"], least)}
    box.store.put("tasks", task)
    box.exchange.forget(task["pool_id"])
    box.wake.set()
    return task


def _task(box: Sandbox, task_id: str) -> Document:
    task = box.store.get("tasks", task_id)
    if task is None:
        raise not_found("task", task_id)
    return task


@router.get("/v1/operations")
def find_operations(box: Box, request: Request, fault: Injected) -> Any:
    box.operations.finish_due()
    return listed(box, "operations", request, fault)


@router.get("/v1/operations/{operation_id}")
def get_operation(box: Box, operation_id: str) -> Any:
    box.operations.finish_due()
    operation = box.store.get("operations", operation_id)
    if operation is None:
        raise not_found("operation", operation_id)
    return shown(operation)


@router.get("/v1/operations/{operation_id}/log")
def get_operation_log(box: Box, operation_id: str) -> Any:
    box.operations.finish_due()
    log = box.store.get("operation_logs", operation_id)
    if log is not None:
        return reply(log["log"])
    if box.store.get("operations", operation_id) is None:
        raise not_found("operation", operation_id)
    return reply([])


def register(box: Sandbox) -> None:
    box.operations.works["TASK.BATCH_CREATE"] = lambda operation: tasks.batch_create(box, operation)
