"""A write to a folder's storage that is killed as a process is: nothing of it is put away."""

from __future__ import annotations

import os
import signal

from driftwatch.storage import Storage


def killed_write(storage: Storage, key: str, data: bytes) -> str:
    """Returns the key of what it left."""
    before = {item.key for item in storage.unfinished(key.rpartition("/")[0])}
    child = os.fork()
    if child == 0:
        try:
            with storage.writing(key) as file:
                file.write(data)
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    (left,) = {item.key for item in storage.unfinished(key.rpartition("/")[0])} - before
    return left
