"""An image is taken out of a service's tasks without losing their answers, where the service can."""

from __future__ import annotations

from types import SimpleNamespace

from driftwatch.http import ServiceRefusedRequest
from driftwatch.labels.backends.label_studio.backend import LabelStudioBackend
from driftwatch.labels.backends.label_studio.records import TaskState
from driftwatch.labels.backends.toloka.backend import TolokaBackend

IMAGE, OTHER, TOKEN = "ab" * 32, "cd" * 32, "f0" * 32


def label_studio(tasks) -> tuple[LabelStudioBackend, list]:
    changed: list = []
    backend = LabelStudioBackend(lambda: None)
    backend.__dict__["api"] = SimpleNamespace(
        tasks=tasks, change_task=lambda task, **fields: changed.append((task, fields))
    )
    return backend, changed


def test_label_studios_task_gets_the_token_and_no_link():
    def tasks(project):
        data = [{"image": f"https://x/{name}.jpg", "image_id": name} for name in (IMAGE, OTHER)]
        return [TaskState(id=place, data=fields, overlap=1, is_labeled=False) for place, fields in enumerate(data)]

    backend, changed = label_studio(tasks)
    assert backend.blank("7", {IMAGE: TOKEN}) == 1
    assert changed == [(0, {"data": {"image": "", "image_id": TOKEN}})]


def test_a_project_that_is_gone_has_no_task_left():
    def gone(project):
        raise ServiceRefusedRequest("no such project", 404)

    backend, changed = label_studio(gone)
    assert (backend.blank("7", {IMAGE: TOKEN}), changed) == (0, [])


def test_a_service_that_cannot_change_a_task_says_so():
    assert TolokaBackend(lambda: None).blank("7", {IMAGE: TOKEN}) is None
