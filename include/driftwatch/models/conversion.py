"""Other formats become .keras or .onnx: .h5 files by Keras, SavedModel folders by tf2onnx.

Both are converted in a process of their own, because a file of these formats can do more than a .keras or .onnx file: a SavedModel is a
program of TensorFlow, which can write files. The process gets nothing of the user's environment, and no network. It has limits of
memory and time, and it cannot write a file while it loads. What it gives is checked like any other file.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from driftwatch.models.model_file import ModelFile, NotAModel
from driftwatch.models.predictors.base import KERAS, ONNX

SECONDS = 900
# Isolated from the user's Python settings (-I); found where this package was found.
_START = "import sys; sys.path.append(sys.argv.pop(1)); from driftwatch.models.jail import main; main()"


def converted(file: ModelFile) -> tuple[bytes, str]:
    """The bytes of a .keras or .onnx file, and its kind. Raises NotAModel for a file that cannot be converted."""
    if file.format in (KERAS, ONNX):
        return file.data, file.format
    with tempfile.TemporaryDirectory(prefix="driftwatch-convert-") as folder:
        found = _run(file, folder)
    if found.returncode != 0 or not found.stdout:
        raise NotAModel(f"{file.path} cannot be converted: {_reason(found)}\n{_by_hand(file)}")
    return found.stdout, KERAS if file.format == "h5" else ONNX


def _run(file: ModelFile, folder: str) -> subprocess.CompletedProcess[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-c", _START, root, file.format, str(file.path.resolve())]
    environment = {"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, "TF_CPP_MIN_LOG_LEVEL": "2"}
    try:
        return subprocess.run(  # noqa: S603 - our own module; the path is an argument, no shell
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotAModel(f"{file.path} was not converted in {SECONDS} seconds\n{_by_hand(file)}") from error


def _reason(found: subprocess.CompletedProcess[bytes]) -> str:
    """The process's last line; or the signal that ended it."""
    if found.returncode < 0:
        return f"the process that did it was ended by signal {-found.returncode}, as one is that takes too much"
    lines = found.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"the process that did it ended with {found.returncode}"


def _by_hand(file: ModelFile) -> str:
    """The command that converts where the model was made."""
    source, target = shlex.quote(str(file.path)), shlex.quote(str(file.path.with_suffix(".onnx")))
    if file.format == "saved_model":
        return f"Convert it where it was made, and import the .onnx file:\n  python -m tf2onnx.convert --saved-model {source} --output {target}"
    code = "import sys, tf_keras, tf2onnx; tf2onnx.convert.from_keras(tf_keras.models.load_model(sys.argv[1]), output_path=sys.argv[2])"
    return f'Convert it where it was made, and import the .onnx file:\n  python -c "{code}" {source} {target}'
