"""One storage root on `file://` or `s3://`, through fsspec.

Keys are `/`-joined strings relative to the root (`foreign_files` says how odd names are written in them). An artifact is replaced whole: on a file system it is written aside and
renamed, on S3 it is one PUT (or one completed multipart upload), so that a killed task leaves the old file or the new one.
Every call's errors are sorted by `storage_errors`.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

from driftwatch import conditional
from driftwatch.conditional import Stored
from driftwatch.errors import DriftwatchError, OddEntry
from driftwatch.foreign_files import from_key, lies_in, list_files, read_regular, read_s3_object, to_key
from driftwatch.outside import touching
from driftwatch.storage_errors import Meaning, asks_for_more, calling, meaning_of, sorting
from driftwatch.storage_formats import Formats

T = TypeVar("T")


@dataclass(frozen=True)
class StoredObject:
    """One object below a prefix: its key, and its size in bytes."""

    key: str
    size: int


class Storage(Formats):
    """Read and write artifacts below one root.

    `uri`: `file:///absolute/folder` or `s3://bucket/prefix`. `filesystem`: the fsspec file system of an s3:// root; by default
    one that takes its credentials from the environment, as boto3 does.
    """

    def __init__(self, uri: str, filesystem: Any = None) -> None:
        scheme, separator, root = uri.partition("://")
        if not separator or scheme not in ("file", "s3") or not root or (scheme == "file" and not root.startswith("/")):
            raise DriftwatchError(
                f"storage uri {uri!r}: allowed are file:///absolute/folder and s3://bucket/prefix; set storage.uri in the monitor file"
            )
        self.scheme = scheme
        self.root = root.rstrip("/")
        self.uri = f"{scheme}://{self.root}"
        self._given = filesystem

    @cached_property
    def _fs(self) -> Any:
        import fsspec

        if self.scheme == "file":
            return fsspec.filesystem("file")
        # Another task may have written since a listing was cached, so no listing is.
        return self._given or fsspec.filesystem("s3", use_listings_cache=False)

    def reach(self) -> None:
        """Raises where the storage cannot be read: nobody answers, no login or no right, no such bucket. An empty one is fine, and a
        folder that is not there yet, too."""
        if self.scheme == "file":
            if os.path.lexists(self.root):
                os.listdir(self.root)
        else:
            bucket = self.root.split("/")[0]
            calling("list", self.uri, lambda: self._fs.call_s3("list_objects_v2", Bucket=bucket, MaxKeys=1))

    def path(self, key: str) -> str:
        """The object's address for fsspec. Refuses a key that leaves the root."""
        parts = key.split("/")
        if not key or key.startswith("/") or ".." in parts:
            raise DriftwatchError(f"storage key {key!r} must be relative, without '..'")
        return f"{self.root}/{from_key(key)}"

    def local_path(self, key: str) -> Path | None:
        """The object's path where the storage is a file system, else None."""
        return Path(self.path(key)) if self.scheme == "file" else None

    def url(self, key: str) -> str:
        """The object's address for people and messages."""
        return f"{self.uri}/{key}"

    def _calling(self, verb: str, key: str, call: Callable[[], T]) -> T:
        def told() -> T:
            try:
                return call()
            except Exception as error:
                if not asks_for_more(error):
                    raise
            # Not while that error is handled: it would be taken for the cause of those that come now.
            self._ask_why(key)
            return call()  # nothing is wrong any more

        return calling(verb, self.url(key), told)

    def _ask_why(self, key: str) -> None:
        """Raises what S3 has against reading the object, if anything."""
        try:
            self._fs.cat_file(self.path(key), start=0, end=1)
        except Exception as error:
            if meaning_of(error) is not Meaning.GONE:
                raise

    def exists(self, key: str) -> bool:
        return self._found("look for", key) is not None

    def stamp(self, key: str) -> str | None:
        """A text that changes whenever the object is replaced: its time and size, on S3 its ETag. None where there is no object."""
        found = self._found("look at", key)
        if isinstance(found, os.stat_result):
            return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
        return str(found["ETag"]) if found and "ETag" in found else None

    def modified(self, key: str) -> float | None:
        """When a local file was last written to, in seconds since 1970; None on S3, where an object is whole from the start."""
        found = self._found("look at", key) if self.scheme == "file" else None
        return found.st_mtime if isinstance(found, os.stat_result) else None

    def _found(self, verb: str, key: str) -> Any:
        """What the file system or S3 says of an object or a folder; None where there is none."""
        path = self.path(key)

        def look() -> Any:
            try:
                return os.stat(path) if self.scheme == "file" else self._fs.info(path)
            except Exception as error:
                if meaning_of(error) is Meaning.GONE:
                    return None
                raise

        return self._calling(verb, key, look)

    def lies_in(self, key: str, folder: str) -> bool:
        """Whether it does when all links of a local storage are followed."""
        return self.scheme == "s3" or lies_in(self.path(key), self.path(folder))

    def read_bytes(self, key: str) -> bytes:
        """The object's bytes; raises MissingArtifact where there is none."""
        path = self.path(key)
        if self.scheme == "file":
            return self._calling("read", key, Path(path).read_bytes)  # fsspec takes three times as long
        # With more than one connection for an object s3fs asks for its size first: two requests where one is enough.
        return self._calling("read", key, lambda: bytes(self._fs.cat_file(path, max_concurrency=1)))

    def read_foreign(self, key: str, folder: str, limit: int) -> bytes:
        """The bytes of a file that somebody else left in `folder`. Raises OddEntry for what is no regular file in it, what has more
        than `limit` bytes, and what changes while it is read; MissingArtifact where there is none."""
        name = from_key(key.removeprefix(f"{folder}/"))
        if self.scheme == "file":
            paths = f"{self.root}/{from_key(key)}", f"{self.root}/{from_key(folder)}"
            return self._calling("read", key, lambda: read_regular(*paths, limit))
        # Programs on the way to S3 resolve these, and would give another object.
        if {"", ".", ".."} & set(name.split("/")):
            raise OddEntry("unsafe_name", "has an empty part, '.' or '..' in its key; store it under another")
        from fsspec.asyn import sync

        path = self.path(key)
        return self._calling("read", key, lambda: sync(self._fs.loop, read_s3_object, self._fs, path, limit))

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """The object's bytes from `start` up to but without `end`."""
        return self._calling("read", key, lambda: bytes(self._fs.cat_file(self.path(key), start=start, end=end)))

    def write_bytes(self, key: str, data: bytes, content_type: str | None = None) -> None:
        """Replaces the object whole. `content_type`: what S3 tells browsers that it is."""
        path, more = self.path(key), {"ContentType": content_type} if content_type else {}

        def write() -> None:
            if self.scheme == "s3":
                self._fs.pipe_file(path, data, **more)
            else:
                with _replacing(Path(path)) as file:
                    file.write(data)

        with touching(f"storage write {key}"):
            self._calling("write", key, write)

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """A file to write an object into piece by piece; it replaces the object whole when the block ends without an error.

        On S3 it lies on the local disk until then.
        """
        import tempfile

        path = self.path(key)
        with touching(f"storage write {key}"), sorting("write", self.url(key)):
            if self.scheme == "s3":
                with tempfile.NamedTemporaryFile(prefix="driftwatch-") as file:
                    yield file
                    file.flush()
                    self._calling("write", key, lambda: self._fs.put_file(file.name, path))
            else:
                with _replacing(Path(path)) as aside:
                    yield aside

    def read_stored(self, key: str) -> Stored | None:
        """The object as `replace` wants it; None where there is none."""
        if self.scheme == "s3":
            return self._calling("read", key, lambda: conditional.get(self._fs, self.path(key)))
        return Stored(self.read_bytes(key)) if self.exists(key) else None

    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        """Writes the object where it is still `found` (None: where there is none); returns what it is now, None where it is another.

        On s3:// the server decides. On file:// the caller holds a lock (driftwatch.lock), which is never given to two.
        """
        if self.scheme == "s3":
            with touching(f"storage replace {key}"):
                return self._calling("write", key, lambda: conditional.put(self._fs, self.path(key), data, found))
        if self.read_stored(key) != found:
            return None
        self.write_bytes(key, data)
        return Stored(data)

    def copy(self, source: str, target: str) -> None:
        """Copies an object within the storage; on S3 the server does it, and no bytes pass here."""
        if self.scheme == "s3":
            paths = self.path(source), self.path(target)
            with touching(f"storage copy {target}"):
                self._calling("copy", source, lambda: self._fs.cp_file(*paths))
        else:
            self.write_bytes(target, self.read_bytes(source))

    def delete(self, key: str) -> None:
        """Removes the object; one that is missing already is no error."""
        path = self.path(key)

        def remove() -> None:
            with suppress(FileNotFoundError):
                self._fs.rm_file(path)

        if self.exists(key):
            with touching(f"storage delete {key}"):
                self._calling("delete", key, remove)

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """Every object below `prefix` (a folder), sorted by key; empty where there is none. Links are listed, not followed."""
        path = self.path(prefix)

        def find() -> list[StoredObject]:
            if self.scheme == "file":
                return [StoredObject(f"{prefix}/{to_key(name)}", size) for name, size in list_files(path)]
            found = self._fs.find(path, detail=True)
            root = len(self._fs._strip_protocol(self.root)) + 1
            return [StoredObject(to_key(name[root:]), int(info["size"])) for name, info in found.items()]

        return sorted(self._calling("list", prefix, find), key=lambda item: item.key)

    def folders(self, prefix: str) -> Sequence[str]:
        """The names of the folders directly below `prefix`, sorted."""
        path = self.path(prefix)

        def find() -> list[str]:
            try:
                entries = self._fs.ls(path, detail=True)
            except FileNotFoundError as error:
                if meaning_of(error) is Meaning.GONE:
                    return []
                raise
            return [entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory"]

        return sorted(map(to_key, self._calling("list", prefix, find)))

    def presigned_url(self, key: str, seconds: int) -> str:
        """An S3 GET link that expires after `seconds` (SigV4 allows seven days at most)."""
        if self.scheme != "s3":
            raise DriftwatchError(
                f"{self.url(key)}: only s3:// storage has presigned links; file:// needs an image server"
            )
        return self._calling("sign a link to", key, lambda: str(self._fs.sign(self.path(key), expiration=seconds)))

    def iter_bytes(
        self, keys: Sequence[str], at_once: int = 16, read: Callable[[str], bytes] | None = None
    ) -> Generator[tuple[str, bytes | Exception], None, None]:
        """Fetches objects concurrently, in the order of `keys`, at most `at_once` of them in memory beyond the consumer's own.

        A fetch that fails yields its exception in place of the bytes. `read`: how to read one (`read_bytes`).
        """
        from driftwatch.read_ahead import read_ahead

        _ = self._fs  # made once, before threads share it
        # A local file is read in less time than a thread takes to wake up: several go in one turn.
        turn = max(1, at_once // 4) if self.scheme == "file" else 1
        return read_ahead(keys, read or self.read_bytes, at_once, turn)


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Writes aside and renames, so that a killed process leaves the old file or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
