"""Heavy libraries are imported where tasks are forked from, and nowhere else; a fork can use each of them.

To import them all takes fifteen seconds of CPU, so `make test` leaves that to the real Airflow of tests/end_to_end, whose tasks are such
forks: `make test-faults` does it here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from driftwatch_airflow import preload

SMALL = ("scheduler", "api-server", "dag-processor", "triggerer", "celery flower", "db migrate")
HEAD = """
import json, os, signal, socket, sys
from driftwatch_airflow import preload as module

def run(executor, command):
    os.environ["AIRFLOW__CORE__EXECUTOR"] = executor
    sys.argv[1:] = command.split()
    module.preload()
    return sum(name in sys.modules for name in module.HEAVY) / len(module.HEAVY)
"""
# What is loaded after the commands that fork no task.
FEW = """
small = [run("CeleryExecutor", command) for command in sys.argv[1:]]
print(json.dumps({"small": small}), flush=True)
"""
# One process for all findings, as these libraries take seconds to import: a worker; then what a task does with each library, in a fork of
# this process, which has imported them and used none. A library that had started threads at its import would wait in the fork for threads
# that are not there.
ALL = """
asked, resolve = [], socket.getaddrinfo
socket.getaddrinfo = lambda *arguments, **more: asked.append(arguments[0]) or (_ for _ in ()).throw(OSError("no network"))
worker = run("CeleryExecutor", "celery worker")
socket.getaddrinfo = resolve
settings = [os.environ["WHYLOGS_NO_ANALYTICS"], os.environ["_WHYLABS_SKIP_CONFIG_READ"]]
print(json.dumps({"worker": worker, "asked": asked, "settings": settings}), flush=True)
if os.fork():
    sys.exit(abs(os.waitstatus_to_exitcode(os.wait()[1])))
signal.alarm(150)  # a fork that waits for a thread that is not there waits for ever

import io
import cv2, keras, numba, numpy as np, obstore.store, pandas as pd, scipy.stats, sklearn.metrics, whylogs
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
store = obstore.store.MemoryStore()
store.put("a", b"a")
assert store.get("a").bytes() == b"a"
TolokaClient("token", url="https://toloka.example")
print("worked")
"""


def ended(program: str) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """The last line of JSON that it printed, and the process."""
    # The tests' own environment has whylogs' settings already; here preload makes them.
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("WHYLOGS_NO_ANALYTICS", "_WHYLABS_SKIP_CONFIG_READ")
    }
    command = [sys.executable, "-c", program, *SMALL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, env=env)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-2000:]
    return json.loads(lines[-1]), done


TASKS = (("CeleryExecutor", "celery worker"), ("LocalExecutor", "scheduler"))


@pytest.mark.parametrize(("executor", "command"), [*(("CeleryExecutor", command) for command in SMALL), *TASKS])
def test_what_forks_tasks_imports_all_and_what_forks_none_nothing(monkeypatch, executor, command):
    imported: list[str] = []
    monkeypatch.setattr(preload, "import_module", imported.append)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    monkeypatch.setattr("sys.argv", ["airflow", *command.split()])
    preload.preload()
    assert imported == ([*preload.HEAVY] if (executor, command) in TASKS else [])


@pytest.mark.all_faults("it starts a process")
def test_what_forks_no_task_stays_small():
    """The shares of the libraries that are loaded after each command."""
    found, _ = ended(HEAD + FEW)
    assert len(found["small"]) == len(SMALL)
    assert all(share < 0.5 for share in found["small"])


@pytest.mark.all_faults("it imports every library")
def test_a_worker_has_all_asks_no_network_for_it_and_a_task_in_its_fork_can_use_each():
    found, process = ended(HEAD + ALL)
    assert found["worker"] == 1.0
    assert (found["asked"], found["settings"]) == ([], ["True", "1"])
    assert (process.returncode, process.stdout.splitlines()[-1:]) == (0, ["worked"]), process.stderr[-2000:]
