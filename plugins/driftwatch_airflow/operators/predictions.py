"""The answers to the day's images: the champion's, for the whole day at once or for each of its shards, or those in production's log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from driftwatch.config.model import LOGGED
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.episodes import tell_images
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.shards import ShardOperator, sum_counts
from driftwatch_airflow.reports import renew_report
from driftwatch_airflow.stores import log_storage
from driftwatch_airflow.waiting import look_again, of_log
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.lineage.datasets import Lineage
    from driftwatch.models.predict import PredictionCounts


class PredictShardOperator(ShardOperator):
    """Lets the day's model predict the accepted images of a batch of shards, from the inputs that ingest stored."""

    def execute(self, context: Context) -> XCom:
        from driftwatch.artifacts.ingest import Ingest
        from driftwatch.models.predict import predict_shard

        version = self.of_day.read(Ingest).model_version
        found = [predict_shard(self.of_day, version, shard) for shard in self.shards_of_task()]
        predictions = sum_counts(counts["predictions"] for counts in found)
        return {
            "images": sum(counts["images"] for counts in found),
            "model_version": version,
            "predictions": predictions,
        }

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.shards_predicted(self.of_day, self.shards_of_task())


class PredictLabelsOperator(DayOperator):
    """Lets the day's model predict every accepted image, from the inputs that ingest stored. Joins the predictions of a day in shards. With
    `model.predictions: logged` it reads production's log instead; a run of the schedule waits for the log without a worker's slot.

    Then it estimates the accuracy from the model's scores (how sure it is of each answer), and tests for two kinds of drift: of content
    (what the images show) and of predictions (how often each class is answered).

    :param shards: the batches of shards that `ingest_images` returned. Empty for a day that was taken in at once.
    """

    template_fields: Sequence[str] = ("day", "shards")

    def __init__(self, *, shards: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards = shards

    def execute(self, context: Context) -> XCom:
        return self.answer(context)

    def answer(self, context: Context, event: Any = None) -> XCom:
        """Called by `execute`, or by the trigger that waited for production's log."""
        from driftwatch.accuracy.without_labels import estimate_day
        from driftwatch.artifacts.ingest import Ingest
        from driftwatch.drift.content_and_predictions import judge_content_and_predictions

        day = self.of_day
        version = day.read(Ingest).model_version
        counts = self._answered(context, version)
        estimate = estimate_day(day)
        accuracy = estimate.accuracy.model_dump(mode="json", exclude_unset=True)
        self.log.info("Model %s: %s; by its own scores: %s", version, counts, accuracy)
        drift = judge_content_and_predictions(day, version)
        for kind, test in (("content", drift.content), ("predictions", drift.predictions)):
            log_decision(
                self.log,
                "drift_verdict",
                f"Drift of {kind}: {test.verdict} ({test.said})",
                monitor=self.monitor.name,
                day=self.day,
                kind=kind,
                verdict=test.verdict,
                p_value=test.p_value,
                images=test.n,
                reference_version=drift.reference_version,
            )
        tell_images(context, day, self.report_link)
        renew_report(day)
        verdicts = {"content": drift.content.verdict, "predictions": drift.predictions.verdict}
        return {**counts, **verdicts, **self._of_the_log()}

    def _answered(self, context: Context, version: str) -> PredictionCounts:
        """The counts of the day's predictions. Defers while production's log may still come."""
        from driftwatch.models.predict import merge_predictions, predict_day

        answer = partial(predict_day, self.of_day, version)
        if self.shards:
            answer = partial(merge_predictions, self.of_day, version, self.shards[-1]["stop"])
        if self.monitor.model.predictions != LOGGED:
            return answer()
        from driftwatch.images.table_file import StillWritten
        from driftwatch.models.logged.accounts import LogRefused
        from driftwatch.models.logged.files import NoLog

        try:
            return answer(elsewhere=partial(log_storage, self.monitor))
        except (NoLog, StillWritten, LogRefused) as error:
            look_again(self, context, error, of_log(self.monitor), "answer")
            raise

    def _of_the_log(self) -> XCom:
        """The counts of production's log, for XCom."""
        if self.monitor.model.predictions != LOGGED:
            return {}
        from driftwatch.artifacts.answers import Answers

        found = self.of_day.read(Answers)
        names = ("rows", "used", "earlier", "without_image", "refused", "unanswered", "versions")
        return {"log": {name: getattr(found, name) for name in names}}

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.predicted(self.of_day)
