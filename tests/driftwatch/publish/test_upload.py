"""A profile is published once, whatever fails, against a sink that counts."""

from __future__ import annotations

import itertools

import pytest

from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.nested_keys import LedgerKeys
from driftwatch.publish.errors import PublishConflict, PublishPending, SinkError
from driftwatch.publish.upload import Profile, publish
from driftwatch.storage import Storage, open_storage

from .doubles import DAY, KEY, A, B, CountingSink, P, hash_of, send


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_the_same_content_is_uploaded_once_and_skipped_with_a_word(storage, caplog):
    caplog.set_level("INFO")
    sink = CountingSink()
    first, second = send(storage, sink), send(storage, sink)

    assert (first.state, second.state) == ("uploaded", "skipped")
    assert first.upload_id == second.upload_id == "log-1"
    assert sink.counted() == {A: 1}
    assert (
        "Skipped features of 2026-01-02 (whylabs org-1/model-1): the same content was uploaded as log-1" in caplog.text
    )


def test_changed_content_is_refused_and_says_what_to_do(storage):
    sink = CountingSink()
    send(storage, sink)

    with pytest.raises(PublishConflict, match="count the day twice") as caught:
        send(storage, sink, B)
    assert Failure(task="upload_features", reason=str(caught.value)).needs_revision
    assert sink.counted() == {A: 1}


def test_a_revision_deletes_the_day_and_sends_the_other_kind_again(storage):
    sink = CountingSink(deletes_after=3)
    send(storage, sink, A)
    send(storage, sink, P, "performance")
    revised = send(storage, sink, B, revise=True)

    assert (revised.state, revised.revision) == ("revised", 2)
    assert sink.counted() == {B: 1, P: 1}
    assert send(storage, sink, P, "performance").state == "skipped"
    assert send(storage, sink, B, revise=True).state == "skipped"
    history = [(e["kind"], e["revision"], e["state"]) for e in storage.read_json(KEY)["uploads"]]
    assert history == [
        ("features", 1, "replaced"),
        ("performance", 1, "replaced"),
        ("features", 2, "done"),
        ("performance", 2, "done"),
    ]


def test_a_revision_waits_for_the_other_kind_to_be_made_anew_if_its_bytes_are_kept_no_more(storage):
    sink = CountingSink()
    send(storage, sink, A)
    send(storage, sink, P, "performance")
    for item in storage.list(LedgerKeys(KEY).payloads):
        storage.delete(item.key)

    assert send(storage, sink, B, revise=True).state == "revised"
    assert sink.counted() == {B: 1}
    assert send(storage, sink, P, "performance").state == "revised"
    assert sink.counted() == {B: 1, P: 1}


def test_going_back_to_earlier_content_is_a_revision_of_its_own(storage):
    sink = CountingSink()
    send(storage, sink, A)
    send(storage, sink, B, revise=True)
    again = send(storage, sink, A, revise=True)

    assert (again.state, again.revision) == ("revised", 3)
    assert sink.counted() == {A: 1}


def test_revise_without_anything_published_is_a_plain_upload(storage):
    sink = CountingSink()

    assert send(storage, sink, A, revise=True).state == "uploaded"
    assert sink.polls_left is None


def test_a_deletion_that_takes_too_long_fails_and_the_next_run_goes_on(storage):
    sink = CountingSink(deletes_after=10, delete_wait_seconds=30)
    send(storage, sink, A)
    with pytest.raises(PublishPending, match="run this task again later"):
        send(storage, sink, B, revise=True)
    assert sink.counted() == {A: 1}
    sink.deletes_after = 0

    assert send(storage, sink, B).state == "revised"
    assert sink.counted() == {B: 1}


def test_a_reference_is_uploaded_once_and_never_changes(storage):
    sink = CountingSink()
    key = "cats/reference/v1/published.json"

    def reference(payload: bytes, **more):
        profile = Profile("reference", DAY, payload, hash_of(payload), "v1")
        return publish(storage, key, sink, profile, **more)

    assert [reference(A).state, reference(A).state] == ["uploaded", "skipped"]
    with pytest.raises(PublishConflict, match="a model version's reference never changes"):
        reference(B, revise=True)
    with pytest.raises(ValueError, match="model version"):
        Profile("reference", DAY, A, hash_of(A))


@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
def test_a_failed_upload_fails_and_its_repetition_counts_once(storage, keys, uncertain):
    class Failing(CountingSink):
        fails = True

        def send(self, slot, payload):
            if uncertain or not self.fails:
                super().send(slot, payload)
            if self.fails:
                self.fails = False
                raise SinkError("HTTP 403", uncertain=uncertain)

    sink = Failing(keys)
    with pytest.raises(SinkError, match="403"):
        send(storage, sink)

    assert send(storage, sink).upload_id in sink.received
    assert sink.counted() == {A: 1}


FAILURES = {"arrived unheard": (True, True), "lost": (True, False), "refused": (False, False)}  # uncertain, arrived


@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
@pytest.mark.parametrize("failures", list(itertools.product(FAILURES, FAILURES)), ids=", then ".join)
def test_uploads_that_fail_in_different_ways_one_after_the_other_count_once(storage, keys, failures):
    left = list(failures)

    class Failing(CountingSink):
        def send(self, slot, payload):
            if not left:
                return super().send(slot, payload)
            uncertain, arrived = FAILURES[left.pop(0)]
            if arrived:
                super().send(slot, payload)
            raise SinkError("it failed", uncertain=uncertain)

    sink = Failing(keys)
    for _ in failures:
        with pytest.raises(SinkError, match="it failed"):
            send(storage, sink)
    done = send(storage, sink)
    assert sink.counted() == {A: 1}
    assert done.upload_id in sink.received
    assert send(storage, sink).state == "skipped"
