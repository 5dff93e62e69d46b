"""The same week at three doors, of which one camera breaks: Driftwatch has to say which."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_sandbox.demo.week import Camera, Photo, Plan, Week
from driftwatch_sandbox.demo.world import World

DOORS = ("door-1", "door-2", "door-3")


class DoorsWeek(Week):
    """The story of `make demo BROKEN=<door>`."""

    def __init__(self, photos: Path | None, broken: str) -> None:
        super().__init__(photos)
        self.broken = broken
        self.title, self.damage = f"The week of three doors, {broken} broken", f"{broken} broken"

    def write_monitor(self, folder: Path) -> Path:
        file = super().write_monitor(folder)
        raw = yaml.safe_load(file.read_text())
        raw["segments"] = {"camera": {"key": "^([^/]+)/"}}
        file.write_text(yaml.safe_dump(raw, sort_keys=False))
        return file

    def camera(self, world: World, layout: MonitorKeys, photos: list[Photo]) -> Camera:
        return Doors(world.storage, layout, world.truth, photos, self.plan, self.broken)


class Doors(Camera):
    """Delivers each door's photos into a folder of its own. Of the damaged days only those of one door are damaged."""

    def __init__(
        self, storage: Path, layout: MonitorKeys, truth: Path, photos: list[Photo], plan: Plan, broken: str
    ) -> None:
        super().__init__(storage, layout, truth, photos, plan)
        self._broken = broken

    def _day(self, day: date, photos: list[Photo], broken: bool) -> None:
        for number, photo in enumerate(photos):
            door = DOORS[number % len(DOORS)]
            target = self._storage / self._layout.day(day).incoming / door / self._name()
            self._deliver(photo, target, broken and door == self._broken)
