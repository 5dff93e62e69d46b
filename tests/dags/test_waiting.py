"""A challenger that waits is compared by the labels of each day, with an alert or without: by the steps of the real DAGs."""

from __future__ import annotations

import runpy
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.bases.branch import BranchMixIn
from airflow.sdk.exceptions import AirflowSkipException
from tests.dags.test_handover import SETTINGS, stripes_file
from tests.driftwatch.artifacts import samples
from tests.driftwatch.models.conftest import CLASSES, World, make_config, open_world, striped
from tests.driftwatch.models.test_waiting import DAYS, answers, first, gate_of, run_of  # noqa: F401 - fixtures
from tests.stores import monitor_store

from driftwatch.artifacts.keys import ONLY_JUDGED
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry
from driftwatch.models.champion import import_champion
from driftwatch.models.dataset import take_in_training_set
from driftwatch_airflow.monitor import DAY_TEMPLATE


class TaskInstance:
    """Its XComs, and no other run of the retraining DAG."""

    def __init__(self) -> None:
        self.xcom: dict[tuple[str, str], Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom["check_performance", key] = value

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self.xcom.get((task_ids, key))

    def get_dr_count(self, dag_id: str, run_ids: list[str], states: Any) -> int:
        return 0


class Site:
    """The two DAGs of a monitor, and what a day's run does with them."""

    def __init__(self, root: Path, store: MonitorStore, triggered: list[dict[str, Any]]) -> None:
        self.store, self.triggered = store, triggered
        monitoring, retraining = (
            runpy.run_path(str(root / "dags" / f"{name}.py")) for name in ("image_monitoring", "model_retraining")
        )
        self.monitoring = monitoring["monitoring_dag"](store.config)
        self.retraining = retraining["retraining_dag"](store.config)

    def say(self, day: date, verdict: str, drift: str = "ok", labels: int = 40) -> None:
        """What the day's own steps found."""
        keys = self.store.keys.day(day)
        found = {**samples.PERFORMANCE, "verdict": verdict, "labels": labels}
        self.store.storage.write_json(keys.performance, found)
        self.store.storage.write_json(keys.drift, {**samples.DAY_DRIFT, "verdict": drift})

    def checked(self, day: date, run_type: str = "scheduled") -> Any:
        """Which tasks check_performance chooses; what trigger_retraining starts then is in `triggered`."""
        ti = TaskInstance()
        check, trigger = (self.monitoring.get_task(name) for name in ("check_performance", "trigger_retraining"))
        check.day = trigger.day = day.isoformat()
        chosen = check.execute({"params": {}, "dag_run": SimpleNamespace(run_type=run_type), "ti": ti})
        if trigger.task_id in ([chosen] if isinstance(chosen, str) else chosen or []):
            trigger.execute({"ti": ti})
        return chosen

    def compared(self, day: date, conf: dict[str, Any]) -> str:
        """The decision of the run of the retraining DAG that was started with this conf."""
        context = {"params": conf, "run_id": run_of(day)}
        tasks = [self.retraining.get_task(name) for name in ("choose_action", "take_up_challenger", "evaluate_challenger")]  # fmt: skip
        for task in tasks:
            task.request = run_of(day)
        assert tasks[0].execute(context) == "take_up_challenger"
        assert tasks[1].execute(context) == conf["challenger"]
        return tasks[2].execute(context)["decision"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A monitor with a champion in ONNX: to train one would take seconds."""
    home = tmp_path / "storage"
    known, changed = open_world(home), {**make_config(home).model_dump(), "model": SETTINGS["model"]}
    found = World(storage=known.storage, layout=known.layout, config=type(known.config).model_validate(changed))
    store, rng = monitor_store(found.storage, found.layout, found.config), np.random.default_rng(0)
    for label in CLASSES:
        for number in range(60):
            found.put_training(label, f"{number:03d}", striped(rng, label))
    take_in_training_set(store)
    (tmp_path / "champion.onnx").write_bytes(stripes_file(0.0))
    version = import_champion(store, tmp_path / "champion.onnx")
    registry.promote(store, version, "a test", None)
    return found


@pytest.fixture
def site(root: Path, first, monkeypatch) -> Site:  # noqa: F811
    """A challenger waits since the alert of the first day."""
    triggered: list[dict[str, Any]] = []

    def trigger(task: Any, context: Any) -> None:
        run_id = task.trigger_run_id.replace(DAY_TEMPLATE, task.day)
        triggered.append({"run_id": run_id, "conf": task.conf, "note": task.note})

    monkeypatch.setattr(TriggerDagRunOperator, "execute", trigger)
    monkeypatch.setattr(BranchMixIn, "do_branch", lambda task, context, chosen: chosen)
    return Site(root, first, triggered)


@pytest.mark.parametrize(
    ("verdict", "drift", "chosen", "judges"),
    [
        ("ok", "ok", ["performance_ok", "trigger_retraining"], "clean_days"),
        ("ok", "drifted", ["performance_ok", "trigger_retraining"], "recent_days"),
        ("not_enough_evidence", "drifted", "trigger_retraining", "recent_days"),
    ],
    ids=["all is ok", "the images go on being unlike", "too little evidence"],
)
def test_a_day_without_an_alert_compares_the_challenger_that_waits_by_its_labels_and_trains_nothing(
    site, verdict, drift, chosen, judges
):
    day, version = DAYS[1], gate_of(site.store, DAYS[0]).version
    site.say(day, verdict, drift)
    assert site.checked(day) == chosen
    (run,) = site.triggered
    assert run["run_id"] == run_of(day)
    assert run["conf"] == {
        "last_day": str(day),
        "challenger": version,
        "reason": f"labels of {day}, for the challenger that waits",
    }
    assert "alert" not in run["note"]
    site.compared(day, run["conf"])
    found = gate_of(site.store, day)
    assert [look.day for look in found.looks] == [DAYS[0], day]
    assert day in getattr(found, judges)
    judged = site.store.storage.read_table(site.store.keys.retraining(run_of(day), ONLY_JUDGED))
    assert set(judged["day"]) == {str(day)}


def test_each_day_of_the_wait_is_looked_at_and_none_after_it(site):
    for day in DAYS[1:3]:
        site.say(day, "ok", "drifted")
        site.checked(day)
        site.compared(day, site.triggered[-1]["conf"])
    assert [look.day for look in gate_of(site.store, DAYS[2]).looks] == DAYS[:3]
    short = site.store.config.retraining.model_copy(update={"pending_days": 2})
    site.monitoring.get_task("check_performance").monitor = site.store.config.model_copy(update={"retraining": short})
    site.say(DAYS[3], "ok", "drifted")
    assert site.checked(DAYS[3]) == "performance_ok"


def test_a_day_without_labels_a_backfill_and_a_day_of_which_nobody_waits_start_nothing(site):
    site.say(DAYS[1], "not_enough_evidence", labels=0)
    assert site.checked(DAYS[1]) is None
    site.say(DAYS[1], "ok")
    assert site.checked(DAYS[1], run_type="backfill") == "performance_ok"
    assert site.checked(DAYS[0]) == "trigger_retraining"  # its own alert, as ever
    assert [run["conf"].get("challenger") for run in site.triggered] == [None]


def test_a_run_for_a_challenger_that_waits_no_more_is_skipped_and_trains_nothing(site, monkeypatch):
    site.say(DAYS[1], "ok")
    site.checked(DAYS[1])
    monkeypatch.setattr("driftwatch.models.waiting.waiting", lambda store, run_key, day: None)
    with pytest.raises(AirflowSkipException, match="does not wait any more"):
        site.compared(DAYS[1], site.triggered[0]["conf"])
