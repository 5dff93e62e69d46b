"""A step of some of the shards of a day that is too large for one task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from driftwatch.images.shards import Shard

SHARD_NAME = "{{ task.shard['name'] }}"


class ShardOperator(DayOperator):
    """A step of a batch of shards of a day, one shard after another.

    :param shard: one of the batches that `ingest_images` returned.
    """

    template_fields: Sequence[str] = ("day", "shard")

    def __init__(self, *, shard: XCom, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def shards_of_task(self) -> list[Shard]:
        """The batch's shards as the domain's own type."""
        from driftwatch.images.shards import Batch

        return Batch(**{name: value for name, value in self.shard.items() if name != "name"}).shards


def sum_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The counts of several shards together."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
