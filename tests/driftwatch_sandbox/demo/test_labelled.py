"""The demo's week where people other than Toloka's label, or a table."""

from __future__ import annotations

import pytest

from driftwatch.config.loader import load_monitor
from driftwatch_sandbox.demo.labelled import BACKENDS, LabelledWeek


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_monitor_file_names_who_labels_and_a_label_studio_is_not_asked_each_second(
    tmp_path, monkeypatch, backend
) -> None:
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    labels = load_monitor(LabelledWeek(None, backend).write_monitor(tmp_path)).labels
    assert labels.backend == backend
    if backend == "label_studio":
        assert labels.poll_seconds >= 5
