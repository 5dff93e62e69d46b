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


def test_what_leads_to_the_persons_own_images_tables_pools_and_registries_is_left_out(tmp_path, file, folder) -> None:
    """Each of these was kept: the days were looked for in the person's bucket, and versions were shown in their MLflow."""
    theirs = {
        "schedule": {"start_date": "2026-06-01", "catchup": True},
        "images": {
            "layout": {"paths": "s3://cams/{day}", "connection": "cams_aws"},
            "earlier": {"s3://old": "old_aws"},
            "wait_hours": 6,
            "min_side": 20,
        },
        "segments": {"door": {"key": "^([^/]+)/"}, "site": {"table": {"path": "sites/{day}.csv", "column": "site"}}},
        "reference": {"baseline": "trailing"},
        "registry": {"mlflow": {"connection": "mlflow_prod", "model": "shapes"}},
        "execution": {"defaults": {"pool": "gpus"}},
        "retraining": {"segments": {"only": {"door": ["1"]}}, "trainer": "handover", "handover_dag": "ours"},
        "labels": {**SETTINGS["annotation"], "backend": "toloka", "blur": {"path": "boxes/{day}.csv", "training": "show"}},
        "publish": {**SETTINGS["publish"], "segments": ["door"]},
        "model": {
            "predictions": "logged",
            "logged": {"path": "s3://lake/{day}/*.csv", "connection": "lake_aws", "columns": {"key": "file", "prediction": "said"}},
            "serving_version": "prod-7",
        },
    }  # fmt: skip
    settings = {name: value for name, value in SETTINGS.items() if name != "annotation"} | theirs
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    own = Own(file, folder(70, 75, 80), None)
    config = load_monitor(own.write_monitor(tmp_path / "home" / "monitors"))
    said = config.model_dump(mode="json", exclude_unset=True)
    assert said["images"] == {"min_side": 20}
    assert not {"segments", "reference", "registry", "execution"} & set(said)
    assert said["retraining"] == {"trainer": "handover"}
    assert (config.labels.blur, config.publish.segments, config.schedule.catchup) == (None, (), False)
    assert said["model"] == {}
    assert own.champion[0] == "train"


SERVED = {"predictions": "endpoint", "endpoint": {"connection": "our_triton", "model": "shapes"}, "output": "logits"}


def test_the_persons_model_server_is_asked_and_nothing_else_of_theirs(tmp_path, file, folder, monkeypatch) -> None:
    """A first model was trained instead, and no day could be answered: there was no connection."""
    file.write_text(yaml.safe_dump(SETTINGS | {"model": SERVED}), encoding="utf-8")
    images = folder(70, 75, 80)
    monkeypatch.delenv("AIRFLOW_CONN_OUR_TRITON", raising=False)
    with pytest.raises(
        DemoFailed, match=r"'our_triton' .* set AIRFLOW_CONN_OUR_TRITON to its address, .* or .* MODEL="
    ):
        Own(file, images, None)
    monkeypatch.setenv("AIRFLOW_CONN_OUR_TRITON", "http://triton:8000")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PROD", "aws://")
    own, world = Own(file, images, None), World(tmp_path / "home")
    config = load_monitor(own.write_monitor(world.monitors))
    assert own.champion == ["import"]
    assert config.model.model_dump(mode="json", exclude_unset=True) == SERVED
    assert world.env["AIRFLOW_CONN_OUR_TRITON"] == "http://triton:8000"
    assert "AIRFLOW_CONN_AWS_PROD" not in world.env
    (world.monitors / "broken.yaml").write_text("classes: [a]")
    assert "AIRFLOW_CONN_OUR_TRITON" in world.env
    assert "Your model server answers the images" in own.promises(tmp_path)[-1]


def test_a_models_file_answers_in_place_of_the_server(tmp_path, file, folder) -> None:
    file.write_text(yaml.safe_dump(SETTINGS | {"model": SERVED}), encoding="utf-8")
    model = tmp_path / "model.onnx"
    model.write_bytes(b"\x08\x08")
    own = Own(file, folder(70, 75, 80), model)
    config = load_monitor(own.write_monitor(tmp_path / "home" / "monitors"))
    assert own.champion == ["import", str(model)]
    assert config.model.model_dump(mode="json", exclude_unset=True) == {"output": "logits"}
