"""The schemas of DAG parameters, each checked once in a process.

Airflow asks jsonschema about a parameter's value some ten times for each DAG that it makes or stores, and each time jsonschema also checks
the schema itself by the schema of all schemas. Half of the CPU of a run by `dag.test()` went there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def check_each_once() -> None:
    """From now on jsonschema checks a schema that it has checked before no more. One with an error is refused as ever."""
    from jsonschema import Draft202012Validator

    checked: set[str] = set()
    check = Draft202012Validator.check_schema

    def once(schema: Any, **more: Any) -> None:
        key = json.dumps([schema, sorted(more)], sort_keys=True, default=repr)
        if key not in checked:
            check(schema, **more)
            checked.add(key)

    Draft202012Validator.check_schema = once


def check_each_once_in(airflow_home: Path) -> None:
    """The same in each process of the Airflow whose local settings are there already."""
    with (airflow_home / "config" / "airflow_local_settings.py").open("a") as settings:
        settings.write(f"import runpy\nrunpy.run_path({__file__!r})['check_each_once']()\n")
