"""One storage root on `file://` or `s3://`, through fsspec.

Keys are `/`-joined strings relative to the root. An artifact is replaced whole: on a file system it is written aside and
renamed, on S3 it is one PUT (or one completed multipart upload), so that a killed task leaves the old file or the new one.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from driftwatch.errors import DamagedArtifact, DriftwatchError, MissingArtifact
from driftwatch.outside import touching

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class StoredObject:
    """One object below a prefix: its key, and its size in bytes."""

    key: str
    size: int


class Storage:
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

    def path(self, key: str) -> str:
        """The object's address for fsspec. Refuses a key that leaves the root."""
        parts = key.split("/")
        if not key or key.startswith("/") or ".." in parts:
            raise DriftwatchError(f"storage key {key!r} must be relative, without '..'")
        return f"{self.root}/{key}"

    def local_path(self, key: str) -> Path | None:
        """The object's path where the storage is a file system, else None."""
        return Path(self.path(key)) if self.scheme == "file" else None

    def url(self, key: str) -> str:
        """The object's address for people and messages."""
        return f"{self.scheme}://{self.path(key)}"

    def exists(self, key: str) -> bool:
        return bool(self._fs.exists(self.path(key)))

    def stamp(self, key: str) -> str | None:
        """A text that changes whenever the object is replaced: its time and size, on S3 its ETag. None where there is no object."""
        if self.scheme == "file":
            try:
                found = os.stat(self.path(key))
            except (FileNotFoundError, NotADirectoryError):
                return None
            return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
        try:
            return str(self._fs.info(self.path(key))["ETag"])
        except FileNotFoundError:
            return None

    def read_bytes(self, key: str) -> bytes:
        """The object's bytes; raises MissingArtifact where there is none."""
        try:
            if self.scheme == "file":
                return Path(self.path(key)).read_bytes()  # fsspec takes three times as long
            # With more than one connection for an object s3fs asks for its size first: two requests where one is enough.
            return bytes(self._fs.cat_file(self.path(key), max_concurrency=1))
        except FileNotFoundError as error:
            raise MissingArtifact(
                f"{self.url(key)} does not exist: the step that writes it has not run, or another storage is configured"
            ) from error

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """The object's bytes from `start` up to but without `end`."""
        return bytes(self._fs.cat_file(self.path(key), start=start, end=end))

    def write_bytes(self, key: str, data: bytes) -> None:
        """Replaces the object whole."""
        with touching(f"storage write {key}"):
            if self.scheme == "s3":
                self._fs.pipe_file(self.path(key), data)
            else:
                with _replacing(Path(self.path(key))) as file:
                    file.write(data)

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """A file to write an object into piece by piece; it replaces the object whole when the block ends without an error.

        On S3 it lies on the local disk until then.
        """
        import tempfile

        with touching(f"storage write {key}"):
            if self.scheme == "s3":
                with tempfile.NamedTemporaryFile(prefix="driftwatch-") as file:
                    yield file
                    file.flush()
                    self._fs.put_file(file.name, self.path(key))
            else:
                with _replacing(Path(self.path(key))) as aside:
                    yield aside

    def create(self, key: str, data: bytes) -> bool:
        """Writes the object only where there is none; whether it did. Of processes that try at once, one succeeds."""
        with touching(f"storage create {key}"):
            try:
                if self.scheme == "s3":
                    self._fs.pipe_file(self.path(key), data, mode="create")
                else:
                    target = Path(self.path(key))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("xb") as file:
                        file.write(data)
            except FileExistsError:
                return False
        return True

    def copy(self, source: str, target: str) -> None:
        """Copies an object within the storage; on S3 the server does it, and no bytes pass here."""
        if self.scheme == "s3":
            with touching(f"storage copy {target}"):
                self._fs.cp_file(self.path(source), self.path(target))
        else:
            self.write_bytes(target, self.read_bytes(source))

    def delete(self, key: str) -> None:
        """Removes the object; one that is missing already is no error."""
        if self.exists(key):
            with touching(f"storage delete {key}"):
                self._fs.rm_file(self.path(key))

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """Every object below `prefix` (a folder), sorted by key; empty where there is none."""
        found = self._fs.find(self.path(prefix), detail=True)
        root = len(self._fs._strip_protocol(self.root)) + 1
        return sorted(
            (StoredObject(path[root:], int(info["size"])) for path, info in found.items()), key=lambda o: o.key
        )

    def folders(self, prefix: str) -> Sequence[str]:
        """The names of the folders directly below `prefix`, sorted."""
        path = self.path(prefix)
        if not self._fs.exists(path):
            return []
        return sorted(
            entry["name"].rstrip("/").rsplit("/", 1)[-1]
            for entry in self._fs.ls(path, detail=True)
            if entry["type"] == "directory"
        )

    def presigned_url(self, key: str, seconds: int) -> str:
        """An S3 GET link that expires after `seconds` (SigV4 allows seven days at most)."""
        if self.scheme != "s3":
            raise DriftwatchError(
                f"{self.url(key)}: only s3:// storage has presigned links; file:// needs an image server"
            )
        return str(self._fs.sign(self.path(key), expiration=seconds))

    def read_json(self, key: str) -> Any:
        return self.parse_json(key, self.read_bytes(key))

    def parse_json(self, key: str, data: bytes) -> Any:
        """What the bytes of `key` hold. Raises DamagedArtifact, with the object's address."""
        with self._naming(key, "JSON"):
            return json.loads(data)

    @contextmanager
    def _naming(self, key: str, kind: str) -> Iterator[None]:
        """What a parser says of broken bytes does not name the file."""
        try:
            yield
        except (ValueError, OSError, EOFError, RecursionError) as error:
            raise DamagedArtifact(
                f"{self.url(key)} is no {kind} ({str(error)[:200]}): restore it, or clear the task that writes it"
            ) from error

    def write_json(self, key: str, value: Any) -> None:
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        self.write_bytes(key, text.encode() + b"\n")

    def read_table(self, key: str) -> pd.DataFrame:
        """A parquet table."""
        import io

        import pandas as pd

        data = io.BytesIO(self.read_bytes(key))
        with self._naming(key, "parquet table"):
            return pd.read_parquet(data)

    def read_arrow(self, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A parquet table as Arrow's, which takes a tenth of a frame's memory; all columns or those named."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        return pq.read_table(pa.BufferReader(self.read_bytes(key)), columns=columns)

    def write_table(self, key: str, table: pd.DataFrame) -> None:
        """A parquet table, without its index: the same frame gives the same bytes."""
        import io

        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False, compression="zstd")
        self.write_bytes(key, buffer.getvalue())

    def read_array(self, key: str) -> np.ndarray:
        """A NumPy array from .npy, never unpickling."""
        import io

        import numpy as np

        data = io.BytesIO(self.read_bytes(key))
        with self._naming(key, "NumPy array"):
            return np.load(data, allow_pickle=False)

    def write_array(self, key: str, array: np.ndarray) -> None:
        import io

        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        self.write_bytes(key, buffer.getvalue())

    def iter_arrays(self, keys: Sequence[str], at_once: int) -> Iterator[np.ndarray]:
        """The arrays of .npy objects in the order of `keys`, `at_once` of them fetched ahead."""
        import io

        import numpy as np

        for _, data in self.iter_bytes(keys, at_once):
            if isinstance(data, Exception):
                raise data
            yield np.load(io.BytesIO(data), allow_pickle=False)

    def iter_bytes(self, keys: Sequence[str], at_once: int = 16) -> Iterator[tuple[str, bytes | Exception]]:
        """Fetches objects concurrently, in the order of `keys`, at most `at_once` of them in memory beyond the consumer's own.

        A fetch that fails yields its exception in place of the bytes, so that one lost object does not lose the others.
        """
        from collections import deque
        from concurrent.futures import Future, ThreadPoolExecutor

        _ = self._fs  # made once, before threads share it
        # A local file is read in less time than a thread takes to wake up: several go in one turn.
        turn = max(1, at_once // 4) if self.scheme == "file" else 1

        def fetch(some: Sequence[str]) -> Sequence[bytes | Exception]:
            return [self._read_or_error(key) for key in some]

        turns = (keys[start : start + turn] for start in range(0, len(keys), turn))
        waiting: deque[tuple[Sequence[str], Future[Sequence[bytes | Exception]]]] = deque()
        with ThreadPoolExecutor(max_workers=min(at_once // turn, 16)) as pool:
            for following in islice(turns, at_once // turn):
                waiting.append((following, pool.submit(fetch, following)))
            while waiting:
                fetched, future = waiting.popleft()
                found = future.result()
                for following in islice(turns, 1):
                    waiting.append((following, pool.submit(fetch, following)))
                yield from zip(fetched, found, strict=True)

    def _read_or_error(self, key: str) -> bytes | Exception:
        try:
            return self.read_bytes(key)
        except Exception as error:
            return error


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
