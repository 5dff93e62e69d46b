"""Which rows of a table of the truth are about a day, file by file, so that the others are counted and gone.

A day of more than 100,000 images is judged by a sample of them. If every image gets a label (`covers: all`), only the labels of that sample are
taken in, and those of the images that people label beside the table. So what is held does not grow with the day.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import own_key
from driftwatch.config.label_table import ALL
from driftwatch.images.judged import is_sampled
from driftwatch.images.layout import below, images_root
from driftwatch.models.logged.columns import IMAGE_ID, KEY, Rows
from driftwatch.models.logged.day import images_of
from driftwatch.models.logged.join import ACCEPTED, NO_FILE, Images
from driftwatch.models.logged.kept_rows import IMAGE
from driftwatch.models.logged.large_day import PLACE, STATUS, each_once, files_by_id, files_by_path, tail_of
from driftwatch.models.logged.understand import key_of, text_of
from driftwatch.storage.joining import Parts, joined_parts, part_of
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.label_table import LabelTableConfig

OTHER_DAY, NOT_JUDGED = "other_day", "not_judged"
_PARTS = 64


class DayRows:
    """Keeps the rows that may be about the images that the day's labels are of, and counts the others. Close it at the end."""

    def __init__(self, day: DayStore, settings: LabelTableConfig) -> None:
        self._day, self._settings = day, settings
        self.by_sample = settings.covers == ALL and is_sampled(day)
        self.images = _sampled(day) if self.by_sample else images_of(day)
        """Those that a label is wanted for."""
        self._ids = {image_id for image_id, _ in self.images.files.values()}
        self._pattern = re.compile(settings.key_pattern) if settings.key_pattern else None
        self._open = ExitStack()
        self.begin()

    def begin(self) -> None:
        """Forgets all that was taken."""
        self.close()
        self._others = self._open.enter_context(Parts(_PARTS)) if self.by_sample else None
        self._strangers = Counter[str]()

    def close(self) -> None:
        self._open.close()

    def take(self, rows: Rows) -> Rows:
        """Those of `rows` that may be about the images. In a table of all days a key says the day, or it is of no use; a row by the image's own id
        is of the day where the day has that image. So the words of other days are no reason to refuse this one."""
        table, role = rows.table, KEY if KEY in rows.table else IMAGE_ID
        if role not in table or (self._settings.of_a_day and not self.by_sample):
            return rows
        texts = [key_of(value) if role == KEY else text_of(value) for value in table[role]]
        kept: np.ndarray = np.ones(len(texts), bool)
        if role == KEY and not self._settings.of_a_day:
            mark = f"/{self.images.tail}/"
            kept = np.array([not text or mark in f"/{text}" for text in texts], bool)
            self._strangers[OTHER_DAY] += int((~kept).sum())
        if role == IMAGE_ID or self.by_sample:
            kept &= self._of_images(texts, kept, role)
        return Rows(table[kept].reset_index(drop=True), rows.broken)

    def _of_images(self, texts: Sequence[str | None], of_day: np.ndarray, role: str) -> np.ndarray:
        """Which rows name one of the images, or nothing, [n]. Notes what the others of the day name."""
        names = [
            (text.lower() if role == IMAGE_ID else self.images.path_of(text, self._pattern)) if text else None
            for text in texts
        ]
        known = self._ids if role == IMAGE_ID else self.images.files
        ours = np.array([name is None or name in known for name in names], bool)
        # A key that the pattern does not fit has an empty name: no file has it.
        others = [name for name, own, other in zip(names, ours, of_day, strict=True) if other and not own]
        if self._others is None:
            self._strangers[OTHER_DAY] += len(others)
            return ours
        table = pa.table({IMAGE: pa.array(others, pa.string())})
        self._others.add(table, part_of(table[IMAGE], _PARTS))
        return ours

    def strangers(self, by_id: bool) -> Counter[str]:
        """How many rows are about something else, by the reason. To be called after the last row."""
        found = Counter(self._strangers)
        if self._others is None or not self._others.rows:
            return found
        files = files_by_id(self._day) if by_id else files_by_path(self._day)
        unknown = OTHER_DAY if by_id and not self._settings.of_a_day else NO_FILE
        for part in joined_parts(self._others, files, IMAGE, each_once if by_id else lambda rows: rows):
            of_day = pc.fill_null(pc.greater_equal(part[PLACE], 0), False)
            found[NOT_JUDGED] += pc.sum(of_day).as_py() or 0
            for row in pc.value_counts(part[STATUS].filter(pc.invert(of_day))).to_pylist():
                found[row["values"] or unknown] += row["counts"]
        return +found


def _sampled(day: DayStore) -> Images:
    """The images that the day is judged by, and those that people label beside the table, in the day's order; and all files that are one of them."""
    plan = day.find(AnnotationPlan)
    asked = {*plan.asked_about} - plan.surplus if plan else set()
    ids = pa.array({*day.storage.read_arrow(day.keys.judged, [IMAGE_ID])[IMAGE_ID].to_pylist(), *asked}, pa.string())
    root = images_root(day)
    accepted: list[str] = []
    files: dict[str, tuple[str | None, str]] = {}
    for piece in pieces(day.storage, day.keys.manifest, ["key", IMAGE_ID, STATUS]):
        rows = piece.filter(pc.is_in(piece[IMAGE_ID], value_set=ids)).to_pydict()
        for key, image_id, status in zip(rows["key"], rows[IMAGE_ID], rows[STATUS], strict=True):
            files[below(root, own_key(day.config.name, key))] = (image_id, status)
            if status == ACCEPTED:
                accepted.append(image_id)
    return Images(accepted, files, tail_of(day, root))
