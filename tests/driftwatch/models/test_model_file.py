"""What is no model that can be imported is told what it is, and how to make one of it."""

from __future__ import annotations

import os
import pickle
import re
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from driftwatch.models import model_file
from driftwatch.models.model_file import NotAModel, read_model_file

from .onnx_models import data

HDF5 = b"\x89HDF\r\n\x1a\nrest"
KERAS = ("config.json", "metadata.json", "model.weights.h5")


def archive(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(name, "x")


def saved_model(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").touch()


def refused(path: Path) -> str:
    with pytest.raises(NotAModel) as error:
        read_model_file(path)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "make", "format_"),
    [
        ("model.h5", lambda path: path.write_bytes(HDF5), "h5"),
        ("renamed.keras", lambda path: path.write_bytes(HDF5), "h5"),
        ("model.onnx", lambda path: path.write_bytes(data()), "onnx"),
        ("MODEL.ONNX", lambda path: path.write_bytes(data()), "onnx"),
        ("saved", saved_model, "saved_model"),
        ("own.keras", lambda path: archive(path, *KERAS), "keras"),
    ],
)
def test_a_format_is_told_by_the_files_first_bytes(
    tmp_path, name: str, make: Callable[[Path], object], format_: str
) -> None:
    make(tmp_path / name)
    found = read_model_file(tmp_path / name)
    assert found.format == format_
    assert format_ == "saved_model" or found.data == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("saved_model.pb", lambda path: path.write_bytes(b"\x08\x01"), "a part of a SavedModel: name its folder"),
        ("folder", lambda path: path.mkdir(), "is a folder, and no SavedModel"),
        ("model.tflite", lambda path: path.write_bytes(b"\x1c\0\0\0TFL3"), "TensorFlow Lite.*tf2onnx.convert --tflite .*model.onnx"),
        ("empty.keras", lambda path: path.touch(), "is empty"),
        ("text.keras", lambda path: path.write_text("words"), "cut short"),
        ("pipe.keras", os.mkfifo, "no regular file"),
        ("zero.keras", lambda path: path.symlink_to("/dev/zero"), "no regular file"),
        ("torch.pt", lambda path: archive(path, "net/data.pkl", "net/version"), "PyTorch.*torch.load.*torch.onnx.export.*dynamo=False.*torch.onnx.*package onnx"),
        ("renamed.keras", lambda path: archive(path, "net/data.pkl"), "PyTorch"),
        ("old.pth", lambda path: path.write_bytes(b"\x80\x02\x8a\x0a"), "PyTorch"),
        ("script.pt", lambda path: archive(path, "net/data.pkl", "net/code/__torch__.py"), "TorchScript.*torch.jit.load.*export"),
        ("tree.pkl", lambda path: path.write_bytes(pickle.dumps([])), "pickle.*skl2onnx"),
        ("tree.joblib", lambda path: path.write_bytes(b"\x78\x9c"), "pickle.*skl2onnx.*merge_models"),
        ("renamed.onnx", lambda path: path.write_bytes(pickle.dumps([])), "pickle"),
        ("other.zip", lambda path: archive(path, "a.txt"), "none of Keras"),
        ("none.keras", lambda path: None, "no such file"),
        ("dangling.keras", lambda path: path.symlink_to("nowhere"), "no such file"),
        ("loop.keras", lambda path: path.symlink_to("loop.keras"), "cannot be read"),
    ],
)  # fmt: skip
def test_every_other_format_is_told_with_the_command_that_exports_it(
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


@pytest.mark.parametrize("name", ["our net; rm $HOME.pt", "our tree; rm $HOME.pkl"])
def test_the_command_that_exports_can_be_pasted_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps([]))
    (command,) = (line for line in refused(path).splitlines() if line.startswith("  "))
    python, _, code, source, target = shlex.split(command)
    assert (python, source, target) == ("python", str(path), str(path.with_suffix(".onnx")))
    compile(code, "the command", "exec")
