"""Scores, however production writes them, are chances for each class, or have a reason why not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftwatch.models.logged.scores import MISSING, NO_NUMBER, NO_SUM, OUT_OF_RANGE, Scores, scores_of

from .days import config


def scores(values: list[Any], tmp_path, output: str = "auto", classes=("cat", "dog")) -> Scores:
    made = config(tmp_path, classes=classes, output=output, columns={"key": "k", "scores": "s"})
    table = pd.DataFrame({"scores": pd.Series(values, dtype=object)})
    found = scores_of(table, made, {name: name for name in classes}.get)
    assert found is not None
    assert np.isnan(found.values).all(axis=1).tolist() == (found.reasons != "").tolist()
    return found


@pytest.mark.parametrize(
    "value",
    [
        [0.25, 0.75],
        (0.25, 0.75),
        np.array([0.25, 0.75], "float32"),
        [[0.25, 0.75]],
        "[0.25, 0.75]",
        {"dog": 0.75, "cat": 0.25},
        '{"dog": 0.75, "cat": "0.25", "ferret": 0.0}',
        0.75,
        "0.75",
        [0.75],
    ],
)
def test_a_list_a_mapping_and_one_chance_are_the_same_scores(tmp_path, value):
    found = scores([value], tmp_path)
    np.testing.assert_allclose(found.values, [[0.25, 0.75]], atol=1e-7)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, MISSING),
        ([0.5], ""),
        ([0.2, 0.3, 0.5], MISSING),
        ({"dog": 1.0}, MISSING),
        ([None, 1.0], MISSING),
        ("cat: 0.5", MISSING),
        ([float("nan"), 1.0], NO_NUMBER),
        (["much", "little"], NO_NUMBER),
        ([float("inf"), 0.0], NO_NUMBER),
        ([10**400, 0.0], NO_NUMBER),
        ([-0.2, 1.2], OUT_OF_RANGE),
        ([1.5, 0.5], OUT_OF_RANGE),
        ([0.6, 0.6], NO_SUM),
        ([0.0, 0.0], NO_SUM),
        ([0.33, 0.66], ""),  # rounded to two decimals
    ],
)
def test_what_cannot_be_scores_is_named(tmp_path, value, reason):
    assert scores([value], tmp_path).reasons.tolist() == [reason]


def test_rounded_scores_of_many_classes_are_made_to_sum_to_1(tmp_path):
    classes = [f"c{number}" for number in range(30)]
    rounded = [0.03] * 30  # sums to 0.9: beyond what rounding explains
    near = [0.035] * 30
    found = scores([rounded, near], tmp_path, classes=classes)
    assert found.reasons.tolist() == [NO_SUM, ""]
    assert found.values[1].sum() == pytest.approx(1)


def test_the_setting_says_that_they_are_logits_or_independent_chances(tmp_path):
    np.testing.assert_allclose(scores([[0.0, np.log(3)]], tmp_path, "logits").values, [[0.25, 0.75]])
    np.testing.assert_allclose(scores([[0.3, 0.9]], tmp_path, "sigmoids").values, [[0.25, 0.75]])
    np.testing.assert_allclose(scores([np.log(3)], tmp_path, "logit").values, [[0.25, 0.75]])
