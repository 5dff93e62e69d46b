"""What a test's people and requester do: open a pool, log in, take a page, answer, look at what was given."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import httpx

from driftwatch.artifacts.annotation import AnnotationPlan, SampleSize
from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka.project import build_pool, build_project
from driftwatch.labels.money import cost_of
from driftwatch_servers.labelling.app import COOKIE

TOKENS = {"ana": "token-of-ana-1", "ben": "token-of-ben-2"}
ANSWERS = ("cat", "dog", "unclear")


def plan(project_id: str, config: MonitorConfig) -> AnnotationPlan:
    expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    return AnnotationPlan(
        day=date(2026, 1, 5),
        state="planned",
        seed=0,
        overlap=1,
        sample_size=SampleSize(images=0),
        sample=(),
        control=(),
        exam=None,
        cost=cost_of(0, config.labels.model_copy(update={"reward_per_page": 0.05, "tasks_per_page": 9})),
        project_id=project_id,
        exam_id=None,
        pool_id=None,
        creations={},
        operation_ids=(),
        expires=expires,
        links_expire=expires,
    )


def open_pool(market: Any, config: MonitorConfig, images: str, tasks: int = 20, **metadata: list[str]) -> str:
    """A pool as the product makes it; the right answer of image n is the n-th of ANSWERS in turn, of a control task always cat."""
    project = market.kit.create_project(build_project(config))
    body = build_pool(config, plan(project.id, config), "2026-01-05")
    body.metadata = metadata or None
    pool = market.kit.create_pool(body)
    market.upload(pool.id, [f"{images}/{number}.png" for number in range(tasks)])
    market.upload(pool.id, [f"{images}/{900 + number}.png" for number in range(12)], known=["cat"] * 12)
    market.open(pool.id)
    return str(pool.id)


def person(market: Any, name: str) -> httpx.Client:
    client = httpx.Client(base_url=f"{market.url}/label", timeout=20)
    session = client.post("/login", json={"token": TOKENS[name]}).raise_for_status().cookies[COOKIE]
    client.headers["Cookie"] = f"{COOKIE}={session}"  # a browser takes 127.0.0.1 for safe, httpx does not
    return client


def take(client: httpx.Client, pool_id: str) -> dict[str, Any] | None:
    return client.post(f"/pools/{pool_id}/page", json={}).raise_for_status().json()["page"]


def right(url: str) -> str:
    number = int(url.rsplit("/", 1)[-1].removesuffix(".png"))
    return "cat" if number >= 900 else ANSWERS[number % 3]


def answer(
    client: httpx.Client, page: dict[str, Any], task: dict[str, Any], value: str | None = None
) -> dict[str, Any]:
    body = {"task_id": task["id"], "output_values": {"result": value or right(task["inputs"]["image"])}}
    return client.post(f"/pages/{page['id']}/answers", json=body).raise_for_status().json()


def given(market: Any, pool_id: str) -> dict[str, list[str]]:
    """The answers that the requester gets, by image; control tasks left out."""
    found: dict[str, list[str]] = {}
    for page in market.kit.get_assignments(pool_id=pool_id, status=["SUBMITTED", "ACCEPTED"]):
        for task, solution in zip(page.tasks, page.solutions, strict=True):
            if not task.known_solutions:
                found.setdefault(task.input_values["image"], []).append(solution.output_values["result"])
    return found
