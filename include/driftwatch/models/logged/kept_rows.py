"""The rows of a log that may be used, kept on the local disk by the image that they name; the others are counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.artifacts.answers import LogFile
from driftwatch.config.logged import KSERVE
from driftwatch.models.logged import columns as roles
from driftwatch.models.logged.columns import sources, table_of
from driftwatch.models.logged.files import ReadFile
from driftwatch.models.logged.formats import parse
from driftwatch.models.logged.join import NO_KEY, Images
from driftwatch.models.logged.kept_events import KeptEvents
from driftwatch.models.logged.presets import preset_columns
from driftwatch.models.logged.understand import (
    BAD_EMBEDDING,
    BAD_TIME,
    MOST_NAMED,
    Understood,
    key_of,
    storable,
    text_of,
    understand,
    usual_width,
    vector_of,
    within_float16,
)
from driftwatch.storage.joining import Parts, part_of

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig
    from driftwatch.config.logged import LoggedConfig

# Of a row: the image that it names (a path below the day's folder, or an id); its place in the log, and its time; whether its answer is not the
# class with the highest score; how the log writes the image; its embedding, and the width of that.
IMAGE, ORDER, TIME, NOT_HIGHEST, NAME, EMBEDDING, WIDTH = (
    "image",
    "order",
    "time",
    "not_highest",
    "name",
    "embedding",
    "width",
)
_AT_ONCE = 65_536  # rows


class KeptRows:
    """Takes a log file by file. `tail`: as of `Images`. `parts`: into how many parts its rows go. Close it at the end.

    After the last file `rows` has the kept rows. Of these only the rows whose embedding has the width that most have (`width`) may be used; all may,
    where the log has no embeddings and `width` is None.
    """

    def __init__(self, config: MonitorConfig, settings: LoggedConfig, tail: str, parts: int) -> None:
        self._config, self._settings, self._folder = config, settings, Images((), {}, tail)
        self._pattern = re.compile(settings.key_pattern) if settings.key_pattern else None
        self._open, self._parts = ExitStack(), parts
        self.begin()

    def begin(self) -> None:
        """Forgets all that was taken."""
        self.close()
        self.rows = self._open.enter_context(Parts(self._parts))
        self.taken = self.other_case = 0
        self._reasons: Counter[str] = Counter()
        # The first names of classes that are none, with the place of their first row.
        self._unknown: dict[str, int] = {}
        self._widths: Counter[int] = Counter()
        # Rows by the width of their embedding, and by what else is wrong with them.
        self._by_width: Counter[tuple[int, str]] = Counter()
        self._embeds = False
        # Those of predictions.parquet but for the image's id, as far as the log has them; and whether its rows name images by their ids.
        self.columns: tuple[str, ...] = ()
        self.by_id = False
        self._events = KeptEvents(self._open.enter_context(Parts(self._parts)))

    def close(self) -> None:
        self._open.close()

    def take(self, file: ReadFile) -> LogFile:
        """The rows of the next file. Raises BrokenLog and StillWritten."""
        parsed = parse(file, self._settings)
        table = parsed.rows.table
        self._add_all(table, np.arange(self.taken, self.taken + len(table)))
        self._reasons += parsed.rows.broken
        self._embeds, self.by_id = roles.EMBEDDING in table, roles.IMAGE_ID in table
        self.taken += parsed.rows.broken.total()
        self._events.add(parsed.events)
        return LogFile(name=parsed.name, bytes=parsed.bytes, rows=len(table) + parsed.rows.broken.total())

    def finish(self, files: Sequence[LogFile]) -> list[LogFile]:
        """To be called after the last file. `files`, each with all the rows that it has: in KServe's log an answer may have its request in another
        file."""
        rows = [file.rows for file in files]
        wanted = sources(preset_columns(self._settings.columns)) if self._settings.format == KSERVE else {}
        for answers in self._events.answers():
            table = table_of(answers.records, wanted)
            self._add_all(table, np.array(answers.orders, "int64"))
            self._reasons += answers.broken
            self.taken += answers.broken.total()
            for number, count in answers.rows.items():
                rows[number] += count
        return [file.model_copy(update={"rows": count}) for file, count in zip(files, rows, strict=True)]

    @property
    def width(self) -> int | None:
        return usual_width(self._widths) if self._embeds else None

    @property
    def unknown_classes(self) -> tuple[str, ...]:
        return tuple(sorted(self._unknown, key=lambda name: self._unknown[name]))[:MOST_NAMED]

    @property
    def refused(self) -> dict[str, int]:
        """How many rows are refused, by the reason."""
        found = Counter(self._reasons)
        for (width, reason), count in self._by_width.items():
            found[BAD_EMBEDDING if width != self.width else reason] += count
        del found[""]
        return dict(sorted((+found).items()))

    def _add_all(self, table: pd.DataFrame, order: np.ndarray) -> None:
        """`order`: the place of each row in the log."""
        for start in range(0, max(len(table), 1), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            self._add(table.iloc[part].reset_index(drop=True), order[part])

    def _add(self, table: pd.DataFrame, order: np.ndarray) -> None:
        found = understand(table.drop(columns=roles.EMBEDDING, errors="ignore"), self._config)
        named = self._named(table)
        reasons = found.reasons
        reasons[np.array([name is None for name in named], bool) & (reasons == "")] = NO_KEY
        self.other_case += found.other_case
        for name, row in found.unknown_at.items():
            self._unknown[name] = min(int(order[row]), self._unknown.get(name, int(order[row])))
        columns: dict[str, object] = {IMAGE: pa.array(named, pa.string()), ORDER: order}
        self.taken += len(table)
        counted = np.ones(len(table), bool)
        if roles.EMBEDDING in table:
            columns |= self._embeddings(table, reasons, counted)
        if roles.KEY in table:
            columns[NAME] = pa.array([_written(value) for value in table[roles.KEY]], pa.string())
        self._reasons += Counter(reasons[counted & (reasons != "")].tolist())
        answers = _answers(found, self._config)
        self.columns = tuple(answers)
        columns |= answers | _to_choose_by(found, self._config)
        rows = pa.table(columns).filter(pa.array(reasons == ""))
        self.rows.add(rows, part_of(rows[IMAGE], self.rows.count))

    def _named(self, table: pd.DataFrame) -> list[str | None]:
        """What each row says of its image."""
        if roles.IMAGE_ID in table:
            return [text.lower() if (text := text_of(value)) else None for value in table[roles.IMAGE_ID]]
        if roles.KEY not in table:
            return [None] * len(table)
        keys = [key_of(value) for value in table[roles.KEY]]
        return [self._folder.path_of(key, self._pattern) if key else None for key in keys]

    def _embeddings(self, table: pd.DataFrame, reasons: np.ndarray, counted: np.ndarray) -> dict[str, object]:
        """The columns of the embeddings. Which width is the right one shows at the end of the log: rows that hang on it are not `counted` yet."""
        vectors = [vector_of(value) for value in table[roles.EMBEDDING]]
        widths = np.array([len(vector) for vector in vectors], "int64")
        self._widths += Counter(widths[widths > 0].tolist())
        sound = np.array([len(vector) > 0 and bool(np.isfinite(vector).all()) for vector in vectors], bool)
        later = np.isin(reasons, ["", BAD_TIME, NO_KEY])  # reasons that come after that of a bad embedding
        reasons[later & ~sound] = BAD_EMBEDDING
        counted[later & sound] = False
        waiting = zip(widths[~counted].tolist(), reasons[~counted].tolist(), strict=True)
        self._by_width += Counter(waiting)
        data = [
            within_float16(vector).astype("float16").tobytes() if good else None
            for vector, good in zip(vectors, sound, strict=True)
        ]
        return {WIDTH: widths, EMBEDDING: pa.array(data, pa.binary())}


def _written(value: object) -> str | None:
    return storable(value) if isinstance(value, str) else text_of(value)


def _answers(found: Understood, config: MonitorConfig) -> dict[str, object]:
    columns: dict[str, object] = {"prediction": pa.array(found.predictions, pa.string())}
    if found.scores is not None:
        columns |= {f"{roles.SCORE}{name}": found.scores[:, place] for place, name in enumerate(config.classes)}
    if found.versions is not None:
        columns[roles.VERSION] = pa.array(found.versions, pa.string())
    return columns | {name: pa.array(values, pa.string()) for name, values in found.segments.items()}


def _to_choose_by(found: Understood, config: MonitorConfig) -> dict[str, object]:
    if found.scores is None:
        return {TIME: found.times, NOT_HIGHEST: np.zeros(len(found.reasons), bool)}
    place = {name: number for number, name in enumerate(config.classes)}
    # A refused row may have no class, and is not kept.
    own = found.scores[np.arange(len(found.reasons)), [place.get(name, 0) for name in found.predictions]]
    return {TIME: found.times, NOT_HIGHEST: own < found.scores.max(axis=1, initial=0)}
