"""What was found in production's log is read as its model says, and written again to the byte."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.answers import AnswerCounts, Answers
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage

from . import samples
from .checks import read_whole

KEY = MonitorKeys("demo").day(date(2026, 1, 10)).file(Answers.file)
BEFORE = {name: samples.ANSWERS[name] for name in AnswerCounts.model_fields}


@pytest.mark.parametrize("whole", [samples.ANSWERS, {**samples.ANSWERS, "before": {**BEFORE, "rows": 90}}])
def test_a_file_is_read_whole_and_written_again(tmp_path, whole):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json(KEY, whole)
    found = read_whole(storage, KEY, Answers)
    assert found.rows == found.used + found.earlier + found.without_image + found.refused
    assert found.images == found.used + found.unanswered
    assert (found.before is None) == ("before" not in whole)
