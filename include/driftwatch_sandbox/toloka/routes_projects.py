"""The requester and projects."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Body, Box, Injected, Sandbox, fails, listed, reply, shown
from driftwatch_sandbox.toloka.errors import conflict, not_found, wrong_status
from driftwatch_sandbox.toloka.exchange import OWNER
from driftwatch_sandbox.toloka.operations import Outcome
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.validation import check_project

router = APIRouter()
_FIELDS = [
    "public_name",
    "public_description",
    "public_instructions",
    "private_comment",
    "task_spec",
    "assignments_issuing_type",
    "assignments_issuing_view_config",
    "assignments_automerge_enabled",
    "max_active_assignments_count",
    "quality_control",
    "metadata",
    "localization_config",
]


@router.get("/v1/requester")
def requester(box: Box) -> Any:
    return reply(
        {
            "id": OWNER["id"],
            "balance": box.account.summary()["balance"],
            "public_name": {"EN": "Driftwatch sandbox", "RU": "Driftwatch sandbox"},
            "company": {"id": OWNER["company_id"], "superintendent_id": OWNER["id"]},
        }
    )


@router.get("/v1/projects")
def find_projects(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "projects", request, fault)


@router.post("/v1/projects")
def create_project(box: Box, body: Body) -> Any:
    check_project(body)
    with box.store.transaction():
        project = _writable(body) | {
            "id": str(box.store.next_id("projects")),
            "status": "ACTIVE",
            "created": times.now_text(),
            "owner": OWNER,
        }
        box.store.put("projects", project)
    return shown(project, 201)


@router.get("/v1/projects/{project_id}")
def get_project(box: Box, project_id: str) -> Any:
    return shown(_project(box, project_id))


@router.put("/v1/projects/{project_id}")
def update_project(box: Box, project_id: str, body: Body) -> Any:
    with box.store.transaction():
        known = _project(box, project_id)
        check_project(body)
        project = _writable(body) | {name: known[name] for name in ("id", "status", "created", "owner")}
        box.store.put("projects", project)
    return shown(project)


@router.post("/v1/projects/{project_id}/archive")
def archive_project(box: Box, project_id: str, fault: Injected) -> Any:
    project = _project(box, project_id)
    if project["status"] != "ACTIVE":
        raise wrong_status("project", project_id, project["status"], "ACTIVE")
    for pool in box.store.find("pools", [("project_id", "=", project_id)]):
        if pool["status"] != "ARCHIVED":
            raise conflict("UNARCHIVED_POOLS_CONFLICT", f"pool {pool['id']} is {pool['status']}", pool_id=pool["id"])
    parameters = {"project_id": project_id}
    return reply(box.operations.start("PROJECT.ARCHIVE", parameters, fails=fails(fault)), 202)


def register(box: Sandbox) -> None:
    def archive(operation: Document) -> Outcome:
        project = _project(box, operation["parameters"]["project_id"])
        box.store.put("projects", project | {"status": "ARCHIVED"})
        return {}, []

    box.operations.works["PROJECT.ARCHIVE"] = archive


def _project(box: Sandbox, project_id: str) -> Document:
    project = box.store.get("projects", project_id)
    if project is None:
        raise not_found("project", project_id)
    return project


def _writable(body: Document) -> Document:
    project = {name: body[name] for name in _FIELDS if body.get(name) is not None}
    view = project["task_spec"]["view_spec"]
    # The client reads a Template Builder view only with its `lock`.
    extra = {"lock": view.get("lock") or {}} if view.get("type") == "tb" else {}
    spec = project["task_spec"] | {"view_spec": view | extra}
    return {"assignments_issuing_type": "AUTOMATED"} | project | {"task_spec": spec}
