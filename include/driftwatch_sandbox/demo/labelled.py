"""The same week, labelled elsewhere than at Toloka: in a real Label Studio, at Driftwatch's own desk, or by a table that is filled as the
truth comes."""

from __future__ import annotations

import csv
import hashlib
import json
import secrets
import sys
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from driftwatch_sandbox.demo.processes import lasting_port
from driftwatch_sandbox.demo.simulation import Simulation
from driftwatch_sandbox.demo.week import Week
from driftwatch_sandbox.demo.world import World
from driftwatch_sandbox.toloka.sight import Truth
from driftwatch_servers.private_files import write_private

Backend = Literal["label_studio", "desk", "table"]
BACKENDS: tuple[Backend, ...] = ("label_studio", "desk", "table")
TABLE = "truth/{day}.csv"
_OF_TOLOKA = ("exam", "languages", "acceptance", "reward_per_page", "fee_share")
_PEOPLE = 9


class LabelledWeek(Week):
    """The story of `make demo LABELS=<backend>`."""

    def __init__(self, photos: Path | None, backend: Backend) -> None:
        super().__init__(photos)
        self.backend = backend
        names = {
            "label_studio": "labelled in Label Studio",
            "desk": "labelled at the desk",
            "table": "labelled by a table",
        }
        self.title = f"The week, {names[backend]}"

    def write_monitor(self, folder: Path) -> Path:
        file = super().write_monitor(folder)
        raw = yaml.safe_load(file.read_text())
        asked = {name: value for name, value in raw["labels"].items() if name not in _OF_TOLOKA}
        labels: dict[str, Any] = {**asked, "backend": self.backend, "price_per_hour": 18}
        if self.backend == "table":
            columns = {"key": "image", "label": "label"}
            table = {"covers": "all", "path": TABLE, "columns": columns, "settle_seconds": 0}
            labels = {"backend": "table", "wait_days": 0, "table": table}
        raw["labels"] = labels
        file.write_text(yaml.safe_dump(raw, sort_keys=False))
        return file


class DeskWorld(World):
    """With the desk beside the stand-ins, and people of the simulated crowd who label on its page."""

    def _kept_ports(self) -> dict[str, int]:
        kept = self.home / "labels.json"
        if not kept.exists():
            write_private(kept, json.dumps({"port": lasting_port(), "token": secrets.token_urlsafe(32)}))
        self.desk = json.loads(kept.read_text())
        return {**super()._kept_ports(), "desk": self.desk["port"]}

    def _connections(self) -> dict[str, dict[str, Any]]:
        own = {"conn_type": "driftwatch_desk", "host": self.url("desk"), "password": self.desk["token"]}
        return {**super()._connections(), "DRIFTWATCH_DESK_DEFAULT": own}

    def start_stand_ins(self, crowd_speed: float = 400.0, people: Path | None = None) -> None:
        from driftwatch_servers.desk.commands import TOKEN_VARIABLE
        from driftwatch_servers.desk.database import VARIABLE, Database
        from driftwatch_servers.desk.people import Keys
        from driftwatch_servers.desk.tables import PERSON

        super().start_stand_ins(crowd_speed, people)
        database = f"sqlite:///{self.home}/stand-ins/desk.db"
        env = {**self.env, TOKEN_VARIABLE: self.desk["token"], VARIABLE: database}
        serve = ["-m", "driftwatch_servers.desk", "serve", "--port", str(self.ports["desk"])]
        self.processes.start("desk", [sys.executable, *serve], env)
        self.processes.wait_for_http("desk", f"{self.url('desk')}/healthz", lambda answer: answer.is_success)
        tokens = self.home / "people.json"
        if not tokens.exists():
            keys = Keys(Database(database), PERSON)
            write_private(
                tokens,
                json.dumps({name: keys.add(name, 30) for name in map("person {}".format, range(1, _PEOPLE + 1))}),
            )
        options = ["--url", self.url("desk"), "--people", str(tokens), "--truth", str(self.truth)]
        crowd = [sys.executable, "-m", "driftwatch_sandbox.labellers", "desk", *options, "--speed", str(crowd_speed)]
        self.processes.start("labellers", crowd, env)


class LabelledSimulation(Simulation):
    """Plays the story, and fills the table where that is where labels come from."""

    story: LabelledWeek

    def _world(self, home: Path) -> World:
        return {"desk": DeskWorld}.get(self.story.backend, World)(home)

    def _before_day(self, day: date) -> None:
        if self.story.backend != "table":
            return
        truth, folder = Truth(self.world.truth).labels(), self.world.storage / self.store.keys.day(day).incoming
        known = {
            file.name: truth.get(hashlib.sha256(file.read_bytes()).hexdigest()) for file in sorted(folder.iterdir())
        }
        target = self.world.storage / TABLE.format(day=day)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["image", "label"])
            rows.writerows((name, label) for name, label in known.items() if label)
        self.progress.say(f"the truth of {day:%a %d %b} has come: {target}")
