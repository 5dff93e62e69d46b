"""Each label backend's service, and days that it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage

from .days import CONTROL, DAY, IMAGES, put
from .services import SERVICES, Service

# A real Label Studio takes a tenth of a second for a request. The plain suite has test_backend.py and a whole day of its own
# (tests/driftwatch_airflow/test_label_studio.py).
REAL = pytest.mark.all_faults("a real Label Studio takes half a minute for all of it")


@pytest.fixture(params=[pytest.param(name, marks=REAL if name == "label_studio" else ()) for name in SERVICES])
def service(request, tmp_path, monkeypatch) -> Iterator[Service]:
    with SERVICES[request.param](tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def new_day(tmp_path: Path, small_monitor: Callable[..., MonitorConfig]) -> Callable[[], DayStore]:
    """A monitor of its own, with a day of six images and eight images of known class."""
    count = 0

    def make() -> DayStore:
        nonlocal count
        count += 1
        folder = tmp_path / f"storage{count}"
        folder.mkdir()
        settings = {"sample_size": IMAGES, "control_tasks": CONTROL, "control_tasks_per_page": CONTROL, "overlap": 2}
        config = small_monitor(f"file://{folder}", annotation=settings).model_copy(update={"name": f"m{count}"})
        storage, layout = open_storage(f"file://{folder}"), MonitorKeys(config.name)
        images = pd.DataFrame({"key": [f"in/{number}.jpg" for number in range(IMAGES)]})
        known = pd.DataFrame({"key": [f"t/{number}.jpg" for number in range(2 * CONTROL)]})
        for table in (images, known):
            table["image_id"] = [put(storage, f"{config.name}/{key}") for key in table["key"]]
            table["key"] = f"{config.name}/" + table["key"]
        storage.write_table(layout.day(DAY).manifest, images.assign(status="accepted"))
        classes = [config.classes[number % 2] for number in range(2 * CONTROL)]
        storage.write_table(layout.training_set, known.assign(label=classes, split="evaluation"))
        return MonitorStore(storage, config).day(DAY)

    return make


@pytest.fixture
def day(new_day: Callable[[], DayStore]) -> DayStore:
    return new_day()
