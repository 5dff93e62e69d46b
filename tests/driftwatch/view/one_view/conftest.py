"""Days of every kind, each shown by all that shows days."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from airflow.api_fastapi.common.db.common import _get_session
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient
from tests.driftwatch.view.conftest import day_builder
from tests.driftwatch.view.version_days import answered_by_several

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import AnswersDrifted, ImagesDrifted, ModelGotWorse, TooFewLabels
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.cli import main
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view.alerts import alert_text
from driftwatch.view.report import write_report
from driftwatch.view.verdicts import reasons
from driftwatch_airflow.ui import access, airflow_state
from driftwatch_airflow.ui.app import application
from driftwatch_sandbox.demo.year import Year

DATA = Path(__file__).parents[3] / "data/artifacts_0_1/cats_vs_dogs"
DAY, RUN = date(2026, 1, 8), "perf_alert__2026-01-08"
SHARE = r"[\d.]+ %"
ACCURACY = rf"(?:{SHARE} \[\d+, \d+\]|not measured)"
USUAL = rf"(?:, usually {SHARE})?"  # of an alert that the floor is no reason of


def text_of(page: str) -> str:
    """The visible text of a page, white space as one space."""
    without = re.sub(r"<(style|script|title)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", without)).split())


def one(pattern: str, text: str) -> str:
    """The only thing in `text` that `pattern`'s group stands for, however often it is there."""
    found = set(re.findall(pattern, text))
    assert len(found) == 1, f"{pattern}: {sorted(found)}"
    return str(found.pop())


def badges(page: str) -> list[tuple[str, str]]:
    """Tone and words of each badge."""
    found = re.findall(r'<span class="badge (\w+)"[^>]*>(.*?)</span>', page)
    return [(tone, html.unescape(word)) for tone, word in found]


@dataclass
class Shown:
    """One day of one monitor, by everything that shows it."""

    day: DayStore
    file: Path
    client: TestClient
    choose: Callable[[], None]

    def page(self, address: str) -> str:
        self.choose()
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text[-2000:]
        return answer.text

    @property
    def monitor(self) -> str:
        return f"/m/{self.day.config.name}"

    @cached_property
    def report(self) -> str:
        return self.day.storage.read_bytes(write_report(self.day)).decode()

    @cached_property
    def day_page(self) -> str:
        return self.page(f"{self.monitor}/days/{self.day.date}/")

    @cached_property
    def overview(self) -> str:
        return self.page("/")

    @cached_property
    def series(self) -> dict[str, Any]:
        return dict(json.loads(self.page(f"{self.monitor}/series.json")))

    @property
    def place(self) -> int:
        return int(self.series["days"].index(self.day.date.isoformat()))

    def cli(self, *arguments: str) -> str:
        said = io.StringIO()
        with redirect_stdout(said):
            assert main([arguments[0], str(self.file), *arguments[1:]]) == 0
        return said.getvalue()

    def alerts(self) -> list[tuple[str, str]]:
        """Subject and message of each alert that the day's artifacts give."""
        day, found = self.day, []
        drift, answers, performance = day.find(DayDrift), day.find(ContentDrift), day.find(Performance)
        if drift:
            found.append(ImagesDrifted(day.date, drift))
        if answers:
            found.append(AnswersDrifted(day.date, answers))
        if performance and performance.verdict == "alert":
            found.append(ModelGotWorse(day.date, performance, performance.reasons))
        if performance and performance.verdict == "not_enough_evidence":
            found.append(TooFewLabels(day.date, performance))
        return [alert_text(day.config.name, facts, {}) for facts in found]


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Shown]]:
    """`show(config, day)`: the day by everything that shows it, with Airflow answering that it knows nothing."""

    class Manager:
        def is_authorized_dag(self, **_: Any) -> bool:
            return True

    def put(config: MonitorConfig) -> Path:
        folder = tmp_path_factory.mktemp("monitors")
        raw = {
            "name": config.name, "classes": list(config.classes), "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": config.storage.uri}, "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
        }  # fmt: skip
        file = folder / f"{config.name}.yaml"
        file.write_text(yaml.safe_dump(raw, allow_unicode=True))
        return file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "get_auth_manager", Manager)
        patch.setattr(access.DagModel, "get_team_name", lambda dag_id: None)
        patch.setattr(
            airflow_state,
            "next_runs",
            lambda session, dag_ids: dict.fromkeys(dag_ids, airflow_state.NextRun(None, False, False)),
        )
        patch.setattr(airflow_state, "runs_of_day", lambda session, config, day: [])
        patch.setattr(
            airflow_state,
            "failures_of_each",
            lambda session, configs, since=None: {config.name: {} for config in configs},
        )
        patch.setattr(airflow_state, "retraining_pages", lambda session, config: {})
        app = application()
        patch.setitem(app.dependency_overrides, get_user, lambda: "somebody")
        patch.setitem(app.dependency_overrides, _get_session, lambda: None)

        def made(config: MonitorConfig, day: date) -> Shown:
            file = put(config)
            day_store = MonitorStore(open_storage(config.storage.uri), config).day(day)
            return Shown(
                day_store, file, TestClient(app), lambda: patch.setenv("DRIFTWATCH_MONITORS", str(file.parent))
            )

        yield made


def stored(config: MonitorConfig) -> DayStore:
    """The day that version 0.1 left behind: an alert, with drift of everything. Its manifest and the model's table, which are not
    kept for their size, are made up."""
    config = config.model_copy(update={"name": "cats_vs_dogs"})
    store = MonitorStore(open_storage(config.storage.uri), config)
    shutil.copytree(DATA, Path(store.storage.path("cats_vs_dogs")))
    # No image of it is kept to be shown.
    drift, content = store.day(DAY).read(DayDrift), store.day(DAY).read(ContentDrift)
    store.day(DAY).write(drift.model_copy(update={"examples": ()}))
    quiet = content.content.model_copy(update={"examples": ()})
    store.day(DAY).write(content.model_copy(update={"content": quiet}))
    store.storage.delete(store.keys.day(DAY).predictions)  # images that people and model disagree on would be shown
    columns = ["key", "image_id", "bytes", "status", "reason", "format", "width", "height"]
    store.storage.write_table(store.keys.day(DAY).manifest, pd.DataFrame([], columns=columns))
    gate = store.read(store.keys.retraining(RUN, "gate.json"), GateResult)
    ids = {image for part in (gate.recent, gate.clean) for image in (*part.repaired, *part.broken)}
    row = {"key": "x.jpg", "label": "cat", "champion": "dog", "challenger": "cat", "day": ""}
    table = pd.DataFrame([{"image_id": image, **row} for image in sorted(ids)])
    store.storage.write_table(store.keys.model_evaluation(gate.version), table)
    return store.day(DAY)


KINDS = ("stored", "ok", "alert", "few labels", "late", "takeover", "many classes", "morning", "versions")


@pytest.fixture(scope="module", params=KINDS)
def shown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, show: Callable[..., Shown], small_monitor: Callable[..., MonitorConfig]
) -> Shown:  # fmt: skip
    """A day of each kind."""
    config = small_monitor(f"file://{tmp_path_factory.mktemp('storage')}")
    build_day = day_builder(open_storage(config.storage.uri), config)
    kind = request.param
    if kind == "stored":
        day = stored(config)
        return show(day.config, day.date)
    if kind == "many classes":
        config = config.model_copy(update={"classes": tuple(f"class {n}" for n in range(20))})
        Year(open_storage(config.storage.uri), config, DAY, 30).write()
        return show(config, DAY)
    options: dict[str, dict[str, Any]] = {
        "alert": {"accuracy": 0.5, "damaged": True},
        "takeover": {"version": "v2"},
        "morning": {"until": "drift", "damaged": True},
    }
    for back in (3, 2, 1):
        build_day(DAY - timedelta(days=back), damaged=back == 2)
    build_day(DAY, **options.get(kind, {}))
    day = show(config, DAY).day
    if kind == "late":
        day.storage.write_json(day.keys.ingest, {**day.storage.read_json(day.keys.ingest), "late": 12})
        day.storage.write_json(day.keys.late_files, {"files": 3})
    if kind == "versions":
        answered_by_several(day, {"7": 0.7, "<8>": 0.3})
    if kind == "few labels":
        strict = config.performance.model_copy(update={"min_labels": 100, "pool_days": 1})
        holdout = day.monitor.read(day.monitor.keys.model_card("v1"), ModelCard).metrics.holdout.accuracy
        evaluate_day(day.with_config(config.model_copy(update={"performance": strict})), holdout, in_words=reasons)
    return show(config, DAY)
