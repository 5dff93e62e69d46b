"""Publishes a day's profiles, each content once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.exceptions import AirflowSkipException

from driftwatch_airflow.buttons import CorrectionLink, MonitorPageLink, WhyLabsProfileLink
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.old_names import old_names
from driftwatch_airflow.paths import correction_page
from driftwatch_airflow.sinks import keep_whylabs_monitors, open_sinks

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.lineage.datasets import Lineage
    from driftwatch.publish.errors import PublishConflict
    from driftwatch.publish.upload import Profile

__getattr__ = old_names(__name__, {"UploadToWhyLabsOperator": "PublishOperator"})


class PublishOperator(DayOperator):
    """Publishes the day's feature profile, or its performance, to each sink of the monitor.

    The upload ledger notes what was sent. The same content is never sent twice. Content that has changed is refused unless the run's
    `revise` is set. With the features, the reference profile of the day's model is sent too, once for each version, and the monitors at
    WhyLabs are made to agree with the monitor file and the champion. A dry run sends nothing.

    :param kind: `features` or `performance`.
    :param changed: what to do with content that has changed since it was published, without the run's `revise`: `refuse` it, `keep` what
        was published, as a later task corrects it, or `revise` that.
    """

    operator_extra_links = (MonitorPageLink(), WhyLabsProfileLink(), CorrectionLink())

    def __init__(
        self,
        *,
        kind: Literal["features", "performance"],
        changed: Literal["refuse", "keep", "revise"] = "refuse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.changed = changed

    def execute(self, context: Context) -> list[dict[str, str | int]]:
        if context["params"].get("dry_run"):
            raise AirflowSkipException(f"dry_run: the {self.kind} profile of {self.day} was not published")
        results = self._publish(context)
        self._show_profile(context)
        if self.kind == "features":
            keep_whylabs_monitors(self.monitor)
        return results

    def _publish(self, context: Context) -> list[dict[str, str | int]]:
        """Sends the content to each sink. Returns what was done at each."""
        from driftwatch.artifacts.ingest import Ingest
        from driftwatch.publish.errors import PublishConflict
        from driftwatch.publish.references import publish_reference
        from driftwatch.publish.upload import publish_each

        if not self.monitor.publish.sinks:
            self.log.info("publish.sinks of %s is empty: nothing is published", self.monitor.name)
            return []
        profiles = self._profiles()
        revise = bool(context["params"].get("revise")) or self.changed == "revise"
        results: list[dict[str, str | int]] = []
        for sink in open_sinks(self.monitor):
            if self.kind == "features":
                publish_reference(self.store, sink, self.of_day.read(Ingest).model_version)
            try:
                sent = publish_each(self.storage, self.keys.published, sink, profiles, revise=revise)
            except PublishConflict as error:
                if self.changed == "keep":
                    self.log.warning(
                        "%s stays as it was published, until the day's labels are complete: %s", self.kind, error
                    )
                    continue
                raise self._with_a_way_out(context, error) from error
            for profile, done in zip(profiles, sent, strict=True):
                log_decision(
                    self.log,
                    "profile_published",
                    f"{profile.kind} to {sink.name}: {done.state} as {done.upload_id}",
                    monitor=self.monitor.name,
                    day=self.day,
                    kind=profile.kind,
                    sink=sink.name,
                    state=done.state,
                    upload_id=done.upload_id,
                    revision=done.revision,
                )
            done = sent[0]
            results.append(
                {"sink": sink.name, "state": done.state, "upload_id": done.upload_id, "revision": done.revision}
            )
        return results

    def _show_profile(self, context: Context) -> None:
        """Shows the button that leads to the day's profile at WhyLabs, if it is published there."""
        publishing = self.monitor.publish
        if "whylabs" in publishing.sinks:
            page = WhyLabsHook(publishing.connection, publishing.dataset).profile_url(self.date)
            if page:
                WhyLabsProfileLink().store(self, context, page)

    def _with_a_way_out(self, context: Context, error: PublishConflict) -> PublishConflict:
        """The same error, with what changed the day if that is known, and the address of the form that publishes a correction."""
        from driftwatch.artifacts.ingest import Ingest

        page = correction_page(self.monitor.name, self.day)
        CorrectionLink().store(self, context, page)
        late = self.of_day.read(Ingest).late
        changed = f"{late} images of {self.day} came after its sample was drawn. " if late else ""
        return type(error)(f"{changed}{error}. To clear this task does not set it: use the filled-in form at {page}")

    def _profiles(self) -> list[Profile]:
        """The profile of all images, and where `publish.segments` says so the one by segment."""
        from driftwatch.publish.segments import features_by_segment, performance_by_segment
        from driftwatch.publish.upload import Profile

        whole = Profile(self.kind, self.date, *self._content())
        by_segment = features_by_segment if self.kind == "features" else performance_by_segment
        return [whole, *by_segment(self.of_day)]

    def _content(self) -> tuple[bytes, str]:
        """The profile, and the hash of what it describes."""
        from driftwatch.artifacts.accuracy import Performance
        from driftwatch.drift.day_profile import hash_of_day

        storage, keys = self.storage, self.keys
        if self.kind == "features":
            return storage.read_bytes(keys.feature_profile), hash_of_day(self.of_day)
        digest = self.of_day.read(Performance).content_hash
        if digest is None:
            raise AirflowSkipException(f"{self.day} has no labels, so there is no performance to publish")
        return storage.read_bytes(keys.performance_profile), digest

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.published(self.of_day, self.kind)
