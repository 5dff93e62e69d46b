"""What is accepted as an image."""

from __future__ import annotations

import pytest

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"images.min_side": "large"}, "images.min_side", "valid integer"),
        ({"images.max_reject_share": 20}, "images.max_reject_share", "less than or equal to 1"),
        ({"images.ignore": "*.txt"}, "images.ignore", "must be a list, like [a, b] (got '*.txt')"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
