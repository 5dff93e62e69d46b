"""What a quality rule gives a user: restrictions and skills."""

from __future__ import annotations

import time
from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.store import Document, Store

_UNIT_SECONDS = {"MINUTES": 60, "HOURS": 3600, "DAYS": 86_400}


def ban(store: Store, pool: Document, user: str, parameters: Document) -> bool:
    """Bans the user from the scope that the rule names. False if the user is banned already."""
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
    """Adds a restriction. If the user has one for the same scope and target, changes that one."""
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
