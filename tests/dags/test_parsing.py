"""The DAG files parse fast, and load nothing that only their tasks need."""

from __future__ import annotations

import json
import os
import subprocess
import sys

HEAVY = (
    "tensorflow",
    "keras",
    "whylogs",
    "toloka",
    "pandas",
    "numpy",
    "numba",
    "PIL",
    "cv2",
    "scipy",
    "sklearn",
    "matplotlib",
)

# What a DAG file needs of the domain: the monitor files, names, and the errors that are not tried again.
PARSED = {"artifacts", "config", "credentials", "errors", "outside", "remedies", "seams", "storage"}


def test_parsing_costs_a_fraction_of_what_airflow_s_processor_has_imported_and_loads_nothing_heavy(root):
    """As a ratio of processor time in one process, which other work on the machine hardly changes: 0.12 to 0.2, some 0.35 s beside 2.5."""
    program = """
import json, runpy, sys, time
begun = time.process_time()
import airflow.dag_processing.processor
imported = time.process_time()
for path in sys.argv[1:]:
    runpy.run_path(path)
ratio = (time.process_time() - imported) / (imported - begun)
print(json.dumps({"ratio": ratio, "modules": sorted(sys.modules)}))
"""
    files = [str(path) for path in sorted((root / "dags").glob("*.py"))]
    assert len(files) == 6
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program, *files], capture_output=True, text=True, check=True, env=os.environ
        )
        run = json.loads(done.stdout.strip().splitlines()[-1])
        assert not set(HEAVY) & {name.partition(".")[0] for name in run["modules"]}
        ours = {name.split(".")[1] for name in run["modules"] if name.startswith("driftwatch.")}
        assert ours <= PARSED, "the DAG files, and what they import, import the steps of a day where these are run"
        if run["ratio"] < 0.3:
            return
    raise AssertionError(
        f"parsing took {run['ratio']:.2f} of what importing Airflow's processor does, the third time too"
    )
