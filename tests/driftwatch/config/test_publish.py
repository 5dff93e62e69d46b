"""Where profiles go."""

from __future__ import annotations

import pytest

from driftwatch.config.loader import load_monitor

from .files import assert_refused, write


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"publish.sinks": ["whylabs"]}, "publish", "dataset is needed"),
        ({"publish.monitors": {"trailing_days": 3}}, "publish.monitors.trailing_days", "greater than or equal to 4"),
        ({"publish.monitors": {"trailing_days": 5}}, "publish.monitors", "trailing_min_days must not be more"),
        ({"publish.alert_source": "either"}, "publish", "needs whylabs among the sinks"),
        ({"publish": ["whylabs"]}, "publish", "dataset is needed"),
        ({"publish": ["whylab"]}, "publish.sinks.0", "'whylabs' or 'local'"),
        ({"publish": ["local", "local"]}, "publish.sinks", "named once"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)


def test_a_list_of_sinks_is_short_for_the_section(tmp_path):
    short, long = ({"publish": ["local"]}, {"publish": {"sinks": ["local"]}})
    assert load_monitor(write(tmp_path, short)).publish == load_monitor(write(tmp_path, long)).publish


def test_a_monitor_may_publish_nothing(tmp_path):
    assert load_monitor(write(tmp_path, {"publish": []})).publish.sinks == ()
