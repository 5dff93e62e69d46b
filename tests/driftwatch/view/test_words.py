"""How things are said: a headline for each pair of verdicts, features as they look, and text from outside that cannot break a line."""

from __future__ import annotations

import json

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import a_day, content, trend, typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import DayDrift, FeatureDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.images.features import COLUMNS
from driftwatch.view.feature_words import words_of
from driftwatch.view.words import (
    accuracy_and_floor,
    count,
    direction,
    feature_name,
    headline,
    listing,
    one_line,
    printable,
)

INGEST = typed(Ingest, samples.INGEST)


def moved(column: str, way: str, test: str) -> FeatureDrift:
    row = {**samples.DAY_DRIFT["features"][0], "feature": column, "direction": way, "test": test}
    return FeatureDrift.model_validate_json(json.dumps(row))


def test_every_feature_has_words_for_both_directions() -> None:
    for column in COLUMNS:
        assert "." not in feature_name(column)
        said = [direction(moved(column, way, "ks")) for way in ("up", "down")]
        assert len({*said, "higher", "lower"}) == 4
        words = words_of(column)
        assert (words.unit != "value", words.tip.startswith(f"{column}: ")) == (True, True)
    assert direction(moved("image.Own.thing", "up", "high_tail")) == "some images: higher"


def test_a_change_without_a_direction_is_said_as_another_distribution() -> None:
    assert direction(moved("image.Brightness.mean", "none", "ks")) == "other distribution"


def test_unpaired_surrogates_and_control_characters_can_be_written() -> None:
    assert printable("a\ud800\x00\nb é").encode() == b"a\\ud800\\x00\\nb \xc3\xa9"


def test_a_right_to_left_override_is_made_visible() -> None:
    assert printable("fin\u202egpj.exe") == "fin\\u202egpj.exe"


@pytest.mark.parametrize(
    ("text", "said"),
    [("  a\r\n\tb  ", "a b"), ("12345678901", "123456789…"), ("1234567890", "1234567890"), ("", ""), (7, "7")],
)
def test_a_subject_is_one_line_of_limited_length(text: object, said: str) -> None:
    assert one_line(text, most=10) == said


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "none"),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
    ],
)
def test_long_lists_are_counted_not_dropped(items: list[str], said: str) -> None:
    assert listing(items) == said


def test_one_is_singular_and_none_is_not() -> None:
    said = [count(number, "image") for number in (0, 1, 2, 1000)]
    assert said == ["0 images", "1 image", "2 images", "1,000 images"]


@pytest.mark.parametrize(
    ("drift", "performance", "said"),
    [
        ("drifted", "alert", "The images changed and the model got worse:"),
        ("drifted", "ok", "The images changed, but the model holds:"),
        ("drifted", "not_enough_evidence", "The images changed, but there is not enough evidence about the model:"),
        ("ok", "alert", "The images look as usual, but the model got worse:"),
        ("ok", "ok", "The images look as usual and the model holds:"),
        ("not_enough_evidence", "alert", "Too few images to judge drift; the model got worse:"),
        (None, "ok", "Drift is not judged; the model holds:"),
    ],
)
def test_the_headline_has_both_verdicts_and_the_accuracy(drift: str | None, performance: str, said: str) -> None:
    day = a_day(drift=drift, performance=performance)
    found = headline(INGEST, day.drift, day.performance)
    assert found.startswith(said)
    assert ": accuracy " in found
    assert ", floor " in found


def lasting(fires: bool, usual: float) -> dict[str, object]:
    return {"fires": fires, "evidence": 2.0, "since": "2026-01-05", "days": 1, "accuracy": 0.754, "usual": usual}


@pytest.mark.parametrize(
    ("policy", "verdict", "said"),
    [
        ({"worse": lasting(True, 0.898), "below_floor": lasting(False, 0.7)}, "alert", ", usually 89.8 %, floor "),
        ({"worse": lasting(True, 0.898), "below_floor": lasting(True, 0.7)}, "alert", None),
        ({"worse": lasting(True, 0.898), "below_floor": lasting(False, 0.7)}, "ok", None),
        (
            {"drop": {"fires": True, "p_value": 0.001, "alpha": 0.01, "holdout_accuracy": 0.91, "holdout_n": 150}},
            "alert",
            ", usually 91 %, floor ",
        ),
        ({}, "alert", None),
    ],
)
def test_what_is_usual_is_said_where_the_model_is_worse_than_that_and_not_below_the_floor(
    policy: dict[str, object], verdict: str, said: str | None
) -> None:
    """75.4 %, floor 70 %, and an alert: nobody could see why."""
    found = accuracy_and_floor(typed(Performance, samples.PERFORMANCE, verdict=verdict, policy=policy))
    assert ("usually" in found) == (said is not None)
    assert said is None or said in found


def test_the_headline_of_a_day_without_labels_says_that_the_accuracy_is_not_known_yet() -> None:
    assert headline(INGEST, None, None) == f"{INGEST.accepted} images taken in; nothing is judged yet."
    few = headline(INGEST, typed(DayDrift, samples.TOO_SMALL_DAY, n=7), None)
    assert few == "Too few images to judge (7); the model's accuracy is not known yet."


def test_the_headline_names_two_of_the_changes_and_counts_the_others() -> None:
    ways = [("image.Brightness.mean", "down"), ("image.Sharpness.noise", "up"), ("image.Hue.mean", "none")]
    rows = [
        {**samples.DAY_DRIFT["features"][0], "feature": name, "direction": way, "test": "ks", "verdict": "drifted"}
        for name, way in ways
    ]
    found = typed(DayDrift, samples.DAY_DRIFT, verdict="drifted", features=rows)
    assert headline(INGEST, found, None).startswith("The images changed (darker, noisier and 1 more);")


def test_the_headline_of_a_calm_day_does_not_hide_other_drift() -> None:
    calm, slow = (typed(DayDrift, samples.DAY_DRIFT, verdict="ok", trend=trend(said)) for said in ("ok", "drifted"))
    assert headline(INGEST, calm, None, content("ok", "ok")).startswith("The images look as usual;")
    said = headline(INGEST, slow, None, content("drifted", "drifted"))
    assert "quality is as usual, their content changed, the model's answers shifted and they change slowly" in said


def test_the_headline_does_not_hide_that_the_content_of_a_camera_alone_changed() -> None:
    calm, rows = typed(DayDrift, samples.DAY_DRIFT, verdict="ok", trend=trend("ok")), []
    for name, kind, status in (("1", "content", "drifted"), ("2", "content", "usual"), ("1", "predictions", "drifted")):
        rows.append(SegmentDrift(by="camera", name=name, kind=kind, images=40, status=status))
    found = content("ok", "ok").model_copy(update={"segments": tuple(rows)})
    assert headline(INGEST, calm, None, found).startswith(
        "The images' quality is as usual, their content changed in 1 segment and the model's answers shifted in 1 segment;"
    )


@pytest.mark.parametrize(("listed", "said"), [(0, "0 files"), (1, "1 file"), (1200, "1,200 files")])
def test_a_day_without_a_usable_image_says_how_many_files_there_were(listed: int, said: str) -> None:
    ingest = typed(Ingest, samples.INGEST, listed=listed, accepted=0)
    assert headline(ingest, None, None) == f"No usable image arrived: {said} listed, none accepted."
