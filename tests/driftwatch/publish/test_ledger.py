"""The ledger: what it says of an upload, how it changes, and that sinks share it without meeting."""

from __future__ import annotations

import json
import uuid

import pytest

from driftwatch.artifacts.publishing import UploadLedger
from driftwatch.errors import DamagedArtifact
from driftwatch.publish.ledger import Ledger, altered
from driftwatch.publish.local import LocalSink
from driftwatch.storage import Storage, open_storage

from .doubles import DAY, KEY, A, B, CountingSink, P, hash_of, send


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_the_ledger_says_what_where_and_in_which_state_without_the_upload_url(storage):
    send(storage, CountingSink())

    (entry,) = storage.read_json(KEY)["uploads"]
    expected = {"sink": "whylabs", "organisation": "org-1", "dataset": "model-1", "day": "2026-01-02"}
    expected |= {"kind": "features", "content_hash": hash_of(A), "upload_id": "log-1", "state": "done", "revision": 1}
    assert expected.items() <= entry.items()
    assert "secret" not in json.dumps(entry)


def test_sinks_and_datasets_share_a_ledger_and_do_not_meet(storage):
    one, other = CountingSink(), CountingSink()
    other.dataset = "model-2"
    local = LocalSink(storage, "cats", "cats/published")
    for sink in (one, other, local):
        assert send(storage, sink).state == "uploaded"
    send(storage, one, B, revise=True)

    assert (one.counted(), other.counted()) == ({B: 1}, {A: 1})
    assert storage.read_bytes("cats/published/2026-01-02/features.bin") == A


def test_an_upload_keeps_its_key_through_all_states_and_has_another_with_each_attempt_and_revision(storage):
    ledger = Ledger(storage, KEY, CountingSink(), DAY)
    with ledger.locked():
        entry = ledger.add("features", None, hash_of(A), A)
    assert altered(entry, state="sending", upload_id="log-1").idempotency_key == entry.idempotency_key
    others = [{"attempt": 2}, {"revision": 2}, {"content_hash": hash_of(B)}, {"kind": "performance"}, {}]
    assert len({altered(entry, **more).idempotency_key for more in others}) == len(others)
    # What an earlier Driftwatch has sent must be found by the same key.
    parts = f"whylabs/org-1/model-1/2026-01-02/features/None/1/{hash_of(A)}/1"
    assert entry.idempotency_key == str(uuid.uuid5(uuid.UUID("0a0f7c52-6a8e-5c5b-9d0e-5f1f3f6a7d21"), parts))


def test_a_replaced_day_waits_with_new_content_and_the_old_uploads_are_history(storage):
    ledger = Ledger(storage, KEY, CountingSink(), DAY)
    with ledger.locked():
        first, second = ledger.add("features", None, hash_of(A), A), ledger.add("performance", None, hash_of(P), P)
        ledger.change(altered(first, state="done", upload_id="log-1"), altered(second, state="done", upload_id="log-2"))
        ledger.replace_day("features", hash_of(B), B)
    assert [(one.kind, one.revision, one.state, one.upload_id) for one in ledger.entries()] == [
        ("features", 1, "replaced", "log-1"),
        ("performance", 1, "replaced", "log-2"),
        ("features", 2, "waiting", None),
        ("performance", 2, "waiting", None),
    ]
    assert [ledger.payload(one) for one in ledger.live()] == [B, P]


def test_nothing_is_changed_without_the_lock(storage):
    ledger = Ledger(storage, KEY, CountingSink(), DAY)
    with pytest.raises(RuntimeError, match=r"open `with ledger.locked\(\)` first"):
        ledger.add("features", None, hash_of(A), A)
    assert not storage.exists(KEY)


@pytest.mark.parametrize("content", [b"{half", b"[]", b'{"uploads": [{"sink": "whylabs"}]}'])
def test_a_damaged_ledger_is_named_and_nobody_is_told_to_delete_it(storage, content):
    storage.write_bytes(KEY, content)
    with pytest.raises(DamagedArtifact, match=r"published\.json .*Restore it from a backup$"):
        send(storage, CountingSink())
    assert storage.read_bytes(KEY) == content


def test_a_ledger_says_its_schema_version(storage):
    send(storage, CountingSink())
    assert storage.read_json(KEY)["schema_version"] == UploadLedger.VERSION
