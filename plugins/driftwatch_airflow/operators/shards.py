"""A step of one shard of a day that is too large for one task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from driftwatch.images.shards import Shard

SHARD_NAME = "{{ task.shard['name'] }}"


class ShardOperator(DayOperator):
    """A step of one shard of a day.

    :param shard: one of the shards that `ingest_images` returned.
    """

    template_fields: Sequence[str] = ("day", "shard")

    def __init__(self, *, shard: XCom, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def shard_of_day(self) -> Shard:
        """The shard as the domain's own type."""
        from driftwatch.images.shards import Shard

        return Shard(**{name: value for name, value in self.shard.items() if name != "name"})
