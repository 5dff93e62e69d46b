"""Content, predictions, trend and single classes by day: what content_drift.json, drift.json and performance.json say, drawn as it stands."""

from __future__ import annotations

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, a_day, content, typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import ContentDrift
from driftwatch.view.answer_series import class_series, content_series, predictions_series, trend_series
from driftwatch.view.days import Day


def test_a_chance_of_one_in_a_hundred_is_two_and_none_is_drawn_as_one_in_a_million() -> None:
    parts = {"predictions": {**samples.CONTENT_DRIFT["predictions"], "p_value": 0.01, "false_alarm_rate": 0.001}}
    none = {"predictions": {**samples.CONTENT_DRIFT["predictions"], "p_value": 0.0}}
    days = [
        Day(DAY, content_drift=typed(ContentDrift, samples.CONTENT_DRIFT, **parts)),
        Day(DAY, content_drift=typed(ContentDrift, samples.CONTENT_DRIFT, **none)),
        Day(DAY),
    ]
    found = predictions_series(days)
    assert found.rarity == [pytest.approx(2), 6, None]
    assert found.limit[0] == pytest.approx(3)
    assert found.p_value == [0.01, 0.0, None]
    assert found.said[2] == "–"


def test_what_was_found_stands_beside_the_number() -> None:
    days = [Day(DAY, content_drift=content("drifted", "drifted")), Day(DAY, content_drift=content("ok", "ok"))]
    assert content_series(days).said[1] == "as usual"
    assert content_series(days).verdict == ["drifted", "ok"]
    assert "→" in predictions_series(days).said[0]


def test_the_trend_has_its_height_and_its_limit() -> None:
    found, trend = trend_series([a_day(drift="ok"), Day(DAY)]), samples.DAY_DRIFT["trend"]
    assert (found.score, found.limit) == ([trend["score"], None], [trend["limit"], None])
    assert found.said[1] == "–"


def test_a_class_has_its_shares_of_the_answers_and_its_measures_by_the_labels() -> None:
    drift, measured = content("ok", "ok"), typed(Performance, samples.PERFORMANCE)
    found = class_series([Day(DAY, content_drift=drift, performance=measured)], "dog")
    row = next(row for row in drift.predictions.classes if row.name == "dog")
    assert (found.share, found.usual) == ([row.day], [row.reference])
    assert found.measures["recall"].value == [measured.classes["dog"].recall.value]
    nobody = class_series([Day(DAY, content_drift=drift, performance=measured)], "horse")
    assert (nobody.share, nobody.measures["f1"].text) == ([None], ["–"])
