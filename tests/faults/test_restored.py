"""A storage restored from a backup while Toloka and WhyLabs went on: the day is run again, and nothing is bought or counted twice.

tests/end_to_end/test_restore.py has it with Airflow's database and real processes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from .end_state import end_state
from .world import Case, World

WHEN = ("before the day", "while people answer", "before the performance is sent")

WHOLE = (
    ("upload_features", "create_annotation_pool"),
    ("wait_for_annotations",),
    ("merge_annotations",),
    ("upload_performance",),
)


def copy_of(case: Case, backups: Path, name: str) -> None:
    shutil.copytree(case.folder, backups / name, ignore=shutil.ignore_patterns(".*.tmp"))


def run_with_backups(case: Case, backups: Path) -> dict[str, Any]:
    """A whole day, with a backup at each moment; what it was in the end."""
    first, people, labels, last = WHOLE
    copy_of(case, backups, WHEN[0])
    assert not case.run(first).errors
    assert not case.run(people, before_waiting=lambda: copy_of(case, backups, WHEN[1])).errors
    assert not case.run(labels).errors
    copy_of(case, backups, WHEN[2])
    assert not case.run(last).errors
    return end_state(case)


@pytest.mark.parametrize("when", WHEN)
def test_a_day_that_is_run_again_on_an_older_storage_buys_and_counts_nothing_twice(
    world: World, tmp_path: Path, when: str
) -> None:
    case = world.case()
    wanted = run_with_backups(case, tmp_path)
    shutil.rmtree(case.folder)
    shutil.copytree(tmp_path / when, case.folder)
    outcome = case.run()
    assert not outcome.errors, outcome.errors
    assert end_state(case) == wanted
    again = case.run()
    assert (again.errors, end_state(case)) == ({}, wanted)
