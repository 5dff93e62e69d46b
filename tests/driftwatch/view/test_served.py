"""A model in production: the mean of the days that it answered, by their labels, with an interval that the days' own intervals give."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.ingest import Ingest
from driftwatch.models.metrics import share
from driftwatch.view.days import Day
from driftwatch.view.served import served
from driftwatch.view.shares import shown


def measured(
    place: int, version: str, value: float | None, n: int = 100, verdict: str = "ok", half: float | None = 0.1
) -> Day:
    share: dict[str, Any] = {"value": value, "low": None, "high": None, "n": n, "reason": "none"}
    if value is not None and half is not None:
        share = {"value": value, "low": value - half, "high": value + half, "n": n}
    return Day(
        DAY + timedelta(days=place),
        ingest=typed(Ingest, samples.INGEST, model_version=version),
        performance=typed(Performance, samples.PERFORMANCE, accuracy=share, verdict=verdict),
    )


def test_days_count_by_their_labels_and_only_those_of_the_version_do() -> None:
    days = [measured(0, "v1", 0.5), measured(1, "v2", 0.9, n=300), measured(2, "v2", 0.5, n=100, verdict="alert")]
    found = served([*days, Day(DAY + timedelta(days=3))], "v2")
    assert found is not None
    assert found.accuracy.text == "80 %"
    assert found.about == "on 400 labels of 2 days, 2026-01-06 to 2026-01-07; 95 % interval"
    assert found.alerts == 1


def test_equal_days_together_are_surer_by_the_root_of_their_number() -> None:
    found = served([measured(place, "v1", 0.7) for place in range(4)], "v1")
    assert found is not None
    assert found.accuracy.note == "[65, 75]"


@pytest.mark.parametrize("right", [(100,), (3,), (0,), (96, 30, 100), (100, 100, 100)])
def test_plain_days_have_the_interval_of_all_their_labels_together(right: tuple[int, ...]) -> None:
    """Of one day that is its own, also where all or none were right."""
    days = []
    for place, hits in enumerate(right):
        of_day = share(hits, 100, 0.95).model_dump(exclude_unset=True)
        performance = typed(Performance, samples.PERFORMANCE, accuracy=of_day)
        days.append(
            Day(
                DAY + timedelta(days=place),
                ingest=typed(Ingest, samples.INGEST, model_version="v1"),
                performance=performance,
            )
        )
    found = served(days, "v1")
    assert found is not None
    assert found.accuracy == shown(share(sum(right), 100 * len(right), 0.95))


@pytest.mark.parametrize(("value", "half", "note"), [(0.7, None, "of the labelled images"), (None, None, None)])
def test_without_an_interval_of_each_day_there_is_none_and_without_a_share_nothing(
    value: float | None, half: float | None, note: str | None
) -> None:
    found = served([measured(0, "v1", value, half=half)], "v1")
    assert (found.accuracy.note if found else None) == note
    assert served([], "v1") is None
