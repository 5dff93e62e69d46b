"""A task process killed (SIGKILL) at each point where it touches the outside, then run again: the same day in the end.

The points come from a faultless run through the seam `driftwatch.outside`, so none can be forgotten. What is killed before the
next point has had all effects of the ones before it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from .end_state import end_state
from .matrix import REPAIRED
from .test_service_faults import SCENARIOS, Case, prepared
from .touches import noticing, recorded
from .world import World

pytestmark = [pytest.mark.all_faults, pytest.mark.slow, pytest.mark.timeout(1200)]
PARTS = 4
_ONE = pytest.mark.all_faults("the plain suite kills once in the middle of each scenario")


@pytest.fixture(scope="module")
def faultless(world: World) -> dict[Callable[..., Any], tuple[list[str], dict[str, Any]]]:
    found = {}
    for scenario in SCENARIOS:
        case = prepared(world, scenario)
        with recorded() as points:
            assert not scenario(case).errors
        found[scenario] = points, end_state(case)
    return found


def run_and_die(case: Case, scenario: Callable[..., Any], point: int) -> str | None:
    """Runs the day in a process of its own that is killed before its `point`-th touch of the outside; where that was."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        touched = 0

        def die(call: str) -> None:
            nonlocal touched
            touched += 1
            if touched == point:
                os.write(writer, call.encode())
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with noticing(die):
                scenario(case, tries=1)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        where = pipe.read()
    _, status = os.waitpid(process, 0)
    return where if os.WIFSIGNALED(status) else None


@pytest.mark.parametrize("part", [pytest.param(part, marks=_ONE if part else ()) for part in range(PARTS)])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_task_killed_anywhere_and_run_again_ends_in_the_same_day(world, faultless, cell, share, scenario, part):
    points, wanted = faultless[scenario]
    failures = {}
    of_the_part = range(1 + part, len(points) + 1, PARTS)
    for point in of_the_part[len(of_the_part) // 2 % share :: share]:
        case = prepared(world, scenario)
        where = run_and_die(case, scenario, point)
        assert where is not None, f"the run ended before point {point} of {len(points)}"
        again = scenario(case)
        end = end_state(case)
        if again.errors or end != wanted:
            differs = {name: (end[name], wanted[name]) for name in wanted if end[name] != wanted[name]}
            failures[f"{point}: {where}"] = again.errors or differs
        cell(f"killed {point:03d} before {points[point - 1]}", "killed", "FAILED" if failures else REPAIRED)
        case.remove()
    assert not failures, failures
