"""Publishes a day's profiles, each content once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.exceptions import AirflowSkipException

from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.monitor import DayOperator, MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.publishing.sinks import Sink


def sinks_of(operator: MonitorOperator) -> list[Sink]:
    """Where the operator's monitor publishes."""
    from driftwatch.publishing.sinks import LocalSink, WhyLabsSink

    settings, name = operator.monitor.publish, operator.monitor.name
    sinks: list[Sink] = []
    for sink in settings.sinks:
        if sink == "whylabs":
            sinks.append(WhyLabsSink(WhyLabsHook(settings.connection, settings.dataset).get_conn()))
        else:
            sinks.append(LocalSink(operator.storage, name, operator.layout.local_profiles))
    return sinks


def publish_reference(operator: MonitorOperator, sink: Sink, version: str) -> None:
    """Uploads the reference profile of a model version, once: the version has a ledger of its own."""
    from driftwatch.profiling.whylogs_profiles import content_hash
    from driftwatch.publishing.publish import publish

    storage, layout = operator.storage, operator.layout
    features = storage.read_table(layout.reference_features(version))
    digest = content_hash(features.drop(columns="image_id", errors="ignore"))
    profile = storage.read_bytes(layout.reference_profile(version))
    # A reference has no day of its own: it carries the monitor's first.
    dated = operator.monitor.schedule.start_date
    publish(storage, layout.reference_published(version), sink, "reference", dated, profile, digest, reference=version)


class UploadToWhyLabsOperator(DayOperator):
    """Uploads the day's feature profile, or its performance, to each sink of the monitor, through the upload ledger.

    The same content is never sent twice; a changed one is refused unless the run's `revise` is set. With the features goes the
    reference profile of the day's model, once for each version. On a dry run nothing is sent.

    :param kind: `features` or `performance`.
    """

    def __init__(self, *, kind: Literal["features", "performance"], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def execute(self, context: Context) -> list[dict[str, Any]]:
        from driftwatch.publishing.publish import publish

        if context["params"].get("dry_run"):
            raise AirflowSkipException(f"dry_run: the {self.kind} profile of {self.day} was not published")
        storage, keys = self.storage, self.keys
        payload, digest = self._content()
        revise = bool(context["params"].get("revise"))
        results = []
        for sink in sinks_of(self):
            if self.kind == "features":
                publish_reference(self, sink, storage.read_json(keys.ingest)["model_version"])
            done = publish(storage, keys.published, sink, self.kind, self.date, payload, digest, revise=revise)
            self.log.info("%s to %s: %s as %s", self.kind, sink.name, done.state, done.upload_id)
            results.append(
                {"sink": sink.name, "state": done.state, "upload_id": done.upload_id, "revision": done.revision}
            )
        return results

    def _content(self) -> tuple[bytes, str]:
        """The profile, and the hash of what it describes."""
        from driftwatch.profiling.whylogs_profiles import content_hash

        storage, keys = self.storage, self.keys
        if self.kind == "features":
            features = storage.read_table(keys.features).drop(columns="image_id")
            return storage.read_bytes(keys.feature_profile), content_hash(features)
        digest = storage.read_json(keys.performance).get("content_hash")
        if digest is None:
            raise AirflowSkipException(f"{self.day} has no labels, so there is no performance to publish")
        return storage.read_bytes(keys.performance_profile), digest
