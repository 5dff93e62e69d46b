"""A feature's distribution: the day and its reference in the same bins, every image counted, odd columns refused or survived."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.view.typed import DAY
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.distribution import BINS, Distribution, distribution

LAYOUT, VERSION = MonitorKeys("demo"), "v0001-0a1b2c3d"


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT))


def written(artifacts: Artifacts, day: object, reference: object = None) -> None:
    def table(values: object) -> pd.DataFrame:
        found = pd.DataFrame({"size": values})
        return found.assign(image_id=[f"{number}" for number in range(len(found))])

    artifacts.storage.write_table(LAYOUT.day(DAY).features, table(day))
    if reference is not None:
        artifacts.storage.write_table(LAYOUT.reference_features(VERSION), table(reference))


def found(artifacts: Artifacts, feature: str = "size", version: str | None = VERSION) -> Distribution:
    result = distribution(artifacts, DAY, feature, version)
    assert result is not None
    return result


def test_day_and_reference_share_their_bins(artifacts: Artifacts) -> None:
    written(artifacts, np.full(50, 10.0), np.linspace(0, 1, 80))
    result = found(artifacts)
    assert (len(result.edges), len(result.shares), len(result.reference or [])) == (BINS + 1, BINS, BINS)
    assert (result.n, result.reference_n, result.reference_version) == (50, 80, VERSION)
    assert result.shares[-1] == 1
    assert sum(result.reference[:3]) == pytest.approx(1)


def test_a_day_is_shown_against_the_days_that_it_was_compared_with(artifacts: Artifacts) -> None:
    written(artifacts, np.full(50, 10.0), np.linspace(0, 1, 80))
    usual = [DAY - timedelta(days=back) for back in (3, 2, 1)]
    for other, n in zip(usual, (20, 30, 0), strict=True):
        artifacts.storage.write_table(LAYOUT.day(other).features, pd.DataFrame({"size": np.full(n, 9.0)}))
    for baseline in ("trailing", "days"):
        result = distribution(artifacts, DAY, "size", VERSION, baseline, usual)
        assert result is not None
        assert (result.n, result.reference_n) == (50, 50)
        assert (result.reference or [])[0] == 1
    trained = distribution(artifacts, DAY, "size", VERSION, "training", usual)
    assert trained is not None
    assert trained.reference_n == 80


def test_far_values_are_counted_in_the_outermost_bins_and_do_not_stretch_them(artifacts: Artifacts) -> None:
    written(artifacts, np.concatenate([np.linspace(0, 1, 998), [-1e6, 1e6]]))
    result = found(artifacts)
    assert -0.1 < result.edges[0] < result.edges[-1] < 1.1
    assert sum(result.shares) == pytest.approx(1)


def test_a_day_of_equal_values_has_bins_of_some_width(artifacts: Artifacts) -> None:
    written(artifacts, np.full(5, 3.0), np.full(7, 3.0))
    result = found(artifacts)
    assert (result.edges[0], result.edges[-1]) == (2.5, 3.5)
    assert result.shares == result.reference
    assert sum(result.shares) == 1


def test_missing_values_are_no_images_of_the_distribution(artifacts: Artifacts) -> None:
    written(artifacts, [1.0, np.nan, 2.0, np.nan])
    assert found(artifacts).n == 2
    written(artifacts, [np.nan, np.nan])
    assert distribution(Artifacts(artifacts.store), DAY, "size", None) is None


def test_without_a_reference_the_day_is_shown_alone(artifacts: Artifacts) -> None:
    written(artifacts, [1.0, 2.0])
    for version in (None, VERSION):
        result = found(artifacts, version=version)
        assert (result.reference, result.reference_n) == (None, 0)


def test_what_is_no_number_or_not_there_has_no_distribution(artifacts: Artifacts) -> None:
    assert distribution(artifacts, DAY, "size", VERSION) is None
    written(artifacts, [1.0, 2.0])
    for feature in ("image_id", "colour"):
        assert distribution(Artifacts(artifacts.store), DAY, feature, VERSION) is None
