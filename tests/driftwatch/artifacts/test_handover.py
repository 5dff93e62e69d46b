"""What is handed over is read as its model says, and written again to the byte."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.kinds import kind_of
from driftwatch.storage import open_storage

from . import samples
from .checks import read_whole

DAMAGE = {"kind": "blur", "strength": 2.5, "distance": 0.1, "undamaged_distance": 1}


@pytest.mark.parametrize(
    "whole", [samples.HANDOVER, {**samples.HANDOVER, "damage": DAMAGE}], ids=["no damage", "damage"]
)
def test_a_manifest_is_read_whole_and_written_again(tmp_path, whole):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json("x.json", whole)
    found = read_whole(storage, "x.json", Handover)
    assert (found.set.rows, found.never_train.rows, found.input.height) == (600, 200, 96)


def test_the_manifest_lies_in_a_folder_of_its_retraining():
    key = MonitorKeys("demo").of_retraining("r1").handover.manifest
    assert key == "demo/retraining/r1/handover/manifest.json"
    assert kind_of(key) is Handover
