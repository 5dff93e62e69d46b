"""Images that the challenger answers otherwise: those of the gate, with both answers, and pictures of the original set by id."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.retraining import GateResult
from driftwatch.storage import open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.changed_images import changed_images, training_picture

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT))


def test_newly_right_and_newly_wrong_images_are_those_of_the_gate_with_both_answers(artifacts: Artifacts) -> None:
    gate = typed(GateResult, samples.GATE)
    rows = [
        (image_id, "2026-01-08" if part is gate.recent else "", "cat", *answers)
        for part in (gate.recent, gate.clean)
        for ids, answers in ((part.repaired, ("dog", "cat")), (part.broken, ("cat", "dog")))
        for image_id in ids
    ]
    assert changed_images(artifacts, gate) is None
    columns = ["image_id", "day", "label", "champion", "challenger"]
    artifacts.storage.write_table(LAYOUT.model_evaluation(gate.version), pd.DataFrame(rows, columns=columns))
    found = changed_images(artifacts, gate)
    assert found is not None
    assert [image.image_id for image in found.right] == [*gate.recent.repaired[:6], *gate.clean.repaired[:6]]
    assert found.n_wrong == len(gate.recent.broken) + len(gate.clean.broken)
    assert (found.right[0].day, found.right[0].said) == ("2026-01-08", "is cat\nbefore: dog\nnow: cat")


def test_an_image_of_the_original_set_has_the_picture_of_its_own_row(artifacts: Artifacts) -> None:
    artifacts.storage.write_table(LAYOUT.training_set, pd.DataFrame({"image_id": ["a", "b"]}))
    pixels = np.stack([np.zeros((8, 8, 3), "uint8"), np.full((8, 8, 3), 250, "uint8")])
    artifacts.storage.write_array(LAYOUT.training_inputs, pixels)
    found = training_picture(artifacts, "b")
    assert found is not None
    assert np.asarray(Image.open(io.BytesIO(found))).mean() > 240
    assert training_picture(artifacts, "c") is None
