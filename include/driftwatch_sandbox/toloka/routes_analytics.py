"""Numbers about pools, and aggregated answers."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.aggregation import Vote, dawid_skene, weighted_vote
from driftwatch_sandbox.toloka.board import COUNTED
from driftwatch_sandbox.toloka.context import Body, Box, Injected, Sandbox, fails, reply
from driftwatch_sandbox.toloka.errors import field_error, not_found, wrong_status
from driftwatch_sandbox.toloka.operations import Outcome
from driftwatch_sandbox.toloka.search import search
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.validation import Check

router = APIRouter()
_MAX_REQUESTS = 10
_WEIGHTED = "WEIGHTED_DYNAMIC_OVERLAP"
_NAMES = [
    "real_tasks_count",
    "submitted_assignments_count",
    "skipped_assignments_count",
    "rejected_assignments_count",
    "approved_assignments_count",
    "completion_percentage",
    "avg_submit_assignment_millis",
    "spent_budget",
    "unique_workers_count",
    "unique_submitters_count",
    "active_workers_by_filter_count",
    "estimated_assignments_count",
]


@router.post("/staging/analytics-2")
def analytics(box: Box, body: Body, fault: Injected) -> Any:
    if not isinstance(body, list) or not 1 <= len(body) <= _MAX_REQUESTS:
        raise field_error("body", "ARRAY_SIZE_OUT_OF_BOUNDS", f"1 to {_MAX_REQUESTS} requests are needed")
    for index, item in enumerate(body):
        if not isinstance(item, dict) or item.get("subject") != "POOL":
            raise field_error(f"{index}.subject", "UNKNOWN_ENUM_VALUE", "only POOL is known")
        if item.get("name") not in _NAMES:
            raise field_error(f"{index}.name", "UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(_NAMES)}")
        box.exchange.pool(item.get("subject_id") or "")
    return reply(box.operations.start("ANALYTICS", {"value": body}, fails=fails(fault)), 202)


@router.post("/v1/aggregated-solutions/aggregate-by-pool")
def aggregate_by_pool(box: Box, body: Body, fault: Injected) -> Any:
    pool = _check_aggregation(box, body, ("DAWID_SKENE", _WEIGHTED))
    if pool["status"] == "OPEN":
        raise wrong_status("pool", pool["id"], "OPEN", "CLOSED", "ARCHIVED")
    parameters = {name: body[name] for name in ("type", "pool_id", "answer_weight_skill_id", "fields") if name in body}
    return reply(box.operations.start("SOLUTION.AGGREGATE", parameters, fails=fails(fault)), 202)


@router.post("/v1/aggregated-solutions/aggregate-by-task")
def aggregate_by_task(box: Box, body: Body) -> Any:
    """One task's solution, at once. Only by weight, since Dawid and Skene's method needs the whole pool."""
    pool = _check_aggregation(box, body, (_WEIGHTED,))
    solution = _solutions(box, body).get(body.get("task_id"))
    if solution is None:
        raise not_found("aggregated solution of task", body.get("task_id") or "")
    return reply({"pool_id": pool["id"], "task_id": body["task_id"]} | solution)


def _check_aggregation(box: Sandbox, body: Any, types: tuple[str, ...]) -> Document:
    """The pool to aggregate. Raises if the request is not valid."""
    check = Check(body)
    check.text("pool_id", "type")
    check.finish()
    if body["type"] not in types:
        raise field_error("type", "UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(types)}")
    if body["type"] == _WEIGHTED:
        check.text("answer_weight_skill_id")
    fields = body.get("fields") or []
    if not fields or (len(fields) > 1 and body["type"] != _WEIGHTED):
        raise field_error("fields", "ARRAY_SIZE_OUT_OF_BOUNDS", "one field is needed")
    check.finish()
    return box.exchange.pool(body["pool_id"])


@router.get("/v1/aggregated-solutions/{operation_id}")
def find_aggregated(box: Box, operation_id: str, request: Request) -> Any:
    box.operations.finish_due()
    if box.store.get("operations", operation_id) is None:
        raise not_found("operation", operation_id)
    page = search(box.store, "aggregated_solutions", request.query_params, (("_operation_id", "=", operation_id),))
    items = [{name: value for name, value in item.items() if name != "id"} for item in page["items"]]
    return reply({"items": items, "has_more": page["has_more"]})


def register(box: Sandbox) -> None:
    def measure(operation: Document) -> Outcome:
        requests = operation["parameters"]["value"]
        return {"value": [_measured(box, item) for item in requests]}, []

    def aggregate(operation: Document) -> Outcome:
        _aggregate(box, operation)
        return {}, []

    box.operations.works |= {"ANALYTICS": measure, "SOLUTION.AGGREGATE": aggregate}


def _measured(box: Sandbox, item: Document) -> Document:
    value = _value(box, item["subject_id"], item["name"])
    if item["name"] in ("completion_percentage", "estimated_assignments_count"):
        value = {"type": "NORMAL", "value": value, "infinite": False, "approximate": False}
    return {"request": item, "result": value, "finished": times.now_text()}


def _value(box: Sandbox, pool_id: str, name: str) -> Any:
    board = box.exchange.board(pool_id)
    pages = list(board.assignments())
    answered = [page for page in pages if page.get("solutions")]
    if name == "real_tasks_count":
        return len(board.real)
    if name == "completion_percentage":
        return board.completion_percentage()
    if name == "submitted_assignments_count":
        return len(answered)
    if name in ("skipped_assignments_count", "rejected_assignments_count", "approved_assignments_count"):
        status = name.split("_")[0].upper()
        return sum(page["status"] == {"APPROVED": "ACCEPTED"}.get(status, status) for page in pages)
    if name == "avg_submit_assignment_millis":
        spans = [times.seconds(page["submitted"]) - times.seconds(page["created"]) for page in answered]
        return round(1000 * sum(spans) / len(spans)) if spans else 0
    if name == "spent_budget":
        # Toloka's number leaves the fee out.
        return round(sum(page["reward"] for page in pages if page["status"] == "ACCEPTED"), 6)
    if name == "estimated_assignments_count":
        overlaps = sum(task["overlap"] or 0 for task in board.real.values())
        per_page = (board.pool.get("mixer_config") or {}).get("real_tasks_count") or 1
        return -(-overlaps // per_page)
    return len({page["user_id"] for page in (answered if name == "unique_submitters_count" else pages)})


def _aggregate(box: Sandbox, operation: Document) -> None:
    parameters = operation["parameters"]
    identity = {"pool_id": parameters["pool_id"], "_operation_id": operation["id"]}
    documents = [
        {"id": f"{operation['id']}:{task_id}", "task_id": task_id} | identity | solution
        for task_id, solution in _solutions(box, parameters).items()
    ]
    box.store.put("aggregated_solutions", *documents)


def _solutions(box: Sandbox, parameters: Document) -> dict[str, Document]:
    """output_values and confidence of each answered real task of the pool."""
    board = box.exchange.board(parameters["pool_id"])
    values: dict[str, Document] = {}
    for field in parameters["fields"]:
        votes: list[Vote] = [
            (task["id"], page["user_id"], json.dumps(solution["output_values"][field["name"]]))
            for page in board.assignments()
            if page["status"] in COUNTED
            for task, solution in zip(page["tasks"], page["solutions"], strict=True)
            if task["id"] in board.real and solution["output_values"].get(field["name"]) is not None
        ]
        if parameters["type"] == "DAWID_SKENE":
            results = dawid_skene(votes) if votes else {}
        else:
            skills = box.store.find("user_skills", [("skill_id", "=", parameters["answer_weight_skill_id"])])
            weights = {skill["user_id"]: skill["exact_value"] for skill in skills}
            results = weighted_vote(votes, weights)
        for task_id, (answer, confidence) in results.items():
            known = values.setdefault(task_id, {"output_values": {}, "confidence": 1.0})
            known["output_values"][field["name"]] = json.loads(answer)
            known["confidence"] = min(known["confidence"], confidence)
    return values
