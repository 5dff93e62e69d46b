"""The command line: what people type first, and what it answers."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tests import small_network
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.version_days import EIGHT, SEVEN

from driftwatch import cli
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.cli.model_checks import warn_of_chance
from driftwatch.storage import open_storage


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    """A monitor file of dark and light pictures, with 60 of each in a folder beside it."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 70), ("light", 180)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(60):
            rgb = np.clip(rng.normal(level, 40, (36, 36, 3)) + rng.normal(0, 15), 0, 255).astype("uint8")
            buffer = io.BytesIO()
            Image.fromarray(rgb).save(buffer, "PNG")
            (tmp_path / "images" / name / f"{number}.png").write_bytes(buffer.getvalue())
    path = tmp_path / "monitor.yaml"
    settings = {
        "name": "shades",
        "classes": ["dark", "light"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": f"file://{tmp_path}/storage"},
        "model": {"input_size": 32},
        "annotation": {"project_name": "Shades", "question": "Which?", "instructions": "Look.", "sample_size": 90},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_bad_monitor_file_ends_with_its_field_and_status_two(monitor, capsys) -> None:
    monitor.write_text(monitor.read_text(encoding="utf-8") + "colour: red\n", encoding="utf-8")
    code, _, error = run(capsys, "check", monitor)
    assert code == 2
    assert "colour: unknown key" in error


def test_the_first_champion_from_a_folder_to_the_registry(monitor, capsys, monkeypatch) -> None:
    monkeypatch.setattr("driftwatch.models.architecture.build", small_network.build)
    looked: list[str] = []

    def warn(store, version) -> None:
        looked.append(version)
        warn_of_chance(store, version)

    monkeypatch.setattr("driftwatch.cli.champion.warn_of_chance", warn)
    code, out, error = run(capsys, "champion", "train", monitor, "--images", monitor.parent / "images", "--epochs", "2")
    assert (code, error) == (0, "")
    assert "Copied 120 images" in out
    assert "120 listed, 120 accepted, 0 duplicate, 0 quarantined" in out
    assert "epoch   2 of 2" in out
    storage, layout = open_storage(f"file://{monitor.parent}/storage"), MonitorKeys("shades")
    version = storage.read_json(layout.champion)["version"]
    assert f"Champion {version}: accuracy" in out
    assert looked == [version]
    assert storage.exists(layout.reference(version))

    code, _, error = run(capsys, "champion", "train", monitor, "--epochs", "1")
    assert code == 1
    assert "has a champion already" in error
    assert f"* {version}" in run(capsys, "models", monitor)[1]
    assert json.loads(run(capsys, "models", monitor, "show", version)[1])["version"] == version

    assert run(capsys, "champion", "train", monitor, "--epochs", "1", "--replace")[0] == 0
    second = storage.read_json(layout.champion)["version"]
    compared = run(capsys, "models", monitor, "compare", version, second)[1].splitlines()
    assert compared[0].split() == ["version", version, second]
    assert "epochs                    2                                 1" in compared


def as_keras(path: Path, weights: np.ndarray, bias: np.ndarray) -> None:
    import keras

    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
    model.layers[-1].set_weights([weights, bias])
    model.save(path)


def as_onnx(path: Path, weights: np.ndarray, bias: np.ndarray) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 32, 32, 3])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 2])
    mean = helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2], keepdims=0)
    dense = helper.make_node("Gemm", ["mean", "weights", "bias"], ["answer"])
    kept = [
        numpy_helper.from_array(weights.astype("f4"), "weights"),
        numpy_helper.from_array(bias.astype("f4"), "bias"),
    ]
    graph = helper.make_graph([mean, dense], "shades", [image], [answer], kept)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


@pytest.mark.parametrize("save", [as_keras, as_onnx])
def test_the_teams_own_model_becomes_champion(monitor, capsys, tmp_path, save) -> None:
    own = tmp_path / f"own.{save.__name__.removeprefix('as_')}"
    save(own, np.array([[-1.0, 1.0]] * 3), np.array([375.0, -375.0]))
    code, out, error = run(capsys, "champion", "import", monitor, own, "--images", tmp_path / "images")
    assert (code, error) == (0, "")
    assert "accuracy 100.0%" in out


def test_a_wrong_number_of_versions_is_an_error_that_says_so(monitor, capsys) -> None:
    code, _, error = run(capsys, "models", monitor, "compare", "v0001-00000000")
    assert code == 2
    assert "compare takes 2 version(s), not 1" in error


def test_s3_takes_its_login_and_another_server_from_the_environment(monkeypatch, monitor, capsys) -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        pointer = {"version": "v0042-0badcafe", "previous": None, "promoted_by": "test", "sha256": ""}
        client.put_object(Bucket="bucket", Key="root/shades/models/champion.json", Body=json.dumps(pointer))
        written = yaml.safe_load(monitor.read_text(encoding="utf-8"))
        of_file = {"classes": written["classes"], "input_size": written["model"]["input_size"]}
        card = samples.FIRST_CARD | {"version": "v0042-0badcafe", "sha256": "", **of_file}
        client.put_object(Bucket="bucket", Key="root/shades/models/v0042-0badcafe/card.json", Body=json.dumps(card))
        text = monitor.read_text(encoding="utf-8").replace(f"file://{monitor.parent}/storage", "s3://bucket/root")
        monitor.write_text(text, encoding="utf-8")
        code, out, error = run(capsys, "check", monitor)
    finally:
        server.stop()
    assert (code, error) == (0, "")
    assert "Champion: v0042-0badcafe" in out


def test_verdicts_lists_the_days_and_what_changed(monitor, capsys, tmp_path) -> None:
    storage, layout = open_storage(f"file://{tmp_path}/storage"), MonitorKeys("shades")
    accuracy = {"value": 0.8, "low": 0.7, "high": 0.9, "n": 50}
    same = {"accuracy": accuracy, "labels": 50, "model_version": "v1"}
    earlier = {"revision": 1, "verdict": "ok", "accuracy": 0.9, "labels": 30, "model_version": "v1"}
    for number, verdict, before in ((5, "ok", []), (6, "alert", [earlier])):
        about = {"day": f"2026-01-0{number}", "verdict": verdict, "severity": None, "revisions": before, **same}
        found = samples.EARLY | about
        storage.write_json(layout.day(date(2026, 1, number)).performance, found)
    code, out, _ = run(capsys, "verdicts", monitor)
    assert code == 0
    assert "2026-01-05  ok" in out
    assert "2026-01-06  alert" in out
    assert "before: ok on 30 labels" in out
    assert "2 days judged; the verdict of 1 changed" in out
    assert "2026-01-05" not in run(capsys, "verdicts", monitor, "--changed")[1]


def test_verdicts_has_a_line_for_each_version_below_the_day(monitor, capsys, tmp_path) -> None:
    storage, layout = open_storage(f"file://{tmp_path}/storage"), MonitorKeys("shades")
    early = {"day": "2026-01-05", "model_version": "v1", "serving_version": "7", "versions": [SEVEN, EIGHT]}
    storage.write_json(layout.day(date(2026, 1, 5)).performance, samples.EARLY | early)
    _, out, _ = run(capsys, "verdicts", monitor)
    day, seven, eight, _ = out.splitlines()
    assert day.endswith("model 7 (registered as v1)")
    assert seven == "            7 (500 images, 89 %): 94.1 % [84, 100] on 140 labels: worse"
    assert eight == "            8 (60 images, 11 %): 70 % [60, 80] on 50 labels, -24.1 points [-36, -13]: worse"


def test_a_model_that_does_not_fit_replaces_neither_champion_nor_training_set(monitor, capsys, tmp_path) -> None:
    import keras

    path = tmp_path / "theirs.keras"
    for outputs, status in ((2, 0), (3, 1)):
        flat = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(outputs)]
        keras.Sequential([keras.Input((32, 32, 3)), *flat]).save(path)
        before = {key: key.read_bytes() for key in (tmp_path / "storage").rglob("*") if key.is_file()}
        for image in sorted((tmp_path / "images" / "dark").iterdir())[:2]:
            image.unlink()
        images = ["--images", tmp_path / "images", "--replace", "--accept"]  # it guesses
        code, _, error = run(capsys, "champion", "import", monitor, path, *images)
        assert code == status, error
    assert "needed is [n, 2] or [n, 1] for classes ['dark', 'light']" in error
    assert {key: key.read_bytes() for key in (tmp_path / "storage").rglob("*") if key.is_file()} == before
    monitor.write_text(monitor.read_text().replace("- dark\n- light", "- light\n- dark"))
    code, out, error = run(capsys, "check", monitor)
    assert (code, out) == (1, "")
    assert "classes in the monitor file are in another order" in error
