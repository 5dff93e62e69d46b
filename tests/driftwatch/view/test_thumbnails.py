"""A small picture is one row of the stored inputs, read without the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from driftwatch.storage import open_storage
from driftwatch.storage.file import FileStorage
from driftwatch.view.thumbnails import read_row


def test_one_row_of_a_stored_array_is_read_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage(f"file://{tmp_path}")
    array = np.arange(5 * 4 * 4 * 3, dtype="uint8").reshape(5, 4, 4, 3)
    storage.write_array("inputs.npy", array)
    assert (read_row(storage, "inputs.npy", 3) == array[3]).all()
    monkeypatch.setattr(FileStorage, "local_path", lambda self, key: None)  # as on S3
    assert (read_row(storage, "inputs.npy", 3) == array[3]).all()
