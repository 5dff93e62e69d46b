"""Decisions in the log: a sentence where logs are plain, one JSON object with named fields where Airflow's logs are JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.airflow_database import new_database

from driftwatch_airflow import decisions
from driftwatch_airflow.decisions import EVENTS, log_decision

FEATURE = "image.Sharpness.laplacian"
SAID = f"feature {FEATURE} does not alarm from 2026-01-20 to 2026-01-25"
# A run of the reference's DAG, its task in Airflow's own task runner.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import monitor_reference
dag = monitor_reference.__dict__["cats_vs_dogs_reference"]
form = {"action": "mute", "reason": "a new lens", "name": sys.argv[2], "since": "2026-01-20", "until": "2026-01-25"}
run = dag.test(run_conf=form)
assert str(run.state).endswith("success"), run.state
"""


@pytest.fixture
def home(tmp_path: Path, root: Path, tmp_path_factory) -> Path:
    new_database(tmp_path_factory, tmp_path / "airflow.db")
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw["storage"] = {"uri": f"file://{tmp_path}/storage"}
    (tmp_path / "monitors").mkdir()
    (tmp_path / "monitors/cats_vs_dogs.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    return tmp_path


def log_of_a_run(home: Path, root: Path, json_logs: str) -> list[str]:
    env = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__JSON_LOGS": json_logs,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "DRIFTWATCH_MONITORS": str(home / "monitors"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root / "dags"), FEATURE], env=env, capture_output=True, text=True, timeout=280
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


@pytest.mark.slow
def test_a_task_s_decision_is_one_object_with_named_fields_where_logs_are_json(home, root):
    lines = [line for line in log_of_a_run(home, root, "True") if FEATURE in line and "does not alarm" in line]
    (event,) = (found for found in map(json.loads, lines) if found["event"] == "reference_changed")
    assert len([line for line in lines if json.loads(line)["event"] == SAID]) == 0
    assert (event["logger"], event["level"], event["monitor"]) == (decisions.LOGGER, "info", "cats_vs_dogs")
    assert (event["action"], event["name"], event["until"]) == ("mute", FEATURE, "2026-01-25")
    assert (event["reason"], event["message"]) == ("a new lens", SAID)


@pytest.mark.slow
def test_a_task_s_decision_is_a_sentence_where_logs_are_plain(home, root):
    lines = log_of_a_run(home, root, "False")
    said = [line for line in lines if SAID in line]
    assert len(said) >= 1
    assert not any(re.search(r"reference_changed|action=|monitor=", line) for line in said)


def test_an_event_that_the_page_does_not_name_is_refused():
    with pytest.raises(ValueError, match="'something_else' is no event"):
        log_decision(None, "something_else", "it happened", monitor="m")


def test_the_page_names_every_event_with_its_meaning_and_every_event_is_logged_somewhere(root):
    page = (root / "docs/operate/logs.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE) == [*EVENTS.items()]
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (root / "plugins/driftwatch_airflow").rglob("*.py")
        if path.name != "decisions.py"
    )
    assert [event for event in EVENTS if f'"{event}"' not in code] == []
