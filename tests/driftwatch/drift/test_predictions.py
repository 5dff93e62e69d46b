"""The usual predictions of a model, and the test of the day's against them."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.drift import ClassShare, PredictionsTest
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.drift.class_shares import compare_shares
from driftwatch.drift.dependence import bursts
from driftwatch.drift.predictions import judge_predictions, judge_versions, usual_predictions
from driftwatch.models.splits import COLUMNS, TRAIN, decide_splits
from driftwatch.storage import open_storage

from .days import a_day, put_predictions, seen


def training_set(k: int, rng: np.random.Generator) -> pd.DataFrame:
    """22 images a class; of every other class all are near-duplicates of three pictures. The holdout is made as an import makes it."""
    code = np.repeat(np.arange(k), 22)
    pose = [f"{c} {n % 3}" if c % 2 else f"{c} {n}" for n, c in enumerate(code)]
    names = np.array([f"{place:02d}" for place in range(k)])
    table = pd.DataFrame({"label": names[code], "phash": [hashlib.sha256(p.encode()).hexdigest()[:16] for p in pose]})
    table["image_id"] = [hashlib.sha256(rng.bytes(9)).hexdigest() for _ in code]
    right = rng.random(len(code)) < 0.9
    return table.assign(prediction=np.where(right, table["label"], names[(code + 1) % k]))


def test_a_balanced_day_of_many_classes_alarms_no_more_than_stated_though_near_duplicates_leave_the_holdout_uneven():
    """By the held-out images alone, near-duplicates once, the classes with three pictures seem rare: p = 1e-6 and less on such days."""
    alarms = 0
    for number in range(3):
        rng = np.random.default_rng(number)
        table = training_set(40, rng)
        split = decide_splits(pd.DataFrame(columns=COLUMNS), table, 0.15).set_index("image_id")["split"]
        held_out = (
            ~pd.Series(bursts(table)).duplicated().to_numpy() & (table["image_id"].map(split) != TRAIN).to_numpy()
        )
        names = sorted(set(table["label"]))
        usual = usual_predictions(table, held_out, names)
        for n in (100, 1000):
            code = np.arange(n) % 40
            predicted = np.where(rng.random(n) < 0.9, code, (code + 1) % 40)
            alarms += compare_shares(np.bincount(predicted, minlength=40), usual, 0.01, 0).p_value <= 0.01
    assert alarms == 0
    ours = np.bincount(np.r_[rng.integers(0, 40, 400), np.zeros(250, int)], minlength=40)
    assert compare_shares(ours, usual, 0.01, 0).p_value < 0.001  # one class that has become frequent is found


def test_without_labels_the_usual_predictions_are_those_of_the_held_out_images():
    table = pd.DataFrame({"prediction": ["cat", "cat", "dog", "dog", "dog"]})
    held_out = np.array([True, True, True, False, False])
    assert usual_predictions(table, held_out, ["cat", "dog", "fox"]).tolist() == [2, 1, 0]
    nothing = usual_predictions(table.assign(label="cat"), np.zeros(5, bool), ["cat", "dog"])
    assert nothing.tolist() == [0, 0]


def test_classes_are_as_frequent_as_in_all_images_and_not_as_in_the_held_out_ones():
    label = np.array(["cat"] * 300 + ["dog"] * 100)
    held_out = np.r_[np.ones(50, bool), np.zeros(250, bool), np.ones(50, bool), np.zeros(50, bool)]
    usual = usual_predictions(pd.DataFrame({"label": label, "prediction": label}), held_out, ["cat", "dog"])
    assert usual[0] / usual.sum() == pytest.approx(0.75, abs=0.02)
    assert usual.sum() <= 400


USUAL = UsualPredictions(images=100, counts={"cat": 50, "dog": 50})


@pytest.fixture
def day(tmp_path):
    return a_day(open_storage(f"file://{tmp_path}"))


def judged(day, usual: UsualPredictions | None = USUAL) -> PredictionsTest:
    return judge_predictions(day, day.storage.read_table(day.keys.predictions), usual, "v1")


def test_the_verdict_the_effect_and_the_shares_are_of_one_comparison(day):
    put_predictions(day, seen(120, 3)[0], np.where(np.arange(120) < 108, "cat", "dog"))
    test = judged(day)
    assert (test.verdict, test.n, test.effective_n, test.effect) == ("drifted", 120, 120, 0.4)
    assert test.p_value <= test.false_alarm_rate == 0.0025
    assert test.classes == (
        ClassShare(name="cat", reference=0.5, day=0.9),
        ClassShare(name="dog", reference=0.5, day=0.1),
    )


def test_too_few_images_have_shares_and_no_test(day):
    put_predictions(day, seen(29, 3)[0], np.full(29, "cat"))
    test = judged(day)
    assert (test.verdict, test.p_value, test.effect) == ("not_enough_evidence", None, None)
    assert test.reason == "29 independent images; profiling.min_images is 30"
    assert [share.day for share in test.classes] == [1.0, 0.0]


def test_a_day_without_an_image_has_no_share_of_its_own(day):
    put_predictions(day, *seen(0, 3))
    assert [(share.reference, share.day) for share in judged(day).classes] == [(0.5, None), (0.5, None)]
    few = UsualPredictions(images=49, counts={"cat": 20, "dog": 29})
    assert judged(day, few).reason.startswith("the model has 49 held-out images")


def test_a_version_of_few_answers_that_moved_is_told_apart_from_a_calm_day(day):
    said = np.where(np.arange(1000) % 2 == 0, "cat", "dog")
    said[:60] = "cat"
    put_predictions(day, seen(1000, 3)[0], said)
    versions = np.where(np.arange(1000) < 60, "8", np.where(np.arange(1000) < 80, "9", "7"))
    table = day.storage.read_table(day.keys.predictions).assign(model_version=versions)
    seven, eight, nine = judge_versions(day, table, USUAL, "v1")
    assert judge_predictions(day, table, USUAL, "v1").verdict == "ok"
    assert [(test.version, test.n) for test in (seven, eight, nine)] == [("7", 920), ("8", 60), ("9", 20)]
    assert (seven.verdict, eight.verdict, nine.verdict) == ("ok", "drifted", "not_enough_evidence")
    assert seven.false_alarm_rate == 0.0025 / 3  # together as often wrong as the day's test
    assert judge_versions(day, table.assign(model_version="7"), USUAL, "v1") == ()


def test_without_scores_the_predicted_class_tells_how_alike_the_images_of_a_group_are(tmp_path):
    day = a_day(open_storage(f"file://{tmp_path}"), group_pattern=r"(\d)\d\d\.jpg")
    said = np.where(np.arange(600) // 100 % 2 == 0, "cat", "dog")  # a group is of one class throughout
    put_predictions(day, seen(600, 3)[0], said)
    table = day.storage.read_table(day.keys.predictions)
    with_scores = judge_predictions(day, table, USUAL, "v1")
    without = judge_predictions(day, table.drop(columns=["score.cat", "score.dog"]), USUAL, "v1")
    assert without == with_scores
    assert without.effective_n == 6
    table.loc[3, "score.cat"] = None
    assert judge_predictions(day, table, USUAL, "v1") == with_scores
