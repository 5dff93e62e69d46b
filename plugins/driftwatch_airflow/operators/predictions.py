"""The day's model predicts the class of each image: of the whole day at once, or of each of its shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.ingest import Ingest
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.shards import ShardOperator
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class PredictShardOperator(ShardOperator):
    """Lets the day's model predict one shard's accepted images, from the inputs that ingest stored."""

    def execute(self, context: Context) -> XCom:
        from driftwatch.models.predict import predict_shard

        version = self.of_day.read(Ingest).model_version
        return {**predict_shard(self.of_day, version, self.shard_of_day())}


class PredictLabelsOperator(DayOperator):
    """Lets the day's model predict every accepted image, from the inputs that ingest stored. Joins the predictions of a day in shards.

    Then it estimates the accuracy from the model's scores (how sure it is of each answer), and tests for two kinds of drift: of content
    (what the images show) and of predictions (how often each class is answered).

    :param shards: the shards that `ingest_images` returned. Empty for a day that was taken in at once.
    """

    template_fields: Sequence[str] = ("day", "shards")

    def __init__(self, *, shards: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards = shards

    def execute(self, context: Context) -> XCom:
        from driftwatch.accuracy.without_labels import estimate_day
        from driftwatch.artifacts.alerts import AnswersDrifted
        from driftwatch.drift.content_and_predictions import judge_content_and_predictions
        from driftwatch.models.predict import merge_predictions, predict_day
        from driftwatch.view.report import write_report

        day = self.of_day
        version = day.read(Ingest).model_version
        counts = merge_predictions(day, version, len(self.shards)) if self.shards else predict_day(day, version)
        estimate = estimate_day(day)
        accuracy = estimate.accuracy.model_dump(mode="json", exclude_unset=True)
        self.log.info("Model %s: %s; by its own scores: %s", version, counts, accuracy)
        drift = judge_content_and_predictions(day, version)
        write_report(day)
        verdicts = {"content": drift.content.verdict, "predictions": drift.predictions.verdict}
        if "drifted" in verdicts.values():
            send_alert(context, self.monitor, AnswersDrifted(day=self.date, drift=drift), self.report_link)
        else:
            nothing_to_tell(self.monitor, self.day, AnswersDrifted.source)
        return {**counts, **verdicts}
