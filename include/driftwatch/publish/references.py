"""The drift reference of a model version at a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.store import MonitorStore
from driftwatch.publish.upload import Profile, PublishResult, publish

if TYPE_CHECKING:
    from driftwatch.publish.base import Sink


def publish_reference(store: MonitorStore, sink: Sink, version: str) -> PublishResult:
    """Uploads the reference profile of a model version, once: the version has a ledger of its own."""
    from driftwatch.drift.image_quality import reference_profile
    from driftwatch.drift.whylogs_profiles import content_hash

    features = store.storage.read_table(store.keys.reference_features(version))
    digest = content_hash(features.drop(columns="image_id", errors="ignore"))
    profile = reference_profile(store, version)
    # A reference has no day of its own: it carries the monitor's first.
    dated = store.config.schedule.start_date
    reference = Profile("reference", dated, profile, digest, version)
    return publish(store.storage, store.keys.reference_published(version), sink, reference)
