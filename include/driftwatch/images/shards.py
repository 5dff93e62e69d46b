"""How a day's listed objects fall into blocks and shards.

A block is BLOCK objects of the listing, in the order of their keys. Its accepted images are stored together, and the model answers
them together. A shard is a row of whole blocks that one task handles. Blocks do not depend on shards, so the day's artifacts do not
depend on how many shards there were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BLOCK = 256
MOST_SHARDS = 1000  # Airflow maps a task at most 1,024 times by default ([core] max_map_length)


@dataclass(frozen=True)
class Shard:
    """The objects from `start` to before `stop` in the day's listing; `number` of `shards`, from 0."""

    number: int
    shards: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """What the UI calls it: `shard 2 of 10, files 1,025 to 2,048`."""
        return f"shard {self.number + 1} of {self.shards}, files {self.start + 1:,} to {self.stop:,}"

    @property
    def blocks(self) -> range:
        """The numbers of its blocks."""
        return range(self.start // BLOCK, blocks_of(self.stop))


def blocks_of(listed: int) -> int:
    """How many blocks that many objects make."""
    return math.ceil(listed / BLOCK)


def shards_of(listed: int, shard_size: int) -> list[Shard]:
    """The day's shards: `shard_size` objects each, rounded up to whole blocks. They are larger if there would be more than MOST_SHARDS."""
    each = max(math.ceil(shard_size / BLOCK), math.ceil(blocks_of(listed) / MOST_SHARDS)) * BLOCK
    starts = range(0, listed, each)
    return [Shard(number, len(starts), start, min(start + each, listed)) for number, start in enumerate(starts)]
