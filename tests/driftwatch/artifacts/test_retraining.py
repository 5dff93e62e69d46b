"""A retraining's working files are read as their models say, and written again to the byte."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import SET, MonitorKeys
from driftwatch.artifacts.retraining import (
    AttachedAlert,
    ChallengerNote,
    ClassComparison,
    DatasetCard,
    DatasetSummary,
    GateResult,
    GateRules,
    PairedComparison,
    RetrainingRequest,
)
from driftwatch.config.retraining import RetrainingConfig
from driftwatch.models.dataset import summary
from driftwatch.models.gate_rules import decide
from driftwatch.models.requests import begin, begin_unless_in_the_way
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole, unknown_fields

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def same(kind, made):
    """What was made in memory is what is read after it was written."""
    written = made.model_dump(mode="json", exclude_unset=True)
    found = kind.model_validate_json(json.dumps(written))
    assert list(unknown_fields(found)) == []
    assert found.model_dump(mode="json", exclude_unset=True) == written
    return found


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (DatasetCard, samples.DATASET_CARD),
        (ChallengerNote, samples.CHALLENGER),
        (GateResult, samples.GATE),
        (RetrainingRequest, samples.REQUEST),
        (AttachedAlert, samples.ATTACHED_ALERT),
    ],
)
def test_a_file_is_read_whole_and_written_again(storage, kind, whole):
    storage.write_json("x.json", whole)
    read_whole(storage, "x.json", kind)


def test_a_request_by_hand_has_no_day_and_an_alert_is_attached_to_it(storage):
    begin(monitor_store(storage, LAYOUT), "manual", "manual")
    assert read_whole(storage, LAYOUT.active_retraining, RetrainingRequest).day is None
    storage.write_bytes(LAYOUT.retraining("manual", SET), b"a set")
    assert begin_unless_in_the_way(monitor_store(storage, LAYOUT), date(2026, 1, 10), 7, lambda run_id, unfinished: 1)
    key = LAYOUT.of_retraining("manual").attached_alert(date(2026, 1, 10))
    assert read_whole(storage, key, AttachedAlert) == AttachedAlert(day=date(2026, 1, 10))


@pytest.mark.parametrize("clean", [0, 80])
def test_the_gate_s_decision_fits_with_and_without_clean_images(clean):
    rows = [("recent", "cat", "dog", "cat")] * 60 + [("clean", name, name, name) for name in ("cat", "dog")] * clean
    table = pd.DataFrame(rows, columns=["part", "label", "champion", "challenger"])
    table["image_id"] = [f"i{number}" for number in range(len(table))]
    found = decide(table, ("cat", "dog"), RetrainingConfig())
    same(PairedComparison, found.recent)
    assert (same(PairedComparison, found.clean).difference is None) == (clean == 0)
    assert {same(ClassComparison, of_class).n for of_class in found.by_class.values()} == {clean}
    same(GateRules, found.rules)


@pytest.mark.parametrize("labels", [0, 3])
def test_a_dataset_card_fits_with_and_without_human_labels(labels):
    original = [("a", "cat", "train", "original", "", 1.0), ("b", "dog", "evaluation", "original", "", 1.0)]
    human = [(f"h{number}", "cat", "train", "human", "2026-01-10", 2 / 3) for number in range(labels)]
    columns = ["image_id", "label", "split", "source", "day", "confidence"]
    found = same(DatasetSummary, summary(pd.DataFrame(original + human, columns=columns)))
    assert (found.new_labels, found.mean_confidence) == (labels, 0.6667 if labels else None)
