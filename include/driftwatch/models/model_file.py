"""Checks the team's model file before Keras sees it. If it is no .keras archive, the error says what it is and how to convert it."""

from __future__ import annotations

import io
import shlex
import stat
import sys
import zipfile
from pathlib import Path

from driftwatch.errors import NeedsAttention
from driftwatch.models.archive import MOST_BYTES

_MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
_HDF5 = b"\x89HDF\r\n\x1a\n"


class NotKeras(NeedsAttention):
    """The file cannot be imported. It is missing, or its format is not the `.keras` of Keras 3."""


def read_keras_file(path: Path) -> bytes:
    """The bytes of a .keras file. Raises NotKeras with the format that was found instead, and the commands that convert it."""
    if path.is_dir():
        raise NotKeras(_folder(path))
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe may wait for ever, and a device may never end
            raise NotKeras(f"{path} is no regular file: name the .keras file itself")
        if found.st_size > MOST_BYTES:
            raise NotKeras(f"{path} has {found.st_size:,} bytes; at most {MOST_BYTES:,} are allowed")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotKeras(f"{path}: no such file") from error
    except OSError as error:
        raise NotKeras(f"{path} cannot be read: {error.strerror}") from error
    wrong = _not_an_archive(path, data)
    if wrong:
        raise NotKeras(wrong)
    return data


def _not_an_archive(path: Path, data: bytes) -> str | None:
    if not data:
        return f"{path} is empty: copy the .keras file again"
    if data.startswith(_HDF5):
        return _cannot(path, "a Keras model in the old HDF5 format (.h5)", [_from_h5(path, path.with_suffix(".keras"))])
    if path.suffix.lower() == ".onnx":
        return _onnx(path)
    for found, name in (
        (data[4:8] == b"TFL3", "a TensorFlow Lite model"),
        (path.name == "saved_model.pb", "a part of a SavedModel: name its folder"),
    ):
        if found:
            return f"{path} is {name}; only .keras files can be imported: save the model that it was made from by model.save('model.keras')"
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return (
            f"{path} is no .keras archive, or it was cut short: save the model by model.save('model.keras') with Keras 3, and copy the "
            "whole file"
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        missing = sorted(_MEMBERS - set(archive.namelist()))
    if missing:
        return f"{path} is an archive, but none of Keras: it has no {', '.join(missing)}; save the model by model.save('model.keras')"
    return None


def _folder(path: Path) -> str:
    if not (path / "saved_model.pb").exists():
        return f"{path} is a folder: name the .keras file itself"
    # tf_keras would pull its own versions into this environment.
    elsewhere = [f"{shlex.quote(sys.executable)} -m venv convert", "convert/bin/pip install tf_keras tensorflow"]
    h5, target = path.with_name(f"{path.name}.h5"), path.with_name(f"{path.name}.keras")
    return _cannot(
        path,
        "a TensorFlow SavedModel",
        [*elsewhere, _resave("convert/bin/python", "tf_keras", path, h5), _from_h5(h5, target)],
    )


def _cannot(path: Path, what: str, commands: list[str]) -> str:
    lines = "\n".join(f"  {command}" for command in commands)
    return (
        f"{path} is {what}, which cannot be imported yet: only Keras 3's .keras can. Convert it, then import the .keras file:\n{lines}\n"
        "Own layers and Lambda layers do not survive that; then build the model anew in Keras 3 and load its weights."
    )


def _from_h5(path: Path, target: Path) -> str:
    return _resave(sys.executable, "keras", path, target)


def _resave(python: str, library: str, path: Path, target: Path) -> str:
    load = f"import sys, {library}; {library}.models.load_model(sys.argv[1], compile=False).save(sys.argv[2])"
    return f'{shlex.quote(python)} -c "{load}" {shlex.quote(str(path))} {shlex.quote(str(target))}'


def _onnx(path: Path) -> str:
    weights = "import sys, onnx; [print(w.name, list(w.dims)) for w in onnx.load(sys.argv[1]).graph.initializer]"
    return (
        f"{path} is an ONNX model, which cannot be imported yet: only Keras 3's .keras can, and no converter makes one of ONNX that Keras 3 "
        "loads. Where the model was first made in Keras, save it from there by model.save('model.keras'). Else build the same layers in "
        "Keras 3 and set their weights; these commands list them:\n"
        f"  {shlex.quote(sys.executable)} -m venv convert\n"
        "  convert/bin/pip install onnx\n"
        f'  convert/bin/python -c "{weights}" {shlex.quote(str(path))}'
    )
