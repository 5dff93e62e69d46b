"""When the model counts as worse."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"performance.persistence": 3, "performance.persistence_days": 2}, "performance", "it could never be reached"),
        ({"performance.policy": []}, "performance.policy", "at least 1"),
        ({"performance.floor": True}, "performance.floor", "true and false are for switches"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
