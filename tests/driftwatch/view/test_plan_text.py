"""What a retraining or a rollback would do, in words that a person decides by."""

from __future__ import annotations

from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.retraining import DatasetCard
from driftwatch.config.retraining import RetrainingConfig
from driftwatch.models.retraining_plan import RetrainingPlan, VersionPlan
from driftwatch.view.plan_text import comparison_lines, retraining_lines, rollback_lines

CHAMPION = "v0001-2f099e5a"
ACCURACY = Share(value=0.8889, low=0.8588, high=0.9132, n=513)
UNKNOWN = Share(value=None, low=None, high=None, n=0, reason="no image was held out")


def plan(seconds: float | None = 200, accuracy: Share = ACCURACY, **settings: Any) -> list[str]:
    found = typed(DatasetCard, samples.DATASET_CARD)
    return retraining_lines(RetrainingPlan(found, seconds, CHAMPION, accuracy, RetrainingConfig(**settings)))


def test_the_set_is_told_with_its_days_and_what_was_left_out() -> None:
    lines = plan()
    assert lines[0] == (
        f"Would fine-tune {CHAMPION} on 2295 images, 1295 of them with labels of 2026-01-02 to 2026-01-08."
    )
    assert lines[1] == "  2026-01-05: evaluation 124, train 143, validation 14"
    assert "  classes of the training part: cat 0.5067, dog 0.4933" in lines
    assert any(line.startswith("  labels left out: ") and "no_consensus 45" in line for line in lines)


def test_a_training_from_scratch_is_not_called_fine_tuning() -> None:
    assert plan(start_from="scratch")[0].startswith("Would train a new model from scratch on 2295 images")


@pytest.mark.parametrize(
    ("promotion", "said"),
    [
        ("auto", "Where the gate is passed it would replace"),
        ("approval", "Where the gate is passed and a person approves it would replace"),
    ],
)
def test_who_must_agree_is_told_with_what_would_be_replaced(promotion: str, said: str) -> None:
    last = plan(promotion=promotion)[-1]
    assert last == f"{said} {CHAMPION}, accuracy 88.9% (85.9% to 91.3%) on 513 held-out images."


def test_what_is_never_promoted_replaces_nothing() -> None:
    assert plan(promotion="never")[-1] == "It would replace nothing: promotion is never."


@pytest.mark.parametrize(("seconds", "minutes"), [(0.2, 1), (89, 1), (91, 2), (3600, 60)])
def test_the_time_is_at_least_a_minute(seconds: float, minutes: int) -> None:
    assert f"Training would take about {minutes} minute(s) on this machine." in plan(seconds)


def test_a_champion_without_a_holdout_has_an_unknown_accuracy() -> None:
    assert plan(accuracy=UNKNOWN, promotion="auto")[-1].endswith(f"{CHAMPION}, accuracy unknown.")


@pytest.mark.parametrize(("dag", "told"), [(None, "make an Asset event"), ("ours", "trigger the DAG ours")])
def test_a_hand_over_trains_nothing_and_says_who_is_told(dag: str | None, told: str) -> None:
    lines = plan(None, handover_dag=dag)
    assert lines[0].startswith(
        "Would hand over to the team, without their evaluation part, 2295 images, 1295 of them with"
    )
    assert lines[-2] == f"It would {told}, and end."
    assert lines[-1].startswith(f"{CHAMPION} stays the champion until the model that comes back has passed the gate")
    assert not [line for line in lines if "minute" in line]


def test_a_comparison_is_told_with_both_versions() -> None:
    lines = comparison_lines(VersionPlan("v0002-bbbbbbbb", UNKNOWN, CHAMPION, ACCURACY))
    assert (
        lines[0] == f"Would compare v0002-bbbbbbbb with the champion {CHAMPION}, and promote it if the gate is passed."
    )
    assert lines[1:] == [
        "v0002-bbbbbbbb: accuracy unknown",
        f"{CHAMPION}: accuracy 88.9% (85.9% to 91.3%) on 513 held-out images",
    ]


def test_a_rollback_is_told_with_both_versions_each_beside_its_own_accuracy() -> None:
    other = Share(value=0.75, low=0.7, high=0.8, n=100)
    assert rollback_lines(VersionPlan("v0001-aaaaaaaa", other, "v0002-bbbbbbbb", UNKNOWN)) == [
        "Would make v0001-aaaaaaaa the champion instead of v0002-bbbbbbbb.",
        "v0001-aaaaaaaa: accuracy 75.0% (70.0% to 80.0%) on 100 held-out images",
        "v0002-bbbbbbbb: accuracy unknown",
    ]
