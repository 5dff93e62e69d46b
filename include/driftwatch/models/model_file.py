"""The team's model file is looked at before a library sees it: what it is, whether it can be imported, and if not, the commands that make
one that can.

What runs code when it is loaded is never loaded: pickles (scikit-learn, PyTorch), TorchScript. It is exported to ONNX where it was made.
"""

from __future__ import annotations

import io
import shlex
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from driftwatch.errors import NeedsAttention
from driftwatch.models.archive import MOST_BYTES

Format = Literal["keras", "onnx", "h5", "saved_model"]

_MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ALLOWED = "Allowed are .keras, .onnx, .h5 and SavedModel folders"


class NotAModel(NeedsAttention):
    """The file cannot be imported. It is missing, or its format is none of those that are allowed."""


@dataclass(frozen=True)
class ModelFile:
    """A file of a format that can be imported. `data`: its bytes; empty for a SavedModel, which is a folder."""

    path: Path
    format: Format
    data: bytes = b""


def read_model_file(path: Path) -> ModelFile:
    """The team's model file. Raises NotAModel with the format that was found instead, and the command that exports the model."""
    if path.is_dir():
        if not (path / "saved_model.pb").exists():
            raise NotAModel(
                f"{path} is a folder, and no SavedModel: it has no saved_model.pb; name the model's file itself"
            )
        return ModelFile(path, "saved_model")
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe may wait for ever, and a device may never end
            raise NotAModel(f"{path} is no regular file: name the model's file itself")
        if found.st_size > MOST_BYTES:
            raise NotAModel(f"{path} has {found.st_size:,} bytes; at most {MOST_BYTES:,} are allowed")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotAModel(f"{path}: no such file") from error
    except OSError as error:
        raise NotAModel(f"{path} cannot be read: {error.strerror}") from error
    return ModelFile(path, _format(path, data), data)


def _format(path: Path, data: bytes) -> Format:
    """The format by the file's first bytes. Raises NotAModel for one that cannot be imported."""
    if not data:
        raise NotAModel(f"{path} is empty: copy the file again")
    for other, refused in _REFUSED:
        if other(path, data):
            raise NotAModel(f"{path} is {refused(path)}")
    if data.startswith(_HDF5):
        return "h5"
    if path.suffix.lower() == ".onnx":
        return "onnx"
    members = _members(data)
    if not members:
        raise NotAModel(
            f"{path} is no .keras archive, or it was cut short: save the model by model.save('model.keras') with Keras 3, and copy the "
            f"whole file. {_ALLOWED}"
        )
    if missing := sorted(_MEMBERS - members):
        raise NotAModel(
            f"{path} is an archive, but none of Keras: it has no {', '.join(missing)}; save the model by model.save('model.keras'). {_ALLOWED}"
        )
    return "keras"


def _members(data: bytes) -> set[str]:
    """The names in a zip archive; none if it is no such archive."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return set()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return set(archive.namelist())


def _python(path: Path, code: str) -> str:
    """A command, to be run where the model was made."""
    return f'python -c "{code}" {shlex.quote(str(path))} {shlex.quote(str(path.with_suffix(".onnx")))}'


def _exported(what: str, why: str, command: str) -> str:
    return f"{what}, which is never loaded here: {why}. Export it to ONNX where it was made, then import the .onnx file:\n  {command}\n"


_RUNS_CODE = "to load it runs code that is in the file"
_TORCH_NOTE = "224, 224 is the size of its input. It needs the package onnx; leave dynamo=False out before PyTorch 2.5."
_TORCH_EXPORT = "torch.onnx.export(model, torch.zeros(1, 3, 224, 224), sys.argv[2], input_names=['image'], dynamic_axes={'image': {0: 'n'}}, dynamo=False)"


def _torchscript(path: Path) -> str:
    code = f"import sys, torch; model = torch.jit.load(sys.argv[1], 'cpu').eval(); {_TORCH_EXPORT}"
    return _exported("a TorchScript program", _RUNS_CODE, _python(path, code)) + _TORCH_NOTE


def _torch(path: Path) -> str:
    code = f"import sys, torch; model = torch.load(sys.argv[1], 'cpu', weights_only=False).eval(); {_TORCH_EXPORT}"
    return _exported("a PyTorch file, a pickle", _RUNS_CODE, _python(path, code)) + (
        f"{_TORCH_NOTE} A file of weights alone is no model: build the model first and load them into it."
    )


def _pickle(path: Path) -> str:
    code = "import sys, joblib, skl2onnx; model = joblib.load(sys.argv[1]); size = [None, model.n_features_in_]; "
    code += "kind = skl2onnx.common.data_types.FloatTensorType(size); "
    code += "open(sys.argv[2], 'wb').write(skl2onnx.to_onnx(model, initial_types=[('x', kind)], options={'zipmap': False}).SerializeToString())"
    return _exported("a pickle, as scikit-learn and joblib write it", _RUNS_CODE, _python(path, code)) + (
        "A model on embeddings is joined to the network that makes them, so that the file takes images (onnx.compose.merge_models)."
    )


def _tflite(path: Path) -> str:
    command = f"python -m tf2onnx.convert --tflite {shlex.quote(str(path))} --output {shlex.quote(str(path.with_suffix('.onnx')))}"
    return _exported("a TensorFlow Lite model", "it is made for other processors than a worker's", command)


def _is_pickle(path: Path, data: bytes) -> bool:
    by_name = path.suffix.lower() in (".pkl", ".pickle", ".joblib")
    return by_name or (data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"))


def _of_torch(data: bytes, *parts: str) -> bool:
    names = _members(data)
    return any(name.endswith("/data.pkl") or name == "data.pkl" for name in names) and all(
        any(part in name for name in names) for part in parts
    )


# What cannot be imported: whether the file is that, and what is said of it then.
_REFUSED: tuple[tuple[Callable[[Path, bytes], bool], Callable[[Path], str]], ...] = (
    (lambda path, data: path.name == "saved_model.pb", lambda path: "a part of a SavedModel: name its folder"),
    (lambda path, data: data[4:8] == b"TFL3", _tflite),
    (lambda path, data: _of_torch(data, "code/"), _torchscript),
    (lambda path, data: _of_torch(data) or path.suffix.lower() in (".pt", ".pth"), _torch),
    (_is_pickle, _pickle),
)
