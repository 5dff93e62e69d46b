"""The core without what Python 3.13 has not: whylogs and toloka-kit. .github/workflows/ci.yaml runs this file there, where neither is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

# Imported where labels come from there, or a model is trained here.
ITS_OWN = ("driftwatch.labels.backends.toloka.client", "driftwatch.models.training.")  # of Toloka, of Keras
HIDE = """
import sys

sys.modules.update(dict.fromkeys(("whylogs", "toloka")))
"""
WALK = (
    HIDE
    + """
import importlib, pkgutil

failed = {}
for package in ("driftwatch", "driftwatch_airflow", "driftwatch_servers"):
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if found.name.endswith("__main__") or ".dag_files." in found.name:
            continue
        try:
            importlib.import_module(found.name)
        except ImportError as error:
            failed[found.name] = str(error)
for name, why in failed.items():
    print(name, why, sep="\\t")
"""
)
MAIN = HIDE + "\nfrom driftwatch.cli import main\n\nsys.exit(main(sys.argv[1:]))\n"


def ran(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_module_but_those_of_an_extra_is_imported_without_the_two() -> None:
    done = ran(WALK)
    assert done.returncode == 0, done.stderr
    failed = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert [line for line in failed if not line[0].startswith(ITS_OWN)] == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "storage").mkdir()
    settings = {
        "name": "shades",
        "classes": ["dark", "light"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": f"file://{tmp_path}/storage"},
        "labels": {"backend": "desk", "project_name": "Shades", "question": "Which?", "instructions": "Look."},
        "publish": {"sinks": []},
    }
    path = tmp_path / "monitor.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def test_a_monitor_that_publishes_nothing_and_asks_its_own_people_is_valid_without_the_two(file: Path) -> None:
    done = ran(MAIN, "check", str(file))
    assert done.returncode == 0, done.stderr
    assert "valid. Monitor shades" in done.stdout
    assert "not installed" not in done.stdout


def test_check_refuses_what_needs_whylogs_and_warns_of_what_needs_toloka(file: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace("sinks: []", "sinks: [local]"))
    refused = ran(MAIN, "check", str(file))
    assert refused.returncode == 2
    assert (
        "publish.sinks needs whylogs, which is not installed here: pip install 'driftwatch[whylogs]'" in refused.stderr
    )
    assert "sinks: []" in refused.stderr
    file.write_text(text.replace("backend: desk", "backend: toloka"))
    warned = ran(MAIN, "check", str(file))
    assert warned.returncode == 0, warned.stderr
    assert "Warning: the label backend 'toloka' needs toloka, which is not installed here" in warned.stdout
