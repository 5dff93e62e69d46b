"""The same week with a model that Driftwatch did not make and does not train: the team brings ONNX, or production answers and keeps a log.

The team's first model is the one of the ordinary week: it trains that by the same command, in a storage of its own, and exports it. On the
alert the retraining hands the training set over. The team's own DAG trains on it and brings the model back.
"""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Literal

import yaml

from driftwatch.artifacts.keys import CHALLENGER
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.nested_keys import CHALLENGER_RUN_PREFIX, run_key
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch_sandbox.demo.simulation import Simulation
from driftwatch_sandbox.demo.week import Week
from driftwatch_sandbox.production import Production, columns, taken_over, write_log

Source = Literal["onnx", "logged"]
SOURCES: tuple[Source, ...] = ("onnx", "logged")
TEAM_DAG, TEAM_DAG_ID = Path(__file__).parent / "team_dag.py", "cats_vs_dogs_team"
LOG = "production/{day}/answers.jsonl"
# On the day on which a new version takes over, the version before has answered this share of the pictures: those of the night.
BEFORE = 0.25


class ElsewhereWeek(Week):
    """The story of `make demo PREDICTIONS=<source>`. It leaves the plain week's monitor file with the team, which trains its first model
    by it."""

    def __init__(self, photos: Path | None, source: Source) -> None:
        super().__init__(photos)
        self.source = source
        self.title = {"onnx": "The week, with an ONNX model", "logged": "The week, by production's log"}[source]
        self._first = self.champion

    @property
    def training(self) -> list[str]:
        """The arguments of `driftwatch champion` by which the team trains its first model."""
        return self._first

    def write_monitor(self, folder: Path) -> Path:
        """Writes the monitor file, and gives the team a folder with its DAG and the plain week's monitor file."""
        file, team = super().write_monitor(folder), folder.parent / "team"
        for name in ("dags", "monitors"):
            (team / name).mkdir(parents=True)
        shutil.copyfile(file, team / "monitors" / file.name)
        shutil.copyfile(TEAM_DAG, team / "dags" / TEAM_DAG.name)
        raw = yaml.safe_load(file.read_text())
        raw["retraining"] = {
            **{name: value for name, value in raw["retraining"].items() if name not in ("epochs", "patience")},
            "trainer": "handover",
            "handover_dag": TEAM_DAG_ID,
        }
        given: dict[str, object] = {"output": "logits"}
        self.champion = ["import", str(team / "model.onnx")]
        if self.source == "logged":
            logged = {"path": LOG, "columns": columns(raw["classes"]), "settle_seconds": 0}
            given = {"predictions": "logged", "logged": logged}
            self.champion = ["import", "--answers", str(team / "answers.jsonl")]
        raw["model"] = {**raw.get("model", {}), **given}
        file.write_text(yaml.safe_dump(raw, sort_keys=False))
        return file


class ElsewhereSimulation(Simulation):
    """Plays the story, and what the team and production do meanwhile."""

    story: ElsewhereWeek

    @property
    def _team(self) -> Path:
        return self.home / "team"

    def _make_champion(self) -> None:
        self._train_by_the_team()
        if self.story.source == "logged":
            pictures = self.world.storage / self.store.keys.training_images
            self.progress.show("production answers the training images")
            write_log(self._production(self._team / "model.onnx", 1).answers(pictures), self._team / "answers.jsonl")
        super()._make_champion()
        self._served = self._champion()

    def _train_by_the_team(self) -> None:
        """The team's first model, by the command of the ordinary week in a storage of the team's own, and as ONNX."""
        env = {**self.world.env, "DRIFTWATCH_STORAGE": f"file://{self._team}/storage"}
        kind, *more = self.story.training
        file = self._team / "monitors" / self.file.name
        images = str(self.world.storage / self.store.keys.training_images)
        command = ["driftwatch", "champion", kind, str(file), "--images", images, *more]
        self._show_command("team", command, env, "the team trains its first model")
        (trained,) = self._team.glob("storage/*/models/*/model.keras")
        shutil.copyfile(trained, self._team / "model.keras")
        exporting = ["python", "-m", "driftwatch_sandbox.team", "export"]
        paths = [str(self._team / f"model.{end}") for end in ("keras", "onnx")]
        self._show_command("team-export", [*exporting, *paths], env, "the team exports its model as ONNX")
        self.progress.say(f"The team has trained its own model and exported it: {self._team}/model.onnx")

    def _production(self, model: Path, number: int) -> Production:
        return Production.of(model, self.monitor.classes, f"prod-{number}")

    def _serving(self, version: str) -> Production:
        """Production with the version's model. Of answers alone there is no model in the registry: the team's first gave them."""
        card = self.store.read(self.store.keys.model_card(version), ModelCard)
        registered = self.world.storage / self.store.keys.model(version, card.kind)
        return self._production(
            self._team / "model.onnx" if card.kind == "logged" else registered, int(version[1:].partition("-")[0])
        )

    def _before_day(self, day: date) -> None:
        """Production answers the day's pictures and logs it. A new champion takes over in the course of a day."""
        if self.story.source != "logged":
            return
        champion, pictures = self._champion(), self.world.storage / self.store.keys.day(day).incoming
        self.progress.show(f"production answers the pictures of {day}")
        answers = self._serving(champion).answers(pictures)
        if champion != self._served:
            answers = taken_over(answers, self._serving(self._served).answers(pictures), BEFORE)
        self._served = champion
        write_log(answers, self.world.storage / LOG.format(day=day))
        told = ", ".join(f"{name} {images}" for name, images in sorted(Counter(answers["model"]).items()))
        self.progress.say(f"production answered {len(answers)} pictures of {day:%a %d %b}: {told}")

    def _after_retraining(self, run_id: str) -> None:
        """The set was handed over. Follows the team's DAG, and the run that compares what it brings."""
        key = run_key(run_id)
        self.progress.say(f"retraining {run_id}: the training set is handed over to the team's DAG {TEAM_DAG_ID}")
        self._follow(TEAM_DAG_ID, f"{self.monitor.name}__{key}", "the team trains")
        brought = self.store.read(self.store.keys.retraining(key, CHALLENGER), ChallengerNote)
        self._follow(
            self.monitor.retraining_dag_id,
            f"{CHALLENGER_RUN_PREFIX}{brought.version}",
            "champion against the team's model",
        )

    @property
    def _dags(self) -> list[str]:
        return [*super()._dags, TEAM_DAG_ID]
