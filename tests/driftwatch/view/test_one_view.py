"""The report, the pages, their charts, the command line, the alerts and the approval form never show two numbers or words for one thing.

Days of every kind are shown by all of them. What each says is read from its own text, and compared.
"""

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

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import AnswersDrifted, ImagesDrifted, ModelGotWorse, ModelPromoted, TooFewLabels
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.cli import main
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view.alerts import alert_text
from driftwatch.view.comparison import comparison
from driftwatch.view.report import write_report
from driftwatch.view.verdicts import reasons
from driftwatch_airflow.ui import access, airflow_state
from driftwatch_airflow.ui.app import application
from driftwatch_sandbox.demo.year import Year

DATA = Path(__file__).parents[2] / "data/artifacts_0_1/cats_vs_dogs"
DAY, RUN = date(2026, 1, 8), "perf_alert__2026-01-08"
SHARE = r"[\d.]+ %"
ACCURACY = rf"(?:{SHARE} \[\d+, \d+\]|not measured)"


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
        patch.setattr(airflow_state, "next_run", lambda session, dag_id: airflow_state.NextRun(None, False, False))
        patch.setattr(airflow_state, "runs_of_day", lambda session, config, day: [])
        patch.setattr(airflow_state, "failures", lambda session, config: {})
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


KINDS = ("stored", "ok", "alert", "few labels", "late", "takeover", "many classes", "morning")


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
    if kind == "few labels":
        strict = config.performance.model_copy(update={"min_labels": 100, "pool_days": 1})
        holdout = day.monitor.read(day.monitor.keys.model_card("v1"), ModelCard).metrics.holdout.accuracy
        evaluate_day(day.with_config(config.model_copy(update={"performance": strict})), holdout, in_words=reasons)
    return show(config, DAY)


def test_accuracy_is_one_text_everywhere(shown: Shown) -> None:
    if not shown.day.has(Performance):
        assert shown.series["performance"]["accuracy"]["text"][shown.place] == "–"
        return
    said = one(rf"accuracy ({ACCURACY}), floor", text_of(shown.report))
    value, _, ends = said.partition(" [")
    floor = one(rf"accuracy {ACCURACY}, floor ({SHARE})", text_of(shown.report))
    assert one(rf"accuracy ({ACCURACY}), floor", text_of(shown.day_page)) == said
    assert one(rf'data-name="Accuracy"[^>]*>({ACCURACY})', shown.overview) == said
    number = one(
        rf"Accuracy ({SHARE}|–) ", text_of(shown.report).split("The day in numbers")[-1].split("Features that")[0]
    )
    assert number == value
    performance = shown.series["performance"]
    assert performance["accuracy"]["text"][shown.place] == value
    assert performance["floor_text"][shown.place] == floor
    tip = one(rf"<title>{shown.day.date}: ({SHARE} \[\d+, \d+\]), ", shown.report)
    assert tip == said
    in_words = one(rf"{shown.day.date}  .*?accuracy (\S+) \(", shown.cli("verdicts"))
    assert float(in_words.rstrip("%")) == float(value.rstrip(" %"))
    for subject, message in shown.alerts():
        for found in re.findall(rf"accuracy:? ({ACCURACY})", subject + message.partition("Because")[0]):
            assert found == said
    assert f"[{ends}" in shown.day_page


def test_verdicts_have_one_word_and_one_tone_everywhere(shown: Shown) -> None:
    at_top = dict(word.split(": ") for tone, word in badges(shown.report) if word.startswith(("Images: ", "Model: ")))
    assert badges(shown.day_page) == badges(shown.report)
    tone = one(r'<header class="card head (\w+)"', shown.report)
    assert one(r'<header class="card head (\w+)"', shown.day_page) == tone
    assert shown.series["tone"][shown.place] == tone
    address = re.escape(f'{shown.monitor}/days/{shown.day.date}/" title="')
    assert one(rf'<a class="daycell (\w+)" href="[^"]*{address}', shown.overview) == tone
    tip = html.unescape(one(rf'{address}{shown.day.date}: (.*?)"', shown.overview))
    assert tip == shown.series["said"][shown.place]
    for topic, word in at_top.items():
        judged = "about the" if word == "not enough evidence" else topic.lower()
        assert f"{topic.lower()} {word}" in tip or f"{word} {judged}" in tip or f"{topic.lower()} not judged yet" in tip
    of_kinds = re.findall(r'<b>Image quality</b>.*?<span class="badge (\w+)">(.*?)</span>', shown.report)
    assert [word for _, word in of_kinds] == [at_top["Images"]]
    if shown.day.has(Performance):
        verdict = one(r'data-name="Verdict"><span class="badge \w+">(.*?)</span>', shown.overview)
        assert verdict == at_top["Model"]


def test_verdicts_have_one_name_in_charts_tables_and_lists(shown: Shown) -> None:
    if not shown.day.has(Performance):
        return
    name = shown.series["words"]["verdicts"][shown.series["performance"]["verdict"][shown.place]]
    said = one(rf"<title>{shown.day.date}: {SHARE} \[\d+, \d+\], (.*?), \d+ labels, model", shown.report)
    listed = one(rf"{shown.day.date}  (\w+)", shown.cli("verdicts"))
    assert (said, listed.replace("_", " ")) == (name, name)
    for subject, message in shown.alerts():
        if "content:" in message:
            answers = shown.day.read(ContentDrift)
            word = shown.series["words"]["verdicts"][answers.content.verdict]
            assert one(r"content: ([\w ]+)[,:]", message) == word, subject


def test_features_that_moved_are_counted_and_named_alike(shown: Shown) -> None:
    drift = shown.day.read(DayDrift)
    counted = one(r"Features that moved (\d+ of \d+|–)", text_of(shown.report))
    assert counted == f"{len(drift.drifted_features)} of {len(drift.features)}"
    table = re.findall(r'<td title="[^"]*">(?:<b>)?([^<]*)<.*?<td class="wide">(.*?)</td>', shown.report)
    monitor = re.findall(r'data-feature=.*?<span>([^<]*)(?:<small>(.*?)</small>)?</span><span class="badge \w+">(.*?)</span>', shown.page(f"{shown.monitor}/"))  # fmt: skip
    assert [(name, looks or word) for name, looks, word in monitor] == table
    assert [name for name, _, word in monitor if word == "moved"] == [
        shown.series["features"][column]["name"] for column in drift.drifted_features
    ]
    (_, message), *_ = shown.alerts()
    assert one(r"features that moved: (\d+ of \d+),", message) == counted
    p_value = one(r"Features that moved [^·]*?(p [<=] [\d.e-]+) ·", text_of(shown.report))
    assert one(r"evidence: (p [<=] [\d.e-]+) on", message) == p_value
    if drift.verdict == "drifted":
        assert f"{counted} moved" in shown.overview


def test_the_shift_of_the_predicted_classes_is_told_once(shown: Shown) -> None:
    if not shown.day.has(ContentDrift):
        return
    said = one(
        r"shares of the classes \w[\w ]*? ((?:[\w ]+ \d+ % → \d+ %(?: and |, )?)+)", text_of(shown.report)
    ).strip()
    assert said in text_of(shown.day_page)
    alert = next(subject for subject, message in shown.alerts() if "predictions:" in message)
    assert said in alert
    usual, today = ({name: part for name, *parts in re.findall(r"(\w+) (\d+ %) → (\d+ %)", said) for part in parts[turn:turn + 1]} for turn in (0, 1))  # fmt: skip
    doubt = one(r"the model answers (.*?), on its holdout", text_of(shown.report))
    assert dict(re.findall(r"(\w+) (\d+ %)", doubt)) == today
    holdout = one(r"on its holdout (.*?)\. Either", text_of(shown.report))
    assert dict(re.findall(r"(\w+) (\d+ %)", holdout)) == usual


def test_the_days_confusions_are_one_table(shown: Shown) -> None:
    if not shown.day.has(Performance):
        return
    found = json.loads(shown.page(f"{shown.monitor}/confusions.json?first={shown.day.date}&last={shown.day.date}"))
    for page in (shown.report, shown.day_page):
        cells = re.findall(
            r'<td class="cell( wrong)? h(\d+)"(?: title="(.*?)")?><b>(\d*)</b><small>(.*?)</small>', page
        )
        mine = [cell for row in found["table"]["rows"] for cell in row["cells"]]
        assert [(not wrong, int(heat), html.unescape(said), int(n or 0), share) for wrong, heat, said, n, share in cells] == [
            (cell["right"], cell["heat"], cell["said"], cell["n"], cell["share"]) for cell in mine
        ]  # fmt: skip
        pairs = re.findall(r'name-of">([^<]*)</span></td><td><span class="name-of">([^<]*)</span></td><td class="right">(\d+)</td><td class="right">(.*?)<', page)  # fmt: skip
        mine = found["table"]["pairs"]
        assert pairs == [(pair["truth"], pair["predicted"], str(pair["n"]), pair["share"]) for pair in mine]
        assert found["table"]["title"] in page
        assert found["table"]["rest"] in page
    right = one(rf"; ({SHARE}) right", found["note"])
    assert right == shown.series["performance"]["accuracy"]["text"][shown.place]


def test_new_models_are_the_same_days_in_chart_table_and_series(shown: Shown) -> None:
    days = shown.series["days"][max(0, shown.place - 13) :]
    mine = [(found["day"], found["version"]) for found in shown.series["takeovers"] if found["day"] in days[1:]]
    assert re.findall(r">new model ([^<]*)<", shown.report) == [version for _, version in mine]
    told = one(r"New models of these days (none|[\d-]+ \([\w-]+\))", text_of(shown.report))
    assert told == (f"{mine[0][0]} ({mine[0][1]})" if mine else "none")


def test_late_images_and_reasons_are_said_alike(shown: Shown) -> None:
    report, page = text_of(shown.report), text_of(shown.day_page)
    for said in re.findall(r"[^.]*came after the day[^.]*\.", report):
        assert said.strip() in page
    found = shown.day.find(Performance)
    for _, message in shown.alerts():
        if "Because" in message:
            assert found is not None
            assert all(" ".join(reason.split()) in report for reason in found.reasons)
            assert one(r"Because: (.*)", message) == " ".join(found.reasons)


def test_the_gate_is_told_alike_to_who_decides_who_looks_and_who_is_told(
    config: MonitorConfig, show: Callable[..., Shown]
) -> None:
    day = stored(config)
    shown = show(day.config, day.date)
    gate = day.monitor.read(day.monitor.keys.retraining(RUN, "gate.json"), GateResult)
    page, form = text_of(shown.page(f"{shown.monitor}/models")), comparison(day.monitor, RUN)
    _, alert = alert_text(day.config.name, ModelPromoted(run_id=RUN, version=gate.version, gate=gate), {})
    listed = shown.cli("models", "compare", gate.champion, gate.version)
    assert all(reason in page and reason in form for reason in gate.reasons)
    word = one(r"Gate: ([\w ]+), against", page)
    (retraining,) = shown.series["retrainings"]
    assert shown.series["words"]["gates"][retraining["decision"]] == f"gate {word}"
    assert retraining["decision"] in listed
    rows = dict(re.findall(rf"(Recent days|Clean images) (\d+ {SHARE} \[\d+, \d+\] {SHARE})", page))
    in_form = re.findall(r"\| accuracy \| (\d+) \| ([\d.]+)% .*? \| ([\d.]+)% ", form)
    in_alert = re.findall(rf"on (?:recent days|clean images): ({SHARE}) → ({SHARE}) of (\d+)", alert)
    assert len(rows) == len(in_form) == len(in_alert) == 2
    for row, (n, before, after), told in zip(rows.values(), in_form, in_alert, strict=True):
        assert (float(before), float(after)) == tuple(float(share.rstrip(" %")) for share in told[:2])
        assert re.findall(SHARE, row) == list(told[:2])
        assert row.split()[0] == n == told[2]
    held = one(rf"On its holdout ({SHARE})", page.split(gate.version)[1])
    assert float(held.rstrip(" %")) == float(one(rf"{gate.version}  ([\d.]+)%", shown.cli("models")))
