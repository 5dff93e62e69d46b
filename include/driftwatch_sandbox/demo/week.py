"""What the demo's cameras deliver: seven days of photos, clean until the camera breaks on the fourth."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import yaml

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor
from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.demo.truth import write_truth
from driftwatch_sandbox.demo.world import World
from driftwatch_sandbox.photos import break_file, write_photos

MONITORS = Path(__file__).parent / "monitors"  # the demo's own files; those of include/monitors belong to the users
MONDAY = date(2026, 1, 5)
DAYS = [MONDAY + timedelta(days=number) for number in range(7)]
BROKEN_FROM = 3
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Plan:
    """The week's numbers of photos, how the camera breaks, and what differs from the example monitor file.

    The fourth day has more photos: its labels must show that a challenger (a new model) is better.
    """

    training: int
    per_day: tuple[int, ...]
    damage: Literal["fog", "blur"]
    strength: dict[str, Any]
    recipe: str
    overrides: dict[str, dict[str, object]]

    @property
    def photos(self) -> int:
        """How many the week needs."""
        return self.training + sum(self.per_day)

    def shrunk_to(self, photos: int) -> Plan:
        """A smaller week of so many photos, divided alike."""
        share = min(1.0, photos / self.photos)
        return replace(self, training=int(self.training * share), per_day=tuple(int(n * share) for n in self.per_day))


DRAWN = Plan(
    training=1000,
    per_day=(300, 300, 300, 480, 300, 300, 300),
    damage="fog",
    strength={"veil": 0.4, "noise": 16.0},
    recipe="fast",
    overrides={
        "labels": {"sample_size": 440},
        "model": {"input_size": 64},
        "retraining": {"epochs": 12, "patience": 0},
    },
)
# Of real photos a blur of this strength costs much accuracy, and training on few labels wins more of it back than of pixelated ones.
REAL = Plan(
    training=1319,
    per_day=(80, 80, 80, 200, 80, 80, 80),
    damage="blur",
    strength={"sigma": 6.0},
    recipe="monitor",
    overrides={
        "labels": {"sample_size": 190},
        "retraining": {"epochs": 8},
    },
)


@dataclass(frozen=True)
class Photo:
    """A photo and the class that its folder names. Driftwatch is never told the class of a day's photo."""

    path: Path
    label: str


def write_monitor(folder: Path, source: Path, plan: Plan) -> MonitorConfig:
    """Writes cats_vs_dogs.yaml of `source` with the demo's week and sample, so that the pool is asked about every second, and so that the days
    of a retraining are usual once its model is promoted. Leaves other files alone."""
    example = source / "cats_vs_dogs.yaml"
    raw = yaml.safe_load(example.read_text())
    raw["schedule"] |= {"start_date": DAYS[0], "end_date": DAYS[-1]}
    raw["labels"]["poll_seconds"] = 1
    raw["reference"] = {"accept_after_promotion": "auto"}
    for section, values in plan.overrides.items():
        raw[section] = raw.get(section, {}) | values
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / example.name
    target.write_text(yaml.safe_dump(raw, sort_keys=False))
    return load_monitor(target)


def find_photos(folder: Path, classes: tuple[str, ...]) -> list[Photo]:
    """Real photos, `<folder>/<class>/<file>`, in an order that mixes the classes and is always the same."""
    photos = []
    for label in classes:
        found = sorted(path for path in (folder / label).glob("*") if path.suffix.lower() in SUFFIXES)
        if not found:
            raise DriftwatchError(
                f"PHOTOS={folder}: no photos in {folder / label}; it must hold a folder for each of {', '.join(classes)}"
            )
        photos += [Photo(path.resolve(), label) for path in found]
    return photos


def draw_photos(folder: Path, classes: tuple[str, ...], plan: Plan) -> list[Photo]:
    """Draws as many photos as the week needs, half of each class."""
    each = -(-plan.photos // len(classes))
    paths = write_photos(folder, dict.fromkeys(classes, each), seed=11, processes=os.cpu_count() or 1)
    return [Photo(path, path.parent.name) for path in paths]


class Week:
    """The story of `make demo`. `photos`: real ones that were found before; None: they are drawn."""

    title, days, broken_from, damage, retrains = "The week", DAYS, BROKEN_FROM, "camera broken", True

    def __init__(self, photos: Path | None) -> None:
        self.plan = REAL if photos else DRAWN
        classes = load_monitor(MONITORS / "cats_vs_dogs.yaml").classes
        self._photos = find_photos(photos, classes) if photos else None
        self.preparing = "preparing the week's photos" if photos else "drawing the week's photos"
        self.champion = ["train", "--recipe", self.plan.recipe]

    def write_monitor(self, folder: Path) -> Path:
        write_monitor(folder, MONITORS, self.plan)
        return folder / "cats_vs_dogs.yaml"

    def deliver(self, world: World, layout: MonitorKeys) -> None:
        photos = self._photos
        if photos is None:
            classes = load_monitor(MONITORS / "cats_vs_dogs.yaml").classes
            photos = draw_photos(world.home / "photos", classes, self.plan)
        self.camera(world, layout, photos).deliver()

    def camera(self, world: World, layout: MonitorKeys, photos: list[Photo]) -> Camera:
        return Camera(world.storage, layout, world.truth, photos, self.plan)


class Camera:
    """Delivers photos into the storage. Tells only the crowd what they show."""

    def __init__(self, storage: Path, layout: MonitorKeys, truth: Path, photos: list[Photo], plan: Plan) -> None:
        self._storage, self._layout, self._truth = storage, layout, truth
        self._plan = plan.shrunk_to(len(photos))
        self._random = random.Random(11)  # noqa: S311 - a reproducible demo, not a secret
        self._photos = list(photos)
        self._random.shuffle(self._photos)
        self._known: dict[str, str] = {}

    def deliver(self) -> None:
        """Writes the training photos, the seven days, and the crowd's truth."""
        self._training(self._photos[: self._plan.training])
        rest = iter(self._photos[self._plan.training :])
        for number, day in enumerate(DAYS):
            self._day(day, [next(rest) for _ in range(self._plan.per_day[number])], broken=number >= BROKEN_FROM)
        self._nuisances()
        write_truth(self._truth, self._known)

    def _remember(self, path: Path, label: str) -> None:
        self._known[hashlib.sha256(path.read_bytes()).hexdigest()] = label

    def _training(self, photos: list[Photo]) -> None:
        for number, photo in enumerate(photos):
            target = self._storage / self._layout.training_images / photo.label / f"{number:05d}{photo.path.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo.path, target)
            self._remember(target, photo.label)

    def _day(self, day: date, photos: list[Photo], broken: bool) -> None:
        for photo in photos:
            self._deliver(photo, self._storage / self._layout.day(day).incoming / self._name(), broken)

    def _deliver(self, photo: Photo, target: Path, broken: bool) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if broken:
            break_file(photo.path, target, self._plan.damage, **self._plan.strength)
        else:
            shutil.copyfile(photo.path, target)
        self._remember(target, photo.label)

    def _name(self) -> str:
        second = self._random.randrange(86_400)
        return (
            f"door-{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}-{self._random.randrange(16**4):04x}.jpg"
        )

    def _nuisances(self) -> None:
        """What real folders hold besides good photos: a file that was sent twice, one that was cut off, and one that is no image."""
        first, second, third = (self._storage / self._layout.day(day).incoming for day in DAYS[:3])
        photo = _files(first)[0]
        (photo.parent / f"copy of {photo.name}").write_bytes(photo.read_bytes())
        photo = _files(second)[0]
        (photo.parent / "door-cut-short.jpg").write_bytes(photo.read_bytes()[:2000])
        (third / "readme.jpg").write_text("The camera's card is nearly full.\n")
        (third / "door-empty.jpg").touch()
        for day in DAYS[:3]:
            # Their time is that of their day, so that ingest need not wait to see whether the broken ones still grow.
            noon = datetime.combine(day, time(12), timezone.utc).timestamp()
            for path in _files(self._storage / self._layout.day(day).incoming):
                os.utime(path, (noon, noon))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
