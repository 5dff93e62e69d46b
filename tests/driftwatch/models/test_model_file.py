"""What is no .keras file is told what it is, and how to make one of it."""

from __future__ import annotations

import os
import re
import shlex
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from driftwatch.models import model_file
from driftwatch.models.model_file import NotKeras, read_keras_file

HDF5 = b"\x89HDF\r\n\x1a\nrest"


def archive(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(name, "x")


def saved_model(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").touch()


def refused(path: Path) -> str:
    with pytest.raises(NotKeras) as error:
        read_keras_file(path)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("model.h5", lambda path: path.write_bytes(HDF5), r"HDF5.*\n.*keras.models.load_model.*model.h5 .*model.keras"),
        ("renamed.keras", lambda path: path.write_bytes(HDF5), "HDF5"),
        ("model.onnx", lambda path: path.write_bytes(b"\x08\x07"), "ONNX.*pip install onnx.*model.onnx"),
        ("MODEL.ONNX", lambda path: path.write_bytes(b"\x08\x07"), "ONNX"),
        ("saved", saved_model, r"SavedModel.*tf_keras.*saved.h5"),
        ("saved_model.pb", lambda path: path.write_bytes(b"\x08\x01"), "a part of a SavedModel: name its folder"),
        ("folder", lambda path: path.mkdir(), "is a folder"),
        ("model.tflite", lambda path: path.write_bytes(b"\x1c\0\0\0TFL3"), "TensorFlow Lite"),
        ("empty.keras", lambda path: path.touch(), "is empty"),
        ("text.keras", lambda path: path.write_text("words"), "cut short"),
        ("pipe.keras", os.mkfifo, "no regular file"),
        ("zero.keras", lambda path: path.symlink_to("/dev/zero"), "no regular file"),
        ("torch.pt", lambda path: archive(path, "data.pkl"), "none of Keras"),
        ("none.keras", lambda path: None, "no such file"),
        ("dangling.keras", lambda path: path.symlink_to("nowhere"), "no such file"),
        ("loop.keras", lambda path: path.symlink_to("loop.keras"), "cannot be read"),
    ],
)  # fmt: skip
def test_every_other_format_is_told_with_the_way_to_a_keras_file(
    tmp_path: Path, name: str, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / name)
    message = refused(tmp_path / name)
    assert re.search(f"(?s){name}.*{said}", message), message


def test_an_archive_says_which_members_it_lacks(tmp_path: Path) -> None:
    archive(tmp_path / "half.keras", "config.json")
    assert "it has no metadata.json, model.weights.h5;" in refused(tmp_path / "half.keras")


def test_a_file_above_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.keras"
    path.write_bytes(bytes(1001))
    monkeypatch.setattr(model_file, "MOST_BYTES", 1000)
    assert "has 1,001 bytes; at most 1,000 are allowed" in refused(path)


def test_a_whole_archive_is_given_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "own.keras"
    archive(path, "config.json", "metadata.json", "model.weights.h5")
    assert read_keras_file(path) == path.read_bytes()


def test_the_command_that_converts_can_be_pasted_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "our model; rm $HOME.h5"
    path.write_bytes(HDF5)
    (command,) = (line for line in refused(path).splitlines() if line.startswith("  "))
    python, _, _, source, target = shlex.split(command)
    assert (python, source, target) == (sys.executable, str(path), str(path.with_suffix(".keras")))
