"""The outside world of the fault suite: both stand-ins as processes of their own, and days that run the real operators."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pandas as pd
from airflow.sdk.exceptions import TaskDeferred
from tests.deferred import no_rest, run_task
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import ExamConfig, MonitorConfig
from driftwatch.drift.whylogs_profiles import (
    content_hash,
    feature_profile,
    performance_content_hash,
    performance_profile,
)
from driftwatch.errors import NeedsAttention
from driftwatch.storage import open_storage
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator, MergeAnnotationsOperator
from driftwatch_airflow.operators.publish import PublishOperator
from driftwatch_airflow.sensors.annotation import WaitForAnnotationsOperator

TOKEN = "AQAD-fault-token"
KEY = f"{'k' * 10}.{'s' * 40}:org-1"
DATASET = "model-1"
IMAGES = 4
# Seconds a request may take; a slow service is tried with less patience, or the suite would wait for minutes.
PATIENT, IMPATIENT = 10.0, 0.75
VERSION = "v1"
ANNOTATION = ("create_annotation_pool", "wait_for_annotations", "merge_annotations")
PUBLICATION = ("upload_features", "upload_performance")
_TRIES = 3  # of the eight that the DAG's tasks have: what is worth a retry is put right by the first


class World:
    """Starts the stand-ins; `monitor` is the one whose days are run, under a new name for each case."""

    def __init__(self, folder: Path, monitor: MonitorConfig) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self._cases = 0
        toloka_options = ["--no-crowd", "--operation-seconds", "0.02", "--balance", "100000"]
        self.toloka = self._start("toloka", *toloka_options)
        self.whylabs = self._start(
            "whylabs",
            "--port",
            "0",
            "--dataset",
            DATASET,
            "--idempotency",
            "refuse",
            "--analyse-seconds",
            "3600",
        )
        self.toloka_http = httpx.Client(base_url=self.toloka, headers={"Authorization": f"OAuth {TOKEN}"}, timeout=20)
        self.whylabs_http = httpx.Client(base_url=self.whylabs, headers={"X-API-Key": KEY}, timeout=20)
        self._monitor = monitor

    def _start(self, name: str, *options: str) -> str:
        command = [sys.executable, "-m", f"driftwatch_sandbox.{name}", "--database", str(self.folder / f"{name}.db")]
        log = (self.folder / f"{name}.log").open("w")
        secrets = {"DRIFTWATCH_TOLOKA_TOKEN": TOKEN, "DRIFTWATCH_WHYLABS_KEY": KEY}
        process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **secrets}
        )
        self._processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), (self.folder / f"{name}.log").read_text()
        return line.removeprefix("listening on ").strip()

    def stop(self) -> None:
        for process in self._processes:
            process.kill()  # nothing of it is kept
            process.wait(60)

    def connections(self, timeout: float = PATIENT) -> dict[str, str]:
        """Airflow's connections to the stand-ins, as environment variables."""
        extra = {"timeout": timeout, "retries": 1}
        found = {
            "TOLOKA_DEFAULT": {"conn_type": "toloka", "host": self.toloka, "password": TOKEN, "extra": extra},
            "WHYLABS_DEFAULT": {"conn_type": "whylabs", "host": self.whylabs, "password": KEY, "extra": extra},
            "DRIFTWATCH_IMAGES": {"conn_type": "http", "host": "http://127.0.0.1:9", "password": "secret"},
        }
        return {f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in found.items()}

    def case(
        self, kind: type[Case] | None = None, root: str = "", annotation: dict[str, Any] | None = None, **sections: Any
    ) -> Case:
        """A monitor, a storage and a day of their own, as the morning's tasks leave them.

        `root`: where the storage is; `sections`: what is other in the monitor file.
        """
        self._cases += 1
        name = f"case{self._cases}"
        short = {"control_tasks": 2, "exam": ExamConfig(tasks=2), "poll_seconds": 0.02}
        uri = f"{root or f'file://{self.folder}'}/{name}"
        sections |= {"labels": {**short, **(annotation or {})}, "storage": {"uri": uri}}
        changed = {
            section: getattr(self._monitor, section).model_copy(update=value) if isinstance(value, dict) else value
            for section, value in sections.items()
        }
        monitor = self._monitor.model_copy(update={"name": name, **changed})
        day = date(2024, 1, 1) + timedelta(
            days=self._cases
        )  # so early that the last case of a long run is no future day
        return (kind or Case)(self, monitor, day, self.folder / name)

    def fault(self, service: str, **fields: Any) -> None:
        http = self.toloka_http if service == "toloka" else self.whylabs_http
        http.post("/_sandbox/faults", json=fields).raise_for_status()

    def no_faults(self) -> None:
        for http in (self.toloka_http, self.whylabs_http):
            http.delete("/_sandbox/faults").raise_for_status()

    def balance(self, dollars: float) -> None:
        self.toloka_http.put("/_sandbox/balance", json={"balance": dollars}).raise_for_status()


class TaskInstance:
    """What an operator needs of Airflow's."""

    def __init__(self) -> None:
        self.start_date = datetime.now(timezone.utc)

    def xcom_push(self, key: str, value: Any) -> None:
        json.dumps(value)


@dataclass
class Outcome:
    """`errors`: by task, the error that ended it for good, empty where the day went through; `retried`: tasks that failed first."""

    errors: dict[str, BaseException] = field(default_factory=dict)
    retried: list[str] = field(default_factory=list)


@dataclass
class Case:
    """One day of one monitor; `run` does its tasks in the DAG's order, each with the retries that Airflow gives it."""

    world: World
    monitor: MonitorConfig
    day: date
    folder: Path

    def _open(self) -> None:
        self.storage = open_storage(self.monitor.storage.uri)
        self.layout = MonitorKeys(self.monitor.name)
        self.keys = self.layout.day(self.day)

    def __post_init__(self) -> None:
        self._open()
        self.ids = [self._picture(f"in/{number}.jpg") for number in range(IMAGES)]
        keys = [f"in/{number}.jpg" for number in range(IMAGES)]
        manifest = pd.DataFrame({"key": keys, "image_id": self.ids, "status": "accepted", "phash": None})
        known = [
            (self._picture(f"t/{number}.jpg"), ["cat", "dog"][number % 2], "evaluation", f"t/{number}.jpg")
            for number in range(4)
        ]
        self.storage.write_table(self.keys.manifest, manifest)
        known_set = pd.DataFrame(known, columns=["image_id", "label", "split", "key"])
        self.storage.write_table(self.layout.training_set, known_set)
        taken_in = {**samples.INGEST, "day": self.day.isoformat(), "model_version": VERSION}
        self.storage.write_json(self.keys.ingest, taken_in)
        self.storage.write_json(self.layout.champion, {"version": VERSION})
        reference = pd.DataFrame({"image.entropy": np.arange(50.0)})
        self.storage.write_table(self.layout.reference_features(VERSION), reference)
        self.storage.write_bytes(self.layout.reference_profile(VERSION), feature_profile(reference, date(2026, 1, 1)))
        self.profile(1.0)

    def _picture(self, key: str) -> str:
        """Writes an image of its own; returns its id."""
        data = b"\xff\xd8\xff" + key.encode()
        self.storage.write_bytes(key, data)
        return hashlib.sha256(data).hexdigest()

    def profile(self, value: float) -> None:
        """The day's features and performance, as profiling and evaluation write them."""
        features = pd.DataFrame({"image_id": self.ids, "image.entropy": value * np.arange(1.0, IMAGES + 1)})
        self.storage.write_table(self.keys.features, features)
        numbers = features.drop(columns="image_id")
        self.storage.write_bytes(self.keys.feature_profile, feature_profile(numbers, self.day))
        answers = ["cat"] * IMAGES, ["cat"] * (IMAGES - 1) + ["dog"], [0.5 + value / 100] * IMAGES
        self.storage.write_bytes(self.keys.performance_profile, performance_profile(*answers, self.day, ("cat", "dog")))
        judged = {"day": self.day.isoformat(), "verdict": "ok", "content_hash": performance_content_hash(*answers)}
        self.storage.write_json(
            self.keys.performance, {**samples.PERFORMANCE, **judged, "features": content_hash(numbers)}
        )

    def run(
        self,
        tasks: Sequence[str] = (*ANNOTATION, *PUBLICATION),
        revise: bool = False,
        tries: int | None = None,
        before_waiting: Callable[[], None] | None = None,
    ) -> Outcome:
        """`tries`: by default those that Airflow gives a task. `before_waiting` happens between the pool and the sensor."""
        outcome, tries = Outcome(), tries or _TRIES
        steps = self._steps(revise)
        for name in tasks:
            step = steps[name]
            if name == "wait_for_annotations" and before_waiting is not None:
                before_waiting()
            for attempt in range(tries):
                try:
                    step()
                    break
                except Exception as error:  # what Airflow sees of a task
                    if attempt == tries - 1 or isinstance(error, NeedsAttention):
                        outcome.errors[name] = error
                        return outcome
                    outcome.retried.append(name)
        return outcome

    def _steps(self, revise: bool) -> dict[str, Callable[[], Any]]:
        common = {"monitor": self.monitor, "day": self.day.isoformat()}
        operators = {
            "upload_features": PublishOperator(task_id="upload_features", kind="features", **common),
            "create_annotation_pool": CreateAnnotationPoolOperator(task_id="create_annotation_pool", **common),
            "wait_for_annotations": WaitForAnnotationsOperator(task_id="wait_for_annotations", **common),
            "merge_annotations": MergeAnnotationsOperator(task_id="merge_annotations", **common),
            "upload_performance": PublishOperator(task_id="upload_performance", kind="performance", **common),
        }
        steps = {name: (lambda op=op: op.execute(self._context(revise))) for name, op in operators.items()}
        steps["create_annotation_pool"] = lambda: run_task(operators["create_annotation_pool"], self._context(revise))
        steps["wait_for_annotations"] = lambda: self._wait(operators["wait_for_annotations"])
        return steps

    def _context(self, revise: bool = False) -> dict[str, Any]:
        run = SimpleNamespace(run_type="manual")
        return {"ti": TaskInstance(), "params": {"revise": revise}, "dag_run": run, "run_id": "r"}

    def _wait(self, sensor: Any) -> None:
        """As the triggerer does it; people answer while it waits."""
        try:
            sensor.execute(self._context())
        except TaskDeferred as deferred:
            with suppress(httpx.HTTPError):  # nobody can work while Toloka is broken
                self.people_answer()
            # One look is enough for a pool that has closed; one that Toloka does not show is waited for until the deadline.
            trigger = deferred.trigger
            trigger.wait = trigger.wait.model_copy(update={"deadline": datetime.now(timezone.utc)})
            with no_rest():
                sensor.resume(self._context(), asyncio.run(_first_event(trigger)))

    def people_answer(self) -> None:
        """Two careful annotators and one in haste, on every image and control task of the open pool."""
        http = self.world.toloka_http
        pool_id = self.storage.read_json(self.keys.annotation)["pool_id"]
        tasks = http.get("/api/v1/tasks", params={"pool_id": pool_id, "limit": 1000}).raise_for_status().json()["items"]
        answers = {}
        for task in tasks:
            known = task.get("known_solutions")
            answers[task["id"]] = known[0]["output_values"] if known else {"result": "cat"}
        for user, seconds in (("ann", 60), ("bea", 50), ("haste", 2)):
            body = {"pool_id": pool_id, "user_id": user, "answers": answers, "seconds": seconds}
            given = http.post("/_sandbox/answers", json=body)
            if given.status_code != 409:  # 409: answered before, or the pool has closed; what was answered stays
                given.raise_for_status()
        end = time.monotonic() + 10
        while self._pool(pool_id)["status"] == "OPEN":
            assert time.monotonic() < end, self._pool(pool_id)
            time.sleep(0.01)

    def _pool(self, pool_id: str) -> dict[str, Any]:
        return self.world.toloka_http.get(f"/api/v1/pools/{pool_id}").raise_for_status().json()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


async def _first_event(trigger: Any) -> dict[str, Any]:
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger ended without an event")
