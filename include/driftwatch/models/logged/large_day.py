"""As `join`, of a day that is judged by a sample: neither its log nor its manifest is held.

Rows are kept on the local disk by the image that they name, and joined with the manifest part by part. Then they are kept by the place of their
image in the day. So what is chosen among an image's answers comes out in the order of the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.keys import own_key
from driftwatch.images.layout import below, images_root
from driftwatch.models.logged import columns as roles
from driftwatch.models.logged.accounts import counted, settings_of, write_counts
from driftwatch.models.logged.files import LogPlace, read_log
from driftwatch.models.logged.join import ACCEPTED, NO_FILE, JoinedCounts, answered_twice
from driftwatch.models.logged.kept_rows import (
    EMBEDDING,
    IMAGE,
    NAME,
    NOT_HIGHEST,
    ORDER,
    TIME,
    WIDTH,
    KeptRows,
)
from driftwatch.models.logged.writing import DayAnswers, Piece, schema_of, write_answers
from driftwatch.storage.addresses import without_scheme
from driftwatch.storage.joining import Parts, joined_parts, looked_up
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore

ID, PLACE, STATUS = "image_id", "place", "status"
_DUPLICATE = "duplicate"
# So many images are held at once; more, if the day has more than 50 million.
_OF_PART, _LEAST_PARTS, _MOST_PARTS = 50_000, 4, 1_024
_FILES = pa.schema([(IMAGE, pa.string()), (ID, pa.string()), (PLACE, pa.int64()), (STATUS, pa.string())])


def answer_large_day(day: DayStore, version: str, place: LogPlace, shards: int) -> Answers:
    """As `day.answer_day`."""
    settings = settings_of(day.config)
    images = sum(pc.sum(piece["accepted"]).as_py() or 0 for piece in _manifest(day, [STATUS]))
    parts = max(_LEAST_PARTS, min(images // _OF_PART, _MOST_PARTS))
    with (
        closing(KeptRows(day.config, settings, tail_of(day, images_root(day)), parts)) as log,
        Parts(parts) as by_place,
        Parts(1) as chosen,
    ):
        files = log.finish(read_log(place, settings.settle_seconds, log.take, log.begin))
        strangers = _placed(day, log, images, by_place)
        found = _Chosen(day, images, refuses=settings.answered_twice == "refuse")
        found.choose(by_place, chosen, version)
        if found.twice:
            raise answered_twice(found.twice, str(found.first_twice), settings.section)
        counts = JoinedCounts(
            rows=log.taken,
            used=chosen.rows,
            earlier=by_place.rows - chosen.rows,
            strangers=strangers,
            reasons=log.refused,
            unknown_classes=log.unknown_classes,
            other_case=log.other_case,
            not_the_highest=found.not_the_highest,
            scores=any(name.startswith(roles.SCORE) for name in log.columns),
            embeddings=log.width is not None,
            versions=found.versions,
        )
        answers = counted(day, tuple(files), images, counts)
        write_counts(day, answers)
        write_answers(day, version, found.answers(chosen, log), shards)
    return answers


def tail_of(day: DayStore, root: str) -> str:
    """How the address of the day's folder `root` ends, for `Images`."""
    of_monitor = root == day.keys.incoming  # whose name may be another in production
    return root.partition("/")[2] if of_monitor else without_scheme(root)


def _manifest(day: DayStore, columns: list[str]) -> Iterator[pa.Table]:
    """The manifest, with `accepted`: whether each row is an image of the day."""
    for piece in pieces(day.storage, day.keys.manifest, columns):
        yield piece.append_column("accepted", pc.fill_null(pc.equal(piece[STATUS], ACCEPTED), False))


def _placed(day: DayStore, log: KeptRows, images: int, by_place: Parts) -> dict[str, int]:
    """Keeps the rows whose image is one of the day's by its place among them, and counts the others by what became of their file."""
    files = files_by_id(day) if log.by_id else files_by_path(day)
    strangers: Counter[str] = Counter()
    step = max(1, -(-images // by_place.count))
    for piece in joined_parts(log.rows, files, IMAGE, each_once if log.by_id else lambda part: part):
        rows = piece
        if log.width is not None:
            rows = rows.filter(pc.equal(rows[WIDTH], log.width))
        known = pc.greater_equal(pc.fill_null(rows[PLACE], -1), 0)
        for row in pc.value_counts(rows[STATUS].filter(pc.invert(known))).to_pylist():
            status = row["values"]
            strangers[NO_FILE if status in (None, ACCEPTED) else status] += row["counts"]
        rows = rows.filter(known).drop_columns([IMAGE, STATUS])
        by_place.add(rows, rows[PLACE].to_numpy() // step)
    return dict(sorted(strangers.items()))


def files_by_path(day: DayStore) -> Iterator[pa.Table]:
    """Each file of the day by its path. A file with the same bytes as an accepted one has that image's place; a file that is no image has none."""
    root, start, copies = images_root(day), 0, False
    for piece in _manifest(day, ["key", ID, STATUS]):
        paths = [below(root, own_key(day.config.name, key)) for key in piece["key"].to_pylist()]
        place = _places(piece, start)
        start += int((place >= 0).sum())
        is_copy = pc.equal(piece[STATUS], _DUPLICATE)
        copies = copies or bool(pc.any(is_copy).as_py())
        table = pa.table([paths, piece[ID].cast(pa.string()), place, piece[STATUS]], schema=_FILES)
        yield table.filter(pc.invert(is_copy))
    if copies:
        for piece in looked_up(_copies(day, root), _accepted(day), ID):
            yield piece.select(_FILES.names).cast(_FILES)


def _copies(day: DayStore, root: str) -> Iterator[pa.Table]:
    for piece in _manifest(day, ["key", ID, STATUS]):
        rows = piece.filter(pc.equal(piece[STATUS], _DUPLICATE))
        paths = [below(root, own_key(day.config.name, key)) for key in rows["key"].to_pylist()]
        yield pa.table({IMAGE: pa.array(paths, pa.string()), ID: rows[ID].cast(pa.string()), STATUS: rows[STATUS]})


def _accepted(day: DayStore) -> Iterator[pa.Table]:
    """The ids of the day's images, with their places."""
    start = 0
    for piece in _manifest(day, [ID, STATUS]):
        rows = piece.filter(piece["accepted"])
        yield pa.table({ID: rows[ID].cast(pa.string()), PLACE: np.arange(start, start + len(rows))})
        start += len(rows)


def files_by_id(day: DayStore) -> Iterator[pa.Table]:
    """Each file of the day by its image's id, as far as it has one."""
    start = 0
    for piece in _manifest(day, [ID, STATUS]):
        place = _places(piece, start)
        start += int((place >= 0).sum())
        ids = piece[ID].cast(pa.string())
        yield pa.table([ids, ids, place, piece[STATUS]], schema=_FILES).filter(ids.is_valid())


def _places(piece: pa.Table, start: int) -> np.ndarray:
    """The place of each accepted row among the images of the day, -1 of others."""
    accepted = piece["accepted"].to_numpy()
    found: np.ndarray = np.where(accepted, start + np.cumsum(accepted) - 1, -1)
    return found


def each_once(files: pa.Table) -> pa.Table:
    """One row for each image: that of an accepted file, else of the last one."""
    rows = files.append_column("row", pa.array(np.arange(len(files))))
    accepted = pc.equal(rows[STATUS], ACCEPTED)
    order = rows.append_column("first", accepted).sort_by([("first", "ascending"), ("row", "ascending")])
    last = order.append_column("at", pa.array(np.arange(len(order)))).group_by(IMAGE).aggregate([("at", "max")])
    return order.select(_FILES.names).take(last["at_max"])


class _Chosen:
    """The last row of each image, by time and then by order, in the order of the images. `refuses`: whether images with two answers are counted."""

    def __init__(self, day: DayStore, images: int, refuses: bool) -> None:
        self._sample = day.storage.read_arrow(day.keys.judged, [ID])[ID].combine_chunks().cast(pa.string())
        self._largest, self._refuses = pc.max(self._sample), refuses
        self._answered = np.zeros(images, bool)
        self._ids: list[pa.ChunkedArray] = []
        self.versions: Counter[str] = Counter()
        self.not_the_highest = 0
        # How many images have two answers under one name, and the first of them.
        self.twice = 0
        self.first_twice: str | None = None

    def choose(self, by_place: Parts, chosen: Parts, version: str) -> None:
        """`version`: who answered where the log does not say it."""
        for number in range(by_place.count):
            rows = by_place.part(number)
            if rows is None:
                continue
            if self._refuses:
                self._note_twice(rows)
            place, time, order = (rows[name].to_numpy() for name in (PLACE, TIME, ORDER))
            sort = np.lexsort((order, time, place))
            last = sort[np.append(np.diff(place[sort]) != 0, True)]
            found = rows.take(pa.array(last))
            if roles.VERSION not in found.column_names:
                found = found.append_column(roles.VERSION, pa.repeat(version, len(found)).cast(pa.string()))
            self._answered[place[last]] = True
            # The sample has the smallest ids: few others are left to be looked up in it.
            self._ids.append(found[ID].filter(pc.less_equal(found[ID], self._largest)))
            self.not_the_highest += pc.sum(found[NOT_HIGHEST]).as_py() or 0
            for row in pc.value_counts(found[roles.VERSION]).to_pylist():
                self.versions[row["values"]] += row["counts"]
            chosen.add(found, np.zeros(len(found), "int64"))

    def _note_twice(self, rows: pa.Table) -> None:
        by = [PLACE, ID, *([NAME] if NAME in rows.column_names else [])]
        counts = rows.group_by(by).aggregate([([], "count_all")])
        twice = counts.filter(pc.greater(counts["count_all"], 1)).sort_by(PLACE)
        if len(twice):
            self.twice += len(twice)
            self.first_twice = self.first_twice or twice[ID][0].as_py()

    def answers(self, chosen: Parts, log: KeptRows) -> DayAnswers:
        """As they are written."""
        told = [name for name in log.columns if name == "prediction" or name.startswith(roles.SCORE)]
        segments = [name for name in log.columns if name.startswith(roles.SEGMENT)]
        schema = schema_of([ID, *told, roles.VERSION, *segments])
        empty = None if log.width is None else np.zeros((0, log.width), "float16")
        ids = pa.chunked_array(chain.from_iterable(ids.chunks for ids in self._ids), pa.string())
        ids = ids.filter(pc.is_in(ids, value_set=self._sample))
        return DayAnswers(schema, _pieces(chosen, schema, log.width), self._answered, ids, empty)


def _pieces(chosen: Parts, schema: pa.Schema, width: int | None) -> Iterator[Piece]:
    for rows in chosen.pieces(0):
        found = None
        if width is not None:
            data = b"".join(rows[EMBEDDING].to_pylist())
            found = np.frombuffer(data, "float16").reshape(len(rows), width)
        yield rows.select(schema.names).cast(schema), found
