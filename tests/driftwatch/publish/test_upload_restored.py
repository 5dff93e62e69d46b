"""A ledger that was restored from a backup older than what the sink has: nothing counts twice, and what was lost is sent again."""

from __future__ import annotations

import pytest

from driftwatch.publish.errors import PublishConflict
from driftwatch.storage import Storage, open_storage

from .doubles import KEY, A, B, CountingSink, P, send


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/now")


@pytest.fixture
def emptied(tmp_path) -> Storage:
    """Where a backup from before the day's first upload was restored."""
    return open_storage(f"file://{tmp_path}/restored")


class SentAfterTheBackup(CountingSink):
    """The storage is copied as it is when the first slot is given: the entry is pending, and is sent a moment later."""

    def __init__(self, keys: str, storage: Storage, backup: Storage) -> None:
        super().__init__(keys)
        self._storage, self._backup = storage, backup

    def reserve(self, *asked):
        if not self.slots:
            for item in self._storage.list("cats"):
                self._backup.write_bytes(item.key, self._storage.read_bytes(item.key))
        return super().reserve(*asked)


def test_a_key_that_the_sink_still_knows_is_ours_so_the_day_is_sent_anew_by_itself(storage, emptied):
    sink = CountingSink("refuse")
    send(storage, sink, A)
    send(storage, sink, P, "performance")

    assert send(emptied, sink, A).state == "revised"
    assert send(emptied, sink, P, "performance").upload_id in sink.received
    assert sink.counted() == {A: 1, P: 1}
    assert [send(emptied, sink, A).state, send(emptied, sink, P, "performance").state] == ["skipped"] * 2


@pytest.mark.parametrize("keys", ["replay", "forget"])
def test_where_nothing_says_whose_it_is_nothing_is_sent_or_deleted_until_the_run_says_revise(storage, emptied, keys):
    sink = CountingSink(keys)
    send(storage, sink, A)
    send(storage, sink, P, "performance")

    for _ in range(2):
        with pytest.raises(PublishConflict, match=r"days/2026-01-02/published\.json does not say.*parameter `revise`"):
            send(emptied, sink, A)
    assert sink.counted() == {A: 1, P: 1}
    assert send(emptied, sink, A, revise=True).state == "revised"
    assert send(emptied, sink, P, "performance").state == "uploaded"
    assert sink.counted() == {A: 1, P: 1}


@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
def test_a_kind_that_only_the_sink_knows_is_found_beside_one_that_the_ledger_knows(storage, emptied, keys):
    sink = CountingSink(keys)
    send(storage, sink, A)
    for item in storage.list("cats"):
        emptied.write_bytes(item.key, storage.read_bytes(item.key))
    send(storage, sink, P, "performance")

    assert send(emptied, sink, A).state == "skipped"
    send(emptied, sink, P, "performance", revise=True)
    assert sink.counted() == {A: 1, P: 1}


@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
def test_an_upload_that_the_backup_has_as_not_sent_yet_counts_once(storage, emptied, keys):
    sink = SentAfterTheBackup(keys, storage, emptied)
    send(storage, sink, A)
    assert emptied.read_json(KEY)["uploads"][0]["state"] == "pending"

    send(emptied, sink, A, revise=True)
    assert sink.counted() == {A: 1}


@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
def test_a_correction_that_the_backup_does_not_know_is_replaced_by_what_the_day_is_now(storage, emptied, keys):
    sink = CountingSink(keys)
    send(storage, sink, A)
    send(storage, sink, B, revise=True)

    send(emptied, sink, B, revise=True)
    assert sink.counted() == {B: 1}
