"""The upload ledger and the outbox are read as their models say, and written again to the byte."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.nested_keys import OutboxKeys
from driftwatch.artifacts.publishing import OutboxAlert, ToldNote, UploadLedger
from driftwatch.publish.local import LocalSink
from driftwatch.publish.outbox import Outbox
from driftwatch.publish.upload import Profile, publish
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole

LAYOUT = MonitorKeys("demo")
DAY = LAYOUT.day(date(2026, 1, 10))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_the_demos_files_are_read_whole(storage):
    storage.write_json(DAY.published, samples.LEDGER)
    read_whole(storage, DAY.published, UploadLedger)
    storage.write_json("alert.json", samples.ALERT)
    read_whole(storage, "alert.json", OutboxAlert)
    storage.write_json("note.json", samples.TOLD)
    read_whole(storage, "note.json", ToldNote)


def test_a_revised_day_and_a_reference_are_what_their_writer_writes(storage):
    sink = LocalSink(storage, "demo", LAYOUT.local_profiles)
    for content, revise in (("a", False), ("b", True)):
        publish(storage, DAY.published, sink, Profile("features", DAY.day, b"bytes", content * 64), revise=revise)
    states = [(one.state, one.revision, one.resent) for one in read_whole(storage, DAY.published, UploadLedger).uploads]
    assert states == [("replaced", 1, False), ("done", 2, True)]
    key = LAYOUT.reference_published("v0001-0a1b2c3d")
    publish(storage, key, sink, Profile("reference", DAY.day, b"bytes", "c" * 64, "v0001-0a1b2c3d"))
    (upload,) = read_whole(storage, key, UploadLedger).uploads
    assert (upload.kind, upload.reference, upload.day) == ("reference", "v0001-0a1b2c3d", DAY.day)


@pytest.mark.parametrize("day", ["2026-01-10", ""])
def test_an_alert_and_the_note_of_who_was_told_are_what_their_writer_writes(storage, day):
    keys = OutboxKeys(DAY.outbox)
    alert = OutboxAlert(id="drift-1", monitor="demo", day=day, kind="drift", subject="images changed", message="Look.")
    outbox = Outbox(storage, keys.folder)
    outbox.put("drift", alert)
    outbox.tell(alert, "mail", lambda: None)
    assert read_whole(storage, keys.alert("drift"), OutboxAlert).day == day
    assert read_whole(storage, keys.note("drift-1", "mail"), ToldNote) == ToldNote(to="mail", subject="images changed")
