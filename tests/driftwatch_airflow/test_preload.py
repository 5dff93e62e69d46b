"""Heavy libraries are imported where tasks are forked from, and nowhere else; a fork can use each of them."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, os, sys
from driftwatch_airflow.preload import HEAVY, preload
os.environ["AIRFLOW__CORE__EXECUTOR"] = sys.argv.pop(1)
shares = []
for command in sys.argv[1:]:
    sys.argv[1:] = command.split()
    preload()
    shares.append(sum(name in sys.modules for name in HEAVY) / len(HEAVY))
print(json.dumps(shares))
"""
SILENT = """
import json, os, socket, sys
from driftwatch_airflow.preload import preload
os.environ["AIRFLOW__CORE__EXECUTOR"] = "CeleryExecutor"
called = []
socket.getaddrinfo = lambda *arguments, **more: called.append(arguments[0]) or (_ for _ in ()).throw(OSError("no network"))
sys.argv[1:] = ["celery", "worker"]
preload()
print(json.dumps([called, os.environ["WHYLOGS_NO_ANALYTICS"], os.environ["_WHYLABS_SKIP_CONFIG_READ"]]))
"""
# What a task does with each library, in a fork of a process that has imported them and done nothing else. A library that had started
# threads at its import would wait in the fork for threads that are not there.
TASK = """
import io, os, signal, sys
from driftwatch_airflow.preload import preload
os.environ["AIRFLOW__CORE__EXECUTOR"] = "CeleryExecutor"
sys.argv[1:] = ["celery", "worker"]
preload()
if os.fork():
    sys.exit(abs(os.waitstatus_to_exitcode(os.wait()[1])))
signal.alarm(150)  # a fork that waits for a thread that is not there waits for ever

import cv2, keras, numba, numpy as np, pandas as pd, s3fs, scipy.stats, sklearn.metrics, whylogs
from toloka.client import TolokaClient

image = np.arange(3 * 512 * 512, dtype=np.uint8).reshape(512, 512, 3)
assert cv2.GaussianBlur(cv2.resize(image, (1024, 1024)), (31, 31), 0).shape == (1024, 1024, 3)
table = pd.DataFrame({name: np.arange(200_000.0) for name in "abcdefgh"})
buffer = io.BytesIO()
table.to_parquet(buffer)
assert pd.read_parquet(io.BytesIO(buffer.getvalue())).equals(table)
assert (np.ones((600, 600)) @ np.ones((600, 600)))[0, 0] == 600


@numba.njit(parallel=True)
def added(values):
    total = 0.0
    for i in numba.prange(len(values)):
        total += values[i]
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


def shares(executor: str, *commands: str) -> list[float]:
    """After each of Airflow's commands, in one process: the share of the libraries that is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, executor, *commands], capture_output=True, text=True, check=True
    )
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_what_forks_no_task_stays_small_and_a_worker_has_all():
    commands = ("scheduler", "api-server", "dag-processor", "triggerer", "celery flower", "db migrate")
    *others, worker = shares("CeleryExecutor", *commands, "celery worker")
    assert len(others) == len(commands)
    assert all(share < 0.5 for share in others)
    assert worker == 1.0


def test_a_scheduler_that_runs_the_tasks_has_all():
    assert shares("LocalExecutor", "scheduler") == [1.0]


def test_no_library_asks_the_network_when_it_is_imported():
    done = subprocess.run([sys.executable, "-c", SILENT], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [[], "True", "1"]


def test_a_task_in_a_fork_can_use_every_library_that_its_worker_has_imported():
    done = subprocess.run(
        [sys.executable, "-c", TASK],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["worked"]), done.stderr[-2000:]
