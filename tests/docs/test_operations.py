"""The runbook has each alert and each task, and says of each the same four things."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from tests.airflow_database import new_database

from driftwatch.config.notifiers import AlertKind
from driftwatch_airflow.task_docs import _WHAT_AND_WHEN as TASKS

from .commands import commands
from .pages import ROOT

TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SECTIONS = {
    name: body
    for heading, body in re.findall(r"^### (.+)\n((?:(?!^#).*\n)+)", TEXT, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", heading)
}
ANSWERS = ["Means", "Look at", "Do", "Do not"]


def test_each_alert_that_driftwatch_tells_has_its_entry() -> None:
    assert set(get_args(AlertKind)) - set(SECTIONS) == set()


def test_each_task_has_its_entry() -> None:
    assert set(TASKS) - set(SECTIONS) == set()


def test_there_is_no_entry_for_what_does_not_exist() -> None:
    in_dags = set(re.findall(r'task_id="(\w+)"', "".join(path.read_text() for path in (ROOT / "dags").glob("*.py"))))
    of_refused = set(re.findall(r'task_id="(\w+)"', (ROOT / "plugins/driftwatch_airflow/refused.py").read_text()))
    assert set(SECTIONS) - set(get_args(AlertKind)) - set(TASKS) - in_dags - of_refused == set()


def test_each_alert_of_prometheus_stands_in_its_table() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text(encoding="utf-8"))
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert set(re.findall(r"^\| (Driftwatch\w+) \|", TEXT, re.MULTILINE)) == names


@pytest.mark.parametrize("name", SECTIONS)
def test_an_entry_says_what_it_means_and_what_to_do_and_not_to_do(name: str) -> None:
    assert re.findall(r"^- \*\*(.+?)\*\*: \S", SECTIONS[name], re.MULTILINE) == ANSWERS


@pytest.mark.all_faults("it starts Airflow's own command line, which takes half a minute")
def test_each_command_of_airflow_runs_against_its_database(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With a run of the day that the commands name, whose first task has failed."""
    (tmp_path / "monitors").mkdir()
    raw = yaml.safe_load((ROOT / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw["storage"] = {"uri": f"file://{tmp_path}/storage"}
    (tmp_path / "monitors/cats_vs_dogs.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    new_database(tmp_path_factory, tmp_path / "airflow.db")
    env = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "DRIFTWATCH_MONITORS": str(tmp_path / "monitors"),
    }
    asked = [command.words for command in commands(ROOT / "docs/operations.md") if command.words[0] == "airflow"]
    done = subprocess.run(
        [sys.executable, "-c", _IN_ONE_PROCESS, json.dumps(asked)], env=env, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told) == len(asked)
    for words, (code, ingest) in zip(asked, told, strict=True):
        # No part of Airflow runs here, and `jobs check` says so.
        assert code == (1 if words[1] == "jobs" else 0), words
        assert ingest == ("failed" if words[1] != "tasks" else None), words


# Before each command the first task of the day fails; after it, what state has it?
_IN_ONE_PROCESS = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session

def run(*words):
    options = get_parser().parse_args(words)
    try:
        options.func(options)
    except SystemExit as end:
        return 0 if not end.code else 1
    return 0

def first_task():
    return session.query(TaskInstance).filter_by(run_id="the_day", task_id="ingest_images").one()

run("dags", "reserialize")
run("dags", "trigger", "cats_vs_dogs_monitoring", "--logical-date", "2026-01-08", "--run-id", "the_day")
told = []
for words in json.loads(sys.argv[1]):
    with create_session() as session:
        first_task().state = "failed"
    code = run(*words[1:])
    with create_session() as session:
        told.append((code, first_task().state))
print(json.dumps(told))
"""
