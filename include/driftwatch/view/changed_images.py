"""Images that a challenger answers otherwise than the champion: newly right and newly wrong, with their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.models.original_set import set_keys
from driftwatch.view.evidence_usual import TRAINING_DAY
from driftwatch.view.image_page import image_key
from driftwatch.view.own_pictures import small_picture
from driftwatch.view.pictures import jpeg
from driftwatch.view.thumbnails import read_row

if TYPE_CHECKING:
    from driftwatch.artifacts.retraining import GateResult
    from driftwatch.storage import Storage
    from driftwatch.view.artifacts import Artifacts

_EXAMPLES = 6  # of each part, as in the approval form


@dataclass(frozen=True)
class Changed:
    """An evaluation image. `day`: the day that it came on, empty for one of the original holdout; `said`: its class, and both models' answers."""

    image_id: str
    day: str
    said: str


@dataclass(frozen=True)
class ChangedImages:
    """`right`: only the challenger has them right; `wrong`: only the champion had. At most _EXAMPLES of each part; the counts are of all."""

    right: tuple[Changed, ...]
    wrong: tuple[Changed, ...]
    n_right: int
    n_wrong: int


def changed_images(artifacts: Artifacts, gate: GateResult) -> ChangedImages | None:
    """None if the table of the evaluation images is gone or cannot be read."""
    rows = artifacts.look(artifacts.keys.model_evaluation(gate.version), read_evaluation).value
    if rows is None:
        return None
    parts = (gate.recent, gate.clean)

    def some(of_parts: Sequence[Sequence[str]]) -> tuple[Changed, ...]:
        return tuple(rows[name] for names in of_parts for name in names[:_EXAMPLES] if name in rows)

    return ChangedImages(
        right=some([part.repaired for part in parts]),
        wrong=some([part.broken for part in parts]),
        n_right=sum(len(part.repaired) for part in parts),
        n_wrong=sum(len(part.broken) for part in parts),
    )


def read_evaluation(storage: Storage, key: str) -> dict[str, Changed]:
    """The evaluation images on which the two models differ, by id."""
    table = storage.read_table(key)
    table = table[table["champion"] != table["challenger"]]
    columns = (table[name] for name in ("image_id", "day", "label", "champion", "challenger"))
    return {
        image_id: Changed(image_id, day or "", f"is {label}\nbefore: {before}\nnow: {after}")
        for image_id, day, label, before, after in zip(*columns, strict=True)
    }


def training_picture(artifacts: Artifacts, image_id: str) -> bytes | None:
    """A JPEG of an image of the original set, as the models see it; None where the set has no such image, and where `labels.blur` lets nobody see
    it."""
    if artifacts.config.labels.blur is not None:
        key = image_key(artifacts, TRAINING_DAY, image_id)
        return small_picture(artifacts.store, image_id, key) if key else None
    keys = set_keys(artifacts.store)
    row = (artifacts.get(keys.table, read_training_rows) or {}).get(image_id)
    return None if row is None else jpeg(read_row(artifacts.storage, keys.inputs, row))


def read_training_rows(storage: Storage, key: str) -> dict[str, int]:
    """The row of each image of the original set, by id."""
    return {image_id: row for row, image_id in enumerate(storage.read_table(key)["image_id"])}
