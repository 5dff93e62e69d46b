"""The images of one day as one table: what each looks like in numbers, what the model and people said of it, and in which segments it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

import numpy as np
import pandas as pd

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.config.labels import TABLE
from driftwatch.view.artifacts import Artifacts, reader
from driftwatch.view.large_tables import ID, read_table, reading_sample, rows_of

SEGMENT, SCORE, VOTES, FEATURE = "segment.", "score.", "votes.", "image."
RIGHT, WRONG = "right", "wrong"
MOST_LISTED = 1_000_000
_LIGHT = ("status", "prediction", "label")


def day_images(
    artifacts: Artifacts, day: date, ids: Collection[str] | None = None, light: bool = False
) -> pd.DataFrame | None:
    """One row for each accepted image, in the manifest's order; None for a day that was not taken in. `ids`: only these images.

    Columns: those of the manifest, the features, the predictions, and `label`, `status` and the votes of those images that were labelled.
    What a step has not written yet is missing. `answer` is `right` or `wrong` where there is a label and a prediction. With `light` a large
    day has only what images are chosen by: ids, segments, features, predictions and labels. Without `ids` a day of more than MOST_LISTED images
    has those that it is judged by.
    """

    def part(key: str) -> pd.DataFrame | None:
        found = artifacts.get(key, read_table)
        if found is None or (ids is None and isinstance(found, pd.DataFrame)):
            return found
        wanted = [name for name in found.columns if not light or name in (ID, *_LIGHT) or name.startswith((SEGMENT, FEATURE))]  # fmt: skip
        return rows_of(found, wanted, ids)

    return _together(artifacts, day, part, sample=ids is None)


def day_sample(artifacts: Artifacts, day: date) -> pd.DataFrame | None:
    """`day_images` of a random part of a large day, about LARGE images; of other days all."""
    ingest = artifacts.get(artifacts.keys.day(day).ingest, reader(Ingest))
    read = reading_sample(ingest.accepted if ingest else None)
    return _together(artifacts, day, lambda key: artifacts.get(key, read), sample=True)


def labelled_images(artifacts: Artifacts, day: date) -> pd.DataFrame | None:
    """`day_images` of those that have a label."""
    labels = artifacts.get(artifacts.keys.day(day).labels, read_table)
    if labels is None:
        return None
    told = rows_of(labels, [ID, "label"])
    return day_images(artifacts, day, told.loc[told["label"].notna(), ID].tolist())


def lists_a_sample(artifacts: Artifacts, day: date) -> bool:
    """Whether the pages list only those of the day's images that it is judged by: it has more than MOST_LISTED."""
    ingest = artifacts.get(artifacts.keys.day(day).ingest, reader(Ingest))
    return ingest is not None and ingest.judged is not None and ingest.accepted > MOST_LISTED


def by_table(artifacts: Artifacts, day: date) -> bool:
    """Whether the day's labels are a table's, and not people's."""
    keys = artifacts.keys.day(day)
    return artifacts.storage.exists(artifacts.store.day(day).key(LabelTable)) or (
        artifacts.config.labels.backend == TABLE and not artifacts.storage.exists(keys.annotators)
    )


def _together(
    artifacts: Artifacts, day: date, part: Callable[[str], pd.DataFrame | None], sample: bool = False
) -> pd.DataFrame | None:
    """`part`: reads a table. `sample`: whether of a day of more than MOST_LISTED images those do that it is judged by."""
    keys = artifacts.keys.day(day)
    sample = sample and lists_a_sample(artifacts, day)
    manifest = part(keys.judged if sample else keys.manifest)
    if manifest is None:
        return None
    found = manifest[manifest["status"] == "accepted"].rename(columns={"status": "file_status"})
    for key in (keys.judged_predictions if sample else keys.predictions, keys.labels):
        table = part(key)
        found = found if table is None else _joined(found, table)
    for name in ("label", "prediction"):
        if name not in found:
            found[name] = None
    judged = found["label"].notna() & found["prediction"].notna()
    right = (found["label"].astype(object) == found["prediction"].astype(object)).map({True: RIGHT, False: WRONG})
    found = found.assign(answer=right.where(judged, None))
    if sample:
        return found.reset_index(drop=True)  # with the features, which its manifest has
    features = part(keys.features)  # last: of a large day they are most of the table, and are copied once
    return found.reset_index(drop=True) if features is None else _joined(found, features)


def _joined(found: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The images with what the table says of them. Tables of all images have the manifest's order, as a rule, and need no search; one of
    few images, such as the labels, is searched for those alone."""
    new = [name for name in table.columns if name not in found.columns]
    found = found.reset_index(drop=True)
    if len(found) == len(table) and found[ID].array.equals(table[ID].array):
        return pd.concat([found, *(table[name].reset_index(drop=True) for name in new)], axis=1, copy=False)
    places = np.flatnonzero(found[ID].isin(table[ID].tolist()))
    told = table.set_index(ID)[new].loc[found[ID].iloc[places].tolist()]
    return pd.concat([found, told.set_axis(places).reindex(range(len(found)))], axis=1)


def features_of(table: pd.DataFrame) -> list[str]:
    """The columns that are features of the images."""
    return [name for name in table.columns if name.startswith(FEATURE)]


def segmentations(table: pd.DataFrame) -> list[str]:
    """The names of the ways in which the images are divided, such as camera."""
    return [name.removeprefix(SEGMENT) for name in table.columns if name.startswith(SEGMENT)]
