"""The day's features: their profile, and their drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.monitor import DayOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


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
