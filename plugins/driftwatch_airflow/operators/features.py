"""The morning of a day: take the images in, profile them, and let the champion answer.

A day of one shard goes through `ingest_images` and `predict_labels` alone. Of a larger day `ingest_images` makes a plan,
`ingest_shards` and `predict_shards` are mapped over its shards, `merge_shards` and `predict_labels` make one day of their work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import utcnow

from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.run_days import OF_THE_SCHEDULE, whole_from
from driftwatch_airflow.ui import correction_page

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

COUNTS = "counts"  # XCom of a day that was taken in at once; of a larger one merge_shards returns them
SHARD_NAME = "{{ task.shard['name'] }}"


class IngestImagesOperator(DayOperator, SkipMixin):
    """Lists the day's objects; takes a day of one shard in, and cuts a larger one into the shards that it returns.

    The model version is fixed here: a repeated run keeps the one that the day was first judged by.

    :param for_shards: the ids of the tasks that only a day of several shards needs; they are skipped at once for others.
    :param about: the run's day, and why it is that one: the first line of the run's log, and among the task's rendered templates.
    """

    template_fields: Sequence[str] = ("day", "about")

    def __init__(
        self, *, for_shards: Sequence[str] = (), about: str = "{{ about_run(dag_run, params) }}", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.for_shards = for_shards
        self.about = about

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Waits until a day of the schedule is delivered, then takes it in; a run by hand is of one that is, or was told not to wait."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        from driftwatch.models.as_trained import refuse_other_champion

        self.log.info("This run is about %s", self.about)
        refuse_other_champion(self.store)
        delivered = whole_from(self.date, self.monitor.schedule)
        if context["dag_run"].run_type in OF_THE_SCHEDULE and utcnow() < delivered:
            self.log.info("Images of %s may arrive until %s (schedule.delivery_hours)", self.day, delivered)
            self.defer(trigger=DateTimeTrigger(moment=delivered), method_name="take_in")
        return self.take_in(context)

    def take_in(self, context: Context, event: Any = None) -> list[dict[str, Any]]:
        """Takes the day in or cuts it; called by `execute`, or by the trigger that waited for late deliveries."""
        from driftwatch.images.ingest import ingest_day, plan_day
        from driftwatch.images.listing import list_day
        from driftwatch.models.as_trained import as_trained, refuse_other_champion

        images = self.monitor.images
        refuse_other_champion(self.store)  # before the day is rewritten, or anything paid
        version = self._model_version()
        input_size = as_trained(self.store, version).model.input_size
        try:
            listed = list_day(self.of_day, images)
            shards = plan_day(self.of_day, images, input_size, version, listed)
            if not shards:
                counts = ingest_day(self.of_day, images, input_size, version, listed)
        except EmptyDay as error:
            send_alert(context, self.monitor, "empty_day", {"day": self.day, "reason": str(error)})
            if images.on_empty_day == "skip":
                raise AirflowSkipException(str(error)) from error
            raise
        except TooManyRejects as error:
            _tell_too_many_rejects(self, context, error)
            raise
        if shards:
            self.log.info("%s files in %s shards; model %s", len(listed), len(shards), version)
            return [{**asdict(shard), "name": shard.name} for shard in shards]
        nothing_to_tell(self.monitor, self.day, "delivery")
        _log_counts(self, counts)
        context["ti"].xcom_push(COUNTS, counts)
        dag = self.get_dag()
        if dag:
            # Now, rather than when the scheduler finds that there is nothing to map: the next tasks wait for nothing.
            self.skip(context["ti"], [dag.get_task(task_id) for task_id in self.for_shards])
        return []

    def _model_version(self) -> str:
        from driftwatch.models import registry

        if self.storage.exists(self.keys.ingest):
            return str(self.storage.read_json(self.keys.ingest)["model_version"])
        champion = registry.champion(self.store)
        if champion is None:
            raise NeedsAttention(
                f"{self.storage.url(self.layout.champion)} does not exist: register a first model with "
                f"`driftwatch champion train` or `driftwatch champion import` (README, 'Your own classifier')"
            )
        return str(champion["version"])


class ShardOperator(DayOperator):
    """A step of one shard of a day.

    :param shard: one of the shards that `ingest_images` returned.
    """

    template_fields: Sequence[str] = ("day", "shard")

    def __init__(self, *, shard: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def shard_of_day(self) -> Any:
        """The shard as the domain knows it."""
        from driftwatch.images.shards import Shard

        return Shard(**{name: value for name, value in self.shard.items() if name != "name"})


class IngestShardOperator(ShardOperator):
    """Takes one shard's images in."""

    def execute(self, context: Context) -> dict[str, int]:
        from driftwatch.images.ingest import ingest_shard

        return ingest_shard(self.of_day, self.monitor.images, self.shard_of_day())


class MergeShardsOperator(DayOperator):
    """Makes one day of what the shards took in: an image that came in two of them counts once."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.images.ingest import merge_shards

        try:
            counts = merge_shards(self.of_day, self.monitor.images)
        except TooManyRejects as error:
            _tell_too_many_rejects(self, context, error)
            raise
        nothing_to_tell(self.monitor, self.day, "delivery")
        _log_counts(self, counts)
        return counts


class ProfileFeaturesOperator(DayOperator):
    """Writes the day's whylogs profile, and tests its features for drift against the reference of the day's model."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.drift.drift import profile_day
        from driftwatch.view.report import write_report

        storage = self.storage
        version = storage.read_json(self.keys.ingest)["model_version"]
        drift = profile_day(self.of_day, version)
        write_report(self.store, self.date)
        if drift["verdict"] == "drifted" or drift["trend"]["crossed"]:
            send_alert(
                context, self.monitor, "drift", {**drift, "day": self.day, "report": storage.url(self.keys.report)}
            )
        else:
            nothing_to_tell(self.monitor, self.day, "drift")
            self.log.info("Drift: %s (p = %s, %s images)", drift["verdict"], drift["p_value"], drift["n"])
        return {
            "verdict": drift["verdict"],
            "drifted_features": drift["drifted_features"],
            "trend": drift["trend"]["verdict"],
        }


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


def _log_counts(operator: DayOperator, counts: dict[str, Any]) -> None:
    operator.log.info(
        "%s listed = %s ignored + %s accepted + %s duplicate + %s quarantined %s; model %s",
        counts["listed"],
        counts.get("ignored", 0),
        counts["accepted"],
        counts["duplicate"],
        counts["quarantined"],
        counts["reasons"],
        counts["model_version"],
    )
    if counts.get("late"):
        operator.log.warning(
            "%s of the %s accepted images came after the day's sample was drawn. Features, drift and predictions count them; the sample "
            "and with it the accuracy are of the others. What was published changes with them: %s",
            counts["late"],
            counts["accepted"],
            correction_page(operator.monitor.name, operator.day),
        )


def _tell_too_many_rejects(operator: DayOperator, context: Context, error: TooManyRejects) -> None:
    counts = operator.storage.read_json(operator.keys.ingest)
    send_alert(context, operator.monitor, "too_many_rejects", {"day": operator.day, "reason": str(error), **counts})
