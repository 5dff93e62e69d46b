"""Keys in folders that others name: each is one path, and none escapes its folder."""

from __future__ import annotations

from datetime import date

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.nested_keys import (
    CheckpointKeys,
    LedgerKeys,
    LocalSinkKeys,
    OutboxKeys,
    ShownKeys,
    file_name,
    lock_of,
    run_key,
)

LAYOUT, DAY = MonitorKeys("demo"), date(2026, 1, 10)


def test_the_ledgers_payloads_lie_beside_it_also_after_the_monitor_got_another_name():
    keys = LedgerKeys(LAYOUT.day(DAY).published)
    assert (
        keys.payload("features", "0123456789abcdef0123")
        == "demo/days/2026-01-10/published/features-0123456789abcdef.bin"
    )
    assert (
        keys.kept_payload("old/days/2026-01-10/published/features-0.bin")
        == "demo/days/2026-01-10/published/features-0.bin"
    )


def test_notes_of_who_was_told_are_no_alerts():
    keys = OutboxKeys(LAYOUT.day(DAY).outbox)
    assert keys.alert("drift") == "demo/outbox/2026-01-10/drift.json"
    assert keys.note("drift-1", "mail") == "demo/outbox/2026-01-10/told/drift-1/mail.json"
    assert keys.lock("drift-1", "mail") == "demo/outbox/2026-01-10/told/drift-1/mail.lock"
    found = [keys.alert("drift"), keys.alert("told_late"), keys.note("drift-1", "mail")]
    assert keys.alerts_among(found) == found[:2]


def test_a_retrainings_folders_and_checkpoints():
    keys = LAYOUT.of_retraining(run_key("manual__2026-01-10T00:00:00+00:00"))
    assert keys.folder == "demo/retraining/manual__2026-01-10T00-00-00-00-00"
    assert keys.attached_alert(DAY) == f"{keys.folder}/alerts/2026-01-10.json"
    assert keys.outbox == f"{keys.folder}/outbox"
    checkpoints = CheckpointKeys(keys.checkpoints)
    assert checkpoints.note == f"{keys.folder}/checkpoints/progress.json"
    assert checkpoints.file(checkpoints.epoch(3)) == f"{keys.folder}/checkpoints/epoch-0003.keras"


def test_the_local_sink_the_shown_images_and_the_small_helpers():
    sink = LocalSinkKeys(LAYOUT.local_profiles)
    assert sink.profile(DAY, "features") == "demo/profiles/2026-01-10/features.bin"
    assert sink.reference("v0001-0a1b2c3d") == "demo/profiles/reference/v0001-0a1b2c3d.bin"
    assert ShownKeys("demo/shown").image("0a", ".jpg") == "demo/shown/0a.jpg"
    assert (lock_of(LAYOUT.champion), file_name("a/b/c.jpg"), file_name("c.jpg")) == (
        "demo/models/champion.json.lock", "c.jpg", "c.jpg",
    )  # fmt: skip
