"""A table that lies beside the images. One that may be half written is not read yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.storage.addresses import without_scheme
from driftwatch.storage.foreign_files import to_key

if TYPE_CHECKING:
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

# Of a table of one day that is missing.
LATER = ". Where it is written later than the day's run starts, raise images.wait_hours"
# A table that is written to for longer is left to the task's next try.
_WAITS = 5


class StillWritten(DriftwatchError):
    """Somebody may still write to the file: what is there may be half of it."""


class MissingTable(NeedsAttention):
    """The file is not there, or was opened and nothing is in it yet."""


class MissingColumns(NeedsAttention):
    """The file lacks columns."""


def seconds_until_settled(storage: Storage, key: str, settle_seconds: float) -> float:
    """For how long somebody may still write to the file: `settle_seconds` from when it was last written to. 0 where there is no file, for an object
    of an object store, which is whole from the start, and for a file of the far future: another clock wrote its time, which never comes."""
    age = _age(storage, key)
    if age is None or not -settle_seconds < age < settle_seconds:
        return 0.0
    return min(settle_seconds, settle_seconds - age)  # a clock that is a little ahead makes it younger than it can be


def _age(storage: Storage, key: str) -> float | None:
    """Seconds since the file was last written to, by this machine's clock."""
    written = storage.modified(key)
    return None if written is None else time.time() - written


@contextmanager
def settled(storage: Storage, key: str, settle_seconds: float | None) -> Iterator[None]:
    """For reading the file. Waits before that until nobody has written to it for `settle_seconds`. Raises StillWritten where it is written to again
    and again, and where it was written to while it was read, whatever the reader made of it.

    `settle_seconds` None: a table of all days, which may be added to at any time. It is not waited for, and what was read of it counts, unless the
    reader found a fault.
    """
    before = storage.stamp(key)  # first: what is written after that look is seen
    for _ in range(_WAITS):
        pause = seconds_until_settled(storage, key, settle_seconds or 0)
        if not pause:
            break
        logger.info("%s may still be written to (images.settle_seconds): reading it in %.0f s", storage.url(key), pause)
        time.sleep(pause)
        before = storage.stamp(key)
    else:
        raise _still_written(storage, key)
    with unchanged(storage, key, before, faults_alone=settle_seconds is None):
        yield


@contextmanager
def unchanged(storage: Storage, key: str, before: str | None, faults_alone: bool = False) -> Iterator[None]:
    """For reading the file. Raises StillWritten where it was written to since its stamp was `before`. `faults_alone`: only in place of an error."""
    try:
        yield
    except Exception as error:  # not what ends the task
        if storage.stamp(key) != before:
            raise _still_written(storage, key) from error
        raise
    if not faults_alone and storage.stamp(key) != before:
        raise _still_written(storage, key)


def _still_written(storage: Storage, key: str) -> StillWritten:
    return StillWritten(
        f"{storage.url(key)} is still being written: run the task again when it is whole. A file that is written aside and then renamed is never half there"
    )


def path_in_table(root: str, value: object) -> str:
    """The path below the `root` of images (a stored key) that a table's field names. The field has that path, or a whole address: with `://`, or `/`
    at its beginning. It is taken as it stands, with its spaces, and made a key as a name in a listing is."""
    text, folder = to_key(value if isinstance(value, str) else text_of(value)), without_scheme(root)
    if not folder or not (text.startswith("/") or "://" in text):
        return text
    return text.partition(f"/{folder}/")[2] or text


def text_of(value: object) -> str:
    """A field as text, without spaces around it; an empty field is empty. 3.0 is 3: a table with gaps makes floats of whole numbers. Not for paths,
    which may have such spaces: see `path_in_table`."""
    if value is None or value != value:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
