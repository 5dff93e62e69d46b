"""One process at a time works on an upload ledger."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from driftwatch.errors import MissingArtifact

if TYPE_CHECKING:
    from driftwatch.storage import Storage

log = logging.getLogger(__name__)


@contextmanager
def exclusive(
    storage: Storage,
    key: str,
    beat_seconds: float = 20,
    stale_seconds: float = 120,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Holds the lock object `key`, and waits for it as long as its holder is alive.

    On file:// it is the operating system's lock on the file, which ends with the process. On s3:// it is an object that only one
    process can create (If-None-Match, which AWS, MinIO and Ceph honour). Its holder rewrites it every `beat_seconds`; one that
    has not changed for `stale_seconds` was left by a process that was killed, and is taken over.
    """
    path = storage.local_path(key)
    with _file_lock(path) if path is not None else _object_lock(storage, key, beat_seconds, stale_seconds, sleep):
        yield


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _object_lock(
    storage: Storage, key: str, beat_seconds: float, stale_seconds: float, sleep: Callable[[float], None]
) -> Iterator[None]:
    _take(storage, key, beat_seconds, stale_seconds, sleep)
    done = threading.Event()

    def beat() -> None:
        while not done.wait(beat_seconds):
            storage.write_bytes(key, _token())

    beating = threading.Thread(target=beat, name=f"lock {key}", daemon=True)
    beating.start()
    try:
        yield
    finally:
        done.set()
        beating.join()
        storage.delete(key)


def _take(
    storage: Storage, key: str, beat_seconds: float, stale_seconds: float, sleep: Callable[[float], None]
) -> None:
    seen, unchanged = b"", 0.0
    while not storage.create(key, _token()):
        try:
            found = storage.read_bytes(key)
        except MissingArtifact:
            continue  # released just now
        if found != seen:
            seen, unchanged = found, 0.0
        elif unchanged >= stale_seconds:
            log.warning("%s was left by a process that was killed, and is taken over", storage.url(key))
            storage.delete(key)
            continue
        else:
            log.info("Waiting for %s, which another task holds", storage.url(key))
        pause = beat_seconds / 4
        sleep(pause)
        unchanged += pause


def _token() -> bytes:
    return uuid.uuid4().hex.encode()
