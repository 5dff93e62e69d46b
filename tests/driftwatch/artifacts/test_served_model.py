"""The file of a version that a model server answers for is read whole and written again."""

from __future__ import annotations

import pytest

from driftwatch.artifacts import base
from driftwatch.artifacts.kinds import kind_of
from driftwatch.artifacts.served_model import ServedModel
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import open_storage

from .checks import read_whole

KEY = "demo/models/v0001-0a1b2c3d/model.json"
WHOLE = {"protocol": "v2", "model": "cats", "address": "https://models.example.org", "versions": ["3", "4"]}


def test_the_file_is_read_whole_and_written_again(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json(KEY, WHOLE)
    assert kind_of(KEY) is ServedModel
    assert read_whole(storage, KEY, ServedModel).versions == ("3", "4")
    storage.write_json(KEY, {**WHOLE, "protocol": "grpc"})
    with pytest.raises(DamagedArtifact, match=r"model\.json .*protocol"):
        base.read(storage, KEY, ServedModel)
