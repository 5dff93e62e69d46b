"""Production as a team runs it beside Driftwatch: a service with a model of its own that answers pictures and writes down what it answered.

    python -m driftwatch_sandbox.production MODEL FOLDER LOG --classes cat dog [--version prod-1]

It shares no code with Driftwatch: it decodes by Pillow, squashes by OpenCV, and asks Keras or ONNX Runtime. MODEL is a .keras or .onnx file.
FOLDER is a day's folder or that of the training images; what is no picture is not answered. LOG is a .csv, .jsonl or .parquet file with the
columns that `columns` names for the monitor file.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

BATCH = 256


def columns(classes: Sequence[str]) -> dict[str, object]:
    """`model.logged.columns` of the monitor file for this log."""
    scores = {name: f"p_{name}" for name in classes}
    return {"key": "file", "prediction": "answer", "scores": scores, "model_version": "model", "time": "at"}


@dataclass(frozen=True)
class Production:
    """A model that answers: `run` gives logits or probabilities for pictures of `size`, float32 [n, height, width, 3]. `version`: what it
    calls itself in the log."""

    run: Callable[[np.ndarray], np.ndarray]
    size: tuple[int, int]
    classes: tuple[str, ...]
    version: str = "prod-1"

    @classmethod
    def of(cls, path: Path, classes: Sequence[str], version: str = "prod-1") -> Production:
        """The model in a .keras or .onnx file."""
        run, size = _onnx(path) if path.suffix == ".onnx" else _keras(path)
        return cls(run, size, tuple(classes), version)

    def answers(self, folder: Path) -> pd.DataFrame:
        """One row for each picture below the folder: when it came, and what the model said."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        pictures = [(path, picture) for path in files if (picture := self._picture(path)) is not None]
        scores = self._scores([picture for _, picture in pictures])
        rows = {
            "file": [path.relative_to(folder).as_posix() for path, _ in pictures],
            "answer": [self.classes[place] for place in scores.argmax(axis=1)],
            **{f"p_{name}": scores[:, place].round(6) for place, name in enumerate(self.classes)},
            "model": self.version,
            "at": [_moment(path) for path, _ in pictures],
        }
        return pd.DataFrame(rows)

    def _picture(self, path: Path) -> np.ndarray | None:
        height, width = self.size
        try:
            with Image.open(path) as image:
                pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except (UnidentifiedImageError, OSError):
            return None
        return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)

    def _scores(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        found = [np.zeros((0, len(self.classes)))]
        for start in range(0, len(pictures), BATCH):
            batch = np.stack(pictures[start : start + BATCH]).astype("float32")
            raw = self.run(batch).astype(float)
            sure = np.exp(raw - raw.max(axis=1, keepdims=True))
            is_chance = (raw >= 0).all() and np.allclose(raw.sum(axis=1), 1, atol=1e-3)
            found.append(raw if is_chance else sure / sure.sum(axis=1, keepdims=True))
        return np.concatenate(found)


def _keras(path: Path) -> tuple[Callable[[np.ndarray], np.ndarray], tuple[int, int]]:
    import keras

    model = keras.models.load_model(path, compile=False)
    return lambda batch: model(batch, training=False).numpy(), model.input_shape[1:3]


def _onnx(path: Path) -> tuple[Callable[[np.ndarray], np.ndarray], tuple[int, int]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    _, height, width, _ = given.shape
    return lambda batch: np.asarray(session.run(None, {given.name: batch})[0]), (height, width)


def taken_over(now: pd.DataFrame, before: pd.DataFrame, share: float) -> pd.DataFrame:
    """The answers of a day in the course of which a new version takes over: the version before has answered the first share of it. Names of
    pictures are in the order in which they came."""
    first = np.arange(len(now)) < round(share * len(now))
    return pd.concat([before[first], now[~first]], ignore_index=True)


def _moment(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, timezone.utc).isoformat(timespec="milliseconds")


def write_log(answers: pd.DataFrame, target: Path) -> None:
    """The answers as a file, written aside and then renamed, so that nobody reads half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}")
    if target.suffix == ".parquet":
        answers.to_parquet(aside, index=False)
    elif target.suffix == ".csv":
        answers.to_csv(aside, index=False)
    else:
        answers.to_json(aside, orient="records", lines=True)
    aside.replace(target)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m driftwatch_sandbox.production", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--classes", nargs="+", required=True)
    parser.add_argument("--version", default="prod-1")
    options = parser.parse_args(arguments)
    write_log(Production.of(options.model, options.classes, options.version).answers(options.folder), options.log)


if __name__ == "__main__":
    main()
