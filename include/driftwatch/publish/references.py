"""The drift reference of a model version at a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.publish.publish import PublishResult, publish

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorLayout
    from driftwatch.config import MonitorConfig
    from driftwatch.publish.sinks import Sink
    from driftwatch.storage import Storage


def publish_reference(
    storage: Storage, layout: MonitorLayout, config: MonitorConfig, sink: Sink, version: str
) -> PublishResult:
    """Uploads the reference profile of a model version, once: the version has a ledger of its own."""
    from driftwatch.drift.whylogs_profiles import content_hash

    features = storage.read_table(layout.reference_features(version))
    digest = content_hash(features.drop(columns="image_id", errors="ignore"))
    profile = storage.read_bytes(layout.reference_profile(version))
    # A reference has no day of its own: it carries the monitor's first.
    dated = config.schedule.start_date
    return publish(
        storage, layout.reference_published(version), sink, "reference", dated, profile, digest, reference=version
    )
