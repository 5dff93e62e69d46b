"""Heavy libraries are imported where tasks are forked from, and nowhere else; a fork can use each of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

SMALL = ("scheduler", "api-server", "dag-processor", "triggerer", "celery flower", "db migrate")
# One process for all findings, as these libraries take seconds to import: the commands that fork no task, a worker, and what a scheduler
# that runs the tasks would import; then what a task does with each library, in a fork of this process, which has imported them and used
# none. A library that had started threads at its import would wait in the fork for threads that are not there.
PROGRAM = """
import json, os, signal, socket, sys
from driftwatch_airflow import preload as module

def run(executor, command):
    os.environ["AIRFLOW__CORE__EXECUTOR"] = executor
    sys.argv[1:] = command.split()
    module.preload()
    return sum(name in sys.modules for name in module.HEAVY) / len(module.HEAVY)

small = [run("CeleryExecutor", command) for command in sys.argv[1:]]
asked, resolve = [], socket.getaddrinfo
socket.getaddrinfo = lambda *arguments, **more: asked.append(arguments[0]) or (_ for _ in ()).throw(OSError("no network"))
worker = run("CeleryExecutor", "celery worker")
socket.getaddrinfo = resolve
settings = [os.environ["WHYLOGS_NO_ANALYTICS"], os.environ["_WHYLABS_SKIP_CONFIG_READ"]]
imported = {}
for executor in ("CeleryExecutor", "LocalExecutor"):
    names = imported[executor] = []
    module.import_module = names.append
    run(executor, "scheduler")
found = {"small": small, "worker": worker, "asked": asked, "settings": settings, "scheduler": imported, "heavy": module.HEAVY}
print(json.dumps(found), flush=True)
if os.fork():
    sys.exit(abs(os.waitstatus_to_exitcode(os.wait()[1])))
signal.alarm(150)  # a fork that waits for a thread that is not there waits for ever

import io
import cv2, keras, numba, numpy as np, pandas as pd, s3fs, scipy.stats, sklearn.metrics, whylogs
from toloka.client import TolokaClient

image = np.arange(3 * 512 * 512, dtype=np.uint8).reshape(512, 512, 3)
assert cv2.GaussianBlur(cv2.resize(image, (1024, 1024)), (31, 31), 0).shape == (1024, 1024, 3)
table = pd.DataFrame({name: np.arange(200_000.0) for name in "abcdefgh"})
buffer = io.BytesIO()
table.to_parquet(buffer)
assert pd.read_parquet(io.BytesIO(buffer.getvalue())).equals(table)
assert (np.ones((600, 600)) @ np.ones((600, 600)))[0, 0] == 600


@numba.njit
def added(values):
    total = 0.0
    for value in values:
        total += value
    return total


assert added(np.ones(1_000_000)) == 1_000_000
assert scipy.stats.ks_2samp(np.arange(500), np.arange(500)).pvalue == 1
assert sklearn.metrics.accuracy_score([1, 0], [1, 0]) == 1
assert whylogs.log(table[:100]).view().to_pandas().shape[0] == 8
model = keras.Sequential([keras.layers.Input((32, 32, 3)), keras.layers.Conv2D(8, 3), keras.layers.Flatten(), keras.layers.Dense(2)])
assert model.predict(np.ones((64, 32, 32, 3), "float32"), verbose=0).shape == (64, 2)
assert s3fs.S3FileSystem(anon=True, skip_instance_cache=True).loop.is_running()
TolokaClient("token", url="https://toloka.example")
print("worked")
"""


@pytest.fixture(scope="module")
def process() -> subprocess.CompletedProcess[str]:
    # The tests' own environment has whylogs' settings already; here preload makes them.
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("WHYLOGS_NO_ANALYTICS", "_WHYLABS_SKIP_CONFIG_READ")
    }
    return subprocess.run([sys.executable, "-c", PROGRAM, *SMALL], capture_output=True, text=True, timeout=250, env=env)


@pytest.fixture(scope="module")
def found(process) -> dict[str, Any]:
    lines = [line for line in process.stdout.splitlines() if line.startswith("{")]
    assert lines, process.stderr[-2000:]
    found: dict[str, Any] = json.loads(lines[0])
    return found


def test_what_forks_no_task_stays_small_and_a_worker_has_all(found):
    """The shares of the libraries that are loaded after each command."""
    assert len(found["small"]) == len(SMALL)
    assert all(share < 0.5 for share in found["small"])
    assert found["worker"] == 1.0


def test_a_scheduler_that_runs_the_tasks_imports_all(found):
    assert found["scheduler"] == {"CeleryExecutor": [], "LocalExecutor": found["heavy"]}


def test_no_library_asks_the_network_when_it_is_imported(found):
    assert (found["asked"], found["settings"]) == ([], ["True", "1"])


def test_a_task_in_a_fork_can_use_every_library_that_its_worker_has_imported(process):
    assert (process.returncode, process.stdout.splitlines()[-1:]) == (0, ["worked"]), process.stderr[-2000:]
