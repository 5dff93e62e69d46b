"""A file that names a day's images (`images.layout.inventory`): read row by row, sorted on the local disk, never held whole.

An object that it names twice counts once. One that is not there is quarantined when it is read. One outside of `images.layout.paths` is
refused; an S3 Inventory has the whole bucket, and what is not the day's is left out.
"""

from __future__ import annotations

import csv
import gzip
import json
import logging
import re
import tempfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import unquote_plus

from driftwatch.config.layout import path_regex
from driftwatch.errors import NeedsAttention
from driftwatch.images.table_file import MissingTable, text_of
from driftwatch.storage import StoredObject
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
_PART = 8_000_000  # bytes that are fetched at a time
_THEN = ", then clear ingest_images"


class _Row(NamedTuple):
    """`place`: of the row, for messages."""

    place: str
    name: str
    size: object


@dataclass(frozen=True)
class Inventory:
    """`storage` and `key`: the file. `place`: what it may name."""

    storage: Storage
    key: str
    settings: InventoryConfig
    place: Place
    elsewhere: Elsewhere

    @property
    def url(self) -> str:
        return self.storage.url(self.key)

    def objects(self) -> Generator[StoredObject, None, None]:
        """What it names, by stored keys in the order of names, each once. Raises MissingTable where the file is not there, and NeedsAttention for one
        that cannot be read, or that names what it may not."""
        twice, last = 0, ""
        with closing(Spool()) as spool:
            spool.fill(self._named())
            for item in spool:
                if item.key == last:
                    twice += 1
                    continue
                last = item.key
                yield item
        if twice:
            logger.warning("%s names %s objects more than once; each counts once", self.url, twice)

    def _named(self) -> Iterator[StoredObject]:
        of_bucket = self.key.endswith("manifest.json")
        allowed = [re.compile(path_regex(from_key(pattern)) if pattern else "") for pattern in self.place.patterns]
        # A key of an object store may have an empty part, as the markers of folders have: it goes the way that it goes in a listing.
        odd = {".", ".."} if self.place.storage.remote else {"", ".", ".."}
        left_out = 0
        for row in self._of_s3() if of_bucket else self._listed():
            key = self._stored(row)
            name = from_key(self.place.key(key)) if key.startswith(self.place.stored("")) else ""
            if name and any(one.match(name) for one in allowed) and not odd & set(name.split("/")):
                yield StoredObject(key, self._size(row))
            elif of_bucket:
                left_out += 1
            else:
                raise NeedsAttention(
                    f"{row.place} names {row.name!r:.200}, which does not lie in {self.place.said}: correct the file or "
                    f"images.layout.paths{_THEN}"
                )
        if left_out:
            logger.info("%s names %s objects that do not lie in %s", self.url, left_out, self.place.said)

    def _stored(self, row: _Row) -> str:
        name = row.name
        if not name:
            raise NeedsAttention(f"{row.place} names no object: fill in {_FIELD}.key ({self.settings.key!r}){_THEN}")
        if "://" in name:
            own = f"{self.place.storage.uri}/"
            return to_key(name) if self.place.at or not name.startswith(own) else to_key(name[len(own) :])
        return f"{self.place.root}/{to_key(name)}" if self.place.root else to_key(name)

    def _size(self, row: _Row) -> int:
        text = text_of(row.size)
        if not text:
            return 0  # it is known when the object is read
        if not re.fullmatch(r"\d{1,18}", text):
            raise NeedsAttention(f"{row.place} has the size {text!r:.80}: a whole number of bytes is allowed{_THEN}")
        return int(text)

    def _listed(self) -> Iterator[_Row]:
        wanted = [self.settings.key, *([self.settings.size] if self.settings.size else [])]
        for place, row in _rows(self.storage, self.key, wanted):
            yield _Row(place, text_of(row[self.settings.key]), row[self.settings.size] if self.settings.size else None)

    def _of_s3(self) -> Iterator[_Row]:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html"""
        try:
            about: dict[str, Any] = json.loads(_small(self.storage, self.key))
            bucket, form = about["sourceBucket"], about["fileFormat"]
            names = [name.strip() for name in about["fileSchema"].split(",")] if form == "CSV" else []
            target = about["destinationBucket"].rpartition(":")[2]
            files = [file["key"] for file in about["files"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NeedsAttention(
                f"{self.url} is no manifest.json of an S3 Inventory ({type(error).__name__}: {error}): correct {_FIELD}.path"
            ) from error
        if form not in ("CSV", "Parquet"):
            raise NeedsAttention(f"{self.url} is of the format {form}: let the inventory be written as CSV or Parquet")
        storage = self.elsewhere(f"s3://{target}")
        wanted = ("Key",) if names else ("key",)
        for file in files:
            for place, row in _rows(storage, file, wanted, names):
                # A versioned bucket has every version, and marks of what was deleted.
                old = text_of(row.get("IsLatest" if names else "is_latest", True)).lower() == "false"
                gone = text_of(row.get("IsDeleteMarker" if names else "is_delete_marker", False)).lower() == "true"
                if not old and not gone:
                    key = unquote_plus(text_of(row["Key"])) if names else text_of(row["key"])
                    yield _Row(place, f"s3://{bucket}/{key}", row.get("Size" if names else "size"))


def inventory_of(day: DayStore, place: Place) -> Inventory | None:
    """None where the day's images are listed."""
    layout = day.config.images.layout
    if layout is None or layout.inventory is None:
        return None
    storage, key = storage_of(layout.inventory.path_of(day.date), day.storage, day.monitor.elsewhere)
    return Inventory(storage, key, layout.inventory, place, day.monitor.elsewhere)


def _rows(
    storage: Storage, key: str, wanted: tuple[str, ...] | list[str], names: list[str] | None = None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its place. `names`: the columns of a CSV file without a header."""
    import pyarrow as pa

    url, end = storage.url(key), key.lower()
    gzipped = end.endswith(".gz")
    read = {"parquet": _parquet, "jsonl": _json, "ndjson": _json}.get(end.removesuffix(".gz").rpartition(".")[2])
    number = 0
    with _local(storage, key) as path:
        try:
            with gzip.open(path) if gzipped else path.open("rb") as file:
                rows = read(cast(Any, file)) if read else _csv(cast(Any, file), end, names)
                for number, row in enumerate(rows, 1):
                    missing = [column for column in wanted if column not in row]
                    if missing:
                        raise NeedsAttention(
                            f"{url} has no {' and no '.join(map(repr, missing))} in row {number}; it has {[*map(str, row)][:20]}. Correct "
                            f"{_FIELD}.key and size, or the file{_THEN}"
                        )
                    yield f"{url}, row {number},", row
        except (ValueError, OSError, EOFError, zlib.error, csv.Error, pa.ArrowException) as error:
            raise NeedsAttention(
                f"{url} cannot be read after row {number} ({error}): write it again, as UTF-8 with a header where it is CSV{_THEN}"
            ) from error


def _csv(file: IO[bytes], end: str, names: list[str] | None) -> Iterator[Mapping[str, Any]]:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, delimiter="\t" if end.removesuffix(".gz").endswith(".tsv") else ",")
    columns = names or next(rows, [])
    for row in rows:
        if row:
            yield dict(zip(columns, row, strict=False))


def _json(file: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    for line in file:
        if line.strip():
            found = json.loads(line.decode("utf-8-sig"))
            if not isinstance(found, dict):
                raise ValueError(f"{line[:40]!r} is no object in braces")
            yield found


def _parquet(file: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file, pre_buffer=False) as table:
        known = [name for name in table.schema_arrow.names if "." not in name]
        for batch in table.iter_batches(10_000, columns=known, use_threads=False):
            yield from batch.to_pylist()


def _small(storage: Storage, key: str) -> bytes:
    with _local(storage, key) as path:
        return path.read_bytes()


@contextmanager
def _local(storage: Storage, key: str) -> Iterator[Path]:
    """The file on this machine: its own, or a copy that is fetched part by part."""
    size = storage.size(key)
    if size is None:
        raise MissingTable(
            f"{storage.url(key)} is not there, and {_FIELD} names it: write it{_THEN}, or correct the path"
        )
    path = storage.local_path(key)
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="driftwatch-", suffix=Path(key).name[-40:]) as file:
        with storage.reading(key, size) as found:
            for start in range(0, size, _PART):
                file.write(found.range(start, min(start + _PART, size)))
        file.flush()
        yield Path(file.name)
