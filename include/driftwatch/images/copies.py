"""Images that two shards of a day accepted: the later one is a duplicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.images.outcome import DUPLICATE, QUARANTINED

if TYPE_CHECKING:
    from driftwatch.storage import Storage

TABLES_AHEAD = 2  # of shards, of some MB each


def in_several(storage: Storage, keys: Sequence[str], listed: int) -> np.ndarray:
    """The first 64 bits of the ids that may be in more than one shard, uint64. `listed`: how many objects the shards have together. Each takes 8
    bytes of memory, and no more."""
    found, size = np.empty(listed, np.uint64), 0
    for table in storage.iter_arrow(keys, ["image_id"], TABLES_AHEAD):
        ids = table["image_id"].drop_null()
        of_shard = np.unique(first_bits(ids.to_pylist()))
        found[size : size + len(of_shard)] = of_shard
        size += len(of_shard)
    known = found[:size]
    known.sort()
    return np.unique(known[1:][known[1:] == known[:-1]])


def first_bits(ids: Sequence[str]) -> np.ndarray:
    """The first 64 bits of image ids, uint64."""
    return np.frombuffer(bytes.fromhex("".join(image_id[:16] for image_id in ids)), ">u8").astype(np.uint64)


def without_copies(part: pa.Table, shared: np.ndarray, firsts: dict[str, str]) -> pa.Table:
    """`part`, where an image that an earlier object of the day has is marked as a duplicate. `firsts`: by image id, the key of each
    image that may come again; those of this part are added."""
    ids, status, reasons = (part[name].to_pylist() for name in ("image_id", "status", "reason"))
    known = [image_id is not None for image_id in ids]
    again = np.zeros(len(ids), bool)
    again[known] = np.isin(first_bits([image_id for image_id in ids if image_id]), shared)
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
