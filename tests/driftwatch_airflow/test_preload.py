"""Heavy libraries are imported where tasks are forked from, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import os, sys
from driftwatch_airflow.preload import HEAVY, preload
for command in sys.argv[1:]:
    executor, *sys.argv[1:] = command.split()
    os.environ["AIRFLOW__CORE__EXECUTOR"] = executor
    preload()
    threads = {open(f"/proc/self/task/{thread}/comm").read().strip() for thread in os.listdir("/proc/self/task")}
    print("loaded", sum(name in sys.modules for name in HEAVY) / len(HEAVY), *sorted(threads))
"""
# Arrow's allocator stops its thread before a fork and has another after it.
THREADS = ["jemalloc_bg_thd", "python"]


def preloaded(*commands: str) -> list[tuple[float, list[str]]]:
    """After each of Airflow's commands, each written after its executor: the share of libraries that are loaded, and the threads."""
    # OpenBLAS handles forks too, and has as many threads as cores.
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *commands], env=env, capture_output=True, text=True, check=True
    )
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("loaded")]
    return [(float(share), threads) for share, *threads in found]


def test_what_forks_no_task_stays_small_and_a_worker_has_all_and_no_thread_that_a_fork_would_lose():
    commands = ("scheduler", "api-server", "dag-processor", "triggerer", "celery flower", "db migrate")
    *others, worker = preloaded(*(f"CeleryExecutor {command}" for command in commands), "CeleryExecutor celery worker")
    assert len(others) == len(commands)
    assert all(share < 0.5 for share, _ in others)
    assert worker == (1.0, THREADS)


def test_a_scheduler_that_runs_the_tasks_has_all():
    assert preloaded("LocalExecutor scheduler") == [(1.0, THREADS)]
