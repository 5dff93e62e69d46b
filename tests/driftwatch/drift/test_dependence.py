"""Images that are not independent count for less, so that bursts and sessions raise no more alarms than stated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.drift import Reference
from driftwatch.drift.dependence import bursts, effective_size, intraclass_correlation, share_weights, weights_of


def population(clusters: int, size: int, alike: float, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Normal features of `clusters` times `size` images whose intraclass correlation is `alike`."""
    common = np.repeat(rng.normal(size=(clusters, 4)), size, axis=0)
    values = np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=common.shape)
    return pd.DataFrame(values, columns=list("abcd")), np.repeat(np.arange(clusters), size)


def hashes(clusters: np.ndarray) -> list[str]:
    """Hashes of one bit apart within a cluster, of about 32 between."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**63, clusters.max() + 1)
    return [f"{int(base[cluster]) ^ (1 << int(rng.integers(0, 60))):016x}" for cluster in clusters]


def test_near_duplicates_are_one_cluster_but_pictures_without_contrast_or_hash_never_are():
    table = pd.DataFrame({"phash": [*hashes(np.array([0, 0, 1, 0, 1])), None, None]})
    assert bursts(table).tolist() == [0, 0, 1, 0, 1, 2, 3]
    dark = table.assign(**{"image.Brightness.stddev": [40, 40, 40, 2.0, 40, 40, 40]})
    assert len(set(bursts(dark))) == 5
    assert bursts(table.drop(columns="phash")) is None
    assert bursts(table.head(0)).tolist() == []


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.9])
def test_the_intraclass_correlation_is_found_on_any_scale(alike):
    table, groups = population(60, 8, alike, np.random.default_rng(1))
    assert intraclass_correlation(np.exp(table["a"].to_numpy()), groups) == pytest.approx(alike, abs=0.12)


def test_a_single_group_is_one_image_and_single_images_are_independent():
    values = np.arange(10.0)
    assert intraclass_correlation(values, np.zeros(10, int)) == 1.0
    assert intraclass_correlation(values, np.arange(10)) == 0.0
    assert intraclass_correlation(np.ones(10), np.arange(10) // 2) == 0.0
    assert effective_size(weights_of(pd.DataFrame({"a": values, "group": "only"}), ["a"])) == 1
    assert weights_of(pd.DataFrame({"a": values}), ["a"]) is None


def test_a_burst_is_worth_one_image_and_a_group_what_kish_says():
    table, clusters = population(30, 5, 0.5, np.random.default_rng(2))
    found = weights_of(table.assign(phash=hashes(clusters)), list("abcd"))
    assert effective_size(found) == 30
    by_group = weights_of(table.assign(group=clusters), list("abcd"))
    assert effective_size(by_group) == pytest.approx(150 / (1 + 4 * 0.5), rel=0.2)


def test_days_of_bursts_raise_the_stated_false_alarms_and_without_hashes_many_more():
    """60 days of 40 bursts of 5 frames, at a rate of 20 %: 12 false alarms are expected."""
    rng = np.random.default_rng(3)
    reference = Reference.build(population(600, 1, 0, rng)[0], false_alarm_rate=0.2)
    told, untold = 0, 0
    for _ in range(60):
        day, clusters = population(40, 5, 0.98, rng)
        told += reference.test(day.assign(phash=hashes(clusters))).drifted
        untold += reference.test(day).drifted
    assert 5 <= told <= 20
    assert untold >= 40


def test_near_duplicates_in_the_reference_are_kept_once():
    table, clusters = population(80, 2, 1.0, np.random.default_rng(4))
    assert len(Reference.build(table.assign(phash=hashes(clusters))).features) == 80


def test_shares_count_images_by_what_they_tell_and_one_long_burst_as_two_of_the_next():
    poses = np.repeat(1 / 10, 40)  # four pictures of ten images each
    counted, worth = share_weights(np.r_[poses, np.ones(40)])
    assert (counted == 1).all()
    assert worth == pytest.approx(80**2 / (4 * 10**2 + 40))
    counted, worth = share_weights(np.r_[np.full(70, 1 / 70), np.ones(60)])
    assert counted[:70].sum() == pytest.approx(2)
    assert worth == pytest.approx(62**2 / (2**2 + 60))
    assert share_weights(np.ones(5))[1] == 5
    assert share_weights(np.ones(0))[1] == 0
