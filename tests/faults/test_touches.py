"""What is a point of its own, at which the fault suite kills a task."""

from __future__ import annotations

import pytest

from driftwatch.outside import touching

from .touches import recorded


@pytest.fixture(autouse=True)
def no_faults_are_left() -> None:
    """No stand-in is needed here."""


def touch(*points: str) -> None:
    for point in points:
        with touching(point):
            pass


def test_a_wait_is_one_point_however_often_the_service_is_asked():
    upload, wait = "toloka POST /api/v1/tasks", "toloka GET /api/v1/operations/17"
    points = []
    for looks in (1, 3):
        with recorded() as found:
            touch(upload, upload, *[wait] * looks, "toloka GET /api/v1/tasks", wait)
        points.append(found)
    assert points[0] == points[1]
    assert points[0] == [
        upload,
        upload,  # each of two writes has its effect
        "toloka GET /api/v1/operations/{}",
        "toloka GET /api/v1/tasks",
        "toloka GET /api/v1/operations/{}",
    ]
