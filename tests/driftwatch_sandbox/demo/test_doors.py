"""The week of three doors: each has a folder of its own, and one camera breaks on the fourth day."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch_sandbox.demo.__main__ import _options
from driftwatch_sandbox.demo.doors import Doors, DoorsWeek
from driftwatch_sandbox.demo.week import BROKEN_FROM, DAYS, DRAWN, Photo

KEYS = MonitorKeys("cats_vs_dogs")


@pytest.fixture
def photos(tmp_path: Path) -> list[Photo]:
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    paths = [tmp_path / "photos" / f"{number}.jpg" for number in range(50)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(path)
    return [Photo(path, "cat") for path in paths]


def test_each_door_delivers_and_only_the_broken_one_is_damaged_from_the_fourth_day(tmp_path, photos):
    plan = replace(DRAWN, training=6, per_day=(6,) * 7)
    Doors(tmp_path / "storage", KEYS, tmp_path / "truth", photos, plan, "door-2").deliver()
    original = {hashlib.sha256(photo.path.read_bytes()).hexdigest() for photo in photos}
    for number, day in enumerate(DAYS):
        folder = tmp_path / "storage" / KEYS.day(day).incoming
        for door in ("door-1", "door-2", "door-3"):
            files = sorted((folder / door).glob("*.jpg"))
            files = [file for file in files if not file.name.startswith(("copy", "door-cut"))]
            assert len(files) == 2
            same = [hashlib.sha256(file.read_bytes()).hexdigest() in original for file in files]
            assert same == [not (number >= BROKEN_FROM and door == "door-2")] * 2
    first = tmp_path / "storage" / KEYS.day(DAYS[0]).incoming
    assert len([*first.glob("door-1/copy of *")]) == 1
    assert (tmp_path / "truth").is_file()


def test_the_monitor_file_divides_the_images_by_door(tmp_path):
    story = DoorsWeek(None, "door-2")
    assert load_monitor(story.write_monitor(tmp_path)).segments["camera"].key == "^([^/]+)/"
    assert story.damage == "door-2 broken"


def test_the_doors_are_a_week_of_their_own(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["demo", "--broken", "door-2", "--labels", "desk"])
    with pytest.raises(SystemExit):
        _options()
    assert "give one of them" in capsys.readouterr().err
