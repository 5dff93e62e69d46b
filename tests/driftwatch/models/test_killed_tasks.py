"""Every task of a retraining, killed by SIGKILL at its writes and tried again, ends in the same registry as one left alone."""

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

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)
RUN = "perf_alert__2026-01-04"
TASKS = ("choose", "collect", "train", "evaluate", "promote", "refresh")
# `make test` kills each task once, at this write: a training behind its first epoch, a promotion in its middle. `make test-faults` kills at each.
ONCE = {"choose": 1, "collect": 2, "train": 6, "evaluate": 2, "promote": 6, "refresh": 3}
NEVER = 0

# Imports what is heavy once, and runs each attempt in a fork of itself, which kills itself where it is told to.
RUNNER = """
import json, os, signal, sys, traceback
import keras, pandas, scipy.stats, sklearn.metrics, whylogs
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch_airflow.operators import promotion
from driftwatch_airflow.operators import retraining as tasks

class Choose(tasks.ChooseActionOperator):
    def do_branch(self, context, branches_to_execute):
        return branches_to_execute

class Collect(tasks.CollectTrainingSetOperator):
    def do_branch(self, context, branches_to_execute):
        return branches_to_execute

def operator(task, **common):
    if task == "choose":
        return Choose(on_plan="p", on_rollback="b", on_retrain="r", on_challenger="c", **common)
    if task == "collect":
        return Collect(on_train="t", on_handover="h", **common)
    kinds = {"train": tasks.TrainChallengerOperator,
             "evaluate": tasks.EvaluateChallengerOperator, "promote": promotion.PromoteModelOperator,
             "refresh": promotion.RefreshReferenceOperator}
    return kinds[task](**common)

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

def attempt(command):
    run_id = command["run_id"]
    die_at(command["position"])
    common = {"task_id": "task", "monitor": MonitorConfig.model_validate(command["monitor"]), "request": run_id}
    context = {"params": {"last_day": "2026-01-04", "reason": "killed again and again"}, "run_id": run_id}
    operator(command["task"], **common).execute(context)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            attempt(json.loads(line))
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
        command = {"monitor": config.model_dump(mode="json"), "task": task, "position": position, "run_id": RUN}
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


@pytest.mark.all_faults
@pytest.mark.slow
@pytest.mark.timeout(1200)  # 30 s alone; with --all-faults some minutes
def test_every_task_killed_at_its_writes_and_tried_again_ends_in_the_same_registry(
    world, tmp_path: Path, attempt, pytestconfig
) -> None:
    world = world.with_config(epochs=2, pending_days=0)
    world.add_day(CLEAN, 60)
    world.add_day(BROKEN, 150, lambda rgb: apply_damage(rgb, "brightness", 0.2), verdict="alert")
    shutil.copytree(tmp_path / "storage", tmp_path / "undisturbed")
    changed = world.config.model_dump(mode="json") | {"storage": {"uri": f"file://{tmp_path}/undisturbed"}}
    undisturbed = type(world.config).model_validate(changed)
    everywhere = pytestconfig.getoption("--all-faults")
    killed = dict.fromkeys(TASKS, 0)
    for task in TASKS:
        assert attempt(undisturbed, task) == 0
        position = 1 if everywhere else ONCE[task]
        while (code := attempt(world.config, task, position)) != 0:
            assert code == -9
            killed[task] += 1
            position = position + 1 if everywhere else NEVER
    assert all(killed.values()), killed
    left = outcome(world.storage, world.layout)
    assert left == outcome(open_storage(undisturbed.storage.uri), world.layout)
    assert not [key for key in left if "checkpoints" in key]
    assert registry.champion(monitor_store(world.storage, world.layout)).promoted_by == RUN
    assert len(registry.versions(monitor_store(world.storage, world.layout))) == 2
