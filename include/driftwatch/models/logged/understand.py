"""Brings the rows of a log into the monitor's terms: its classes, chances for each, times that can be compared. A row that cannot be
used has a reason in a word."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.config.parts import folded
from driftwatch.models.logged import columns as roles
from driftwatch.models.logged.scores import Scores, numbers_of, representable, scores_of

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig
    from driftwatch.config.logged import LoggedConfig

UNKNOWN_CLASS, NO_CLASS, BAD_TIME, BAD_EMBEDDING = "unknown_class", "no_class", "bad_time", "bad_embedding"
# The version of an answer whose row does not say it, in a log that has a column for it.
UNTOLD = "unknown"
SCORE_DECIMALS = 6
MOST_NAMED = 5
# From seconds of 2001 to the last nanosecond that pandas has. Another number is no time, but the text 20260304 is a date.
_SINCE_1970 = (1e9, 9.2e18)
# A number of a class. A table with gaps makes 3.0 of 3, and writes that into a CSV file.
_WHOLE = re.compile(r"[0-9]{1,9}(\.0+)?")


@dataclass(frozen=True)
class Understood:
    """The rows of a log, all arrays [n] in their order.

    `reasons`: why a row cannot be used, empty for one that can. `predictions`: a class or None. `scores` [n, classes] and `embeddings`
    [n, width], float16, are None where the log has none. `versions` is None where it does not tell. `times`: comparable numbers.
    `unknown_at`: the first names of classes that are none, each with its first row. `other_case`: rows whose class has another case.
    """

    reasons: np.ndarray
    predictions: np.ndarray
    scores: np.ndarray | None
    embeddings: np.ndarray | None
    versions: np.ndarray | None
    times: np.ndarray
    segments: dict[str, np.ndarray]
    unknown_at: dict[str, int]
    other_case: int

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(self.unknown_at)


class Names:
    """Production's names of classes."""

    def __init__(self, classes: tuple[str, ...], settings: LoggedConfig) -> None:
        self._first = settings.class_numbers
        self._classes = classes
        self._exact = {**{name: name for name in classes}, **settings.classes}
        self._folded = {folded(name): of for name, of in self._exact.items()}

    def resolve(self, name: str) -> str | None:
        """The monitor's class; None for no class of it."""
        return self.known(name)[0]

    def known(self, name: str) -> tuple[str | None, bool]:
        """The class, and whether only the case is another."""
        name = name.strip()
        if name in self._exact and not (self._first is not None and _WHOLE.fullmatch(name)):
            return self._exact[name], False
        if self._first is not None and _WHOLE.fullmatch(name):
            place = int(float(name)) - self._first
            return (self._classes[place] if 0 <= place < len(self._classes) else None), False
        found = self._folded.get(folded(name))
        return found, found is not None


def understand(table: pd.DataFrame, config: MonitorConfig) -> Understood:
    """The rows in the monitor's terms. `table`: columns by role, as `formats.read_rows` gives them."""
    settings = config.model.logged
    assert settings is not None
    names = Names(config.classes, settings)
    reasons = np.full(len(table), "", dtype=object)
    scores = scores_of(table, config, names.resolve)
    predictions, unknown, other_case = _predictions(table, config, names, scores, reasons)
    if scores is not None:
        _note(reasons, scores.reasons != "", scores.reasons)
    embeddings = _embeddings(table, reasons)
    times = _times(table, reasons)
    return Understood(
        reasons=reasons,
        predictions=predictions,
        scores=None if scores is None else np.round(scores.values, SCORE_DECIMALS),
        embeddings=embeddings,
        versions=_texts(table[roles.VERSION], UNTOLD) if roles.VERSION in table else None,
        times=times,
        segments={name: _texts(table[name], "") for name in table.columns if name.startswith(roles.SEGMENT)},
        unknown_at=unknown,
        other_case=other_case,
    )


def text_of(value: Any) -> str | None:
    """A field as text, without spaces around it; None where it is empty. 3.0 is 3: a table with gaps makes floats of whole numbers."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return storable(str(value)).strip() or None


def key_of(value: Any) -> str | None:
    """An image's path as it stands, with its spaces; None where it is empty."""
    return storable(value) if isinstance(value, str) and value.strip() else text_of(value)


def storable(text: str) -> str:
    """The text, with U+FFFD for each half of a letter that JSON can write and no file can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _note(reasons: np.ndarray, where: np.ndarray, reason: Any) -> None:
    """The first reason of a row stays."""
    new = where & (reasons == "")
    reasons[new] = reason[new] if isinstance(reason, np.ndarray) else reason


def _predictions(
    table: pd.DataFrame, config: MonitorConfig, names: Names, scores: Scores | None, reasons: np.ndarray
) -> tuple[np.ndarray, dict[str, int], int]:
    """The class of each row, the first names that are none with their first rows, and how many rows have another case."""
    if roles.PREDICTION not in table:
        if scores is None:
            _note(reasons, np.ones(len(table), bool), NO_CLASS)
            return np.full(len(table), None, dtype=object), {}, 0
        best = np.nan_to_num(np.round(scores.values, SCORE_DECIMALS), nan=-1).argmax(axis=1)
        return np.array(config.classes, dtype=object)[best], {}, 0
    said = [text_of(_single(value)) for value in table[roles.PREDICTION]]
    known = {name: names.known(name) for name in dict.fromkeys(said) if name is not None}
    found = np.array([None if name is None else known[name][0] for name in said], dtype=object)
    empty = np.array([name is None for name in said], bool)
    strange = np.array([of is None for of in found], bool) & ~empty
    _note(reasons, empty, NO_CLASS)
    _note(reasons, strange, UNKNOWN_CLASS)
    strangers = [name for name, (of, _) in known.items() if of is None][:MOST_NAMED]
    unknown = {name: said.index(name) for name in strangers}
    other_case = sum(name is not None and known[name][1] for name in said)
    return found, unknown, other_case


def _single(value: Any) -> Any:
    """The answer to a batch of one image is a list."""
    return value[0] if isinstance(value, list | tuple | np.ndarray) and len(value) == 1 else value


def _embeddings(table: pd.DataFrame, reasons: np.ndarray) -> np.ndarray | None:
    """float16 [n, width]; the width that most rows have."""
    if roles.EMBEDDING not in table:
        return None
    rows = [vector_of(value) for value in table[roles.EMBEDDING]]
    width = usual_width(Counter(len(row) for row in rows if len(row)))
    found = np.zeros((len(rows), width), "float16")
    sound = np.array([len(row) == width > 0 and np.isfinite(row).all() for row in rows], bool)
    for place in np.flatnonzero(sound):
        found[place] = within_float16(rows[place])
    _note(reasons, ~sound, BAD_EMBEDDING)
    return found


def usual_width(widths: Mapping[int, int]) -> int:
    """The width that most embeddings have, of some that are as frequent the smallest; 0 where there is none. `widths`: how many have each."""
    return max(sorted(widths), key=lambda width: widths[width], default=0)


def within_float16(row: np.ndarray) -> np.ndarray:
    limit = float(np.finfo("float16").max)
    found: np.ndarray = np.clip(row, -limit, limit)
    return found


def vector_of(value: Any) -> np.ndarray:
    """An embedding as numbers, [width]; empty for what is none."""
    try:
        value = json.loads(value) if isinstance(value, str) else value
        return np.asarray([] if value is None else value, dtype=float).reshape(-1)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return np.zeros(0)


def _times(table: pd.DataFrame, reasons: np.ndarray) -> np.ndarray:
    """Nanoseconds since 1970, by which two rows are compared. Without a column for it all are the same."""
    import pandas as pd

    if roles.TIME not in table:
        return np.zeros(len(table), "int64")
    column = table[roles.TIME]
    if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
        parsed = pd.to_datetime(column, utc=True)
        parsed = parsed.where(
            parsed.between(*(limit.tz_localize("UTC") for limit in (pd.Timestamp.min, pd.Timestamp.max)))
        )
    else:
        # Files of one day may differ: some of them have times, and others texts.
        column = column.map(lambda value: value.isoformat() if hasattr(value, "isoformat") else representable(value))
        numbers = pd.Series(numbers_of(column), index=column.index)
        numbers = numbers.where(numbers.between(*_SINCE_1970))
        said = column.map(lambda value: value if isinstance(value, str) else None).where(numbers.isna())
        texts = pd.to_datetime(said, utc=True, errors="coerce", format="ISO8601")
        parsed = texts.fillna(pd.to_datetime(_in_nanoseconds(numbers), utc=True, errors="coerce"))
    _note(reasons, parsed.isna().to_numpy(), BAD_TIME)
    return parsed.dt.as_unit("ns").astype("int64").to_numpy()


def _in_nanoseconds(numbers: pd.Series) -> Any:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told by their size: all mean a time between 2001 and 2286."""
    exponent = np.floor(np.log10(numbers.where(numbers > 0)))
    factor = 10.0 ** (9 - 3 * np.clip(np.floor((exponent - 9) / 3), 0, 3))
    return (numbers * factor).round()


def _texts(values: Iterable[Any], empty: str) -> np.ndarray:
    return np.array([text_of(value) or empty for value in values], dtype=object)
