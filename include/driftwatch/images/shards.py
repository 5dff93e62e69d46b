"""How a day's listed objects fall into blocks and shards.

A block is BLOCK objects of the listing, in the order of their keys. Its accepted images are stored together, and the model answers
them together. A shard is a row of whole blocks. Blocks do not depend on shards, so the day's artifacts do not depend on how many shards
there were. A task handles a batch of shards, one after another: a day has any number of shards, and Airflow a limited number of tasks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BLOCK = 256
MOST_BATCHES = 1000  # Airflow maps a task at most 1,024 times by default ([core] max_map_length)


def not_done(folder: str, lacking: int, shards: int, task: str) -> str:
    """What to say where `task` has left nothing of so many of the day's `shards`. `folder`: where that would lie."""
    return f"{folder}: {task} has left nothing of {lacking} of {shards} shards: {again(task)}"


def again(task: str) -> str:
    """What to do about a shard's `task` that has to run again."""
    return (
        f"clear {task} and what follows it. Where Airflow shows one of its tasks as removed, since the day had fewer shards for a while, clearing does "
        "not bring it back: trigger the DAG with the day instead (docs/operate/rerun.md)"
    )


@dataclass(frozen=True)
class Shard:
    """The objects from `start` to before `stop` in the day's listing. It is `number` of `shards`, from 0. `run`: which run cut the day; empty where
    that does not matter."""

    number: int
    shards: int
    start: int
    stop: int
    run: str = ""

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


def objects_of_shard(shard_size: int) -> int:
    """How many objects a shard has: `shard_size`, rounded up to whole blocks."""
    return math.ceil(shard_size / BLOCK) * BLOCK


def shards_of(listed: int, shard_size: int, run: str = "") -> list[Shard]:
    """The day's shards: `shard_size` objects each, rounded up to whole blocks; fewer in the last."""
    each = objects_of_shard(shard_size)
    return [_shard(number, each, listed, run) for number in range(math.ceil(listed / each))]


def _shard(number: int, each: int, listed: int, run: str) -> Shard:
    return Shard(number, math.ceil(listed / each), number * each, min((number + 1) * each, listed), run)


@dataclass(frozen=True)
class Batch:
    """The shards that one task handles: those from `first` to before `stop` of a day of `listed` objects, with `each` in a shard."""

    first: int
    stop: int
    each: int
    listed: int
    run: str = ""

    @property
    def shards(self) -> list[Shard]:
        """Its shards."""
        return [_shard(number, self.each, self.listed, self.run) for number in range(self.first, self.stop)]

    @property
    def name(self) -> str:
        """What the UI calls it: the name of its one shard, or `shards 6 to 10 of 5,000, files 101,121 to 202,240`."""
        shards = self.shards
        if len(shards) == 1:
            return shards[0].name
        return (
            f"shards {self.first + 1:,} to {self.stop:,} of {shards[0].shards:,}, "
            f"files {shards[0].start + 1:,} to {shards[-1].stop:,}"
        )


def batches_of(shards: Sequence[Shard]) -> list[Batch]:
    """A batch for each shard of a day; where these would be more than MOST_BATCHES, of several shards each."""
    size = math.ceil(len(shards) / MOST_BATCHES)
    each, listed, run = shards[0].stop, shards[-1].stop, shards[0].run
    return [
        Batch(first, min(first + size, len(shards)), each, listed, run) for first in range(0, len(shards), max(1, size))
    ]
