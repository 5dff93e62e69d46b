"""Which days are monitored."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"schedule.cron": "@daily"}, "schedule.cron", "unknown key"),
        ({"schedule.delivery_hours": -1}, "schedule.delivery_hours", "greater than or equal to 0"),
        ({"schedule.end_date": "2025-12-31"}, "schedule", "is before start_date"),
        ({"schedule.start_date": 1767225600}, "schedule.start_date", "YYYY-MM-DD"),
        ({"schedule.end_date": "9999-12-31"}, "schedule.end_date", "2000 to 2099"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
