"""Every task of a retraining that is killed at its writes and tried again ends in the same registry as one left alone."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tests.stores import monitor_store

from driftwatch.models import registry
from driftwatch.models.damage import apply_damage
from driftwatch.storage import Storage, open_storage

from ..kills import killed_at
from .retraining_tasks import KINDS, RUN, run_task

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)
# Where the plain suite kills each task: a training behind its first epoch, a promotion in its middle.
ONCE = {"choose": 0, "collect": 1, "train": 5, "evaluate": 1, "promote": 5, "refresh": 2}

# Imports what is heavy once, and runs each attempt in a fork of itself, which kills itself where it is told to.
RUNNER = """
import json, os, signal, sys, traceback
import keras, pandas, scipy.stats, sklearn.metrics, whylogs
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from tests.driftwatch.models.retraining_tasks import run_task

def die_at(position):
    count = 0
    def counted(method):
        def call(self, *arguments, **options):
            nonlocal count
            count += 1
            if count == position:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(self, *arguments, **options)
        return call
    Storage.write_bytes, Storage.delete = counted(Storage.write_bytes), counted(Storage.delete)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        command = json.loads(line)
        try:
            die_at(command["position"])
            run_task(MonitorConfig.model_validate(command["monitor"]), command["task"])
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def attempt():
    """Runs a task in a process of its own until it ends or kills itself at a write, and returns its exit code."""
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(config: object, task: str, position: int = 0) -> int:
        command = {"monitor": config.model_dump(mode="json"), "task": task, "position": position}
        runner.stdin.write(json.dumps(command) + "\n")
        runner.stdin.flush()
        for line in runner.stdout:
            if line.strip().lstrip("-").isdigit():
                return int(line)
        raise AssertionError("the runner ended")

    yield run
    runner.stdin.close()
    runner.wait(30)


def outcome(storage: Storage, layout: object) -> dict[str, str]:
    """The registry, the references and the request's set, by the hash of each file; a ledger has times of its own."""
    folders = (layout.models, f"{layout.monitor}/reference", f"{layout.monitor}/retraining", layout.splits)
    return {
        item.key: hashlib.sha256(storage.read_bytes(item.key)).hexdigest()
        for folder in folders
        for item in storage.list(folder)
        if not item.key.endswith("published.json")
    }


def alerted(world):
    """A clean day, and a dark one that alerts."""
    world = world.with_config(epochs=2, pending_days=0)
    world.add_day(CLEAN, 60)
    world.add_day(BROKEN, 150, lambda rgb: apply_damage(rgb, "brightness", 0.2), verdict="alert")
    return world


def promoted_once(world) -> dict[str, str]:
    """The outcome, in which the run has promoted one new model and leaves no checkpoint."""
    left, store = outcome(world.storage, world.layout), monitor_store(world.storage, world.layout)
    assert not [key for key in left if "checkpoints" in key]
    assert registry.champion(store).promoted_by == RUN
    assert len(registry.versions(store)) == 2
    return left


@pytest.mark.slow
def test_every_task_that_fails_at_one_write_and_is_tried_again_promotes_one_model(world) -> None:
    world = alerted(world)
    for task, place in ONCE.items():
        killed_at(place, "before", lambda task=task: run_task(world.config, task))
        run_task(world.config, task)
    promoted_once(world)


@pytest.mark.all_faults("it trains again and again")
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_task_killed_at_each_write_and_tried_again_ends_in_the_same_registry(
    world, tmp_path: Path, attempt
) -> None:
    world = alerted(world)
    shutil.copytree(tmp_path / "storage", tmp_path / "undisturbed")
    changed = world.config.model_dump(mode="json") | {"storage": {"uri": f"file://{tmp_path}/undisturbed"}}
    undisturbed = type(world.config).model_validate(changed)
    killed = dict.fromkeys(KINDS, 0)
    for task in KINDS:
        assert attempt(undisturbed, task) == 0
        while (code := attempt(world.config, task, killed[task] + 1)) != 0:
            assert code == -9
            killed[task] += 1
    assert all(killed.values()), killed
    assert promoted_once(world) == outcome(open_storage(undisturbed.storage.uri), world.layout)
