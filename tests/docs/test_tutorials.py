"""Each tutorial does what it says: its settings are allowed, its code is sound, and its steps run on small images, without the parts that take minutes."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tests.driftwatch.models.onnx_models import of_graph
from tests.stores import SMALLEST

from driftwatch import cli
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor
from driftwatch_sandbox.demo.own import Own

from .commands import commands
from .pages import ROOT

TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.md"))
CLASSES = ("damaged", "intact")
MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
_RED = 0
PLAIN = {name: value for name, value in SMALLEST.items() if name != "annotation"}


def blocks(page: Path | str, kind: str) -> list[str]:
    text = (ROOT / "docs/tutorials" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_each_part_of_a_monitor_file_is_allowed_beside_those_before_it(page: Path) -> None:
    whole = {**PLAIN, "classes": list(CLASSES)}
    for text in blocks(page, "yaml"):
        whole |= yaml.safe_load(text)
        MonitorConfig.model_validate(whole)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_its_code_is_sound(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, page.name, "exec")
    for text in blocks(page, "json"):
        json.loads(text)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the steps are taken, with 100 images of each class in FOLDER: reddish ones are damaged."""
    random = np.random.default_rng(0)
    for label in CLASSES:
        folder = tmp_path / "FOLDER" / label
        folder.mkdir(parents=True)
        for number in range(100):
            rgb = random.normal(100, 20, (40, 60, 3)) + random.normal(0, 8)
            rgb[..., _RED] += 50 if label == "damaged" else -50
            Image.fromarray(rgb.clip(0, 255).astype("uint8")).save(folder / f"{number:03d}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_monitor(place: Path, page: str) -> Path:
    """The page's first whole monitor file, with its storage in `place`."""
    text = next(text for text in blocks(page, "yaml") if text.startswith("name:"))
    file = place / "MONITOR.yaml"
    file.write_text(text.replace("file:///srv/driftwatch", f"file://{place}/storage"), encoding="utf-8")
    return file


def run(page: str, beginning: str) -> None:
    """Runs the page's one command that begins so."""
    (found,) = {tuple(c.words[1:]) for c in commands(ROOT / "docs/tutorials" / page) if c.text.startswith(beginning)}
    assert cli.main(list(found)) == 0


def test_your_own_classifier_is_checked_and_can_be_tried(place, capsys) -> None:
    file = write_monitor(place, "own-classifier.md")
    assert load_monitor(file).name == "parcels"
    run("own-classifier.md", "driftwatch check")
    assert "valid. Monitor parcels: damaged, intact" in capsys.readouterr().out
    # What `make try` says before it starts an Airflow.
    assert "2 classes" in Own(file, place / "FOLDER", None).promises(place / "try")[0]


def test_a_model_of_pytorch_s_numbers_is_imported_and_answers_as_its_own_transforms_do(place, capsys) -> None:
    write_monitor(place, "pytorch.md")
    (place / "model.onnx").write_bytes(network())
    with open("answers.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["key", *(f"score.{name}" for name in CLASSES)])
        for path in sorted(Path("FOLDER").glob("*/*"))[::5]:
            rows.writerow([path.relative_to("FOLDER").as_posix(), *answer(path)])
    run("pytorch.md", "driftwatch champion import MONITOR.yaml model.onnx")
    assert (place / "storage/parcels/models/champion.json").exists()


def network() -> bytes:
    """As torch.onnx.export writes it: an input `image` of 224 pixels, `logits`. It sees how red an image is."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["seen"]),
        helper.make_node("Gemm", ["seen", "weight", "bias"], ["logits"]),
    ]
    kept = [
        numpy_helper.from_array(np.array([[2, -2], [-1, 1], [-1, 1]], np.float32), "weight"),
        numpy_helper.from_array(np.zeros(2, np.float32), "bias"),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 224, 224])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])
    made = of_graph(helper.make_graph(nodes, "net", [image], [logits], kept))
    onnx.checker.check_model(made)
    data: bytes = made.SerializeToString()
    return data


def answer(path: Path) -> list[float]:
    """What the network gives after Resize(256), CenterCrop(224), ToTensor and Normalize, as torchvision does them on a PIL image."""
    image = Image.open(path).convert("RGB")
    shorter = min(image.size)
    width, height = (256 * side // shorter for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    tensor = (np.asarray(image.crop((left, top, left + 224, top + 224))) / 255 - MEAN) / SPREAD
    red, green, blue = tensor.mean(axis=(0, 1))
    raw = np.exp([2 * red - green - blue, green + blue - 2 * red])
    return [float(share) for share in raw / raw.sum()]


def test_the_cameras_of_the_tutorial_are_told_by_the_path_that_it_shows() -> None:
    text = (ROOT / "docs/tutorials/hundred-cameras.md").read_text(encoding="utf-8")
    (path,) = re.findall(r"`incoming/2026-01-08/([^`]+)`", text)
    config = MonitorConfig.model_validate({**PLAIN, **yaml.safe_load(blocks("hundred-cameras.md", "yaml")[0])})
    found = re.search(str(config.segments["camera"].key), path)
    assert found is not None
    assert found[1] == "door-17"


def test_the_cost_of_a_day_in_label_studio_is_told_before_anything_is_made(place, capsys) -> None:
    labels = yaml.safe_load(blocks("label-studio.md", "yaml")[0])
    whole = {**PLAIN, "storage": {"uri": f"file://{place}/storage"}, **labels}
    (place / "MONITOR.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    run("label-studio.md", "driftwatch check")
    assert "A day of 100 labelled images" in capsys.readouterr().out
