"""How drift is judged."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"profiling.group_pattern": "a{99999999999}"}, "profiling.group_pattern", "no regular expression"),
        ({"profiling.group_pattern": "day"}, "profiling.group_pattern", "needs a group in parentheses"),
        ({"profiling.false_alarm_shares.content": 0.6}, "profiling.false_alarm_shares", "add up to 1.35"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
