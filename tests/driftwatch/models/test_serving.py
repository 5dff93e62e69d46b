"""Which versions answered a day, and which one the verdict is about."""

from __future__ import annotations

import pytest

from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models.serving import MOST_VERSIONS, answered_in, serving_first

from .versions import serving


@pytest.fixture
def config(small_monitor, tmp_path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


def test_the_serving_version_is_the_one_with_the_most_answers_and_comes_first(config: MonitorConfig) -> None:
    found = answered_in({"9": 5, "10": 90, "8": 5}, config, "the table")
    assert found.serving == "10"
    assert found.several
    assert list(found.images.items()) == [("10", 90), ("8", 5), ("9", 5)]


def test_the_named_version_serves_however_few_images_it_answered(config: MonitorConfig) -> None:
    found = answered_in({"a": 90, "b": 10}, serving(config, "b"), "the table")
    assert (found.serving, list(found.images)) == ("b", ["b", "a"])


def test_of_as_many_answers_the_first_by_name_serves(config: MonitorConfig) -> None:
    assert answered_in({"b": 40, "a": 40}, config, "the table").serving == "a"


def test_a_named_version_that_answered_nothing_is_refused_with_those_that_did(config: MonitorConfig) -> None:
    with pytest.raises(
        NeedsAttention, match=r"the table: model.serving_version is 7, which answered no image.*\['8', '9'\]"
    ):
        answered_in({"8": 1, "9": 1}, serving(config, "7"), "the table")


def test_a_column_of_something_else_than_versions_is_refused(config: MonitorConfig) -> None:
    assert answered_in({str(n): 1 for n in range(MOST_VERSIONS)}, config, "the table").several
    with pytest.raises(NeedsAttention, match="model_version has 51 values, and a day may have 50"):
        answered_in({str(n): 1 for n in range(MOST_VERSIONS + 1)}, config, "the table")


def test_the_order_follows_from_the_numbers_alone(config: MonitorConfig) -> None:
    images = {"a": 10, "b": 90}
    assert serving_first(images, config).serving == "b"
    assert list(serving_first(images, serving(config, "a")).images.items()) == [("a", 10), ("b", 90)]


def test_a_day_without_answers_has_no_serving_version(config: MonitorConfig) -> None:
    found = answered_in({}, serving(config, "7"), "the table")
    assert (found.serving, found.several, found.images) == (None, False, {})
