"""Files of production's log that are not there, not finished, or come late."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from driftwatch.artifacts.answers import Answers
from driftwatch.images import table_file
from driftwatch.images.table_file import StillWritten
from driftwatch.models.logged.day import answer_day
from driftwatch.models.logged.files import NoLog
from driftwatch.models.logged.formats import BrokenLog
from driftwatch.storage import open_storage

from .days import IMAGES, VERSION, WRITERS, a_day, answered, answers, csv_of, put


@pytest.fixture(autouse=True)
def real_ages(monkeypatch):
    """The suite's conftest has put another in their place."""
    monkeypatch.setattr(table_file, "_age", lambda storage, key: (at := storage.modified(key)) and time.time() - at)


def test_no_file_is_told_with_the_place(tmp_path):
    with pytest.raises(NoLog, match=r"demo/answers/2026-03-04/\* is not there"):
        answer_day(a_day(tmp_path), VERSION, open_storage)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_cut_last_line_of_an_old_file_is_counted(tmp_path, name):
    day = a_day(tmp_path)
    put(day, name, WRITERS[name](answers()).rstrip()[:-30])
    assert answered(day).reasons == {"cut_line": 1}


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_a_file_that_is_cut_short_and_young_is_still_being_written(tmp_path, name, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    day = a_day(tmp_path, settle_seconds=60)
    data = WRITERS[name.removesuffix(".gz")](answers())
    data = data if isinstance(data, bytes) else data.rstrip().encode()
    path = put(day, name, (gzip.compress(data) if name.endswith("gz") else data)[:-30])
    with pytest.raises(StillWritten, match=rf"{name} is still being written"):
        answer_day(day, VERSION, open_storage)
    old(path)
    if name in ("a.csv", "a.jsonl"):
        assert answered(day).reasons == {"cut_line": 1}
    else:
        with pytest.raises(BrokenLog, match=rf"{name} .*clear predict_labels"):
            answer_day(day, VERSION, open_storage)


def old(path: Path) -> None:
    os.utime(path, (time.time() - 1000, time.time() - 1000))


@pytest.mark.parametrize("ahead", [0, 20], ids=["now", "by a clock that is ahead"])
def test_a_young_file_is_waited_for_and_what_was_added_meanwhile_counts(tmp_path, monkeypatch, ahead):
    day = a_day(tmp_path, settle_seconds=60)
    path, pauses = put(day, "a.csv", csv_of(answers(range(50)))), []
    os.utime(path, (time.time() + ahead, time.time() + ahead))

    def later(seconds: float) -> None:
        pauses.append(seconds)
        with path.open("a") as file:
            file.write(csv_of(answers(range(50, 100)), header=False))
        old(path)

    monkeypatch.setattr(time, "sleep", later)
    assert answered(day).used == IMAGES
    assert len(pauses) == 1
    assert 55 < pauses[0] <= 60


def test_a_file_that_changes_at_every_look_is_still_being_written(tmp_path, monkeypatch):
    day = a_day(tmp_path)
    put(day, "a.csv", csv_of(answers()))
    monkeypatch.setattr(type(day.storage), "stamp", lambda *_: str(time.monotonic_ns()))
    with pytest.raises(StillWritten, match="changed while they were read"):
        answer_day(day, VERSION, open_storage)


def test_a_late_file_is_taken_in_by_a_rerun_which_says_what_changed(tmp_path):
    day = a_day(tmp_path)
    put(day, "a.csv", csv_of(answers(range(96))))
    first = answered(day)
    assert (first.before, answered(day).before) == (None, None)
    put(day, "b.csv", csv_of(answers(range(96, 100))))
    second = answered(day)
    assert (second.unanswered, second.files) == (0, 2)
    assert second.before is not None
    assert (second.before.unanswered, second.before.rows, second.before.files) == (4, 96, 1)
    stored = {key: day.storage.read_bytes(key) for key in (day.keys.predictions, day.key(Answers))}
    assert answered(day) == second  # and the run after it leaves the same bytes
    assert {key: day.storage.read_bytes(key) for key in stored} == stored
