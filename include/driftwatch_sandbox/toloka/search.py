"""The search requests of every collection: filters, ranges, sorting, pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.errors import field_error
from driftwatch_sandbox.toloka.store import ID_WIDTH, Condition, Store, public

_OPERATORS = {"_lt": "<", "_lte": "<=", "_gt": ">", "_gte": ">="}
_DATES = frozenset(
    ["created", "submitted", "accepted", "rejected", "skipped", "expired", "modified", "finished", "last_started"]
)
_WHOLE_NUMBERS = frozenset(["overlap"])


@dataclass(frozen=True)
class Collection:
    """The fields by which one collection can be searched. It can also be sorted by those of `ranges`."""

    exact: str
    ranges: str = "id created"
    extra_sorts: str = ""
    default_limit: int = 50
    max_limit: int = 100


COLLECTIONS = {
    "projects": Collection("status", "id created", "public_name private_comment", 20, 300),
    "pools": Collection("status project_id", "id created last_started", "", 20, 300),
    "trainings": Collection("status project_id", "id created last_started", "", 20, 300),
    "tasks": Collection("pool_id overlap", "id created overlap", "", 50, 100_000),
    "assignments": Collection(
        "status pool_id task_id task_suite_id user_id",
        "id created submitted accepted rejected skipped expired",
        "",
        50,
        100_000,
    ),
    "operations": Collection("type status", "id submitted finished", "", 50, 500),
    "skills": Collection("name"),
    "user_skills": Collection("user_id skill_id", "id created modified", "", 50, 1000),
    "user_restrictions": Collection("scope user_id project_id pool_id", "id created", "", 50, 500),
    "attachments": Collection("type name user_id assignment_id pool_id owner_id owner_company_id"),
    "aggregated_solutions": Collection("", "task_id", "", 50, 100_000),
}


def search(
    store: Store,
    kind: str,
    query: Mapping[str, str],
    base: tuple[Condition, ...] = (),
    hide_younger_than: float | None = None,
) -> dict[str, Any]:
    """One page of a collection, `{"items": [...], "has_more": bool}`.

    `hide_younger_than` (seconds): objects younger than this are left out, like in a list that is late. A filter that Toloka does not have is
    an error here: a client must not believe that it was applied.
    """
    collection = COLLECTIONS[kind]
    conditions = [*base, *_conditions(collection, query)]
    if hide_younger_than is not None:
        conditions.append(("created", "<=", times.text(time.time() - hide_younger_than)))
    limit = _limit(collection, query.get("limit"))
    found = store.find(kind, conditions, _order(collection, query.get("sort")), limit + 1)
    return {"items": [public(document) for document in found[:limit]], "has_more": len(found) > limit}


def _conditions(collection: Collection, query: Mapping[str, str]) -> list[Condition]:
    exact, ranges = collection.exact.split(), collection.ranges.split()
    conditions: list[Condition] = []
    for name, text in query.items():
        field, operator = _split(name)
        if name in ("limit", "sort"):
            continue
        if operator == "=" and field in exact:
            if field == "status":
                conditions.append((field, "IN", text.split(",")))
            else:
                conditions.append((field, "=", _value(field, text)))
        elif operator != "=" and field in ranges:
            conditions.append((field, operator, _value(field, text)))
        else:
            allowed = exact + [field + suffix for field in ranges for suffix in _OPERATORS]
            raise field_error(name, "VALUE_NOT_ALLOWED", f"no such filter; allowed: {', '.join(allowed)}")
    return conditions


def _split(name: str) -> tuple[str, str]:
    for suffix, operator in _OPERATORS.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), operator
    return name, "="


def _value(field: str, text: str) -> Any:
    if field in _DATES:
        try:
            return times.normal(text)
        except ValueError as error:
            raise field_error(field, "INVALID_DATE_TIME_SYNTAX", f"{text!r} is not a date and time") from error
    if field == "id" and text.isdigit():
        return text.zfill(ID_WIDTH)
    if field in _WHOLE_NUMBERS:
        if not text.isdigit():
            raise field_error(field, "INTEGER_EXPECTED", f"{text!r} is not a whole number")
        return int(text)
    return text


def _limit(collection: Collection, text: str | None) -> int:
    if text is None:
        return collection.default_limit
    if not text.isdigit() or not 1 <= int(text) <= collection.max_limit:
        raise field_error("limit", "VALUE_OUT_OF_BOUNDS", f"{text!r} is not from 1 to {collection.max_limit}")
    return int(text)


def _order(collection: Collection, text: str | None) -> list[tuple[str, bool]]:
    allowed = collection.ranges.split() + collection.extra_sorts.split()
    order = [(part.removeprefix("-"), part.startswith("-")) for part in (text or "").split(",") if part]
    for field, _ in order:
        if field not in allowed:
            raise field_error("sort", "UNKNOWN_ENUM_VALUE", f"{field!r} is not one of {', '.join(allowed)}")
    # The id comes last as a key: so objects with equal keys are never on two pages.
    return order if any(field == "id" for field, _ in order) else [*order, ("id", False)]
