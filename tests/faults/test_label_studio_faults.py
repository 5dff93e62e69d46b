"""Every call of a day in Label Studio x every fault, and a kill at every point: the day ends as it would have, or says why and is repaired.

A real Label Studio stands behind a door that fails as it is told.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.door import Door, Fault, door_before
from tests.label_studio_server.running import SECONDS, LabelStudio, shared_server

from driftwatch.config import LabelsConfig, MonitorConfig
from driftwatch.config.loader import load_monitor

from .matrix import REPAIRED, REPEATED, RETRIED
from .test_kills import run_and_die
from .touches import recorded
from .world import ANNOTATION, Case, Outcome

pytestmark = [
    pytest.mark.all_faults("each day takes a real Label Studio seconds"),
    pytest.mark.slow,
    pytest.mark.timeout(3600),
]
# Seconds that a slow server takes, and that it is waited for; in the other columns it is waited for as long as a busy machine needs.
SLOW, IMPATIENT = 6.0, 4.0
# What the door does, and what the error must name.
FAULTS = {
    "500 before": (Fault("500"), "answered 500"),
    "500 after": (Fault("failed"), "answered 500"),
    "dropped before": (Fault("reset"), "did not answer"),
    "dropped after": (Fault("lost"), "did not answer"),
    "slow": (Fault("late", seconds=SLOW), "time limit"),
    "HTML 502": (Fault("html"), "502"),
}
CONNECTION = "AIRFLOW_CONN_LABEL_STUDIO_DEFAULT"
LABELS = {"sample_size": 4, "overlap": 2, "control_tasks": 2, "poll_seconds": 0.02, "price_per_hour": 36}


@dataclass
class World:
    """`connection` leads to the door. As much of the other fault suites' world as a case needs."""

    server: LabelStudio
    door: Door
    monitor: MonitorConfig
    folder: Path
    count: int = 0

    def no_faults(self) -> None:
        self.door.faults = []

    def case(self) -> LabelStudioCase:
        self.count += 1
        name = f"case{self.count}"
        uri = f"file://{self.folder}/{name}"
        changed = {"name": name, "storage": self.monitor.storage.model_copy(update={"uri": uri})}
        monitor = self.monitor.model_copy(update=changed)
        return LabelStudioCase(self, monitor, date(2024, 1, 1) + timedelta(days=self.count), self.folder / name)  # type: ignore[arg-type]

    def connection(self, timeout: float) -> str:
        extra = {"timeout": timeout, "retries": 1}
        found = {"conn_type": "label_studio", "host": self.door.url, "password": self.server.token, "extra": extra}
        return json.dumps(found)


class LabelStudioCase(Case):
    """A day whose people work in Label Studio, past the door."""

    def people_answer(self) -> None:
        server, plan = self.world.server, self.storage.read_json(self.keys.annotation)
        known = {task["image_id"]: task["label"] for task in plan["control"]}
        for task in server.tasks(plan["pool_id"]):
            given = {answer["completed_by"] for answer in task["annotations"]}
            for person in (server.people["ann"], server.people["bob"]):
                if task["overlap"] and int(person.id) not in given:
                    person.submit(task["id"], known.get(task["data"]["image_id"], "cat"))

    def remove(self) -> None:
        """With its projects: the server lists a hundred."""
        for project in self.world.server.projects():
            if project["title"].endswith(key_of(self)):
                self.world.server.owner.delete(f"/api/projects/{project['id']}/").raise_for_status()
        super().remove()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, root) -> Iterator[World]:
    import time

    with pytest.MonkeyPatch.context() as patch:
        server = shared_server()
        folder = tmp_path_factory.mktemp("faults")
        patch.setenv("DRIFTWATCH_STORAGE", f"file://{folder}")
        shipped = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
        words = {name: getattr(shipped.labels, name) for name in ("project_name", "question", "instructions")}
        labels = LabelsConfig.model_validate({"backend": "label_studio", **words, **LABELS})
        images = {"conn_type": "http", "host": "http://127.0.0.1:9", "password": "secret"}
        patch.setenv("AIRFLOW_CONN_DRIFTWATCH_IMAGES", json.dumps(images))
        real = time.sleep
        patch.setattr(time, "sleep", lambda seconds: real(min(seconds, 0.05)))
        with door_before(server.url) as door:
            found = World(server, door, shipped.model_copy(update={"labels": labels}), folder)
            patch.setenv(CONNECTION, found.connection(SECONDS))
            yield found


@pytest.fixture(scope="module")
def faultless(world: World) -> tuple[list[str], dict[str, Any]]:
    """The points that a day touches, and how it ends."""
    case = world.case()
    with recorded() as points:
        outcome = case.run(ANNOTATION)
    assert not outcome.errors, outcome.errors
    assert not outcome.retried
    return points, end_state(case)


def end_state(case: Case) -> dict[str, Any]:
    """What counts in the end: one project, each image in it once, closed; the votes, their money, the labels."""
    server = case.world.server
    plan = case.storage.read_json(case.keys.annotation)
    projects = [project for project in server.projects() if project["title"].endswith(key_of(case))]
    tasks = [task for project in projects for task in server.tasks(str(project["id"]))]
    known = {task["image_id"] for task in plan["control"]}
    shown = Counter("known" if task["data"]["image_id"] in known else task["data"]["image_id"] for task in tasks)
    answers = case.storage.read_table(case.keys.assignments)
    return {
        "projects": len(projects),
        "images": shown,
        "open": sum(not task["is_labeled"] for task in tasks),
        "pinned": [project["pinned_at"] for project in projects],
        "ended": (plan["state"], plan["close_reason"], plan["progress"]["spent"]),
        "answers": sorted(zip(answers["answer"], answers["control"], answers["status"], strict=True)),
        "labels": case.storage.read_table(case.keys.labels)["label"].tolist(),
    }  # fmt: skip


def key_of(case: Case) -> str:
    from driftwatch.labels.backends.label_studio.project import key_of

    return key_of(case.monitor.name, str(case.day))


def normal(end: dict[str, Any]) -> dict[str, Any]:
    """Images are other ones in each case: how often each is there counts."""
    return {**end, "images": sorted(end["images"].values())}


def judge(case: Case, outcome: Outcome, wanted: dict[str, Any], cause: str, late: bool) -> str:
    """What became of a broken day; raises AssertionError where it is not the same day in the end. `late`: what the server was asked for, it
    did after nobody waited any more."""
    result = RETRIED if outcome.retried else REPEATED
    if outcome.errors:
        (error,) = outcome.errors.values()
        assert re.search(cause, str(error)), f"the message does not name the cause: {error!r}"
        again = case.run(ANNOTATION)
        assert not again.errors, f"the re-run does not repair it: {again.errors}"
        result = REPAIRED
    if late:  # what comes after its project was found is offered to nobody, and gone when the day is run again
        case.world.door.wait_until_all_arrived()
        again = case.run(ANNOTATION[:1])
        assert not again.errors, again.errors
    end = normal(end_state(case))
    assert end == normal(wanted), end
    case.remove()
    return result


def calls_of(points: list[str]) -> list[str]:
    return sorted({point for point in points if point.startswith("label-studio")})


def target_regex(call: str) -> str:
    _, method, path = call.split(" ", 2)
    return f"^{method} " + re.escape(path).replace(r"\{\}", "[^/]+") + r"(\?|$)"


@pytest.mark.parametrize("times", [1, 1000], ids=["once", "for ever"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_leaves_no_trace_or_is_named_and_repaired(world, faultless, cell, monkeypatch, name, times):
    points, wanted = faultless
    fault, cause = FAULTS[name]
    late = fault.kind == "late"
    failures = {}
    for call in calls_of(points):
        case = world.case()
        world.door.faults = [Fault(fault.kind, target_regex(call), times, fault.seconds)]
        monkeypatch.setenv(CONNECTION, world.connection(IMPATIENT if late else SECONDS))
        outcome = case.run(ANNOTATION, tries=None if times == 1 else 1)
        monkeypatch.setenv(CONNECTION, world.connection(SECONDS))
        world.door.faults = []
        try:
            result = judge(case, outcome, wanted, cause, late)
        except AssertionError as error:
            failures[call], result = str(error), "FAILED"
        cell(call, f"{name}, {'once' if times == 1 else 'for ever'}", result)
    assert not failures, failures


def test_a_task_killed_anywhere_and_run_again_ends_in_the_same_day(world, faultless, cell):
    points, wanted = faultless
    failures = {}
    for point in range(1, len(points) + 1):
        case = world.case()
        where = run_and_die(case, lambda case, **how: case.run(ANNOTATION, **how), point)
        assert where is not None, f"the run ended before point {point} of {len(points)}"
        again = case.run(ANNOTATION)
        end = normal(end_state(case)) if not again.errors else None
        good = end == normal(wanted)
        if not good:
            failures[f"{point}: {where}"] = again.errors or end
        cell(f"killed label-studio {point:03d} before {points[point - 1]}", "killed", REPAIRED if good else "FAILED")
        case.remove()
    assert not failures, failures


def test_every_call_that_a_day_needs_is_in_the_table(faultless):
    calls = calls_of(faultless[0])
    assert {
        f"label-studio {call}" for call in ("POST /api/projects/", "POST /api/projects/{}/import", "GET /api/tasks")
    } < set(calls)
    assert {"label-studio PATCH /api/projects/{}/", "label-studio GET /api/projects/{}/export"} < set(calls)
