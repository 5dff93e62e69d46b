"""Sums that tell the values of a table from others, in any order of rows, made piece by piece and added up.

The bits of each value are mixed in SUMS ways, each as good as random (the finaliser of SplitMix64: Steele, Lea and Flood, 2014), and added up
without carry. Two tables of other values have the same sums with a chance of about 2 ** (-64 * SUMS) in each column.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd

SUMS = 4
# No SHA-256 of the values themselves begins so: the two never count as the same content.
PREFIX = "sums:"
_STARTS = [np.uint64(0x9E3779B97F4A7C15 * (number + 1) % 2**64) for number in range(SUMS)]
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def value_sums(features: pd.DataFrame) -> np.ndarray:
    """Of each numeric column, by name, the number of its values and their sums: uint64 [columns, 1 + SUMS]. Those of two tables are added up."""
    found = np.zeros((len(features.columns), 1 + SUMS), np.uint64)
    for row, name in enumerate(sorted(features.columns)):
        values = features[name].to_numpy(dtype="<f8") + 0.0  # -0.0 is 0.0, and this is a copy
        values[np.isnan(values)] = np.nan  # one bit pattern
        bits = values.view(np.uint64)
        found[row, 0] = len(bits)
        for number, start in enumerate(_STARTS):
            found[row, 1 + number] = _mixed(bits + start).sum(dtype=np.uint64)
    return found


def hash_of_sums(names: list[str], sums: np.ndarray) -> str:
    """What the upload ledger goes by. `names`: of the columns."""
    told = [[name, *row] for name, row in zip(sorted(names), sums.tolist(), strict=True)]
    return PREFIX + hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _mixed(bits: np.ndarray) -> np.ndarray:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
