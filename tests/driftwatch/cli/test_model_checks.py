"""`driftwatch champion import` refuses a model that cannot be the one that the monitor file describes, and says what to correct."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from driftwatch import cli
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.cli.model_checks import warn_of_chance
from driftwatch.cli.monitor import monitor_of
from driftwatch.storage import open_storage

from ..models.onnx_models import of_graph

SIDE = 32
CLASSES = ["blue", "red", "shore"]
_RED, _BLUE = 0, 2


def picture(rng: np.random.Generator, label: str) -> np.ndarray:
    """A wide picture: one colour in noise, or a shore, which is bright above and dark below."""
    rgb = rng.normal(90, 25, (40, 60, 3)) + rng.normal(0, 8)
    if label == "shore":
        rgb[:20] += 60
        rgb[20:] -= 60
    else:
        rgb[..., _RED if label == "red" else _BLUE] += 60
    return np.clip(rgb, 0, 255).astype(np.uint8)


def model(scale: float = 1.0, columns: tuple[int, ...] = (0, 1, 2)) -> bytes:
    """Right on every picture of channels RGB times `scale`. The logits are in the order of `columns` of CLASSES."""
    weights = np.zeros((6, 3), np.float32)
    # What it sees: the mean of each colour in the upper and in the lower half.
    weights[[0, 3], 1], weights[[2, 5], 1] = 1, -1
    weights[[0, 3], 0], weights[[2, 5], 0] = -1, 1
    weights[:3, 2], weights[3:, 2] = 0.5, -0.5
    bias = np.array([0, 0, -30], np.float32)
    nodes = [
        helper.make_node("Clip", ["image", "black", "white"], ["clipped"]),
        helper.make_node(
            "AveragePool", ["clipped"], ["halves"], kernel_shape=[SIDE // 2, SIDE], strides=[SIDE // 2, SIDE]
        ),
        helper.make_node("Transpose", ["halves"], ["ordered"], perm=[0, 2, 3, 1]),
        helper.make_node("Flatten", ["ordered"], ["seen"]),
        helper.make_node("Gemm", ["seen", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    kept = [
        numpy_helper.from_array((weights[:, columns] / 20 / scale).astype(np.float32), "weights"),
        numpy_helper.from_array((bias[list(columns)] / 20).astype(np.float32), "bias"),
        numpy_helper.from_array(np.array(0, np.float32), "black"),
        numpy_helper.from_array(np.array(255 * scale, np.float32), "white"),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "net", [image], [scores], kept)
    onnx.checker.check_model(of_graph(graph))
    data: bytes = of_graph(graph).SerializeToString()
    return data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 pictures of each class, below images/."""
    rng = np.random.default_rng(0)
    for label in CLASSES:
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(60):
            Image.fromarray(picture(rng, label)).save(tmp_path / "images" / label / f"{number:02d}.png")
    return tmp_path


Import = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bring(folder: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Imports a model by the command line; `given` is model.input."""

    def run(data: bytes, *options: object, given: dict[str, Any] | None = None, **rest: Any) -> tuple[int, str, str]:
        settings = {
            "name": "colours",
            "classes": CLASSES,
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{folder}/storage"},
            "model": {"input": {"size": SIDE, "layout": "nchw", **(given or {})}, "output": "probabilities"},
            "annotation": {"project_name": "Colours", "question": "Which?", "instructions": "Look.", "sample_size": 90},
            **rest,
        }
        (folder / "monitor.yaml").write_text(yaml.safe_dump(settings))
        (folder / "own.onnx").write_bytes(data)
        images = ["--images", folder / "images"]
        code = cli.main(
            [*map(str, ("champion", "import", folder / "monitor.yaml", folder / "own.onnx", *images, *options))]
        )
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def champion(folder: Path) -> str | None:
    storage, key = open_storage(f"file://{folder}/storage"), MonitorKeys("colours").champion
    return storage.read_json(key)["version"] if storage.exists(key) else None


def test_the_model_that_the_file_describes_becomes_champion(bring: Import, folder: Path) -> None:
    code, out, error = bring(model())
    assert (code, error) == (0, "")
    assert "accuracy 100.0%" in out
    assert "Warning" not in out
    assert champion(folder)


@pytest.mark.parametrize(
    ("data", "given", "setting"),
    [
        (model(columns=(1, 0, 2)), {}, "classes: [red, blue, shore]"),
        (model(columns=(1, 2, 0)), {}, "classes: [red, shore, blue]"),
        (model(scale=1 / 255), {}, "model.input.scale: 0..1"),
        (model(), {"scale": "0..1"}, "model.input.scale: 1"),
        (model(), {"colour": "bgr"}, "model.input.colour: rgb"),
    ],
    ids=["two classes swapped", "all classes turned", "0..1 fed 0..255", "0..255 fed 0..1", "bgr"],
)
def test_a_wrong_setting_is_refused_and_named(
    bring: Import, folder: Path, data: bytes, given: dict[str, Any], setting: str
) -> None:
    code, _, error = bring(data, given=given)
    assert code == 1
    assert f"would be right on 100.0% with {setting}." in error, error
    assert "run the same command again; or add --accept" in error
    assert champion(folder) is None


def test_a_model_at_chance_that_no_setting_explains_is_refused_until_it_is_accepted(
    bring: Import, folder: Path
) -> None:
    data = model(scale=1e30)  # always the same answer
    code, _, error = bring(data)
    assert code == 1
    assert "no better than chance: its answers, shuffled, are right on 33.3%" in error
    assert "No other order of the classes" in error
    assert champion(folder) is None
    code, out, error = bring(data, "--accept")
    assert (code, error) == (0, "")
    assert "Warning: " in out
    assert "no better than chance" in out
    assert champion(folder)


def test_a_model_that_was_accepted_by_a_wrong_setting_is_another_version_by_the_right_one(
    bring: Import, folder: Path
) -> None:
    assert bring(model(), "--accept", given={"colour": "bgr"})[0] == 0
    first = champion(folder)
    code, out, error = bring(model(), "--replace")
    assert (code, error) == (0, "")
    assert "accuracy 100.0%" in out
    assert champion(folder) != first


def test_one_number_that_is_the_chance_of_the_other_class_is_told_by_its_setting(bring: Import, folder: Path) -> None:
    scores = onnx.load_model_from_string(model(columns=(0, 1, 2)))
    scores.graph.node[-1].CopyFrom(helper.make_node("Slice", ["logits", "from", "to", "axes"], ["scores"]))
    scores.graph.node.append(helper.make_node("Sigmoid", ["scores"], ["chance"]))
    for name, value in (("from", 1), ("to", 2), ("axes", 1)):  # the chance of red
        scores.graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), name))
    scores.graph.output[0].CopyFrom(helper.make_tensor_value_info("chance", TensorProto.FLOAT, ["n", 1]))
    section = {"input": {"size": SIDE, "layout": "nchw"}, "output": "sigmoid", "positive_class": "blue"}
    classes = ["blue", "red"]
    code, _, error = bring(scores.SerializeToString(), classes=classes, model=section)
    assert code == 1
    assert "with model.positive_class: red" in error, error
    right = {**section, "positive_class": "red"}
    assert bring(scores.SerializeToString(), classes=classes, model=right)[0] == 0


def serving(folder: Path, data: bytes, resample: Image.Resampling, name: str = "answers.csv", **columns: str) -> Path:
    """The scores that the team's own serving gives for some training images, which it resizes by Pillow."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data)
    rows = []
    for path in sorted((folder / "images").glob("*/*.png"))[::3]:
        small = np.asarray(Image.open(path).resize((SIDE, SIDE), resample), np.float32).transpose(2, 0, 1)
        (scores,) = session.run(None, {"image": small[None]})
        rows.append(
            {
                "key": f"{path.parent.name}/{path.name}",
                **{f"score.{c}": s for c, s in zip(CLASSES, scores[0], strict=True)},
            }
        )
    table = pd.DataFrame(rows).rename(columns=columns)
    target = folder / name
    if name.endswith(".csv"):
        table.to_csv(target, index=False)
    elif name.endswith(".parquet"):
        table.to_parquet(target, index=False)
    else:
        table.to_json(target, orient="records", lines=True)
    return target


BILINEAR = {"interpolation": "bilinear"}


@pytest.mark.parametrize("name", ["answers.csv", "answers.parquet", "answers.jsonl"])
def test_the_teams_own_scores_that_agree_are_told_with_their_differences(
    bring: Import, folder: Path, name: str
) -> None:
    path = serving(folder, model(), Image.Resampling.BILINEAR, name)
    code, out, error = bring(model(), "--expect", path, given=BILINEAR)
    assert (code, error) == (0, "")
    assert f"The scores in {path} are the model's: largest difference " in out
    assert "all in the same class, of 60 images" in out


def sharp() -> bytes:
    """Answers by how much neighbours differ, so that each way to resize shows."""
    kernel = np.zeros((3, 3, 2, 2), np.float32)
    for colour in range(3):
        kernel[colour, colour] = [[1, -1], [-1, 1]]
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["edges"]),
        helper.make_node("Abs", ["edges"], ["strength"]),
        helper.make_node("GlobalAveragePool", ["strength"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["seen"]),
        helper.make_node("Gemm", ["seen", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    weights = np.array([[0.05, 0, 0], [0, 0.05, 0], [0, 0, 0.02]], np.float32)
    kept = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(weights, "weights")]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])
    data: bytes = of_graph(helper.make_graph(nodes, "sharp", [image], [scores], kept)).SerializeToString()
    return data


def test_a_serving_that_resizes_in_another_way_is_told_by_the_setting_that_agrees(bring: Import, folder: Path) -> None:
    path = serving(folder, sharp(), Image.Resampling.BICUBIC)
    code, out, error = bring(sharp(), "--accept", "--expect", path, given={"interpolation": "nearest"})
    assert (code, error) == (0, "")
    assert f"The scores in {path} are not the model's" in out
    table = out[out.index("largest  median") :].splitlines()
    assert table[1].endswith("interpolation: bicubic")
    assert any(line.endswith("the monitor file as it is") for line in table)
    assert "Set model.input interpolation: bicubic, and run the same command again" in out


def test_scores_by_another_order_of_classes_are_told(bring: Import, folder: Path) -> None:
    swapped = {"score.red": "score.blue", "score.blue": "score.red"}
    path = serving(folder, model(), Image.Resampling.BILINEAR, **swapped)
    code, _, error = bring(model(), "--expect", path, given=BILINEAR)
    assert code == 1
    assert "with the classes in another order: set classes: [red, blue, shore]" in error
    assert champion(folder) is None


def test_answers_about_no_training_image_and_without_a_name_are_refused_with_what_is_needed(
    bring: Import, folder: Path
) -> None:
    path = serving(folder, model(), Image.Resampling.BILINEAR, key="picture")
    assert "neither key (the path below the images folder) nor image_id" in bring(model(), "--expect", path)[2]
    path.write_text(path.read_text().replace("picture", "key").replace("/", "/of-ours-"))
    code, _, error = bring(model(), "--expect", path)
    assert code == 1
    assert "none of its 60 rows is about a training image" in error
    assert "nothing.csv cannot be read: No such file" in bring(model(), "--expect", folder / "nothing.csv")[2]
    assert champion(folder) is None


@pytest.mark.parametrize(("scale", "warned"), [(1e30, True), (1.0, False)])  # the first gives always the same answer
def test_a_version_that_is_no_better_than_chance_is_told_after_training(
    bring: Import, folder: Path, capsys: pytest.CaptureFixture[str], scale: float, warned: bool
) -> None:
    bring(model(scale), "--accept")
    version = str(champion(folder))
    warn_of_chance(monitor_of(cli.parser().parse_args(["check", str(folder / "monitor.yaml")])), version)
    out = capsys.readouterr().out
    assert out.startswith(f"Warning: {version} is right on 33.3%") == warned
    assert ("no better than chance (33.3%): look whether each image lies" in out) == warned
    assert bool(out) == warned
