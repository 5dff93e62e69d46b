"""The morning of a day: take the images in, profile them, and let the champion answer."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import utcnow

from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch_airflow.alerts import send_alert
from driftwatch_airflow.monitor import DayOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class IngestImagesOperator(DayOperator):
    """Lists, checks and records every object of the day; each image is fetched and decoded once.

    The model version is fixed here: a repeated run keeps the one that the day was first judged by.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Waits for late deliveries where the run is a scheduled one, then takes the day in."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        delivered = datetime.combine(self.date, time.min, timezone.utc) + timedelta(
            days=1, hours=self.monitor.schedule.delivery_hours
        )
        if context["dag_run"].run_type == "scheduled" and utcnow() < delivered:
            self.log.info("Images of %s may arrive until %s (schedule.delivery_hours)", self.day, delivered)
            self.defer(trigger=DateTimeTrigger(moment=delivered), method_name="take_in")
        return self.take_in(context)

    def take_in(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Takes the day in; called by `execute`, or by the trigger that waited for late deliveries."""
        from driftwatch.images.ingest import ingest_day
        from driftwatch.model import registry

        storage, monitor = self.storage, self.monitor
        if storage.exists(self.keys.ingest):
            version = storage.read_json(self.keys.ingest)["model_version"]
        else:
            champion = registry.champion(storage, self.layout)
            if champion is None:
                raise NeedsAttention(
                    f"{storage.url(self.layout.champion)} does not exist: register a first model with "
                    f"`driftwatch champion train` or `driftwatch champion import` (README, 'Your own classifier')"
                )
            version = champion["version"]
        try:
            counts = ingest_day(storage, self.keys, monitor.images, monitor.model.input_size, version)
        except EmptyDay as error:
            send_alert(context, monitor, "empty_day", {"day": self.day, "reason": str(error)})
            if monitor.images.on_empty_day == "skip":
                raise AirflowSkipException(str(error)) from error
            raise
        except TooManyRejects as error:
            send_alert(
                context,
                monitor,
                "too_many_rejects",
                {"day": self.day, "reason": str(error), **storage.read_json(self.keys.ingest)},
            )
            raise
        self.log.info(
            "%s listed = %s accepted + %s duplicate + %s quarantined %s; model %s",
            counts["listed"],
            counts["accepted"],
            counts["duplicate"],
            counts["quarantined"],
            counts["reasons"],
            version,
        )
        return counts


class ProfileFeaturesOperator(DayOperator):
    """Writes the day's whylogs profile, and tests its features for drift against the reference of the day's model."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.profiling.drift import profile_day
        from driftwatch.report import write_report

        storage = self.storage
        version = storage.read_json(self.keys.ingest)["model_version"]
        drift = profile_day(storage, self.keys, self.layout, self.monitor, version)
        write_report(storage, self.layout, self.date, self.monitor)
        if drift["verdict"] == "drifted" or drift["trend"]["crossed"]:
            send_alert(
                context, self.monitor, "drift", {**drift, "day": self.day, "report": storage.url(self.keys.report)}
            )
        else:
            self.log.info("Drift: %s (p = %s, %s images)", drift["verdict"], drift["p_value"], drift["n"])
        return {
            "verdict": drift["verdict"],
            "drifted_features": drift["drifted_features"],
            "trend": drift["trend"]["verdict"],
        }


class PredictLabelsOperator(DayOperator):
    """The day's model on every accepted image, from the inputs that ingest stored; what its scores say of its accuracy, and
    drift of what it sees and answers."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.model.predict import predict_day
        from driftwatch.performance.without_labels import estimate_day
        from driftwatch.profiling.content_drift import judge_answers
        from driftwatch.report import write_report

        storage = self.storage
        version = storage.read_json(self.keys.ingest)["model_version"]
        counts = predict_day(storage, self.keys, self.layout, self.monitor, version)
        estimate = estimate_day(storage, self.keys, self.layout, self.monitor)
        self.log.info("Model %s: %s; by its own scores: %s", version, counts, estimate["accuracy"])
        drift = judge_answers(storage, self.keys, self.layout, self.monitor, version)
        write_report(storage, self.layout, self.date, self.monitor)
        verdicts = {kind: drift[kind]["verdict"] for kind in ("content", "predictions")}
        if "drifted" in verdicts.values():
            facts = {"day": self.day, "report": storage.url(self.keys.report), **drift}
            send_alert(context, self.monitor, "drift", facts)
        return {**counts, **verdicts}
