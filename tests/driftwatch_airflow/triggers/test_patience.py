"""How long a trigger pauses."""

from __future__ import annotations

from driftwatch_airflow.triggers.patience import pause


def test_looks_that_fail_come_ever_less_often():
    assert [pause(60, failures) for failures in (0, 1, 2, 5, 5000)] == [60, 120, 240, 600, 600]
    assert pause(1800, 3) == 1800
