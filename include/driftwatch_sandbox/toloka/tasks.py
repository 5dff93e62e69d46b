"""Creates tasks: checks each item, gives ids, and writes the log by which the client learns which item became which task."""

from __future__ import annotations

from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Sandbox
from driftwatch_sandbox.toloka.errors import ApiError
from driftwatch_sandbox.toloka.fields import Errors
from driftwatch_sandbox.toloka.operations import OperationFailed
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.validation import check_task

_FIELDS = [
    "pool_id",
    "input_values",
    "known_solutions",
    "message_on_unknown_solution",
    "baseline_solutions",
    "reserved_for",
    "unavailable_for",
    "traits_all_of",
    "traits_any_of",
    "traits_none_of_any",
]


class PoolLookup:
    """Pools and their projects. Each is read once for a batch."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._found: dict[str, tuple[Document | None, Document | None]] = {}

    def __call__(self, pool_id: Any) -> tuple[Document | None, Document | None]:
        if not isinstance(pool_id, str):
            return None, None
        if pool_id not in self._found:
            store = self._box.store
            pool = store.get("pools", pool_id) or store.get("trainings", pool_id)
            project = store.get("projects", pool["project_id"]) if pool else None
            self._found[pool_id] = (pool, project)
        return self._found[pool_id]


def item_errors(box: Sandbox, items: list[Any], allow_defaults: bool) -> dict[int, Errors]:
    """The errors of each invalid item, by its place."""
    lookup = PoolLookup(box)
    errors: dict[int, Errors] = {}
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            errors[index] = {"body": {"code": "OBJECT_EXPECTED", "message": "a task is an object"}}
            continue
        found = check_task(item, *lookup(item.get("pool_id")), allow_defaults)
        if found:
            errors[index] = found
    return errors


def create(box: Sandbox, items: list[Document]) -> list[Document]:
    """Stores checked items as tasks, in their order."""
    lookup = PoolLookup(box)
    with box.store.transaction():
        tasks = [_task(box, item, lookup(item["pool_id"])[0] or {}) for item in items]
        box.store.put("tasks", *tasks)
        for pool_id in {task["pool_id"] for task in tasks}:
            box.exchange.forget(pool_id)
    box.wake.set()
    return tasks


def _task(box: Sandbox, item: Document, pool: Document) -> Document:
    task = {name: item[name] for name in _FIELDS if item.get(name) is not None}
    # Without an overlap of their own, control and training tasks go to everyone.
    free = bool(task.get("known_solutions")) and item.get("overlap") is None
    infinite = bool(item.get("infinite_overlap")) or free
    overlap = item.get("overlap") or pool.get("defaults", {}).get("default_overlap_for_new_tasks", 1)
    return task | {
        "id": f"{int(task['pool_id']):010x}--{box.store.next_id('tasks'):024x}",
        "created": times.now_text(),
        "infinite_overlap": infinite,
        "overlap": None if infinite else overlap,
    }


def batch_create(box: Sandbox, operation: Document) -> tuple[Document, list[Document]]:
    """The work of TASK.BATCH_CREATE. Creates all items or none; with skip_invalid_items, the valid ones."""
    parameters, items = operation["parameters"], operation["_work"]
    errors = item_errors(box, items, parameters["allow_defaults"])
    log = [_entry("TASK_VALIDATE", False, items[index], found) for index, found in errors.items()]
    valid = [item for index, item in enumerate(items) if index not in errors]
    counts = {"total_count": len(items), "valid_count": len(valid), "not_valid_count": len(errors)}
    if errors and (not parameters["skip_invalid_items"] or not valid):
        raise OperationFailed(counts | {"success_count": 0, "failed_count": len(items)}, log)
    tasks = create(box, valid)
    log += [_entry("TASK_CREATE", True, item, {"task_id": t["id"]}) for item, t in zip(valid, tasks, strict=True)]
    if parameters["open_pool"]:
        log += open_pools(box, tasks)
    return counts | {"success_count": len(tasks), "failed_count": len(errors)}, log


def open_pools(box: Sandbox, tasks: list[Document]) -> list[Document]:
    """Opens the tasks' pools, as `open_pool=true` asks. Returns the log of it."""
    log = []
    for pool_id in sorted({task["pool_id"] for task in tasks}):
        try:
            box.exchange.open_pool(pool_id)
            log.append(_entry("POOL_OPEN", True, {"pool_id": pool_id}, {}))
        except ApiError as error:
            log.append(_entry("POOL_OPEN", False, {"pool_id": pool_id}, error.body()))
    return log


def _entry(kind: str, success: bool, item: Any, output: Any) -> Document:
    # The item as it was sent: the client puts `__item_idx` into each item, and looks for it here.
    return {"type": kind, "success": success, "input": item if isinstance(item, dict) else {}, "output": output}
