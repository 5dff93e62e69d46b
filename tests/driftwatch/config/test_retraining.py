"""The retraining that an alert starts."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"retraining.approval_hours": 1e12}, "retraining.approval_hours", "less than or equal to 2160"),
        ({"retraining.gate_confidence": 0.5}, "retraining.gate_confidence", "greater than 0.5"),
        ({"retraining.promotion": "always"}, "retraining.promotion", "'auto', 'approval' or 'never'"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
