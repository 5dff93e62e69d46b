"""Four days with a model that Driftwatch did not make: drift on the fourth, alert, hand-over; the team trains; its model is compared and serves.

Once the registry has the team's ONNX model, once production answers and only its log is known.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.driftwatch.models.conftest import CLASSES, World, open_world, train
from tests.once import once_for_all_workers
from tests.stores import monitor_store

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.accuracy.without_labels import estimate_day
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.handover import build_reference_of, promote_challenger
from driftwatch.drift.image_quality import profile_day
from driftwatch.labels.consensus import merge_day
from driftwatch.models import registry
from driftwatch.models.champion import import_champion
from driftwatch.models.damage import apply_damage
from driftwatch.models.dataset import collect_training_set, take_in_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.handover import hand_over
from driftwatch.models.logged.registration import register_answers
from driftwatch.models.predict import predict_day
from driftwatch.models.requests import begin_unless_in_the_way
from driftwatch.models.returned import register_challenger, take_up_challenger
from driftwatch.storage import open_storage
from driftwatch.view.gate import reason_text
from driftwatch.view.report import write_report
from driftwatch.view.verdicts import reasons
from driftwatch_sandbox import production, team

DAYS = [date(2026, 1, 3) + timedelta(days=number) for number in range(5)]
BROKEN = DAYS[3]
RUN, BACK = f"perf_alert__{BROKEN}", "challenger__back"
IMAGES = 60


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage of the team's own, in which it has trained its first model; and that model, as model.keras and model.onnx."""

    trained = once_for_all_workers(tmp_path_factory, "trained", train)  # as tests/driftwatch/models has it

    def made(folder: Path) -> None:
        shutil.copytree(trained, folder, dirs_exist_ok=True)
        store = monitor_store(open_world(folder).storage, open_world(folder).layout)
        version = registry.champion_version(store)
        shutil.copyfile(folder / store.keys.model(version), folder / "model.keras")
        team.main(["export", str(folder / "model.keras"), str(folder / "model.onnx")])

    return once_for_all_workers(tmp_path_factory, "own", made)


@dataclass
class Watched:
    """A monitor, and production, which answers by `models`: the newest first."""

    world: World
    home: Path
    models: list[Path]

    @property
    def store(self) -> MonitorStore:
        return monitor_store(self.world.storage, self.world.layout, self.world.config)

    @property
    def logged(self) -> bool:
        return self.world.config.model.predictions == "logged"

    def answers(self, folder: str) -> pd.DataFrame:
        """What production says of the pictures below the folder. With two models the first fifth is answered by the one before."""
        pictures, numbers = self.home / "storage" / folder, range(len(self.models), 0, -1)
        said = [
            production.Production.of(model, CLASSES, f"prod-{number}").answers(pictures)
            for model, number in zip(self.models, numbers, strict=True)
        ]
        return said[0] if len(said) == 1 else production.taken_over(said[0], said[1], 0.2)

    def begin(self) -> None:
        """The first champion."""
        store = self.store
        take_in_training_set(store)
        if self.logged:
            log = self.home / "answers.jsonl"
            production.write_log(self.answers(store.keys.training_images), log)
            version = register_answers(store, [log])
        else:
            version = import_champion(store, self.models[0])
        build_reference_of(store, version)
        registry.promote(store, version, "test", None)

    def day(self, date_: date, n: int, dark: bool) -> Performance:
        """A day by the functions that the DAG's tasks call, with every picture labelled by three people."""
        version, day = registry.champion_version(self.store), self.store.day(date_)
        labels = self.world.add_day(date_, n, partial(apply_damage, kind="brightness", strength=0.2) if dark else lambda rgb: rgb)  # fmt: skip
        day.write(day.read(Ingest).model_copy(update={"model_version": version}))
        if self.logged:
            production.write_log(
                self.answers(day.keys.incoming), self.home / f"storage/production/{date_}/answers.jsonl"
            )
        for key in (day.keys.performance, day.keys.drift):
            self.world.storage.delete(key)
        profile_day(day, version)
        predict_day(day, version, open_storage)
        estimate_day(day)
        judge_content_and_predictions(day, version)
        day.storage.write_table(day.keys.assignments, assignments(labels))
        merge_day(day, labels["image_id"].tolist())
        found = evaluate_day(day, registry.card(self.store, version).metrics.holdout.accuracy, in_words=reasons)
        write_report(day)
        return found


def assignments(labels: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (f"p{who}", f"w{who}", image_id, label, control, label if control else None)
        for who in range(3)
        for number, (image_id, label) in enumerate(zip(labels["image_id"], labels["label"], strict=True))
        for control in [False, True][: 1 + (number == 0)]
    ]
    names = ["assignment_id", "annotator_id", "image_id", "answer", "control", "known_label"]
    asked = {"status": "ACCEPTED", "submitted": "2026-01-05T10:00:00+00:00", "seconds": 30.0, "reward": 0.05}
    return pd.DataFrame(rows, columns=names).assign(**asked)


@pytest.fixture
def watched(request: pytest.FixtureRequest, own: Path, tmp_path: Path) -> Watched:
    plain = open_world(tmp_path / "storage")
    model: dict[str, Any] = {"input_size": 32, "output": "logits"}
    if request.param == "logged":
        logged = {
            "path": "production/{day}/*.jsonl",
            "columns": production.columns(CLASSES),
            "settle_seconds": 0,
        }
        model = {"input_size": 32, "predictions": "logged", "logged": logged}
    retraining = {"trainer": "handover", "min_new_labels": 20, "imitate_drift": True}
    settings = {**plain.config.model_dump(), "model": model, "retraining": retraining}
    config = MonitorConfig.model_validate(settings)
    shutil.copytree(own / plain.layout.training_images, tmp_path / "storage" / plain.layout.training_images)
    made = Watched(World(storage=plain.storage, layout=plain.layout, config=config), tmp_path, [own / "model.onnx"])
    made.begin()
    return made


@pytest.mark.all_faults("tests/dags/test_handover.py hands over in the plain suite, for an ONNX model")
@pytest.mark.slow
@pytest.mark.parametrize("watched", ["onnx", "logged"], indirect=True)
def test_drift_on_the_fourth_day_alerts_hands_over_and_the_model_that_comes_back_serves(
    watched: Watched, own: Path, tmp_path: Path
) -> None:
    first = registry.champion_version(watched.store)
    assert registry.card(watched.store, first).kind == ("logged" if watched.logged else "onnx")
    for day in DAYS[:3]:
        assert watched.day(day, IMAGES, dark=False).verdict == "ok"
        assert watched.store.day(day).read(DayDrift).verdict == "ok"
    alert = watched.day(BROKEN, 3 * IMAGES, dark=True)
    assert (alert.verdict, watched.store.day(BROKEN).read(DayDrift).verdict) == ("alert", "drifted")

    assert begin_unless_in_the_way(watched.store, BROKEN, 0, lambda *_: 0) is None
    collect_training_set(watched.store, RUN, DAYS[0], BROKEN)
    place = hand_over(watched.store, RUN, "alert").place
    shutil.copyfile(own / "model.keras", tmp_path / "model.keras")
    team.main(["retrain", place, str(tmp_path / "model.keras")])
    second = register_challenger(watched.store, f"{place}/model.onnx", RUN, "the team")
    take_up_challenger(watched.store, BACK, second, "run back")
    gate = evaluate_challenger(watched.store, BACK, in_words=reason_text)
    assert (gate.decision, gate.champion, gate.recent_days) == ("promote", first, (BROKEN,)), gate.reasons
    assert promote_challenger(watched.store, BACK, "run back").version == second
    assert registry.card(watched.store, second).kind == "onnx"

    watched.models.insert(0, tmp_path / "storage" / watched.store.keys.model(second, "onnx"))
    after = watched.day(DAYS[4], 2 * IMAGES, dark=True)
    assert (after.verdict, after.accuracy.value > alert.accuracy.value) == ("ok", True)
    if watched.logged:
        assert watched.store.day(DAYS[4]).read(Answers).versions == {"prod-2": 96, "prod-1": 24}
        new, old = after.versions
        assert (new.version, old.version) == ("prod-2", "prod-1")


@pytest.mark.parametrize("watched", ["onnx"], indirect=True)
def test_what_the_team_trains_on_is_what_was_handed_over_and_damaged_copies_share_the_recent_half(
    watched: Watched,
) -> None:
    watched.day(DAYS[0], IMAGES, dark=False)
    watched.day(BROKEN, 2 * IMAGES, dark=True)
    collect_training_set(watched.store, RUN, DAYS[0], BROKEN)
    manifest = hand_over(watched.store, RUN, "alert")
    table = open_storage(manifest.place).read_table(manifest.set.name)
    data, shown = team.training_set(manifest, table)
    learnt = table[table["split"] == "train"]
    recent = int((learnt["day"] == str(BROKEN)).sum())
    assert manifest.damage is not None
    copies = len(data.train.labels) - len(learnt)
    assert copies == int((learnt["source"] == "original").sum())
    assert data.weights is not None
    of_copies, of_recent = data.weights[len(learnt) :].sum(), data.weights[: len(learnt)][(learnt["day"] == str(BROKEN)).to_numpy()].sum()  # fmt: skip
    assert (of_copies, shown) == (pytest.approx(of_recent), 2 * (len(learnt) - recent))
    assert data.train.images.shape[1:] == (32, 32, 3)
