"""Files that a shard's task leaves for the day's, by names that say which blocks they are about and what these hold.

A try that was held up while the day was taken in again leaves a file about other images. Its name is another one, so it is not taken for the
day's, however many images it is about.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.images.inputs import DayInputs
    from driftwatch.images.shards import Shard

_NAME = re.compile(r"/\d+\.((\d+)-(\d+)-[0-9a-f]+)\.[^/]+$")
_DIGITS = 16


def digest_of(inputs: DayInputs, blocks: range) -> str:
    """What tells these blocks from others: a block is named by its images. Raises NeedsAttention where the day has no such blocks."""
    inputs.span(blocks)
    return hashlib.sha256("".join(f"{inputs.index.name(number)}\n" for number in blocks).encode()).hexdigest()


def shard_file(day: DayStore, inputs: DayInputs, shard: Shard, name: str) -> str:
    """The key of the shard's `name`. To be made before the images are read: an index that is read later may be of others."""
    return day.keys.shard(shard.number, f"{_told(inputs, shard.blocks)}.{name}")


def of_the_day(inputs: DayInputs, keys: Iterable[str]) -> list[str]:
    """Those of `keys`, in the order of the blocks, that are together about each block of the day once. Empty where there are none such."""
    found: dict[range, str] = {}
    for key in keys:
        if (match := _NAME.search(key)) and (blocks := range(int(match[2]), int(match[3]))).stop <= len(inputs.rows):
            found |= {blocks: key} if match[1] == _told(inputs, blocks) else {}
    order = sorted(found, key=lambda blocks: (blocks.start, blocks.stop))
    ends = [0, *(blocks.stop for blocks in order)]
    whole = [blocks.start for blocks in order] == ends[:-1] and ends[-1] == len(inputs.rows)
    return [found[blocks] for blocks in order] if whole else []


def _told(inputs: DayInputs, blocks: range) -> str:
    return f"{blocks.start}-{blocks.stop}-{digest_of(inputs, blocks)[:_DIGITS]}"
