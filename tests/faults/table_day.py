"""A day on s3:// whose labels come from a table there, followed until every image has one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from driftwatch.config import LabelsConfig
from driftwatch_airflow.operators.label_table import FollowLabelsOperator, MergeTableOperator, WaitForTableOperator
from driftwatch_airflow.operators.publish import PublishOperator

from .s3_world import S3Day
from .world import IMAGES


class TableDay(S3Day):
    """Its labels are complete, and no more are waited for: what cannot be read is tried again as Airflow tries a task."""

    def __post_init__(self) -> None:
        table = {
            "covers": "all",
            "path": f"{self.monitor.name}/truth/{{day}}.csv",
            "columns": {"key": "file", "label": "truth"},
            "settle_seconds": 0,
        }
        labels = LabelsConfig.model_validate({"backend": "table", "wait_days": 0, "table": table})
        self.monitor = self.monitor.model_copy(update={"labels": labels})
        super().__post_init__()
        rows = "".join(f"{number}.jpg,cat\n" for number in range(IMAGES))
        self.storage.write_bytes(f"{self.monitor.name}/truth/{self.day}.csv", f"file,truth\n{rows}".encode())

    def _steps(self, revise: bool) -> dict[str, Callable[[], Any]]:
        common = {"monitor": self.monitor, "day": self.day.isoformat()}
        operators = {
            "wait_for_annotations": WaitForTableOperator(task_id="wait_for_annotations", **common),
            "merge_annotations": MergeTableOperator(task_id="merge_annotations", **common),
            "follow_labels": FollowLabelsOperator(task_id="follow_labels", **common),
            "upload_correction": PublishOperator(
                task_id="upload_correction", kind="performance", changed="revise", **common
            ),
        }
        steps: dict[str, Callable[[], Any]] = {
            name: (lambda op=op: op.execute(self._context())) for name, op in operators.items()
        }
        return {**super()._steps(revise), **steps}

    @classmethod
    def tasks(cls) -> list[str]:
        images = ["ingest_images", "profile_features", "upload_features", "predict_labels"]
        judged = ["wait_for_annotations", "merge_annotations", "evaluate_performance", "upload_performance"]
        return [
            *images,
            *judged,
            "check_performance",
            "follow_labels",
            "tell_performance",
            "upload_correction",
            "day_done",
        ]

    def _without_names(self, data: bytes) -> str:
        return super()._without_names(data.replace((self.day + timedelta(days=1)).isoformat().encode(), b"next day"))
