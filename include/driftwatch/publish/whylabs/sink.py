"""Profiles sent to WhyLabs."""

from __future__ import annotations

from datetime import date

from driftwatch.artifacts.publishing import BY_SEGMENT, ProfileKind
from driftwatch.publish.base import SinkSite, Slot
from driftwatch.publish.whylabs.api import WhyLabsApi, whylabs_api

_A_FEATURE = "image.entropy"  # a column of every profile of features


class WhyLabsSink:
    """One dataset of a WhyLabs organisation. `delete_wait_seconds`: WhyLabs deletes within an hour as a rule; a task that
    waited in vain fails, and its retry goes on waiting."""

    name = "whylabs"

    def __init__(self, api: WhyLabsApi, delete_wait_seconds: float = 1200) -> None:
        self.api = api
        self.organisation = api.organisation
        self.dataset = api.need_dataset()
        self.delete_wait_seconds = delete_wait_seconds

    def reserve(self, kind: ProfileKind, day: date, idempotency_key: str, reference: str | None) -> Slot:
        if kind == "reference":
            return self.api.reserve_reference(reference or "", day, idempotency_key)
        return self.api.reserve_profile(day, idempotency_key, zipped=kind in BY_SEGMENT)

    def send(self, slot: Slot, payload: bytes) -> None:
        self.api.send(slot, payload)

    def delete_day(self, day: date) -> None:
        self.api.delete_day(day)

    def day_is_empty(self, day: date) -> bool:
        return not self.api.deletion_pending(day) and self.profile_count(day) == 0

    def profile_count(self, day: date) -> int:
        return self.api.profile_count(day)

    def counts_already(self, kind: ProfileKind, day: date) -> bool:
        # WhyLabs merges a profile by segment into the whole one's columns; it is sent after that one, which was asked about.
        if kind == "features":
            return bool(self.api.read_day(day, "count", column=_A_FEATURE))
        return kind == "performance" and self.api.read_day(day, "classification.accuracy") is not None


def whylabs_sink(site: SinkSite) -> WhyLabsSink:
    """The monitor's dataset at WhyLabs, by the connection that its file names."""
    publish = site.store.config.publish
    return WhyLabsSink(whylabs_api(site.access(publish.connection, "API key"), publish.dataset))
