"""A monitor, and a day of a hundred images that a plan is made for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.storage import open_storage

from .planning import DAY, write_manifest


@pytest.fixture
def monitor(root: Path):
    loaded = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    return loaded.model_copy(
        update={"labels": loaded.labels.model_copy(update={"sample_size": 40, "control_tasks": 10})}
    )


@pytest.fixture
def storage(tmp_path, monitor):
    storage, layout = open_storage(f"file://{tmp_path}"), MonitorKeys(monitor.name)
    write_manifest(storage, layout, DAY, 100)
    known = pd.DataFrame(
        {
            "image_id": [f"known{number:03d}" for number in range(60)],
            "label": ["cat", "dog"] * 30,
            "split": ["train"] * 30 + ["evaluation"] * 30,
            "key": [f"m/training/{number}.jpg" for number in range(60)],
        }
    )
    storage.write_table(layout.training_set, known)
    for key in known["key"]:
        storage.write_bytes(key, b"a known picture")
    return storage
