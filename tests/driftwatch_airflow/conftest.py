"""A monitor, a day that people label, a day that is published, and one that WhyLabs analyses."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.deferred import no_rest, run_task
from tests.driftwatch.artifacts import samples
from tests.whylabs_server import upload_profile

from driftwatch.artifacts.alerts import Alert
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor
from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile
from driftwatch.publish.whylabs.monitors import documents, put_documents
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.operators import decision
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator, MergeAnnotationsOperator
from driftwatch_airflow.operators.decision import CheckPerformanceOperator
from driftwatch_airflow.operators.publish import PublishOperator
from driftwatch_airflow.sensors.annotation import WaitForAnnotationsOperator
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

TOKEN = "AQAD-token"


@pytest.fixture(scope="session", autouse=True)
def triggers_need_no_rest() -> Iterator[None]:
    with no_rest():
        yield


DAY = "2026-11-20"
NOW = datetime.now(timezone.utc)


@pytest.fixture
def monitor(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> MonitorConfig:
    """The example's monitor file, with a storage of its own."""
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


@pytest.fixture
def storage(monitor: MonitorConfig) -> Storage:
    return open_storage(monitor.storage.uri)


class TaskInstance:
    """Takes XComs and has a start, as Airflow's has."""

    def __init__(self) -> None:
        self.start_date = NOW
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value


class LabelledDay:
    """A day of twelve images and the stand-in that they are labelled at; `away` closes its port, `back` opens it again."""

    def __init__(
        self, monitor: MonitorConfig, storage: Storage, url: str, away: Callable[[], None], back: Callable[[], None]
    ) -> None:
        self.monitor, self.storage, self.url, self.away, self.back = monitor, storage, url, away, back
        self.client = TolokaHook().get_conn()

    def context(self, **params: Any) -> Any:
        ti = TaskInstance()
        return {"ti": ti, "params": params, "dag_run": SimpleNamespace(run_type="manual"), "run_id": "r"}

    def create(self, **params: Any) -> dict[str, Any]:
        operator = CreateAnnotationPoolOperator(task_id="create", monitor=self.monitor, day=DAY)
        return run_task(operator, self.context(**params))

    def sensor(self, **annotation: Any) -> WaitForAnnotationsOperator:
        changed = self.monitor.labels.model_copy(update=annotation)
        monitor = self.monitor.model_copy(update={"labels": changed})
        return WaitForAnnotationsOperator(task_id="wait", monitor=monitor, day=DAY)

    def trigger(self, ends: datetime | None = None, **annotation: Any) -> AnnotationCompleteTrigger:
        """What the task defers to, made anew of its stored form as the triggerer does; `ends`: another deadline."""
        with pytest.raises(TaskDeferred) as deferred:
            self.sensor(**annotation).execute(self.context())
        path, stored = deferred.value.trigger.serialize()
        assert path == "driftwatch_airflow.triggers.annotation.AnnotationCompleteTrigger"
        assert deferred.value.method_name == "resume"
        return AnnotationCompleteTrigger(**stored | ({"deadline": ends.isoformat()} if ends else {}))

    def answers(self, pool_id: str, user: str, answer: str, seconds: float = 60, images: int = 12) -> None:
        """One page by `user`: the same answer on the first images of the day, the right one on control tasks."""
        tasks = list(self.client.get_tasks(pool_id=pool_id))
        real = sorted(
            (task for task in tasks if not task.known_solutions), key=lambda task: task.input_values["image_id"]
        )
        given = {task.id: {"result": answer} for task in real[:images]}
        given |= {task.id: task.known_solutions[0].output_values for task in tasks if task.known_solutions}
        http = httpx.Client(base_url=self.url, headers={"Authorization": f"OAuth {TOKEN}"})
        body = {"pool_id": pool_id, "user_id": user, "answers": given, "seconds": seconds}
        http.post("/_sandbox/answers", json=body).raise_for_status()

    def merge(self) -> dict[str, Any]:
        operator = MergeAnnotationsOperator(task_id="merge", monitor=self.monitor, day=DAY)
        return operator.execute(self.context())

    def late_images(self, images: int) -> None:
        """So many images more come after the pool was made, and the day is taken in again."""
        keys = f"cats_vs_dogs/days/{DAY}"
        self.storage.copy(f"{keys}/manifest.parquet", f"{keys}/sampled_manifest.parquet")
        rows = []
        for number in range(images):
            data = b"\xff\xd8\xfflate%d" % number
            self.storage.write_bytes(f"in/late{number}.jpg", data)
            rows.append((f"in/late{number}.jpg", hashlib.sha256(data).hexdigest(), "accepted"))
        before = self.storage.read_table(f"{keys}/manifest.parquet")
        late = pd.DataFrame(rows, columns=["key", "image_id", "status"])
        self.storage.write_table(f"{keys}/manifest.parquet", pd.concat([before, late], ignore_index=True))

    def statuses(self, pool_id: str) -> dict[str, str]:
        return {page.user_id: page.status.value for page in self.client.get_assignments(pool_id=pool_id)}

    def event(self, trigger: AnnotationCompleteTrigger) -> dict[str, Any]:
        """What the trigger fires."""
        return asyncio.run(anext(trigger.run())).payload


@pytest.fixture
def day(
    tmp_path: Path, monitor: MonitorConfig, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LabelledDay]:
    """A stand-in, a monitor whose connections lead to it, and a manifest of twelve images."""
    import pandas as pd

    monitor = monitor.model_copy(
        update={"labels": monitor.labels.model_copy(update={"control_tasks": 4, "poll_seconds": 0.05})}
    )

    def picture(key: str) -> str:
        data = b"\xff\xd8\xff" + key.encode()
        storage.write_bytes(key, data)
        return hashlib.sha256(data).hexdigest()

    rows = [(f"in/{number}.jpg", picture(f"in/{number}.jpg"), "accepted") for number in range(12)]
    keys = f"cats_vs_dogs/days/{DAY}"
    storage.write_table(f"{keys}/manifest.parquet", pd.DataFrame(rows, columns=["key", "image_id", "status"]))
    known = [
        (picture(f"t/{number}.jpg"), "cat" if number % 2 else "dog", "evaluation", f"t/{number}.jpg")
        for number in range(8)
    ]
    storage.write_table(
        "cats_vs_dogs/training/set.parquet", pd.DataFrame(known, columns=["image_id", "label", "split", "key"])
    )
    settings = Settings(database=tmp_path / "toloka.db", token=TOKEN, crowd=False, operation_seconds=0.05)
    with ExitStack() as server:
        url = server.enter_context(running(create_app(settings)))

        def back() -> None:
            server.enter_context(running(create_app(settings), int(url.rsplit(":", 1)[1])))

        monkeypatch.setenv(
            "AIRFLOW_CONN_TOLOKA_DEFAULT",
            json.dumps({"conn_type": "toloka", "host": url, "password": TOKEN, "extra": {"retries": 0, "timeout": 5}}),
        )
        monkeypatch.setenv(
            "AIRFLOW_CONN_DRIFTWATCH_IMAGES", json.dumps({"conn_type": "http", "host": url, "password": "secret"})
        )
        monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", json.dumps({"conn_type": "whylabs", "password": "a.b"}))
        yield LabelledDay(monitor, storage, url, server.close, back)


WATCHED = date(2026, 1, 20)
RETRAIN, OK = "trigger_retraining", "performance_ok"


class Recorded(CheckPerformanceOperator):
    """Notes the branch instead of asking Airflow to skip the others."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


@pytest.fixture(scope="module")
def analyser(whylabs_servers):
    return whylabs_servers()


@pytest.fixture
def analysed(monitor, storage, monkeypatch, analyser):
    """A day whose performance is in storage and at WhyLabs."""
    analyser.clear()
    monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", json.dumps(analyser.connection()))
    told: list[Alert] = []
    monkeypatch.setattr(decision, "send_alert", lambda context, monitor, alert, links=None: told.append(alert))
    put_documents(analyser.api(), documents(monitor, "ref-1"))
    keys = f"cats_vs_dogs/days/{WATCHED}"

    def day(verdict: str, right: int | None, of: int = 100, analysed: bool = True) -> None:
        """`right` None: there is no label."""
        analyser.api().delete_day(WATCHED)
        labels = of if right is not None else 0
        performance = samples.NO_LABELS | {"verdict": verdict, "labels": labels, "reasons": ["as measured."]}
        if right is not None:
            profile = performance_profile(["cat"] * of, ["cat"] * right + ["dog"] * (of - right), [1.0] * of, WATCHED)
            upload_profile(analyser.api(), profile, WATCHED)
            storage.write_bytes(f"{keys}/performance.bin", profile)
            performance["content_hash"] = "hash"
        storage.write_json(f"{keys}/performance.json", performance)
        if analysed:
            analyser.http.post(f"/_sandbox/analyse?dataset=model-1&day={WATCHED}").raise_for_status()

    def operator(source: str, **publish: Any) -> Recorded:
        settings = monitor.publish.model_copy(update={"alert_source": source, "analysis_poll_seconds": 0.05, **publish})
        changed = monitor.model_copy(update={"publish": settings})
        return Recorded(task_id="check", monitor=changed, day=str(WATCHED), on_alert=RETRAIN, on_ok=OK)

    def analysis() -> dict[str, Any] | None:
        return storage.read_json(f"{keys}/whylabs.json") if storage.exists(f"{keys}/whylabs.json") else None

    return SimpleNamespace(day=day, operator=operator, analysis=analysis, told=told, server=analyser)


LAYOUT = MonitorKeys("cats_vs_dogs")
DRIFT = "cats_vs_dogs-image-drift-analyzer"
OLD, NEW = "v0001-00000001", "v0002-00000002"


def features(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"image.Brightness.mean": np.random.default_rng(rows).normal(100, 10, rows)})


@pytest.fixture
def publishing(tmp_path, root: Path, monkeypatch, whylabs_servers):
    """A storage with two model versions, OLD being the champion, and a server of its own."""
    server = whylabs_servers()
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", json.dumps(server.connection()))
    storage = open_storage(f"file://{tmp_path}")
    for number, version in enumerate((OLD, NEW)):
        storage.write_table(LAYOUT.reference_features(version), features(200 + number))
        storage.write_bytes(
            LAYOUT.reference_profile(version), feature_profile(features(200 + number), date(2026, 1, 1))
        )
    storage.write_json(LAYOUT.champion, {"version": OLD, "previous": None})
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")

    def day(number: int, version: str, rows: int = 40) -> None:
        keys = LAYOUT.day(date(2026, 1, number))
        table = features(rows).assign(image_id=[f"{rows}-{i}" for i in range(rows)])
        storage.write_json(keys.ingest, {**samples.INGEST, "model_version": version})
        storage.write_table(keys.features, table)
        storage.write_bytes(keys.feature_profile, feature_profile(features(rows), date(2026, 1, number)))

    def upload(number: int, publish: Any = monitor.publish, **params: Any) -> Any:
        changed = monitor.model_copy(update={"publish": publish})
        operator = PublishOperator(task_id="upload", monitor=changed, kind="features", day=f"2026-01-0{number}")
        return operator.execute({"params": params})

    def baseline() -> str | None:
        """The model version whose reference WhyLabs' drift monitor compares with."""
        found = server.monitor_config().get(DRIFT)
        names = {reference["id"]: reference["alias"] for reference in server.state()["references"]}
        return names[found["config"]["baseline"]["profileId"]] if found else None

    return SimpleNamespace(
        server=server, storage=storage, monitor=monitor, day=day, upload=upload, baseline=baseline, root=root
    )
