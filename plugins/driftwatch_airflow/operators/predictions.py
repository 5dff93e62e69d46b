"""The champion's answers for the day: of the whole day at once, or of each of its shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.shards import ShardOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class PredictShardOperator(ShardOperator):
    """The day's model on one shard's accepted images, from the inputs that ingest stored."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.models.predict import predict_shard

        storage = self.storage
        version = storage.read_json(self.keys.ingest)["model_version"]
        return predict_shard(self.of_day, version, self.shard_of_day())


class PredictLabelsOperator(DayOperator):
    """The day's model on every accepted image, from the inputs that ingest stored (of a day in shards, their answers joined);
    what its scores say of its accuracy, and drift of what it sees and answers.

    :param shards: the shards that `ingest_images` returned; none for a day that was taken in at once.
    """

    template_fields: Sequence[str] = ("day", "shards")

    def __init__(self, *, shards: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards = shards

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.accuracy.without_labels import estimate_day
        from driftwatch.drift.content_drift import judge_answers
        from driftwatch.models.predict import merge_predictions, predict_day
        from driftwatch.view.report import write_report

        storage = self.storage
        version = storage.read_json(self.keys.ingest)["model_version"]
        if self.shards:
            counts = merge_predictions(self.of_day, version, len(self.shards))
        else:
            counts = predict_day(self.of_day, version)
        estimate = estimate_day(self.of_day)
        self.log.info("Model %s: %s; by its own scores: %s", version, counts, estimate["accuracy"])
        drift = judge_answers(self.of_day, version)
        write_report(self.store, self.date)
        verdicts = {kind: drift[kind]["verdict"] for kind in ("content", "predictions")}
        if "drifted" in verdicts.values():
            facts = {"day": self.day, "report": storage.url(self.keys.report), **drift}
            send_alert(context, self.monitor, "drift", {**facts, "source": "drift_of_answers"})
        else:
            nothing_to_tell(self.monitor, self.day, "drift_of_answers")
        return {**counts, **verdicts}
