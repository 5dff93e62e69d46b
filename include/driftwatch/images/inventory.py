"""A file that names a day's images (`images.layout.inventory`): read row by row, sorted on the local disk, never held whole.

An object that it names twice counts once. One that is not there is quarantined when it is read. One outside of `images.layout.paths` is
refused; an S3 Inventory has the whole bucket, and what is not the day's is left out.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from driftwatch.config.layout import path_regex
from driftwatch.errors import NeedsAttention
from driftwatch.images.table_file import settled, text_of
from driftwatch.images.table_rows import THEN, Columns, rows_of, small_file
from driftwatch.storage import StoredObject
from driftwatch.storage.addresses import split_address
from driftwatch.storage.elsewhere import Elsewhere, storage_of
from driftwatch.storage.foreign_files import from_key, to_key
from driftwatch.storage.spool import Spool

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.layout import InventoryConfig
    from driftwatch.images.layout import Place
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

_FIELD = "images.layout.inventory"
# What object stores and file systems allow at most: letters of a whole key, bytes of a path and of one part of it.
_KEY, _PATH, _NAME = 1024, 4096, 255


# The columns of an S3 Inventory: key, latest version, mark of what was deleted, size.
_OF_CSV = ("Key", "IsLatest", "IsDeleteMarker", "Size")
_OF_PARQUET = ("key", "is_latest", "is_delete_marker", "size")


class _Row(NamedTuple):
    """`place`: of the row, for messages. `name`: as it stands there, spaces too."""

    place: str
    name: str
    size: object


@dataclass(frozen=True)
class Inventory:
    """`storage` and `key`: the file. `place`: what it may name. `day`: of the images. `settle_seconds`: see `settled`."""

    storage: Storage
    key: str
    settings: InventoryConfig
    place: Place
    elsewhere: Elsewhere
    day: date
    settle_seconds: float

    @property
    def url(self) -> str:
        return self.storage.url(self.key)

    def objects(self) -> Generator[StoredObject, None, None]:
        """What it names, by stored keys in the order of names, each once. Raises MissingTable where the file is not there, and NeedsAttention for one
        that cannot be read, or that names what it may not. Raises StillWritten as `settled`."""
        twice, last = 0, ""
        with closing(Spool()) as spool:
            with settled(self.storage, self.key, self.settle_seconds):
                spool.fill(self.named())
            for item in spool:
                if item.key == last:
                    twice += 1
                    continue
                last = item.key
                yield item
        if twice:
            logger.warning("%s names %s objects more than once; each counts once", self.url, twice)

    def named(self) -> Iterator[StoredObject]:
        """What the file names of the day, as it comes, by names below the place. Raises NeedsAttention and MissingTable."""
        of_bucket = self.settings.of_bucket
        allowed = [re.compile(path_regex(from_key(pattern)) if pattern else "") for pattern in self.place.patterns]
        # A key of an object store may have an empty part, as the markers of folders have: it goes the way that it goes in a listing.
        odd = {".", ".."} if self.place.storage.remote else {"", ".", ".."}
        left_out = 0
        for row in self._of_s3() if of_bucket else self._listed():
            key = self._stored(row)
            name = from_key(self.place.key(key)) if key.startswith(self.place.stored("")) else ""
            if name and any(one.match(name) for one in allowed) and not odd & set(name.split("/")):
                why = _impossible(name, self.place.storage.remote)
                if why:
                    raise NeedsAttention(
                        f"{row.place} names {row.name!a:.200}, which nothing can be called: it {why}. Correct the row{THEN}"
                    )
                yield StoredObject(key, self._size(row))
            elif of_bucket:
                left_out += 1
            else:
                raise NeedsAttention(
                    f"{row.place} names {row.name!r:.200}, which does not lie in {self.place.said}: correct the file or "
                    f"images.layout.paths{THEN}"
                )
        if left_out:
            logger.info("%s names %s objects that do not lie in %s", self.url, left_out, self.place.said)

    def _stored(self, row: _Row) -> str:
        name = row.name
        if not name:
            raise NeedsAttention(f"{row.place} names no object: fill in {_FIELD}.key ({self.settings.key!r}){THEN}")
        if "://" in name:
            own = f"{self.place.storage.uri}/"
            return to_key(name) if self.place.at or not name.startswith(own) else to_key(name[len(own) :])
        return f"{self.place.root}/{to_key(name)}" if self.place.root else to_key(name)

    def _size(self, row: _Row) -> int:
        text = text_of(row.size)
        if not text:
            return 0  # it is known when the object is read
        if not re.fullmatch(r"\d{1,18}", text):
            raise NeedsAttention(
                f"{row.place} has the size {text!r:.80}, and a whole number of bytes is allowed: correct it{THEN}"
            )
        return int(text)

    def _listed(self) -> Iterator[_Row]:
        key, size = self.settings.key, self.settings.size
        remedy = f"Correct {_FIELD}.key and size, or the file"
        columns = Columns(key, (key, size) if size else (key,), remedy)
        for place, row in rows_of(self.storage, self.key, columns, _FIELD):
            yield _Row(place, _name(place, key, row), row[size] if size else None)

    def _of_s3(self) -> Iterator[_Row]:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html"""
        try:
            about: dict[str, Any] = json.loads(small_file(self.storage, self.key, _FIELD))
            bucket, form = about["sourceBucket"], about["fileFormat"]
            names = [name.strip() for name in about["fileSchema"].split(",")] if form == "CSV" else []
            target = about["destinationBucket"].rpartition(":")[2]
            files = [file["key"] for file in about["files"]]
            begun = datetime.fromtimestamp(int(about.get("creationTimestamp") or 0) / 1000, timezone.utc)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
            raise NeedsAttention(
                f"{self.url} is no manifest.json of an S3 Inventory ({type(error).__name__}: {error}): correct {_FIELD}.path"
            ) from error
        if form not in ("CSV", "Parquet"):
            raise NeedsAttention(f"{self.url} is of the format {form}: let the inventory be written as CSV or Parquet")
        theirs = split_address(self.place.storage.uri)[0]
        if theirs != f"s3://{bucket}":
            raise NeedsAttention(
                f"{self.url} is the inventory of the bucket s3://{bucket}, and images.layout.paths lies in {theirs}: correct {_FIELD}.path or "
                f"images.layout.paths{THEN}"
            )
        end = datetime.combine(self.day + timedelta(days=1), time(), timezone.utc)
        if about.get("creationTimestamp") and begun < end:
            raise NeedsAttention(
                f"{self.url} was begun at {begun:%Y-%m-%dT%H:%M:%SZ}, before the end of {self.day}, and lacks what came after. Raise {_FIELD}.days_later "
                f"({self.settings.days_later}), so that path leads to a report that is begun after the day: S3's next one is that of the next day{THEN}"
            )
        storage = self.elsewhere(f"s3://{target}")
        key, last, mark, size = _OF_CSV if form == "CSV" else _OF_PARQUET
        remedy = f"An S3 Inventory names its objects there. Correct {self.url}"
        columns = Columns(key, (key,), remedy, (last, mark, size), tuple(names) or None)
        for file in files:
            for place, row in rows_of(storage, file, columns, self.url):
                # A versioned bucket has every version, and marks of what was deleted.
                old = text_of(row.get(last, True)).lower() == "false"
                gone = text_of(row.get(mark, False)).lower() == "true"
                if not old and not gone:
                    name = _name(place, key, row)
                    yield _Row(place, f"s3://{bucket}/{unquote_plus(name) if names else name}", row.get(size))


def inventory_of(day: DayStore, place: Place) -> Inventory | None:
    """None where the day's images are listed."""
    layout = day.config.images.layout
    if layout is None or layout.inventory is None:
        return None
    storage, key = storage_of(layout.inventory.path_of(day.date), day.storage, day.monitor.elsewhere)
    return Inventory(
        storage, key, layout.inventory, place, day.monitor.elsewhere, day.date, day.config.images.settle_seconds
    )


def _name(place: str, field: str, row: Mapping[str, Any]) -> str:
    """The name as it stands in the row; empty where there is none. Bytes are UTF-8, or a name of a file system."""
    value = row[field]
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise NeedsAttention(
            f"{place} has {value!r:.80} as {field!r}, of the type {type(value).__name__}: a name is a text. Correct the file, or {_FIELD}.key{THEN}"
        )
    return value


def _impossible(name: str, remote: bool) -> str:
    """Why nothing in the storage can have this name; empty where it can."""
    try:
        data = name.encode("utf-8", "strict" if remote else "surrogateescape")
    except UnicodeEncodeError as error:
        return f"has {name[error.start]!a}, half of a letter's code or no UTF-8"
    if remote:
        return f"has {len(name)} letters, and a key has {_KEY} at most" if len(name) > _KEY else ""
    if b"\0" in data:
        return "has a NUL"
    longest = max(map(len, data.split(b"/")))
    if len(data) > _PATH or longest > _NAME:
        return f"has {len(data)} bytes, {longest} in one part, and {_PATH} and {_NAME} is the most"
    return ""
