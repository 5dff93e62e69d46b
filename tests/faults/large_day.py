"""A day on s3:// with the limits so low that it is a very large one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import pytest

from .s3_world import BUCKET, S3Day


class LargeDay(S3Day):
    """A day in shards that is treated as a very large one: its images lie in two folders, one with the marker that consoles leave, and these are
    listed one by one; a task takes two shards; the profile is merged, a sample of three images is judged, and tables are read by ranges."""

    shards = True
    _LIMITS: ClassVar[dict[str, int]] = {
        "storage.listing.PAGE": 2,
        "storage.tables.ROWS": 2,
        "storage.tables._FOOTER_BYTES": 64,
        "images.shards.MOST_BATCHES": 2,
        "images.judged.MOST": 3,
        "drift.day_profile.EXACT_ROWS": 2,
    }

    def __post_init__(self) -> None:
        import boto3

        super().__post_init__()
        marker = f"{self.monitor.name}/{self.keys.incoming}/hour=0/"
        boto3.client("s3").put_object(Bucket=BUCKET, Key=marker, Body=b"")

    def _deliver(self, name: str, data: bytes) -> None:
        """So that the merge finds a copy in a block with other images, and one alone: it writes the one block again, and removes the other."""
        super()._deliver(f"hour={int(name > '3')}/{name}", data)
        if name == "copy.jpg":
            super()._deliver("hour=1/zopy.jpg", data)

    def _steps(self, revise: bool) -> dict[str, Callable[[], Any]]:
        return {name: partial(self._as_large, step) for name, step in super()._steps(revise).items()}

    def _as_large(self, step: Callable[[], Any]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._LIMITS.items():
                patch.setattr(f"driftwatch.{name}", value)
            step()
