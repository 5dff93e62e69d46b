"""Production's scores of an image, however it writes them, as one chance for each class."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.models.logged.columns import SCORE, SCORES

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig

# Scores written with two decimals: each may be off by half of the last one, and all together by no more than this.
_ROUNDED_BY, _LARGEST_GAP = 0.005, 0.05
_BEYOND = 2**64
MISSING, NO_NUMBER, OUT_OF_RANGE, NO_SUM = (
    "scores_missing",
    "score_not_a_number",
    "score_out_of_range",
    "scores_do_not_sum_to_1",
)


@dataclass(frozen=True)
class Scores:
    """`values` [n, classes]: chances; NaN in a row that has a `reasons` entry, which says why it cannot be used."""

    values: np.ndarray
    reasons: np.ndarray


def scores_of(table: pd.DataFrame, config: MonitorConfig, resolve: Callable[[str], str | None]) -> Scores | None:
    """The scores of each row; None where the log has none. `resolve`: the monitor's class of one of production's names."""
    k = len(config.classes)
    values: np.ndarray
    missing: np.ndarray
    if SCORES in table:
        rows = [_row(value, config, resolve) for value in table[SCORES]]
        values = np.array([row if len(row) == k else [np.nan] * k for row in rows], float).reshape(len(table), k)
        missing = np.array([len(row) != k for row in rows], bool)
    elif f"{SCORE}{config.classes[0]}" in table:
        columns = [table[f"{SCORE}{name}"] for name in config.classes]
        values = np.column_stack([numbers_of(column) for column in columns]) if len(table) else np.zeros((0, k))
        missing = np.any([column.isna() & ~_is_nan(column) for column in columns], axis=0)
    else:
        return None
    reasons = np.full(len(table), "", dtype=object)
    reasons[~np.isfinite(values).all(axis=1)] = NO_NUMBER
    reasons[missing] = MISSING
    return _as_chances(values, reasons, config.model.output)


def _as_chances(values: np.ndarray, reasons: np.ndarray, output: str) -> Scores:
    from scipy.special import softmax

    sound = reasons == ""
    if output == "logits":
        values[sound] = softmax(values[sound], axis=1)
        return Scores(values, reasons)
    outside = sound & ((values < -1e-9) | (values > 1 + 1e-9)).any(axis=1)
    reasons[outside] = OUT_OF_RANGE
    total = values.sum(axis=1)
    allowed = min(max(_ROUNDED_BY * values.shape[1], 1e-3), _LARGEST_GAP)
    off = (total <= 0) if output == "sigmoids" else np.abs(total - 1) > allowed + 1e-9
    reasons[(reasons == "") & off] = NO_SUM
    sound = reasons == ""
    values[sound] = np.clip(values[sound], 0, 1) / total[sound, None]
    values[~sound] = np.nan
    return Scores(values, reasons)


def _row(value: Any, config: MonitorConfig, resolve: Callable[[str], str | None]) -> Sequence[float]:
    """The scores in one value: a list in the order of the classes, a mapping by class, or one number for two classes. Empty where it
    holds none of these."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    if isinstance(value, Mapping):
        named = {resolve(str(name)): part for name, part in value.items()}
        value = [named.get(name) for name in config.classes]
        return () if None in value else [_number(part) for part in value]
    if isinstance(value, list | tuple | np.ndarray):
        # A batch of one image is a list in a list.
        inner = value[0] if len(value) == 1 and isinstance(value[0], list | tuple) else value
        if len(inner) != 1:
            return () if any(part is None for part in inner) else [_number(part) for part in inner]
        value = inner[0]
    if value is None or len(config.classes) != 2:
        return ()
    return _of_one(_number(value), config)


def _of_one(number: float, config: MonitorConfig) -> Sequence[float]:
    """Both scores, of the chance of the positive class or its log odds."""
    from scipy.special import expit

    chance = float(expit(number)) if config.model.output in ("logit", "logits") else number
    positive = config.model.positive_class or config.classes[1]
    return [chance if name == positive else 1 - chance for name in config.classes]


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def numbers_of(column: pd.Series) -> np.ndarray:
    """The column as float64; NaN for what is no number, and for a whole number beyond all that float64 has."""
    import pandas as pd

    if column.dtype == object:
        column = column.map(representable)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def representable(value: Any) -> Any:
    """The value; None for a whole number at which pandas fails."""
    return None if type(value) is int and abs(value) >= _BEYOND else value


def _is_nan(column: pd.Series) -> Any:
    """Where a float NaN was written, which pandas does not tell from a missing value."""
    if column.dtype.kind == "f":
        return np.isnan(column)
    return column.map(lambda value: isinstance(value, float) and value != value)
