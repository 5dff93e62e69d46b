"""The day's features: their profile, and their drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.episodes import tell_images
from driftwatch_airflow.monitor import DayOperator, say_verdict
from driftwatch_airflow.old_names import old_names
from driftwatch_airflow.operators import shards
from driftwatch_airflow.reports import renew_report

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.lineage.datasets import Lineage

__getattr__ = old_names(
    __name__,
    {
        "SHARD_NAME": "driftwatch_airflow.operators.shards:SHARD_NAME",
        "ShardOperator": "driftwatch_airflow.operators.shards:ShardOperator",
        "IngestImagesOperator": "driftwatch_airflow.operators.ingest:IngestImagesOperator",
        "IngestShardOperator": "driftwatch_airflow.operators.ingest:IngestShardOperator",
        "MergeShardsOperator": "driftwatch_airflow.operators.ingest:MergeShardsOperator",
        "PredictLabelsOperator": "driftwatch_airflow.operators.predictions:PredictLabelsOperator",
        "PredictShardOperator": "driftwatch_airflow.operators.predictions:PredictShardOperator",
    },
)


class ProfileShardOperator(shards.ShardOperator):
    """Makes the shards' parts of the day's profile. `profile_features` joins the parts. A day that is small enough is profiled there at once."""

    def execute(self, context: Context) -> dict[str, int]:
        from driftwatch.drift.day_profile import profile_shard

        return {"images": sum(profile_shard(self.of_day, shard) for shard in self.shards_of_task())}

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.shards_profiled(self.of_day, self.shards_of_task())


class ProfileFeaturesOperator(DayOperator):
    """Writes the day's profile: whylogs' summary of each feature's values. Then tests the features for drift: whether they differ from the
    reference, which has the features of the images that the day's model was made for."""

    def execute(self, context: Context) -> dict[str, str | list[str]]:
        from driftwatch.artifacts.ingest import Ingest
        from driftwatch.drift.image_quality import profile_day

        day = self.of_day
        drift = profile_day(day, day.read(Ingest).model_version)
        tell_images(context, day, self.report_link)
        renew_report(day)
        assert drift.trend is not None  # only days of an early Driftwatch have none
        say_verdict(
            context, f"images {drift.verdict}, {len(drift.drifted_features)} of {len(drift.features)} features moved"
        )
        log_decision(
            self.log,
            "drift_verdict",
            f"Drift: {drift.verdict} ({drift.said})",
            monitor=self.monitor.name,
            day=self.day,
            kind="image_quality",
            verdict=drift.verdict,
            p_value=drift.p_value,
            images=drift.n,
            drifted_features=list(drift.drifted_features),
            drifted_segments=[f"{each.by}={each.name}" for each in drift.segments_that("drifted", "missing")],
            trend=drift.trend.verdict,
            reference_version=drift.reference_version,
        )
        return {
            "verdict": drift.verdict,
            "drifted_features": list(drift.drifted_features),
            "trend": drift.trend.verdict,
        }

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.profiled(self.of_day)
