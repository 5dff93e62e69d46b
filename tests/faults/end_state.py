"""What counts in the end of a day, whatever happened on the way."""

from __future__ import annotations

from collections import Counter
from typing import Any

from driftwatch.http import Limits
from driftwatch.publish.whylabs.api import WhyLabsApi

from .world import DATASET, KEY, Case


def end_state(case: Case) -> dict[str, Any]:
    """What counts in the end: projects, pools, trainings, their tasks, the money, the decisions, the labels, and what WhyLabs
    has merged into the day."""
    http = case.world.toloka_http
    marker = f"driftwatch:{case.monitor.name}:"

    def listed(kind: str, **query: Any) -> list[dict[str, Any]]:
        found = http.get(f"/api/v1/{kind}", params={"limit": 300, "sort": "-id", **query}).raise_for_status()
        return found.json()["items"]

    projects = [item for item in listed("projects") if item["private_comment"].startswith(marker)]
    pools = [pool for project in projects for pool in listed("pools", project_id=project["id"])]
    trainings = [item for project in projects for item in listed("trainings", project_id=project["id"])]
    pages = [page for pool in pools for page in listed("assignments", pool_id=pool["id"])]

    def tasks_of(holder: dict[str, Any]) -> dict[str, int]:
        """Each image of the day by its id; of the known ones, which are drawn by the monitor's name, how often each is there."""
        found = Counter(
            "known" if task.get("known_solutions") else task["input_values"]["image_id"]
            for task in listed("tasks", pool_id=holder["id"])
        )
        different = {task["input_values"]["image_id"] for task in listed("tasks", pool_id=holder["id"])}
        return {**dict(sorted(found.items())), "different": len(different)}

    api = WhyLabsApi(case.world.whylabs, KEY, dataset=DATASET, limits=Limits(timeout=20))
    return {
        "projects": len(projects),
        "pools": [(pool["status"], pool.get("last_close_reason")) for pool in pools],
        "trainings": [item["status"] for item in trainings],
        "tasks": [tasks_of(pool) for pool in pools],
        "exam": [tasks_of(training) for training in trainings],
        "pages": sorted((page["user_id"], page["status"], page.get("public_comment", "")) for page in pages),
        "paid": round(sum(page["reward"] for page in pages if page["status"] == "ACCEPTED"), 4),
        "labels": _table(case, case.keys.labels),
        "profiles": api.profile_count(case.day),
        "rows": api.read_day(case.day, "count", column="image.entropy"),
        "scored": api.read_day(case.day, "classification.accuracy"),
        "monitors": _monitors(case),
        "local": len(case.storage.list(f"{case.layout.local_profiles}/{case.day}")),
    }


def _monitors(case: Case) -> list[str]:
    """What WhyLabs has of this monitor's analyzers and monitors."""
    path = f"/v0/organizations/org-1/models/{DATASET}/monitor-config/v3"
    found = case.world.whylabs_http.get(path).raise_for_status().json()
    mine = f"{case.monitor.name}-"
    return sorted(
        item["id"].removeprefix(mine)
        for kind in ("analyzers", "monitors")
        for item in found[kind]
        if item["id"].startswith(mine)
    )


def _table(case: Case, key: str) -> Any:
    return case.storage.read_table(key).to_dict("list") if case.storage.exists(key) else None
