"""Labels of the images that people saw for training alone are merged by the rules of the day's sample."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.stores import day_store

from driftwatch.artifacts.annotation import AnnotationPlan, SampledImage
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.labels.extra import merge_extra
from driftwatch.storage import open_storage

from ..artifacts import samples
from .crowds import assignments, config


@pytest.mark.parametrize(("status", "label"), [("ACCEPTED", "cat"), ("LATE", None), ("VOID", None)])
def test_only_control_answers_that_were_given_in_time_tell_whose_vote_weighs_more(
    tmp_path: Path, status: str, label: str | None
) -> None:
    votes = [("p1", "ann", "extra", "cat", False), ("p2", "bob", "extra", "dog", False)]
    controls = [(f"c{number}", "ann", f"control{number}", "cat", True) for number in range(5)]
    rows = [
        dict(zip(("assignment_id", "annotator_id", "image_id", "answer", "control"), row, strict=True))
        for row in [*votes, *controls]
    ]
    table = assignments(rows)
    table.loc[table["control"], ["known_label", "status"]] = ["cat", status]
    storage, keys = open_storage(f"file://{tmp_path}"), MonitorKeys("demo").day(date(2026, 1, 1))
    storage.write_table(keys.assignments, table)
    plan = AnnotationPlan.model_validate_json(json.dumps(samples.PLAN))
    plan = plan.model_copy(update={"extra": (SampledImage(image_id="extra", key="in/extra.jpg"),)})
    merge_extra(day_store(storage, keys, config(tmp_path, consensus="weighted")), plan)
    assert storage.read_table(keys.extra_labels)["label"].tolist() == [label]
