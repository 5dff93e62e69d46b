"""The retraining that an alert starts."""

from __future__ import annotations

import pytest

from driftwatch.config.retraining import RetrainingConfig

from .files import assert_refused


@pytest.mark.parametrize(
    ("changes", "field", "allowed"),
    [
        ({"retraining.approval_hours": 1e12}, "retraining.approval_hours", "less than or equal to 2160"),
        ({"retraining.gate_confidence": 0.5}, "retraining.gate_confidence", "greater than 0.5"),
        (
            {"retraining.trainer": "our package"},
            "retraining.trainer",
            "an import path like our_package.training:OurTrainer",
        ),
        (
            {"retraining.trainer": "ours.training:"},
            "retraining.trainer",
            "keras, handover, the name of an installed trainer",
        ),
        ({"retraining.handover_dag": "our dag"}, "retraining.handover_dag", "pattern"),
        ({"retraining.trainer": "keras", "retraining.handover_dag": "d"}, "retraining", "leave it out for keras"),
        ({"retraining.promotion": "always"}, "retraining.promotion", "'auto', 'approval' or 'never'"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(tmp_path, changes, field, allowed):
    assert_refused(tmp_path, changes, field, allowed)


@pytest.mark.parametrize(
    "name", [None, "keras", "handover", "ours", "our-trainer", "ours:Trainer", "our_package.training:OurTrainer"]
)
def test_a_trainer_is_a_name_or_an_import_path(name):
    assert RetrainingConfig(trainer=name).trainer == name
