"""Each label backend makes one pool with each image once, wherever its task is killed. See test_conformance.py for the rest."""

from __future__ import annotations

import re

import pytest

from driftwatch.artifacts.store import DayStore

from ...kills import When, killed_at, touches
from .days import IMAGES, asked, backend, deliver_late, opened, pool_of

pytestmark = pytest.mark.all_faults


@pytest.fixture(scope="session")
def everywhere(request: pytest.FixtureRequest) -> bool:
    """`make test` kills at one of each kind of touch; `make test-faults` at each touch."""
    return bool(request.config.getoption("--all-faults"))


def one_of_each(touched: list[str], points: list[int], when: When) -> list[int]:
    """The first of each kind of touch for a kill before it, the last for one after it."""
    kinds: dict[str, list[int]] = {}
    for number in points:
        kinds.setdefault(re.sub(r"\d+", "", touched[number]), []).append(number)
    return sorted(of[0] if when == "before" else of[-1] for of in kinds.values())


@pytest.mark.parametrize("when", ["before", "after"])
def test_one_that_is_killed_anywhere_and_repeated_has_one_pool_with_each_image_once(
    service, new_day, when: When, everywhere: bool
):
    day = new_day()
    touched = touches(lambda: opened(service, day))
    # The copies of images are made before the backend is asked for anything.
    points = [number for number, what in enumerate(touched) if not what.endswith(".jpg")]
    points = points if everywhere else one_of_each(touched, points, when)
    assert len(points) > 3
    for number in points:
        day, before = new_day(), service.pools()
        killed_at(number, when, lambda day=day: opened(service, day), may_end=True)
        plan = opened(service, day)
        assert backend(service).look(pool_of(plan)).is_open, number
        assert (service.pools() - before, sorted(service.shown(pool_of(plan)))) == (1, asked(plan)), number


def test_a_pool_of_late_images_that_is_killed_anywhere_and_repeated_is_one_with_each_image_once(
    service, new_day, everywhere: bool
):
    def late_day() -> DayStore:
        day = new_day()
        opened(service, day)
        deliver_late(day, IMAGES)
        return day

    day = late_day()
    touched = touches(lambda: opened(service, day))
    begins = next(number for number, what in enumerate(touched) if what.endswith("supplement_1.parquet"))
    points = list(range(begins, len(touched), 1 if everywhere else 5))
    assert len(points) > 1
    for number in points:
        day, before = late_day(), service.pools()
        when: When = "after" if number % 2 else "before"
        killed_at(number, when, lambda day=day: opened(service, day), may_end=True)
        own, supplement = opened(service, day).parts
        assert backend(service).look(pool_of(supplement)).is_open, (number, touched[number])
        assert service.pools() - before == 1, (number, touched[number])
        for part in (own, supplement):
            assert sorted(service.shown(pool_of(part))) == asked(part), (number, touched[number])
