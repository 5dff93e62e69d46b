"""The events that Airflow's OpenLineage provider wrote by its file transport."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = "openlineage"


def settings(home: Path) -> dict[str, str]:
    """Airflow's settings: each event is a file of its own below `home`."""
    folder = home / FOLDER
    folder.mkdir()
    transport = {"type": "file", "log_file_path": str(folder / "event")}
    # Each step imports the provider in a fork of its own; two of them on two busy cores take longer than its ten seconds.
    return {
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT": "60",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "tests",
    }


def completed(home: Path, dag_id: str) -> dict[str, dict[str, Any]]:
    """The last COMPLETE event of each task of a DAG, by task id."""
    events = sorted(
        (json.loads(path.read_text(encoding="utf-8")) for path in (home / FOLDER).iterdir()),
        key=lambda event: event["eventTime"],
    )
    prefix = f"{dag_id}."
    return {
        event["job"]["name"].removeprefix(prefix): event
        for event in events
        if event["eventType"] == "COMPLETE" and event["job"]["name"].startswith(prefix)
    }


def names(datasets: list[dict[str, Any]], root: str) -> dict[str, dict[str, Any]]:
    """The datasets by name: those of the storage at `root` by their key, the others by namespace and name."""
    return {
        each["name"].removeprefix(f"{root}/")
        if each["namespace"] == "file"
        else f"{each['namespace']} {each['name']}": each
        for each in datasets
    }
