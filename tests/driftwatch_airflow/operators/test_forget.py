"""The form of the forgetting DAG: a dry run until it is told to, and who asked for it is kept."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.config.loader import load_monitor
from driftwatch.errors import NeedsAttention
from driftwatch.storage import open_storage
from driftwatch_airflow.operators import forget
from driftwatch_airflow.operators.forget import ForgetImagesOperator

from ...driftwatch.artifacts import samples
from ...stores import monitor_store

IMAGE, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def form(tmp_path, root, monkeypatch):
    """Sends the form about a monitor with two images of one day."""
    from driftwatch.artifacts.keys import MonitorKeys

    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys(monitor.name), monitor)
    keys = store.keys.day(date(2026, 1, 8))
    rows = {"image_id": [IMAGE, OTHER], "key": [f"{keys.incoming}/a.jpg", f"{keys.incoming}/b.jpg"]}
    store.storage.write_table(keys.manifest, pd.DataFrame(rows).assign(phash=["0" * 16, "0" * 15 + "1"]))
    sample = [{"image_id": IMAGE, "key": rows["key"][0]}]
    store.storage.write_json(keys.annotation, {**samples.PLAN, "sample": sample, "control": [], "exam": None})

    def send(**fields: Any) -> str:
        operator = ForgetImagesOperator(task_id="forget_images", monitor=monitor)
        run = SimpleNamespace(triggering_user_name="ann")
        return operator.execute({"params": {"apply": False, **fields}, "run_id": "r", "dag_run": run})

    return SimpleNamespace(send=send, store=store, keys=keys)


def test_without_apply_nothing_is_changed_and_what_looks_alike_is_named(form, caplog):
    caplog.set_level("INFO")
    assert form.send(images=f"{IMAGE}\n") == "nothing was changed: trigger the DAG again with `apply`"
    assert "1 image nearly the same, which stay unless you name them too" in caplog.text
    assert IMAGE in form.store.storage.read_table(form.keys.manifest)["image_id"].tolist()


def test_with_apply_the_image_is_gone_and_the_plans_service_is_asked(form, monkeypatch):
    asked = []

    class Service:
        def blank(self, pool_id, tokens):
            asked.append((pool_id, list(tokens)))
            return 1

    monkeypatch.setattr(forget, "label_backend", lambda connection, name: Service())
    assert form.send(images="incoming/2026-01-08/a.jpg", apply=True).startswith("receipt ")
    (folder,) = form.store.storage.folders(form.store.keys.forgotten)
    receipt = form.store.storage.read_json(form.store.keys.forgetting(folder, "receipt.json"))
    assert (receipt["by"], receipt["images"], receipt["services"]) == ("ann", 1, {"toloka": 1})
    assert asked == [(samples.PLAN["pool_id"], [IMAGE])]
    assert IMAGE not in form.store.storage.read_table(form.keys.manifest)["image_id"].tolist()
    plan = form.store.day(date(2026, 1, 8)).read(AnnotationPlan)
    assert plan.sample[0].image_id.startswith("f0f0")


@pytest.mark.parametrize("apply", [False, True])
def test_a_form_without_an_image_is_told_what_it_lacks(form, apply):
    before = {item.key: form.store.storage.read_bytes(item.key) for item in form.store.storage.list("cats_vs_dogs")}
    with pytest.raises(NeedsAttention, match=r"names? no image|no image is named"):
        form.send(images=" \n", apply=apply)
    after = form.store.storage.list("cats_vs_dogs")
    assert before == {item.key: form.store.storage.read_bytes(item.key) for item in after if ".lock" not in item.key}
