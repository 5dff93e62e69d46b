"""Images that two shards of a day accepted: the later one is a duplicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.images.one_pass import DUPLICATE, QUARANTINED

if TYPE_CHECKING:
    from driftwatch.storage import Storage


def in_several(storage: Storage, keys: Sequence[str]) -> np.ndarray:
    """The first 64 bits of the ids that may be in more than one shard, uint64. No more than that is in memory at once."""
    found = []
    for key in keys:
        ids = storage.read_arrow(key, ["image_id"])["image_id"].drop_null()
        found.append(np.unique(_first_bits(ids.to_pylist())))
    values, counts = np.unique(np.concatenate(found), return_counts=True)
    return values[counts > 1]


def _first_bits(ids: Sequence[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(image_id[:16] for image_id in ids)), ">u8").astype(np.uint64)


def without_copies(part: pa.Table, shared: np.ndarray, firsts: dict[str, str]) -> pa.Table:
    """`part`, where an image that an earlier object of the day has is marked as a duplicate. `firsts`: by image id, the key of each
    image that may come again; those of this part are added."""
    ids, status, reasons = (part[name].to_pylist() for name in ("image_id", "status", "reason"))
    known = [image_id is not None for image_id in ids]
    again = np.zeros(len(ids), bool)
    again[known] = np.isin(_first_bits([image_id for image_id in ids if image_id]), shared)
    for row in np.flatnonzero(again):
        if status[row] == QUARANTINED:
            continue
        key = part["key"][row].as_py()
        first = firsts.setdefault(ids[row], key)
        if first != key:
            status[row], reasons[row] = DUPLICATE, f"same bytes as {first}"
    for name, values in (("status", status), ("reason", reasons)):
        part = part.set_column(part.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return part
