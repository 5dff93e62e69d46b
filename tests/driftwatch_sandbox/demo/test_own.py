"""`make try`: the person's file, folder and connections stay theirs; what is too little or missing is said at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.demo.homes import DemoFailed
from driftwatch_sandbox.demo.own import DAYS, Own
from driftwatch_sandbox.demo.own_images import DAY
from driftwatch_sandbox.demo.world import World

CLASSES = ["kreis", "星", "a name with spaces"]
SETTINGS = {
    "name": "shapes",
    "classes": CLASSES,
    "schedule": {"start_date": "2026-06-01"},
    "storage": {"uri": "s3://${NO_SUCH_VARIABLE}/prod", "connection": "aws_prod"},
    "annotation": {
        "connection": "toloka_prod", "project_name": "p", "question": "q", "instructions": "i", "sample_size": "auto",
        "languages": ["DE"], "max_cost_per_day": 0.5, "overlap": 50, "exam": {"tasks": 5},
    },
    "publish": {"sinks": ["whylabs"], "dataset": "prod-9", "connection": "whylabs_prod", "alert_source": "whylabs"},
    "profiling": {"min_images": 5000},
    "performance": {"min_labels": 400},
    "notifiers": [{"notifier": "a.b.C"}],
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def make(*counts: int) -> Path:
        random = np.random.default_rng(0)
        for name, count in zip(CLASSES, counts, strict=True):
            (tmp_path / "images" / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 255, (8, 8, 3)).astype("uint8")
                Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.{'PNG' if number % 2 else 'jpg'}")
        return tmp_path / "images"

    return make


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_a_try_uses_stand_ins_alone_and_leaves_the_images_as_they_are(tmp_path, file, folder) -> None:
    images = folder(70, 75, 80)
    (images / "kreis" / "broken.jpg").write_bytes(b"\xff\xd8 no image")
    (images / "kreis" / ".DS_Store").touch()
    (images / "kreis" / "notes.txt").touch()
    before, text = digests(images), file.read_bytes()
    own = Own(file, images, None)
    world = World(tmp_path / "home")
    config = load_monitor(own.write_monitor(world.monitors))
    assert config.storage.uri == f"file://{world.storage}"
    assert (config.storage.connection, config.notifiers, config.labels.exam) == (None, (), None)
    assert (config.labels.connection, config.publish.connection) == ("toloka_default", "whylabs_default")
    assert (config.publish.dataset, config.publish.alert_source) == ("model-1", "local")
    assert config.classes == tuple(CLASSES)
    own.deliver(world, MonitorKeys(config.name))
    assert digests(images) == before
    assert file.read_bytes() == text
    layout = MonitorKeys(config.name)
    days = [sorted((world.storage / layout.day(day).incoming).iterdir()) for day in DAYS]
    assert [len(found) for found in days] == [DAY] * len(DAYS)
    assert config.labels.sample_size == DAY
    assert max(config.profiling.min_images, config.performance.min_labels) < DAY
    own_bytes = set(before.values())
    same = [sum(hashlib.sha256(path.read_bytes()).hexdigest() in own_bytes for path in found) for found in days]
    assert same[:-1] == [DAY] * (len(DAYS) - 1)
    assert same[-1] <= 1  # the unreadable one stays as it is, for the product to refuse
    truth = world.truth.read_text(encoding="utf-8").splitlines()[1:]
    assert {line.split(",")[1] for line in truth} == set(CLASSES)
    assert not any("storage" in line and "prod" in line for line in own.promises(tmp_path))


def test_too_few_images_are_counted_by_class(file, folder) -> None:
    with pytest.raises(DemoFailed, match=r"210 together. It has 184, 26 too few; kreis has 4, 26 too few$"):
        Own(file, folder(4, 90, 90), None)


def test_a_missing_class_names_what_is_there_instead(file, folder) -> None:
    images = folder(40, 40, 40)
    (images / "kreis").rename(images / "Krais")
    with pytest.raises(DemoFailed, match=r"no folder kreis, .* no class of the file: Krais"):
        Own(file, images, None)
    with pytest.raises(DemoFailed, match="no such folder"):
        Own(file, images / "none", None)


def test_a_wrong_file_or_model_is_refused_before_anything_is_written(tmp_path, file, folder) -> None:
    images = folder(80, 80, 80)
    with pytest.raises(DriftwatchError, match="no such monitor file"):
        Own(tmp_path / "none.yaml", images, None)
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(DriftwatchError, match="pickle"):
        Own(file, images, tmp_path / "model.pkl")
