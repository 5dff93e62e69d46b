"""What a quality rule does once it is met: bans, skills, decisions on answers, more overlap."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.store import Document, Store

if TYPE_CHECKING:
    from driftwatch_sandbox.toloka.exchange import Exchange

_UNIT_SECONDS = {"MINUTES": 60, "HOURS": 3600, "DAYS": 86_400}


def apply(
    exchange: Exchange, pool: Document, user: str, assignment: Document, action: Document, statistics: Document
) -> bool:
    """Carries out one action; True when it newly banned the user."""
    kind, parameters = action["type"], action.get("parameters") or {}
    if kind in ("RESTRICTION", "RESTRICTION_V2"):
        return _ban(exchange.store, pool, user, parameters)
    if kind == "SET_SKILL":
        set_skill(exchange.store, parameters["skill_id"], user, parameters["skill_value"])
    elif kind == "SET_SKILL_FROM_OUTPUT_FIELD":
        value = statistics.get(parameters["from_field"])
        if value is not None:
            set_skill(exchange.store, parameters["skill_id"], user, value)
    elif kind == "CHANGE_OVERLAP":
        _change_overlap(exchange, pool, user, assignment, parameters, statistics)
    else:
        status = "REJECTED" if kind == "REJECT_ALL_ASSIGNMENTS" else "ACCEPTED"
        for page in list(exchange.board(pool["id"]).pages[user].values()):
            if page["status"] == "SUBMITTED":
                exchange.judge(page["id"], status, parameters.get("public_comment"))
    return False


def _ban(store: Store, pool: Document, user: str, parameters: Document) -> bool:
    scope = parameters["scope"]
    if any(restriction["scope"] == scope for restriction in restrictions(store, user, pool)):
        return False
    restriction: Document = {"scope": scope, "user_id": user, "private_comment": parameters.get("private_comment")}
    if scope in ("POOL", "PROJECT"):
        restriction |= {"pool_id": pool["id"]} if scope == "POOL" else {"project_id": pool["project_id"]}
    unit = parameters.get("duration_unit", "DAYS")
    duration = parameters.get("duration", parameters.get("duration_days"))
    if unit != "PERMANENT" and duration is not None:
        restriction["will_expire"] = times.text(time.time() + duration * _UNIT_SECONDS[unit])
    put_restriction(store, restriction)
    return True


def put_restriction(store: Store, restriction: Document) -> Document:
    """A new restriction, or the new terms of the one that the user has for the same scope and target."""
    names = ("scope", "user_id", "project_id", "pool_id")
    same = [(name, "=", restriction[name]) for name in names if restriction.get(name) is not None]
    with store.transaction():
        known = store.find("user_restrictions", same)
        base = known[0] if known else {"id": str(store.next_id("user_restrictions")), "created": times.now_text()}
        document = {key: value for key, value in restriction.items() if value is not None}
        document |= {"id": base["id"], "created": base["created"]}
        store.put("user_restrictions", document)
    return document


def restrictions(store: Store, user: str, pool: Document) -> list[Document]:
    """The restrictions that keep a user from a pool now."""
    now = times.now_text()
    return [
        restriction
        for restriction in store.find("user_restrictions", [("user_id", "=", user)])
        if restriction.get("will_expire", now) >= now
        and restriction.get("pool_id") in (None, pool["id"])
        and restriction.get("project_id") in (None, pool["project_id"])
    ]


def set_skill(store: Store, skill_id: str, user: str, value: Any) -> Document:
    """Sets a user's skill, 0 to 100; one document for each user and skill."""
    with store.transaction():
        known = store.find("user_skills", [("skill_id", "=", skill_id), ("user_id", "=", user)])
        now = times.now_text()
        base = known[0] if known else {"id": str(store.next_id("user_skills")), "created": now}
        exact = {"value": round(value), "exact_value": float(value), "modified": now}
        document = base | {"skill_id": skill_id, "user_id": user} | exact
        store.put("user_skills", document)
    return document


def _change_overlap(
    exchange: Exchange, pool: Document, user: str, assignment: Document, parameters: Document, statistics: Document
) -> None:
    """More answers for the judged page's tasks, or once for all that a worker answered whom a rule turned out."""
    pages = [assignment]
    if "assessment_event" not in statistics:
        pages = list(exchange.board(pool["id"]).pages[user].values())
        marker = {"id": f"{pool['id']}:{user}"}
        if exchange.store.get("overlap_changes", marker["id"]):
            return
        exchange.store.put("overlap_changes", marker)
    task_ids = [task["id"] for page in pages for task in page["tasks"]]
    exchange.change_overlap(pool["id"], task_ids, parameters["delta"], bool(parameters.get("open_pool")))
