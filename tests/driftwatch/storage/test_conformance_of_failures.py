"""What every kind of storage does with keys that leave the root, with errors, and with kills: part of the conformance test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from driftwatch.errors import DriftwatchError, StorageFailed, StorageRefused
from driftwatch.outside import watching
from driftwatch.storage import Storage

CALLS: dict[str, Callable[[Storage, str], object]] = {
    "exists": lambda storage, key: storage.exists(key),
    "stamp": lambda storage, key: storage.stamp(key),
    "stamps": lambda storage, key: storage.stamps(key, ["a"]),
    "list": lambda storage, key: storage.list(key),
    "folders": lambda storage, key: storage.folders(key),
    "read_bytes": lambda storage, key: storage.read_bytes(key),
    "read_range": lambda storage, key: storage.read_range(key, 0, 1),
    "read_stored": lambda storage, key: storage.read_stored(key),
}
CHANGES: dict[str, Callable[[Storage, str], object]] = {
    "write_bytes": lambda storage, key: storage.write_bytes(key, b"new"),
    "writing": lambda storage, key: _write(storage, key),
    "replace": lambda storage, key: storage.replace(key, b"new", storage.read_stored(key)),
    "copy": lambda storage, key: storage.copy("m/source", key),
    "delete": lambda storage, key: storage.delete(key),
}


def _write(storage: Storage, key: str) -> None:
    with storage.writing(key) as file:
        file.write(b"new")


@pytest.mark.parametrize("call", [*CALLS.values(), *CHANGES.values()], ids=[*CALLS, *CHANGES])
@pytest.mark.parametrize("key", ["../up", "/abs", "", "a/../../b", ".."])
def test_a_key_that_leaves_the_root_is_refused(storage, key, call):
    storage.write_bytes("m/source", b"")
    if not key and call is CALLS.get("folders"):
        pytest.skip("of the root it tells the monitors")
    with pytest.raises(DriftwatchError, match="must be relative"):
        call(storage, key)


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_touches_the_outside_once_and_reading_does_not(storage, change):
    storage.write_bytes("m/source", b"new")
    storage.write_bytes("m/a", b"old")
    touched: list[tuple[str, str]] = []
    with watching(lambda moment, what: touched.append((moment, what))):
        for call in CALLS.values():
            call(storage, "m/a")
        assert touched == []
        CHANGES[change](storage, "m/a")
    (before, what), (after, same) = touched
    assert (before, after, same) == ("before", "after", what)
    assert what.startswith("storage ")
    assert what.endswith(" m/a")


@pytest.mark.parametrize("change", CHANGES)
def test_a_process_that_ends_before_a_change_has_changed_nothing(storage, change):
    storage.write_bytes("m/source", b"new")
    storage.write_bytes("m/a", b"old")

    def dies(moment: str, what: str) -> None:
        raise KeyboardInterrupt

    with watching(dies), pytest.raises(KeyboardInterrupt):
        CHANGES[change](storage, "m/a")
    assert storage.read_bytes("m/a") == b"old"


@pytest.fixture
def failing(storage, monkeypatch) -> Iterator[Callable[..., list[int]]]:
    """`failing(error, times)`: the kind's own reading fails so often; the list grows with each try."""
    monkeypatch.setattr("driftwatch.storage.errors.PAUSES", (0, 0))
    storage.write_bytes("m/a", b"bytes")
    read = storage._read

    def fail(error: Exception, times: int) -> list[int]:
        tries: list[int] = []

        def failed(path: str) -> bytes:
            tries.append(1)
            if len(tries) <= times:
                raise error
            return read(path)

        monkeypatch.setattr(storage, "_read", failed)
        return tries

    return fail


def test_what_passes_is_tried_again_and_what_stays_is_named(storage, failing):
    tries = failing(TimeoutError(), 2)
    assert storage.read_bytes("m/a") == b"bytes"
    assert len(tries) == 3
    tries = failing(TimeoutError(), 99)
    with pytest.raises(StorageFailed, match=rf"could not read {storage.uri}/m/a, however often it was asked"):
        storage.read_bytes("m/a")
    assert len(tries) == 3


def test_what_is_refused_is_for_a_person_and_is_not_tried_again(storage, failing):
    tries = failing(PermissionError(13, "Permission denied"), 99)
    with pytest.raises(
        StorageRefused, match=rf"may not read {storage.uri}/m/a \(Permission denied\): give the user that runs this"
    ):
        storage.read_bytes("m/a")
    assert len(tries) == 1


def test_a_mistake_in_a_program_is_raised_as_it_is(storage, failing):
    tries = failing(ZeroDivisionError(), 99)
    with pytest.raises(ZeroDivisionError):
        storage.read_bytes("m/a")
    assert len(tries) == 1
