"""Sums of values: the same for the same values in any order and cut, others for others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.drift.value_sums import PREFIX, hash_of_sums, value_sums


def table(rows: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"b": rng.normal(size=rows), "a": rng.integers(0, 3, rows).astype(float)})


def test_the_order_of_rows_and_columns_and_the_cut_do_not_count():
    whole = value_sums(table())
    mixed = table().sample(frac=1, random_state=1)[["a", "b"]]
    parts = [mixed[:1], mixed[1:400], mixed[400:]]
    np.testing.assert_array_equal(np.sum([value_sums(part) for part in parts], axis=0, dtype=np.uint64), whole)
    assert whole[:, 0].tolist() == [1000, 1000]
    assert hash_of_sums(["b", "a"], whole) == hash_of_sums(["a", "b"], whole)
    assert hash_of_sums(["b", "a"], whole).startswith(PREFIX)


def test_what_means_the_same_is_the_same():
    ours = pd.DataFrame({"a": [0.0, np.nan, 1.0]})
    other = np.array([0x7FF8000000000001], np.uint64).view(float)[0]  # another NaN
    theirs = pd.DataFrame({"a": np.array([other, 1.0, -0.0])})
    np.testing.assert_array_equal(value_sums(ours), value_sums(theirs))


@pytest.mark.parametrize("row", [0, 500, 999])
def test_one_value_that_moved_a_little_is_another_content(row):
    changed = table()
    changed.loc[row, "b"] = np.nextafter(changed.loc[row, "b"], 9)
    before, after = value_sums(table()), value_sums(changed)
    assert (before[1, 1:] != after[1, 1:]).all()
    np.testing.assert_array_equal(before[0], after[0])


def test_values_that_change_places_between_columns_or_are_counted_twice_are_another_content():
    swapped = table().rename(columns={"a": "b", "b": "a"})
    assert hash_of_sums(["a", "b"], value_sums(swapped)) != hash_of_sums(["a", "b"], value_sums(table()))
    twice = pd.DataFrame({"a": [1.0, 1.0, 2.0]}), pd.DataFrame({"a": [1.0, 2.0, 2.0]})
    assert (value_sums(twice[0]) != value_sums(twice[1])).any()
