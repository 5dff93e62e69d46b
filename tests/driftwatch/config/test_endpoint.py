"""The model server's settings."""

from __future__ import annotations

import pytest

from .files import assert_refused

GOOD = {"connection": "models", "model": "cats"}


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"model.endpoint": {"model": "cats"}}, "model.endpoint.connection", "required"),
        ({"model.endpoint": {**GOOD, "protocol": "grpc"}}, "model.endpoint.protocol", "'v2'"),
        ({"model.endpoint": {**GOOD, "signature": "predict"}}, "model.endpoint", "signature: not for protocol: v2"),
        ({"model.endpoint": {**GOOD, "protocol": "tensorflow", "binary": True}}, "model.endpoint", "not for protocol: tensorflow"),
        ({"model.endpoint": {**GOOD, "datatype": "FP16", "binary": False}}, "model.endpoint", "no JSON form"),
        ({"model.endpoint": {**GOOD, "requests_at_once": 0}}, "model.endpoint.requests_at_once", "greater than or equal to 1"),
        ({"model.endpoint": {**GOOD, "images_per_request": 257}}, "model.endpoint.images_per_request", "less than or equal to 256"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)
