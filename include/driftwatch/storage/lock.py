"""One process at a time, on file:// and on s3://."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.storage.entries import Stored

if TYPE_CHECKING:
    from typing import TextIO

    from driftwatch.storage.base import Storage

log = logging.getLogger(__name__)

# The object of a lock that nobody holds begins so. It is never deleted, since not every server has a conditional delete.
FREE = b"free"
_TRIES = 4
# The roots whose server was found to honour conditions, in this process.
_ASKED: set[str] = set()
_FIRST_LOOK, _LONGEST_LOOK = 0.25, 1.0


class LockLost(DriftwatchError):
    """Another process has the lock by now, or nobody can confirm that it is ours. Nothing more may be sent. A repeat waits for the lock."""


class LockHeld(DriftwatchError):
    """Another process has held the lock for longer than we wait."""


class Lock(Protocol):
    """A lock that is held."""

    def check(self) -> None:
        """Raises LockLost unless the lock is still ours. To be called before each outside send and each write."""


@contextmanager
def exclusive(
    storage: Storage,
    key: str,
    beat_seconds: float = 20,
    stale_seconds: float = 120,
    wait_seconds: float = 3600,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lock]:
    """Holds the lock `key`, and waits for it as long as its holder is alive, at most `wait_seconds` (LockHeld).

    On file:// it is the operating system's lock on the file, which ends with the process. On s3:// it is an object that names its
    holder, and each change of it is a conditional PUT, so that of those who try at once one succeeds. The holder rewrites it
    every `beat_seconds`; one that has not changed for `stale_seconds` was left by a process that was killed or is frozen, and is
    taken over. Raises LockLost at the end of a block that ran without error although the lock was lost.
    """
    path = storage.local_path(key)
    if path is not None:
        with _held_file(path, wait_seconds, sleep) as file_lock:
            yield file_lock
    else:
        lock = _ObjectLock(storage, key, beat_seconds, stale_seconds, sleep)
        lock.take(wait_seconds)
        with lock.kept():
            yield lock


@contextmanager
def _held_file(path: Path, wait_seconds: float, sleep: Callable[[float], None]) -> Iterator[_FileLock]:
    path.parent.mkdir(parents=True, exist_ok=True)
    waited, pause = 0.0, 0.01
    while True:
        with path.open("a+") as file:
            lock = _FileLock(path, file)
            if lock.take():
                try:
                    yield lock
                finally:
                    lock.release()
                return
            if waited >= wait_seconds:
                file.seek(0)
                raise LockHeld(_held_too_long(str(path), file.read(), waited))
        if pause >= _LONGEST_LOOK:
            log.info("Waiting for %s, which another task holds", path)
        sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_LOOK)


class _FileLock:
    def __init__(self, path: Path, file: TextIO) -> None:
        self._path, self._file = path, file

    def take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not self._is_the_file():
            return False  # it was removed between the opening and the locking
        self._file.truncate(0)
        self._file.write(_holder())
        self._file.flush()
        return True

    def check(self) -> None:
        if not self._is_the_file():
            raise LockLost(
                f"{self._path} was removed while this task held it: run the task again, it goes on from here"
            )

    def release(self) -> None:
        self._file.truncate(0)
        fcntl.flock(self._file, fcntl.LOCK_UN)  # a child process may still have the file open

    def _is_the_file(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._path))
        except FileNotFoundError:
            return False


class _ObjectLock:
    def __init__(
        self, storage: Storage, key: str, beat_seconds: float, stale_seconds: float, sleep: Callable[[float], None]
    ) -> None:
        self._storage, self._key = storage, key
        self._beat_seconds, self._stale_seconds, self._sleep = beat_seconds, stale_seconds, sleep
        self._token, self._beats = uuid.uuid4().hex, 0
        self._held: Stored | None = None
        self._one_beat = threading.Lock()
        self._done = threading.Event()

    def take(self, wait_seconds: float) -> None:
        """Returns once the lock is ours."""
        seen, unchanged, waited, longest = None, 0.0, 0.0, self._beat_seconds / 4
        pause = min(_FIRST_LOOK, longest)
        while True:
            found = self._storage.read_stored(self._key)
            if found != seen:
                seen, unchanged = found, 0.0
            free = found is None or found.data.startswith(FREE)
            if free or unchanged >= self._stale_seconds:
                if not free:
                    log.warning("%s was left by a process that was killed or is frozen: it is taken over", self._url)
                self._held = self._storage.replace(self._key, self._body(), found)
                if self._held:
                    self._refuse_server_without_conditions()
                    return
            if waited >= wait_seconds:
                raise LockHeld(_held_too_long(self._url, found.data.decode(errors="replace") if found else "", waited))
            log.info("Waiting for %s, which another task holds", self._url)
            self._sleep(pause)
            waited, unchanged, pause = waited + pause, unchanged + pause, min(2 * pause, longest)

    def _refuse_server_without_conditions(self) -> None:
        """Refuses a server that ignores the conditions of writes: it would give the lock to two processes."""
        if self._storage.uri in _ASKED:
            return
        never = Stored(b"", self._storage.never)
        if self._storage.replace(self._key, b"asked by " + self._body(), never):
            raise NeedsAttention(
                f"{self._url}: the server writes although the condition If-Match is false, so that two runs at once would pay twice: "
                "use one that honours it, as AWS S3, MinIO and Ceph do"
            )
        _ASKED.add(self._storage.uri)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Rewrites the lock (a beat) again and again until the end of the block, and then releases it."""
        beating = threading.Thread(target=self._keep_beating, name=f"lock {self._key}", daemon=True)
        beating.start()
        try:
            yield
        except BaseException:
            self._stop(beating)
            with contextlib.suppress(LockLost):  # the block's own error says more
                self._release()
            raise
        self._stop(beating)
        self._release()

    def check(self) -> None:
        """Makes a beat now. It proves that the lock is ours, and it leaves `stale_seconds` for what is sent next."""
        self._insist(self._beat)

    def _stop(self, beating: threading.Thread) -> None:
        self._done.set()
        beating.join()

    def _keep_beating(self) -> None:
        pause = self._beat_seconds
        while not self._done.wait(pause):
            try:
                self._beat()
                pause = self._beat_seconds
            except LockLost as error:
                log.error("%s", error)
                return
            except Exception as error:
                # The lock stays ours until another process takes it over. The next beat that gets through will tell.
                log.warning("%s could not be renewed, and is tried again: %s", self._url, error)
                pause = self._beat_seconds / 4

    def _beat(self) -> None:
        with self._one_beat:
            # Only beats that were answered are counted, so that a repeat of a lost one writes the same bytes.
            kept = self._replace(self._body(self._beats + 1))
            self._held, self._beats = kept, self._beats + 1

    def _release(self) -> None:
        try:
            self._insist(lambda: self._replace(FREE + b" after " + self._body()))
        except LockUnconfirmed as error:
            log.warning("%s; others take it over in %.0f s", error, self._stale_seconds)

    def _replace(self, data: bytes) -> Stored:
        now = self._storage.replace(self._key, data, self._held) if self._held else None
        if now is None:
            self._held = None
            raise LockLost(
                f"{self._url} was taken over by another task, since this one did not answer for {self._stale_seconds:.0f} s: nothing "
                "more is sent; run the task again, it waits for the other and goes on from there"
            )
        return now

    def _insist(self, change: Callable[[], object]) -> None:
        for left in reversed(range(_TRIES)):
            try:
                change()
                return
            except LockLost:
                raise
            except Exception as error:
                if not left:
                    raise LockUnconfirmed(
                        f"{self._url} cannot be reached to see whether this task still holds it ({error}): nothing more is sent; run "
                        "the task again"
                    ) from error
                self._sleep(self._beat_seconds / 4)

    def _body(self, beats: int = 0) -> bytes:
        return f"{_holder()} {self._token} {beats}\n".encode()

    @property
    def _url(self) -> str:
        return self._storage.url(self._key)


class LockUnconfirmed(LockLost):
    """The storage does not answer whether the lock is still ours."""


def _holder() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"


def _held_too_long(lock: str, holder: str, seconds: float) -> str:
    return (
        f"{lock} has been held by {holder.strip() or 'another task'} for {seconds:.0f} s: see whether that task works or hangs, end it "
        "where it hangs, then run this one again"
    )
