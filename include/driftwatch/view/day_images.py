"""The images of one day as one table: what each looks like in numbers, what the model and people said of it, and in which segments it is."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from driftwatch.view.artifacts import Artifacts

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.storage import Storage

SEGMENT, SCORE, VOTES, FEATURE = "segment.", "score.", "votes.", "image."
RIGHT, WRONG = "right", "wrong"


def read_table(storage: Storage, key: str) -> pd.DataFrame:
    """A whole table, to be kept in a page's cache."""
    return storage.read_table(key)


def day_images(artifacts: Artifacts, day: date) -> pd.DataFrame | None:
    """One row for each accepted image, in the manifest's order; None for a day that was not taken in.

    Columns: those of the manifest, the features, the predictions, and `label`, `status` and the votes of those images that were labelled.
    What a step has not written yet is missing. `answer` is `right` or `wrong` where there is a label and a prediction.
    """
    keys = artifacts.keys.day(day)
    manifest = artifacts.get(keys.manifest, read_table)
    if manifest is None:
        return None
    found = manifest[manifest["status"] == "accepted"].rename(columns={"status": "file_status"})
    for key in (keys.features, keys.predictions, keys.labels):
        table = artifacts.get(key, read_table)
        if table is not None:
            found = found.merge(table[_new_columns(found, table)], on="image_id", how="left")
    for name in ("label", "prediction"):
        if name not in found:
            found[name] = None
    judged = found["label"].notna() & found["prediction"].notna()
    right = (found["label"] == found["prediction"]).map({True: RIGHT, False: WRONG})
    return found.assign(answer=right.where(judged, None)).reset_index(drop=True)


def _new_columns(found: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    return ["image_id", *(name for name in table.columns if name not in found.columns)]


def features_of(table: pd.DataFrame) -> list[str]:
    """The columns that are features of the images."""
    return [name for name in table.columns if name.startswith(FEATURE)]


def segmentations(table: pd.DataFrame) -> list[str]:
    """The names of the ways in which the images are divided, such as camera."""
    return [name.removeprefix(SEGMENT) for name in table.columns if name.startswith(SEGMENT)]
