"""Thumbnails of the day's images, made from the model's stored inputs: no image is fetched or decoded again."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.store import DayStore
from driftwatch.images.inputs import DayInputs
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.shares import whole_percent

HEIGHT = 120
MOST_DRIFTED, MOST_REFERENCE, MOST_DISAGREEMENTS = 12, 6, 12
_QUALITY = 80


def shape_of(about: ModelInput, width: int, height: int) -> tuple[int, int]:
    """The width and height that a stored picture is shown with. A squashed one is stretched back to those of the original."""
    return (width, height) if about.resize == "squash" else (about.width, about.height)


def jpeg(pixels: np.ndarray, shape: tuple[int, int] | None = None) -> bytes:
    """A JPEG, HEIGHT pixels high, of uint8 [height, width, 3], stretched to the shape's width : height where there is one.

    One that is wider than 2 : 1 or narrower than 1 : 2 is a little squashed.
    """
    width, height = shape or pixels.shape[1::-1]
    ratio = min(max(width / height, 0.5), 2.0)
    image = Image.fromarray(np.asarray(pixels, dtype=np.uint8)).resize(
        (round(HEIGHT * ratio), HEIGHT), Image.Resampling.BICUBIC
    )
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def thumbnail(pixels: np.ndarray, shape: tuple[int, int] | None = None) -> str:
    """The JPEG as a data URI."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(pixels, shape)).decode()}"


@dataclass(frozen=True)
class Picture:
    """`src`: its address, or the picture itself as a data URI; `name`: of its file, empty for a training image; `note`: below it."""

    src: str
    name: str
    note: str


def chosen(facts: DayFacts) -> dict[str, list[tuple[str, str]]]:
    """Which images are shown, as (image_id, note): `drifted`, most typical of the drift of image quality; `content`, of content;
    `disagreements`, where people and model disagree, the surest mistakes first."""
    kinds = {"drifted": facts.drift, "content": facts.content_drift.content if facts.content_drift else None}
    typical = {
        name: [(image_id, "") for image_id in found.examples[:MOST_DRIFTED]]
        if found and found.verdict == "drifted"
        else []
        for name, found in kinds.items()
    }
    return {**typical, "disagreements": _disagreements(facts)}


def examples(day: DayStore, facts: DayFacts) -> dict[str, list[Picture]]:
    """`drifted`: images most typical of the drift of image quality; `content`: of content; `reference`: some of the training images, to
    compare with; `disagreements`: where people and model disagree, the surest mistakes first."""
    groups = chosen(facts)
    found: dict[str, list[Picture]] = {"drifted": [], "content": [], "reference": [], "disagreements": []}
    if any(groups.values()):
        shown = {image_id for images in groups.values() for image_id, _ in images}
        accepted = facts.accepted[facts.accepted["image_id"].isin(shown)]
        inputs = DayInputs(day)
        pixels = inputs.take(accepted.index)
        rows = {row.image_id: (row, picture) for row, picture in zip(accepted.itertuples(), pixels, strict=True)}
        for group, images in groups.items():
            for image_id, note in images:
                row, picture = rows[image_id]
                source = thumbnail(picture, shape_of(inputs.pixels, int(row.width), int(row.height)))
                found[group].append(Picture(source, file_name(row.key), note))
    key = day.monitor.keys.training_inputs
    if (groups["drifted"] or groups["content"]) and day.storage.exists(key):
        training = day.storage.read_array(key)
        for index in np.linspace(0, len(training) - 1, min(MOST_REFERENCE, len(training))).astype(int):
            found["reference"].append(Picture(thumbnail(training[index]), "", ""))
    return found


def _disagreements(facts: DayFacts) -> list[tuple[str, str]]:
    if facts.labels is None or facts.predictions is None:
        return []
    both = facts.labels[facts.labels["label"].notna()].merge(facts.predictions, on="image_id")
    both = both[both["label"] != both["prediction"]]
    both = both.assign(score=[row.get(f"score.{row['prediction']}") for _, row in both.iterrows()])
    both = both.sort_values(["score", "image_id"], ascending=[False, True]).head(MOST_DISAGREEMENTS)
    several = both["model_version"].nunique() > 1
    return [
        (
            row["image_id"],
            f"people: {row['label']} ({row['votes.' + row['label']]} of {row['votes']})\n"
            f"{row['model_version'] if several else 'model'}: {row['prediction']}{_sure(row['score'])}",
        )
        for _, row in both.iterrows()
    ]


def _sure(score: float | None) -> str:
    """How sure the model was, in brackets; empty where production gave no score."""
    return "" if score is None or np.isnan(score) else f" ({whole_percent(score)})"
