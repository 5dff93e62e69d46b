"""What waits on the local disk, in files without a name that the system removes when the process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from driftwatch.errors import DriftwatchError


class NoRoom(DriftwatchError):
    """The local disk does not take what has to wait there."""


@contextmanager
def keeping(what: str, fault: type[Exception] = OSError) -> Iterator[None]:
    """For writing on the local disk. Raises NoRoom for the `fault`."""
    try:
        yield
    except fault as error:
        raise NoRoom(
            f"{what} cannot be kept on the local disk ({error}): free some of its folder for temporary files, or let TMPDIR name another one"
        ) from error
