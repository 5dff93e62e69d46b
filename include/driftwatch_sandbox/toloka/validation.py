"""Refuses what Toloka refuses: projects, pools, trainings and tasks with missing or impossible fields."""

from __future__ import annotations

import time
from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.errors import field_error, validation
from driftwatch_sandbox.toloka.fields import Errors, check_spec, check_values, error
from driftwatch_sandbox.toloka.filters import check_filter
from driftwatch_sandbox.toloka.quality import check_quality_control
from driftwatch_sandbox.toloka.store import Document

MAX_OVERLAP = 30_000
_DAY_SECONDS = 86_400


class Check:
    """Collects the errors of one object's fields."""

    def __init__(self, data: Any) -> None:
        if not isinstance(data, dict):
            raise field_error("body", "OBJECT_EXPECTED", "a JSON object is needed")
        self.data: Document = data
        self.errors: Errors = {}

    def value(self, path: str) -> Any:
        found: Any = self.data
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def text(self, *paths: str) -> None:
        for path in paths:
            value = self.value(path)
            if not isinstance(value, str) or not value.strip():
                code = "VALUE_REQUIRED" if value in (None, "") else "STRING_EXPECTED"
                self.errors[path] = error(code, "a text is needed")

    def boolean(self, *paths: str, required: bool = False) -> None:
        for path in paths:
            value = self.value(path)
            if value is None and required:
                self.errors[path] = error("VALUE_REQUIRED", "true or false is needed")
            elif value is not None and not isinstance(value, bool):
                self.errors[path] = error("BOOLEAN_EXPECTED", f"{value!r} is not true or false")

    def whole(self, path: str, low: int, high: int, required: bool = False) -> None:
        value = self.value(path)
        if value is None:
            if required:
                self.errors[path] = error("VALUE_REQUIRED", f"a whole number from {low} to {high} is needed")
        elif isinstance(value, bool) or not isinstance(value, int):
            self.errors[path] = error("INTEGER_EXPECTED", f"{value!r} is not a whole number")
        elif not low <= value <= high:
            self.errors[path] = error("VALUE_OUT_OF_BOUNDS", f"{value} is not from {low} to {high}")

    def finish(self) -> None:
        if self.errors:
            raise validation(self.errors)


def check_project(data: Any) -> None:
    check = Check(data)
    check.text("public_name", "public_description")
    view = check.value("task_spec.view_spec")
    if check.value("task_spec") is None:
        check.errors["task_spec"] = error("VALUE_REQUIRED", "input_spec, output_spec and view_spec are needed")
        check.finish()
    for name in ("input_spec", "output_spec"):
        check.errors |= check_spec(check.value(f"task_spec.{name}"), f"task_spec.{name}")
    if not isinstance(view, dict) or view.get("type", "classic") not in ("tb", "classic"):
        check.errors["task_spec.view_spec"] = error("VALUE_REQUIRED", "a view of type tb or classic is needed")
    elif view.get("type") == "tb":
        check.text("task_spec.view_spec.config")
    check.finish()


def check_pool(data: Any, project: Document | None, new: bool) -> None:
    """`project` is the pool's project, or None when it does not exist; a `new` pool must expire in the future."""
    check = Check(data)
    check.text("private_name")
    _check_project_id(check, project)
    check.boolean("may_contain_adult_content", required=True)
    check.boolean("auto_accept_solutions")
    check.whole("assignment_max_duration_seconds", 1, 365 * _DAY_SECONDS, required=True)
    check.whole("auto_close_after_complete_delay_seconds", 0, 3 * _DAY_SECONDS)
    check.whole("auto_accept_period_day", 1, 365)
    check.whole("priority", 0, 100)
    check.whole("defaults.default_overlap_for_new_tasks", 1, MAX_OVERLAP)
    check.whole("defaults.default_overlap_for_new_task_suites", 1, MAX_OVERLAP)
    _check_reward(check)
    _check_expiry(check, new)
    _check_mixer(check)
    check.errors |= check_filter(data.get("filter"))
    check.errors |= check_quality_control(data.get("quality_control"))
    check.finish()


def check_training(data: Any, project: Document | None) -> None:
    check = Check(data)
    check.text("private_name")
    _check_project_id(check, project)
    check.whole("assignment_max_duration_seconds", 1, 365 * _DAY_SECONDS)
    check.whole("training_tasks_in_task_suite_count", 1, 1000, required=True)
    check.whole("task_suites_required_to_pass", 1, 1000, required=True)
    check.whole("retry_training_after_days", 1, 365)
    check.finish()


def check_task(item: Document, pool: Document | None, project: Document | None, allow_defaults: bool) -> Errors:
    """Errors of one task. `pool`: the pool or training that it is for."""
    if pool is None or project is None:
        message = f"pool {item.get('pool_id')!r} does not exist"
        return {"pool_id": error("ENTITY_DOES_NOT_EXIST", message)}
    spec = project["task_spec"]
    errors = check_values(item.get("input_values"), spec["input_spec"], "input_values")
    known = item.get("known_solutions") or []
    if not isinstance(known, list):
        return errors | {"known_solutions": error("ARRAY_EXPECTED", "a list of solutions is needed")}
    for index, solution in enumerate(known):
        path = f"known_solutions.{index}"
        values = solution.get("output_values") if isinstance(solution, dict) else None
        if not values:
            errors[f"{path}.output_values"] = error("VALUE_REQUIRED", "the right answer is needed")
        else:
            errors |= check_values(values, spec["output_spec"], f"{path}.output_values", partial=True)
    if pool["type"] == "TRAINING":
        if not known:
            errors["known_solutions"] = error("VALUE_REQUIRED", "a training task needs its right answer")
        return errors
    return errors | _check_overlap(item, allow_defaults or bool(known))


def _check_overlap(item: Document, may_miss: bool) -> Errors:
    check = Check(item)
    check.boolean("infinite_overlap")
    check.whole("overlap", 1, MAX_OVERLAP, required=not (may_miss or item.get("infinite_overlap")))
    return check.errors


def _check_project_id(check: Check, project: Document | None) -> None:
    check.text("project_id")
    if "project_id" not in check.errors and project is None:
        message = f"project {check.value('project_id')!r} does not exist"
        check.errors["project_id"] = error("ENTITY_DOES_NOT_EXIST", message)


def _check_reward(check: Check) -> None:
    reward = check.value("reward_per_assignment")
    if reward is None:
        check.errors["reward_per_assignment"] = error("VALUE_REQUIRED", "a price in dollars is needed")
    elif isinstance(reward, bool) or not isinstance(reward, (int, float)):
        check.errors["reward_per_assignment"] = error("FLOAT_EXPECTED", f"{reward!r} is not a number")
    elif not 0 < reward <= 100:
        check.errors["reward_per_assignment"] = error("VALUE_OUT_OF_BOUNDS", f"{reward} is not above 0, at most 100")


def _check_expiry(check: Check, new: bool) -> None:
    try:
        expires = times.seconds(check.value("will_expire"))
    except (TypeError, ValueError):
        code = "VALUE_REQUIRED" if check.value("will_expire") is None else "INVALID_DATE_TIME_SYNTAX"
        check.errors["will_expire"] = error(code, "a date and time in UTC is needed")
        return
    # A pool that has expired may still be read and written back.
    if new and expires < time.time():
        check.errors["will_expire"] = error("DATE_OUT_OF_RANGE", "lies in the past")


def _check_mixer(check: Check) -> None:
    if check.value("mixer_config") is None:
        return
    check.whole("mixer_config.real_tasks_count", 0, 1000, required=True)
    for kind in ("golden", "training"):
        check.whole(f"mixer_config.{kind}_tasks_count", 0, 1000)
    for kind in ("real", "golden", "training"):
        most = check.value(f"mixer_config.{kind}_tasks_count") or 0
        if isinstance(most, int):
            check.whole(f"mixer_config.min_{kind}_tasks_count", 0, most)
    counts = [check.value(f"mixer_config.{kind}_tasks_count") or 0 for kind in ("real", "golden", "training")]
    if not any(counts):
        check.errors["mixer_config"] = error("VALUE_OUT_OF_BOUNDS", "a page needs at least one task")
