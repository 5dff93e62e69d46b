"""The kinds of drift are told apart, each with its own verdict, finding and evidence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.view import tones
from driftwatch.view.drift_words import feature_rows, kinds, mute_lines, sample, shares
from driftwatch.view.states import usual, usual_buttons

TREND = {
    "verdict": "drifted", "days": 40, "score": 18.2, "limit": 16.6, "false_alarms_per_year": 0.2,
    "feature": "image.Sharpness.laplacian", "direction": "down", "since": "2025-12-20", "crossed": True,
}  # fmt: skip
CLASSES = [{"name": "cat", "reference": 0.5, "day": 0.89}, {"name": "dog", "reference": 0.5, "day": 0.11}]


def day_drift(**changes: Any) -> DayDrift:
    """A calm day, changed."""
    calm = {
        "verdict": "ok",
        "n": 100,
        "effective_n": 100,
        "features": [],
        "drifted_features": [],
        "trend": {**TREND, "verdict": "ok"},
    }
    return DayDrift.model_validate_json(json.dumps({**samples.DAY_DRIFT, **calm, **changes}))


def content_drift(**content: Any) -> ContentDrift:
    """A day whose content and predictions changed; `content`: fields of the former."""
    feature = {**samples.DAY_DRIFT["features"][0], "feature": "distance", "direction": "up", "verdict": "drifted"}
    test = {"verdict": "drifted", "p_value": 0.0002, "false_alarm_rate": 0.0025, "n": 100, "effective_n": 61}
    found = {**test, "features": [feature], "examples": [], **content}
    predictions = {**test, "p_value": 0.0001, "effect": 0.39, "classes": CLASSES}
    return ContentDrift.model_validate_json(
        json.dumps({**samples.CONTENT_DRIFT, "content": found, "predictions": predictions})
    )


def test_each_kind_has_its_own_row_and_the_unknown_ones_none() -> None:
    assert kinds(None, None) == []
    assert [(row.name, row.verdict.word) for row in kinds(day_drift(), content_drift())] == [
        ("Image quality", "as usual"),
        ("Content", "changed"),
        ("Predictions", "changed"),
        ("Trend over days", "as usual"),
    ]
    assert [kinds(None, content_drift(**by))[0].about for by in ({}, {"by": "gist"})] == [
        "the model's embedding",
        "GIST, a descriptor of the picture",
    ]
    creeping = kinds(day_drift(trend=TREND), None)[-1]
    assert creeping.finding == "sharpness falls slowly, about since 2025-12-20"
    assert creeping.evidence == "CUSUM 18.2, alarm above 16.6; 0.2 false alarms a year at most"
    early = kinds(day_drift(trend={**TREND, "verdict": "not_enough_evidence", "score": None, "days": 3}), None)[-1]
    assert early.evidence == "3 days without an alarm so far; 7 are needed"


def test_too_little_evidence_is_said_with_its_reason() -> None:
    few = content_drift(verdict="not_enough_evidence", p_value=None, reason="v1 has 12 held-out images")
    row = kinds(day_drift(), few)[1]
    assert (row.verdict.tone, row.verdict.word) == (tones.UNSURE, "not enough evidence")
    assert row.evidence == "v1 has 12 held-out images"


def test_a_burst_shows_in_the_count() -> None:
    assert sample(day_drift(effective_n=61)) == "100 images, worth 61 independent ones (bursts or groups)"
    assert sample(day_drift()) == "100 images"
    of_a_sample = day_drift(effective_n=61, of_images=3_000_000)
    assert (
        sample(of_a_sample)
        == "100 images, a random sample of the day's 3,000,000, worth 61 independent ones (bursts or groups)"
    )


def test_a_day_of_another_mix_says_with_how_much_of_the_reference_it_was_compared() -> None:
    said = "against the 214 reference images that have the day's mix of classes"
    assert said in kinds(day_drift(), content_drift(reference_of_mix=214))[1].evidence
    assert "mix" not in kinds(day_drift(), content_drift())[1].evidence


def test_shares_name_the_largest_change_first() -> None:
    assert shares(content_drift().predictions) == "cat 50 % → 89 % and dog 50 % → 11 %"


@pytest.mark.parametrize(
    ("verdict", "p_value", "word"),
    [("drifted", 0.00001, "moved"), ("ok", 0.25, "as usual"), ("not_enough_evidence", None, "not tested")],
)
def test_a_feature_says_whether_it_moved(verdict: str, p_value: float | None, word: str) -> None:
    feature = {
        **samples.DAY_DRIFT["features"][0],
        "feature": "image.Brightness.mean",
        "direction": "down",
        "test": "shift",
    }
    found = day_drift(features=[{**feature, "verdict": verdict, "p_value": p_value, "effect": 0.314}])
    (row,) = feature_rows(found)
    assert (row.name, row.verdict.word, row.effect) == ("brightness", word, "0.31")
    assert row.looks == ("darker" if verdict == "drifted" else "")
    assert row.p == {0.00001: "< 0.0001", 0.25: "0.25", None: "–"}[p_value]
    assert row.test == ("–" if p_value is None else "median")


QUIET = {**samples.DAY_DRIFT["features"][0], "verdict": "ok", "silenced": "small"}
MUTE = {
    "what": "feature", "name": QUIET["feature"], "since": "2026-01-08", "until": "2026-02-08", "by": "ann",
    "at": "2026-01-08T09:00:00+00:00", "reason": "fog until spring",
}  # fmt: skip


def test_what_is_detected_and_does_not_alarm_stays_in_the_table_and_says_why() -> None:
    small = day_drift(features=[QUIET])
    assert kinds(small, None)[0].finding.startswith("detected, small: ")
    assert (feature_rows(small)[0].verdict.word, feature_rows(small)[0].moved) == ("detected, small", False)
    muted = day_drift(features=[{**QUIET, "silenced": "muted"}], mutes=[MUTE])
    assert kinds(muted, None)[0].finding.startswith("muted: ")
    assert feature_rows(muted)[0].verdict.word == "muted"
    assert mute_lines(muted)[0].endswith(" until 2026-02-08, by ann: fog until spring")


def test_with_several_states_the_evidence_says_which_one_the_day_is_like_or_nearest_to() -> None:
    states = [
        {"name": "training", "verdict": "drifted", "p_value": 0.0002},
        {"name": "lens", "verdict": "ok", "p_value": 0.4},
    ]
    like = day_drift(state="lens", nearest="lens", states=states, p_value=0.4)
    assert kinds(like, None)[0].evidence.endswith(", like the state lens")
    unlike = day_drift(state=None, nearest="training", states=states, verdict="drifted")
    assert kinds(unlike, None)[0].evidence.endswith(", nearest of 2 states: the training data")
    model = day_drift().reference_version
    assert usual(like) == f"the data of model {model} and the accepted lens"
    assert usual(day_drift()) == f"the data of model {model}"


@pytest.mark.parametrize(
    ("baseline", "words"), [("trailing", "the last usual days"), ("days", "the days that the monitor file names")]
)
def test_a_baseline_of_days_is_called_so_and_is_neither_data_nor_an_accepted_state(baseline: str, words: str) -> None:
    states = [{"name": baseline, "verdict": "ok", "p_value": 0.4}, {"name": "lens", "verdict": "drifted", "p_value": 0}]
    like = day_drift(state=baseline, nearest=baseline, states=states, p_value=0.4)
    assert kinds(like, None)[0].evidence.endswith(f", like {words}")
    assert usual(like) == f"{words} and the accepted lens"
    alone = day_drift(state=None, nearest=baseline, states=states[:1], verdict="drifted")
    assert kinds(alone, None)[0].evidence.endswith(f", against {words}")
    assert usual(alone) == words


def test_the_days_page_offers_to_accept_to_withdraw_and_to_mute() -> None:
    drifted = day_drift(verdict="drifted", drifted_features=["image.Sharpness.laplacian"])
    assert [button.conf for button in usual_buttons(drifted)] == [
        {"action": "accept", "days": "2026-01-08"},
        {"action": "mute", "name": "image.Sharpness.laplacian", "since": "2026-01-08", "until": "2026-02-05"},
    ]
    like = day_drift(state="lens", nearest="lens", mutes=[MUTE])
    assert [button.text for button in usual_buttons(like)] == [
        "Accept days like 2026-01-08 as usual",
        "Withdraw the state lens",
        f"Let {mute_lines(like)[0].partition(' until')[0]} alarm again",
    ]
