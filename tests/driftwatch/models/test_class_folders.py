"""A folder means a class as a person reads it, and a Mac's umlauts are no other class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models.class_folders import class_folders
from driftwatch.models.original_set import copy_images, read_training_images
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo.own_images import find

CLASSES = ("Bl\u00e4tter", "Kratzer")
OF_A_MAC = unicodedata.normalize("NFD", CLASSES[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty images of each class, in folders as a Mac writes them."""
    noise = np.random.default_rng(3)
    for name in (OF_A_MAC, "kratzer"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(20):
            pixels = noise.integers(0, 255, (40, 48), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def test_a_folder_is_its_class_however_accents_and_case_are_written(
    folder: Path, small_monitor: Callable[..., MonitorConfig], tmp_path: Path
) -> None:
    assert CLASSES[0] != OF_A_MAC
    assert {name: path.name for name, path in class_folders(folder, CLASSES).items()} == {
        CLASSES[0]: OF_A_MAC,
        "Kratzer": "kratzer",
    }
    assert [*map(len, find(folder, CLASSES).values())] == [20, 20]
    settings = small_monitor(f"file://{tmp_path}/storage").model_dump(mode="json", exclude_unset=True)
    config = MonitorConfig.model_validate({**settings, "classes": CLASSES})
    store = monitor_store(open_storage(config.storage.uri), MonitorKeys(config.name), config)
    assert copy_images(store, folder) == 40
    table = read_training_images(store).table
    assert table["label"].value_counts().to_dict() == dict.fromkeys(CLASSES, 20)
    # What a program wrote of the folder, `path.relative_to(folder)`, still names the image.
    assert any(key.endswith(f"/{OF_A_MAC}/0.png") for key in table["key"])


def test_a_missing_folder_is_told_with_those_that_are_there(folder: Path) -> None:
    with pytest.raises(
        NeedsAttention, match=rf"has no folder Delle, .* in classes; its other folders, .*: {OF_A_MAC}, kratzer"
    ):
        class_folders(folder, ["Delle"])


def test_two_folders_of_one_class_are_refused(folder: Path) -> None:
    (folder / CLASSES[0]).mkdir()
    with pytest.raises(NeedsAttention, match=re.escape(r"'Bla\u0308tter' and 'Bl\xe4tter'. Put their images into one")):
        class_folders(folder, CLASSES)
