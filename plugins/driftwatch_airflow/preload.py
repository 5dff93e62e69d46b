"""What tasks import, imported once: a task starts two to five seconds sooner. For airflow_local_settings.py (docs/scaling.md):

    from driftwatch_airflow.preload import preload

    preload()

Airflow runs each task in a fork (a copy of a running process) of a Celery worker or of the scheduler. A fork has what its parent has
imported. That works for TensorFlow too: it makes its threads only when it first computes, which is in the task.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

HEAVY = ("cv2", "keras", "numba", "obstore", "pandas", "scipy.stats", "sklearn.metrics", "toloka.client", "whylogs")


def preload() -> None:
    """Imports HEAVY in a Celery worker, and in a scheduler whose executor runs the tasks. Does nothing in any other command of Airflow."""
    from airflow.configuration import conf

    command = sys.argv[1:3]
    if command == ["celery", "worker"] or (
        command[:1] == ["scheduler"] and "LocalExecutor" in conf.get("core", "executor")
    ):
        from driftwatch.drift.whylogs_profiles import without_network

        without_network()  # whylogs reads its settings when it is imported, and asks the network for them
        for name in HEAVY:
            if find_spec(name.partition(".")[0]):  # not of an extra that is left out
                import_module(name)
