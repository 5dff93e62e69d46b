"""How long a trigger pauses, and rests before its first look."""

from __future__ import annotations

import asyncio
import inspect
from datetime import timedelta
from unittest.mock import patch

import pytest
from airflow.sdk.timezone import utcnow

from driftwatch_airflow.triggers import patience
from driftwatch_airflow.triggers.analysis import AnalysisTrigger
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger
from driftwatch_airflow.triggers.patience import pause, rested
from driftwatch_airflow.triggers.reach import ReachTrigger
from driftwatch_airflow.triggers.turn import TurnTrigger


def test_looks_that_fail_come_ever_less_often():
    assert [pause(60, failures) for failures in (0, 1, 2, 5, 5000)] == [60, 120, 240, 600, 600]
    assert pause(1800, 3) == 1800


# The real one; the suite's conftest has put another in its place.
REST = patience.rest_seconds


class Rested(Exception):
    """The trigger rests before anything else."""


@pytest.mark.parametrize(
    "trigger",
    [ReachTrigger({}), TurnTrigger("dag", "2026-01-01"), AnnotationCompleteTrigger.__new__(AnnotationCompleteTrigger), AnalysisTrigger.__new__(AnalysisTrigger)],
    ids=lambda trigger: type(trigger).__name__,
)  # fmt: skip
def test_no_trigger_fires_before_the_scheduler_knows_that_its_task_was_deferred(trigger, monkeypatch):
    async def rest() -> None:
        raise Rested

    monkeypatch.setattr(inspect.getmodule(type(trigger)), "rest", rest)
    with pytest.raises(Rested):
        asyncio.run(anext(trigger.run()))


def test_a_rest_is_longer_than_a_workers_heartbeat_and_a_moment_that_comes_too_soon_is_put_off():
    with patch.object(patience, "rest_seconds", REST):
        assert REST() == 5 + 3  # [workers] min_heartbeat_interval, and what a scheduler needs
        now = utcnow()
        assert rested(now, now) == now + timedelta(seconds=8)
        assert rested(now + timedelta(hours=1), now) == now + timedelta(hours=1)
