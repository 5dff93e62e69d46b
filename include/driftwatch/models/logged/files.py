"""Finds and reads the files of a day's log, when nobody writes to them any more."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from driftwatch.artifacts.nested_keys import file_name
from driftwatch.config.logged import LoggedConfig
from driftwatch.errors import DriftwatchError, MissingArtifact
from driftwatch.images.table_file import StillWritten, seconds_until_settled
from driftwatch.storage import Storage, StoredObject

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A file that still changes after so many looks is left to the task's next try.
LOOKS = 5
_AHEAD = 4  # files
_WILD = re.compile(r"[*?]")


class NoLog(DriftwatchError):
    """Production has written no file for the day yet."""


@dataclass(frozen=True)
class LogPlace:
    """A day's log: the storage that has it, and the pattern that the keys of its files fit. `section`: of the monitor file, for messages."""

    storage: Storage
    pattern: str
    section: str = LoggedConfig.section

    @property
    def url(self) -> str:
        return self.storage.url(self.pattern)

    def find(self) -> Sequence[StoredObject]:
        """The files, sorted by key. Hidden ones, and marks such as _SUCCESS, are no files of a pattern with `*` or `?`."""
        folder = _WILD.split(self.pattern, maxsplit=1)[0].rpartition("/")[0]
        listed = self.storage.list(folder)
        if not _WILD.search(self.pattern):
            return [item for item in listed if item.key == self.pattern]
        fits = re.compile(_regex(self.pattern))
        return [item for item in listed if fits.fullmatch(item.key) and not file_name(item.key).startswith((".", "_"))]


def _regex(pattern: str) -> str:
    """`*` and `?` stay within one name; a part that is `**` stands for any number of folders."""
    found = re.escape(pattern).replace(r"\*\*/", "(?:[^/]+/)*")
    return found.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def place_of(settings: LoggedConfig, day: date, own: Storage, elsewhere: Callable[[str], Storage]) -> LogPlace:
    """Where the log of `day` lies. `own`: the monitor's storage; `elsewhere`: opens another one by its address."""
    scheme, mark, rest = settings.path_of(day).partition("://")
    if not mark:
        return LogPlace(own, scheme, settings.section)
    root, _, key = rest.partition("/")
    return LogPlace(elsewhere(f"{scheme}://{root or '/'}"), key, settings.section)


@dataclass(frozen=True)
class ReadFile:
    """A file's address, size and bytes. `settled`: nobody has written to it for a while, or an object store has it whole. `section`: as of
    its place."""

    name: str
    data: bytes
    settled: bool
    section: str = LoggedConfig.section

    @property
    def task(self) -> str:
        """The task that reads the file."""
        return "predict_labels" if self.section == LoggedConfig.section else "wait_for_annotations"


def read_log(
    place: LogPlace, settle_seconds: float, parse: Callable[[ReadFile], T], begin: Callable[[], None] = lambda: None
) -> list[T]:
    """What `parse` makes of each file of the log, after nobody has written to it for `settle_seconds`. A few files are in memory at a time.
    `begin` is called before the first file, and again where the files changed while they were read, and are all read anew.

    Raises NoLog where there is none, and StillWritten where one changes again and again.
    """
    for look in range(LOOKS):
        listed = place.find()
        if not listed:
            raise NoLog(
                f"{place.url} is not there: production has written no log for the day. Run the task again when it has, or correct "
                f"{place.section}.path"
            )
        pause = max(seconds_until_settled(place.storage, item.key, settle_seconds) for item in listed)
        if pause > 0 and look < LOOKS - 1:
            logger.info(
                "%s may still be written to (%s.settle_seconds): looking again in %.0f s",
                place.url,
                place.section,
                pause,
            )
            time.sleep(pause)
            continue
        begin()
        found = _read(place, listed, settle_seconds, parse)
        if found is not None:
            return found
    raise StillWritten(
        f"{place.url} is still being written: its files changed while they were read, {LOOKS} times. Run the task again later; a log "
        "that is complete when it appears (written aside, then renamed) is never in the way"
    )


def _read(
    place: LogPlace, listed: Sequence[StoredObject], settle_seconds: float, parse: Callable[[ReadFile], T]
) -> list[T] | None:
    """What the files are parsed to; None where a file was changed, added or removed meanwhile."""
    stamps = _stamps(place.storage, listed)
    found = []
    for fetched in place.storage.iter_bytes([item.key for item in listed], _AHEAD):
        if isinstance(fetched.error, MissingArtifact):
            return None
        settled = not seconds_until_settled(place.storage, fetched.key, settle_seconds)
        found.append(parse(ReadFile(place.storage.url(fetched.key), fetched.data, settled, place.section)))
    return found if _stamps(place.storage, place.find()) == stamps else None


def _stamps(storage: Storage, listed: Sequence[StoredObject]) -> dict[str, str | None]:
    return {item.key: storage.stamp(item.key) for item in listed}
