"""Who gets which alerts."""

from __future__ import annotations

import pytest

from .files import assert_refused, refusal, write


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"notifiers": [{"notifier": "a.B", "on": ["drft"]}]}, "notifiers.0.on.0", "'drift'"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)


@pytest.mark.parametrize(
    "notifiers",
    [
        {"token": "hunter2"},
        [["a.B", "hunter2"]],
        [{"notifier": "a.B", "arguments": "Bearer hunter2"}],
    ],
)
def test_a_refusal_shows_no_value_of_a_notifier_which_may_be_a_secret(tmp_path, notifiers):
    message = refusal(write(tmp_path, {"notifiers": notifiers}))
    assert "notifiers" in message
    assert "hunter2" not in message
