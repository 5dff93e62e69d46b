"""Thumbnails of the day's images, made from the model's stored inputs: no image is fetched or decoded again."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.images.inputs import DayInputs, has_inputs
from driftwatch.models.original_set import set_keys
from driftwatch.storage.arrays import open_array
from driftwatch.view.own_pictures import small_picture
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.segments import pictured
from driftwatch.view.shares import whole_percent

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 120
MOST_DRIFTED, MOST_REFERENCE, MOST_DISAGREEMENTS, MOST_UNDECIDED, MOST_OF_SEGMENT = 12, 6, 12, 12, 4
_MOST_CHOICES = 4
_QUALITY = 80
_UNDECIDED = ("tie", "unclear")


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
    return data_uri(jpeg(pixels, shape))


def data_uri(picture: bytes) -> str:
    """A JPEG as an address that holds the picture itself."""
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"


@dataclass(frozen=True)
class Picture:
    """`src`: its address, or the picture itself as a data URI; `name`: of its file, empty for a training image; `note`: below it; `href`: the
    page that it opens, empty where there is none."""

    src: str
    name: str
    note: str
    href: str = ""


def chosen(facts: DayFacts) -> dict[str, list[tuple[str, str]]]:
    """Which images are shown, as (image_id, note): `drifted`, most typical of the drift of image quality; `content`, of content;
    `disagreements`, where people and model disagree, the surest mistakes first; `undecided`, ties and unclear images, those with the most
    votes first, and of these the ones of which the model was surest; and for each segment that drifted most, most typical of its drift."""
    kinds = {"drifted": facts.drift, "content": facts.content_drift.content if facts.content_drift else None}
    typical = {
        name: [(image_id, "") for image_id in found.examples[:MOST_DRIFTED]]
        if found and found.verdict == "drifted"
        else []
        for name, found in kinds.items()
    }
    segments = pictured(facts.drift, facts.content_drift)
    of_segments = {group: [(image_id, "") for image_id in ids[:MOST_OF_SEGMENT]] for group, ids in segments.items()}
    return {
        **typical,
        **of_segments,
        "disagreements": _disagreements(facts),
        "undecided": _undecided(facts),
    }


def examples(day: DayStore, facts: DayFacts) -> dict[str, list[Picture]]:
    """`drifted`: images most typical of the drift of image quality; `content`: of content; `reference`: some of the training images, to
    compare with; `disagreements` and `undecided`: as `chosen` has them."""
    groups = chosen(facts)
    found: dict[str, list[Picture]] = {**{group: [] for group in groups}, "reference": []}
    if any(groups.values()):
        shown = {image_id for images in groups.values() for image_id, _ in images}
        accepted = facts.accepted[facts.accepted["image_id"].isin(shown)]
        sources = _sources(day, accepted)
        names = dict(zip(accepted["image_id"], map(file_name, accepted["key"]), strict=True))
        for group, images in groups.items():
            # The day may have been taken in again, and its tests still name what it had before.
            known = [(image_id, note) for image_id, note in images if image_id in sources]
            found[group] += [Picture(sources[image_id], names[image_id], note) for image_id, note in known]
    if groups["drifted"] or groups["content"]:
        found["reference"] = [Picture(source, "", "") for source in training_pictures(day.monitor)]
    return found


def _sources(day: DayStore, accepted: pd.DataFrame) -> dict[str, str]:
    """The pictures of these rows of the manifest as data URIs, by image id: those that there are, and that people may be shown."""
    if day.config.labels.blur is not None:
        keys = {row.image_id: own_key(day.config.name, str(row.key)) for row in accepted.itertuples()}
        return _covered(day.monitor, keys)
    if not has_inputs(day):
        return {}
    inputs = DayInputs(day)
    pixels = inputs.take(accepted.index)
    return {
        row.image_id: thumbnail(picture, shape_of(inputs.pixels, int(row.width), int(row.height)))
        for row, picture in zip(accepted.itertuples(), pixels, strict=True)
    }


def training_pictures(store: MonitorStore) -> list[str]:
    """Some of the training images as data URIs."""

    def some(known: int) -> np.ndarray:
        return np.linspace(0, known - 1, min(MOST_REFERENCE, known)).astype(int)

    keys, storage = set_keys(store), store.storage
    if store.config.labels.blur is not None and storage.exists(keys.table):
        table = storage.read_table(keys.table)
        rows = table.iloc[some(len(table))].itertuples()
        return [*_covered(store, {row.image_id: own_key(store.config.name, row.key) for row in rows}).values()]
    if store.config.labels.blur is None and storage.exists(keys.inputs):
        with open_array(storage, keys.inputs) as training:
            return [thumbnail(training.rows(place, place + 1)[0]) for place in map(int, some(training.shape[0]))]
    return []


def _covered(store: MonitorStore, keys: dict[str, str]) -> dict[str, str]:
    """The pictures of these images, made of their own files, with what `labels.blur` covers."""
    pictures = {image_id: small_picture(store, image_id, key) for image_id, key in keys.items()}
    return {image_id: data_uri(picture) for image_id, picture in pictures.items() if picture is not None}


def _disagreements(facts: DayFacts) -> list[tuple[str, str]]:
    if facts.labels is None or facts.predictions is None:
        return []
    both = facts.labels[facts.labels["label"].notna()].merge(facts.predictions, on="image_id")
    both = both[both["label"] != both["prediction"]]
    both = _with_score(both).sort_values(["score", "image_id"], ascending=[False, True]).head(MOST_DISAGREEMENTS)
    several = both["model_version"].nunique() > 1
    return [
        (
            row["image_id"],
            f"{_said(row, facts)}\n{_answer(row, several)}",
        )
        for _, row in both.iterrows()
    ]


def _said(row: pd.Series, facts: DayFacts) -> str:
    """Whose label it is, and how many gave it."""
    if facts.label_table is not None:
        return f"table: {row['label']}"
    return f"people: {row['label']} ({row['votes.' + row['label']]} of {row['votes']})"


def _undecided(facts: DayFacts) -> list[tuple[str, str]]:
    if facts.labels is None or facts.predictions is None:
        return []
    both = facts.labels[facts.labels["status"].isin(_UNDECIDED)].merge(facts.predictions, on="image_id")
    both = _with_score(both).sort_values(["votes", "score", "image_id"], ascending=[False, False, True])
    both = both.head(MOST_UNDECIDED)
    who = "people" if facts.label_table is None else "table"
    several = both["model_version"].nunique() > 1
    return [(row["image_id"], f"{who}: {_votes(row, facts)}\n{_answer(row, several)}") for _, row in both.iterrows()]


def undecided(facts: DayFacts) -> int:
    """How many images are tied or unclear."""
    return 0 if facts.labels is None else int(facts.labels["status"].isin(_UNDECIDED).sum())


def _votes(row: pd.Series, facts: DayFacts) -> str:
    """How many people gave which answer, the most frequent first, and that it is a tie. Nobody is named."""
    unclear = facts.config.labels.unclear_answer or "unclear"
    given = {name: int(row.get(f"votes.{name}", 0)) for name in facts.config.classes}
    given = {name: n for name, n in {**given, unclear: int(row["votes.unclear"])}.items() if n}
    most = sorted(given.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{name}\N{NO-BREAK SPACE}{n}" for name, n in most[:_MOST_CHOICES])
    more = f" and {len(most) - _MOST_CHOICES} more" if len(most) > _MOST_CHOICES else ""
    return f"{shown}{more}{' (tie)' if row['status'] == 'tie' else ''}"


def _with_score(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers with the model's score of its own answer; None where production gave none."""
    return answers.assign(score=[row.get(f"score.{row['prediction']}") for _, row in answers.iterrows()])


def _answer(row: pd.Series, several: bool) -> str:
    """What the model answered. `several`: whether it must be said which version did."""
    return f"{row['model_version'] if several else 'model'}: {row['prediction']}{_sure(row['score'])}"


def _sure(score: float | None) -> str:
    """How sure the model was, in brackets; empty where production gave no score."""
    return "" if score is None or np.isnan(score) else f" ({whole_percent(score)})"
