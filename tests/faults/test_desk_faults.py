"""Every call of a day to the desk x every fault, once and for ever; and a task killed at each point: the same day in the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from .desk_world import DeskCase, RunningDesk, desk_process
from .matrix import REPAIRED, REPEATED, RETRIED
from .test_kills import run_and_die
from .test_service_faults import FAULTS, annotation, path_regex
from .touches import recorded
from .world import IMPATIENT, PATIENT, World

pytestmark = [pytest.mark.all_faults, pytest.mark.slow, pytest.mark.timeout(1200)]
_DESK = "the-desk "
_OF_TOLOKA = {"429 quota", "operation FAIL", "upload 403", "upload URL expired"}
COLUMNS = [name for name in FAULTS if name not in _OF_TOLOKA]
_OTHER = pytest.mark.all_faults("in the plain suite a kind of fault either passes or stays")
CELLS = [
    pytest.param(name, times, id=f"{name}-{'once' if times else 'for ever'}", marks=() if plain else _OTHER)
    for number, name in enumerate(COLUMNS)
    for times, plain in ((1, number % 2), (None, not number % 2))
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, root) -> Iterator[RunningDesk]:
    with desk_process(tmp_path_factory.mktemp("desk"), root) as found:
        yield found


@pytest.fixture(autouse=True)
def connected(desk: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in desk.connection().items():
        monkeypatch.setenv(name, value)
    yield
    desk.no_faults()


@pytest.fixture(scope="module")
def faultless(world: World, desk: RunningDesk) -> tuple[list[str], dict[str, Any]]:
    """The points that a day touches, and how it ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in desk.connection().items():
            patch.setenv(name, value)
        case = desk.case(world)
        with recorded() as points:
            outcome = annotation(case)
        assert not outcome.errors, outcome.errors
    return points, case.end()


def test_a_day_at_the_desk_has_one_batch_and_every_label(faultless):
    _, end = faultless
    assert end["batches"] == [("closed", "COMPLETED")]
    assert {tuple(counts) for image, *counts in end["tasks"] if image != "known"} == {(2, 2)}
    assert set(end["labels"]["label"]) == {"cat"}


@pytest.mark.parametrize(("name", "times"), CELLS)
def test_a_fault_ends_in_the_same_day(world, desk, faultless, cell, share, monkeypatch, name, times):
    for variable, value in desk.connection(IMPATIENT if name == "slow" else PATIENT).items():
        monkeypatch.setenv(variable, value)
    points, wanted = faultless
    calls = sorted({point for point in points if point.startswith(_DESK)})
    assert len(calls) >= 5
    for call in calls[COLUMNS.index(name) % min(share, len(calls)) :: share]:
        case = desk.case(world)
        desk.fault(method=call.split()[1], path_regex=path_regex(call), times=times, **FAULTS[name].fields)
        outcome = annotation(case, tries=None if times else 1)
        desk.no_faults()
        result = RETRIED if outcome.retried else REPEATED
        if outcome.errors:
            (error,) = outcome.errors.values()
            assert re.search(FAULTS[name].cause, str(error)), f"the message does not name the cause: {error!r}"
            result = again(case)
        assert case.end() == wanted, (call, name)
        cell(call, f"{name}, {'once' if times else 'for ever'}", result)
        case.remove()


def again(case: DeskCase) -> str:
    """Runs the day once more, without faults."""
    outcome = annotation(case)
    assert not outcome.errors, outcome.errors
    return REPAIRED


def test_a_task_killed_anywhere_and_run_again_ends_in_the_same_day(world, desk, faultless, cell, share):
    points, wanted = faultless
    for point in range(1, len(points) + 1, share):
        case = desk.case(world)
        assert run_and_die(case, annotation, point) is not None, points[point - 1]
        assert (again(case), case.end()) == (REPAIRED, wanted), points[point - 1]
        cell(f"the-desk killed {point:03d} before {points[point - 1]}", "killed", REPAIRED)
        case.remove()
