"""Everything that version 0.1 wrote is read, nothing of it is unknown, and it is written again to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftwatch.artifacts.kinds import every_kind, kind_of
from driftwatch.storage import open_storage

from .checks import read_whole

ROOT = Path(__file__).parents[2] / "data/artifacts_0_1"
KEYS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.json"))
# Kinds that the day, the models and the retraining of the set have not: tests of their own read what their writers write.
NOT_THERE = {
    "AcceptedState", "Answers", "DayEpisodes", "DayMap", "LabelTable", "Mutes", "StateOfModel",
    "AttachedAlert", "Failure", "ForgetReceipt", "ForgetWork", "Handover", "InputsIndex", "LateFiles", "MlflowRecord", "MonthSummary", "Recheck", "RetrainingDecision", "ServedModel", "ShardPlan", "ToldNote", "TrainingCheckpoint", "TrainingSetPixels", "TrainingSetReady",
    "WhyLabsAnalysis",
}  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_file_of_version_0_1_is_read_whole_and_written_again(key):
    read_whole(open_storage(f"file://{ROOT}"), key, kind_of(key))


def test_the_set_has_every_kind_but_those_that_are_tested_elsewhere():
    there = {kind_of(key).__name__ for key in KEYS}
    assert {kind.__name__ for kind in every_kind()} - there == NOT_THERE
