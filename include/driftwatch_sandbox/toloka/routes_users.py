"""Skills, users' skills, and restrictions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Body, Box, Injected, Sandbox, listed, shown
from driftwatch_sandbox.toloka.enforcement import put_restriction, set_skill
from driftwatch_sandbox.toloka.errors import conflict, field_error, not_found
from driftwatch_sandbox.toloka.exchange import OWNER
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.validation import Check

router = APIRouter()
_SKILL_FIELDS = [
    "name",
    "private_comment",
    "hidden",
    "skill_ttl_hours",
    "training",
    "public_name",
    "public_requester_description",
]
_TARGETS = {"ALL_PROJECTS": None, "PROJECT": "project_id", "POOL": "pool_id"}


@router.get("/v1/skills")
def find_skills(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "skills", request, fault)


@router.post("/v1/skills")
def create_skill(box: Box, body: Body) -> Any:
    check = Check(body)
    check.text("name")
    check.finish()
    with box.store.transaction():
        read_only = {"id": str(box.store.next_id("skills")), "created": times.now_text(), "owner": OWNER}
        skill = _writable(body) | read_only
        box.store.put("skills", skill)
    return shown(skill, 201)


@router.get("/v1/skills/{skill_id}")
def get_skill(box: Box, skill_id: str) -> Any:
    return shown(_get(box, "skills", skill_id))


@router.put("/v1/skills/{skill_id}")
def update_skill(box: Box, skill_id: str, body: Body) -> Any:
    check = Check(body)
    check.text("name")
    check.finish()
    with box.store.transaction():
        known = _get(box, "skills", skill_id)
        skill = _writable(body) | {name: known[name] for name in ("id", "created", "owner")}
        box.store.put("skills", skill)
    return shown(skill)


@router.get("/v1/user-skills")
def find_user_skills(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "user_skills", request, fault)


@router.get("/v1/user-skills/{user_skill_id}")
def get_user_skill(box: Box, user_skill_id: str) -> Any:
    return shown(_get(box, "user_skills", user_skill_id))


@router.put("/v1/user-skills")
def put_user_skill(box: Box, body: Body) -> Any:
    check = Check(body)
    check.text("skill_id", "user_id")
    check.finish()
    value = body.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise field_error("value", "VALUE_OUT_OF_BOUNDS", f"{value!r} is not from 0 to 100")
    _get(box, "skills", body["skill_id"])
    return shown(set_skill(box.store, body["skill_id"], body["user_id"], value))


@router.delete("/v1/user-skills/{user_skill_id}")
def delete_user_skill(box: Box, user_skill_id: str) -> Any:
    return _delete(box, "user_skills", user_skill_id)


@router.get("/v1/user-restrictions")
def find_restrictions(box: Box, request: Request, fault: Injected) -> Any:
    return listed(box, "user_restrictions", request, fault)


@router.get("/v1/user-restrictions/{restriction_id}")
def get_restriction(box: Box, restriction_id: str) -> Any:
    return shown(_get(box, "user_restrictions", restriction_id))


@router.put("/v1/user-restrictions")
def set_restriction(box: Box, body: Body) -> Any:
    check = Check(body)
    check.text("user_id", "scope")
    check.finish()
    if body["scope"] == "SYSTEM":
        raise conflict("SYSTEM_SCOPE_MODIFICATION", "only Toloka itself restricts with scope SYSTEM")
    if body["scope"] not in _TARGETS:
        raise field_error("scope", "UNKNOWN_ENUM_VALUE", f"allowed: {', '.join(_TARGETS)}")
    target = _TARGETS[body["scope"]]
    if target:
        check.text(target)
    check.finish()
    names = ["scope", "user_id", "private_comment", *([target] if target else [])]
    restriction = {name: body[name] for name in names if body.get(name) is not None}
    if body.get("will_expire"):
        try:
            restriction["will_expire"] = times.normal(body["will_expire"])
        except (TypeError, ValueError) as error:
            raise field_error("will_expire", "INVALID_DATE_TIME_SYNTAX", "not a date and time") from error
    return shown(put_restriction(box.store, restriction))


@router.delete("/v1/user-restrictions/{restriction_id}")
def delete_restriction(box: Box, restriction_id: str) -> Any:
    return _delete(box, "user_restrictions", restriction_id)


def _writable(body: Document) -> Document:
    return {name: body[name] for name in _SKILL_FIELDS if body.get(name) is not None}


def _get(box: Sandbox, kind: str, object_id: str) -> Document:
    found = box.store.get(kind, object_id)
    if found is None:
        raise not_found(kind.removesuffix("s").replace("_", "-"), object_id)
    return found


def _delete(box: Sandbox, kind: str, object_id: str) -> Response:
    with box.store.transaction():
        _get(box, kind, object_id)
        box.store.delete(kind, object_id)
    return Response(status_code=204)
