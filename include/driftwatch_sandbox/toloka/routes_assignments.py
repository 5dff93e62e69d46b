"""Reading and judging assignments, also as a TSV file, and the list of attachments, which is always empty."""

from __future__ import annotations

import csv
import io
from typing import Any

from fastapi import APIRouter, Request, Response

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Body, Box, Injected, listed, shown
from driftwatch_sandbox.toloka.enforcement import restrictions
from driftwatch_sandbox.toloka.errors import field_error, not_found
from driftwatch_sandbox.toloka.store import Document

router = APIRouter()
_TSV_STATUSES = {"ACCEPTED": "APPROVED"}
_TSV_FIELDS = [
    "link",
    "assignment_id",
    "task_id",
    "task_suite_id",
    "worker_id",
    "status",
    "started",
    "submitted",
    "accepted",
    "rejected",
    "skipped",
    "expired",
    "reward",
]


@router.get("/v1/assignments")
def find_assignments(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "assignments", request, fault)


@router.get("/v1/attachments")
def find_attachments(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "attachments", request, fault)


@router.get("/v1/assignments/{assignment_id}")
def get_assignment(box: Box, assignment_id: str) -> Any:
    assignment = box.store.get("assignments", assignment_id)
    if assignment is None:
        raise not_found("assignment", assignment_id)
    return shown(assignment)


@router.patch("/v1/assignments/{assignment_id}")
def patch_assignment(box: Box, assignment_id: str, body: Body) -> Any:
    status = body.get("status") if isinstance(body, dict) else None
    if status not in ("ACCEPTED", "REJECTED"):
        raise field_error("status", "UNKNOWN_ENUM_VALUE", f"{status!r} is not ACCEPTED or REJECTED")
    judged = box.exchange.judge(assignment_id, status, body.get("public_comment"))
    box.wake.set()
    return shown(judged)


@router.get("/new/requester/pools/{pool_id}/assignments.tsv")
def assignments_tsv(
    box: Box,
    request: Request,
    pool_id: str,
    status: str = "APPROVED",
    field: str = "",
    startTimeFrom: str = "",
    startTimeTo: str = "",
    excludeBanned: bool = False,
) -> Response:
    pool = box.exchange.pool(pool_id)
    statuses, fields = status.split(","), [name for name in field.split(",") if name]
    for name in fields:
        if name.removeprefix("ASSIGNMENT:") not in _TSV_FIELDS:
            raise field_error("field", "UNKNOWN_ENUM_VALUE", f"{name!r}; allowed: ASSIGNMENT: {_TSV_FIELDS}")
    try:
        first = times.normal(startTimeFrom) if startTimeFrom else ""
        last = times.normal(startTimeTo) if startTimeTo else "9"
    except ValueError as error:
        raise field_error("startTimeFrom", "INVALID_DATE_TIME_SYNTAX", "not a date and time") from error
    pages = [
        page | {"status": _TSV_STATUSES.get(page["status"], page["status"])}
        for page in box.store.find("assignments", [("pool_id", "=", pool_id)], [("created", False)])
        if first <= (page.get("submitted") or page["created"]) < last
        and not (excludeBanned and restrictions(box.store, page["user_id"], pool))
    ]
    spec = (box.store.get("projects", pool["project_id"]) or {})["task_spec"]
    text = _tsv([page for page in pages if page["status"] in statuses], spec, fields, str(request.base_url))
    return Response(text, media_type="text/tab-separated-values")


def _tsv(pages: list[Document], spec: Document, fields: list[str], base_url: str) -> str:
    """A row for each task of the pages."""
    inputs, outputs = list(spec["input_spec"]), list(spec["output_spec"])
    headers = [f"INPUT:{n}" for n in inputs] + [f"{kind}:{n}" for kind in ("OUTPUT", "GOLDEN") for n in outputs]
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([*headers, "HINT:text", *fields])
    for page in pages:
        solutions = page.get("solutions") or [{}] * len(page["tasks"])
        for task, solution in zip(page["tasks"], solutions, strict=True):
            known = (task.get("known_solutions") or [{}])[0].get("output_values", {})
            given = solution.get("output_values", {})
            row = [task["input_values"].get(name) for name in inputs]
            row += [values.get(name) for values in (given, known) for name in outputs]
            writer.writerow([*row, "", *(_cell(name, page, task, base_url) for name in fields)])
    return text.getvalue()


def _cell(field: str, page: Document, task: Document, base_url: str) -> Any:
    name = field.removeprefix("ASSIGNMENT:")
    special = {
        "link": f"{base_url}task/{page['pool_id']}/{page['id']}",
        "assignment_id": page["id"],
        "task_id": task["id"],
        "worker_id": page["user_id"],
        "started": page["created"],
    }
    return special.get(name, page.get(name))
