"""What object stores have in common, through fsspec. An object is written by one PUT, or by one multipart upload: if that is not
completed, there is no object."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any

from driftwatch.outside import touching
from driftwatch.storage.base import SigningCredentials, Storage
from driftwatch.storage.read_ahead import Fetched


class ObjectStore(Storage):
    """A prefix of a bucket. `_look`, reads and writes whole, and conditional replacement are each store's own."""

    takes_login = True
    presigns = True

    @cached_property
    def _fs(self) -> Any:
        """No listing is cached: another task may have written since."""
        import fsspec

        if self._given is None:
            return fsspec.filesystem(self.scheme, use_listings_cache=False)
        self._given.dircache.use_listings_cache = False
        self._given.invalidate_cache()
        return self._given

    @abstractmethod
    def signing_credentials(self) -> SigningCredentials: ...

    def presigned_url(self, key: str, seconds: int) -> str:
        """A GET link that expires after `seconds` (S3's SigV4 allows seven days at most)."""
        return self._calling("sign a link to", key, lambda: str(self._fs.sign(self.path(key), expiration=seconds)))

    def iter_bytes(
        self, keys: Sequence[str], at_once: int = 16, read: Callable[[str], bytes] | None = None
    ) -> Generator[Fetched, None, None]:
        _ = self._fs  # made once, before threads share it
        return super().iter_bytes(keys, at_once, read)

    def copy(self, source: str, target: str) -> None:
        paths = self.path(source), self.path(target)
        with touching(f"storage copy {target}"):
            self._calling("copy", source, lambda: self._fs.cp_file(*paths))

    def _list(self, path: str) -> Iterator[tuple[str, int]]:
        found = self._fs.find(path, detail=True)
        start = len(self._fs._strip_protocol(path)) + 1
        # If nothing lies below, but there is an object of that very name, fsspec lists this object.
        return ((name[start:], int(info["size"])) for name, info in found.items() if len(name) >= start)

    def _folders(self, path: str) -> Sequence[str]:
        entries = self._fs.ls(path, detail=True)
        return [entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory"]

    def _read_range(self, path: str, start: int, end: int) -> bytes:
        return bytes(self._fs.cat_file(path, start=start, end=end))

    @contextmanager
    def _writing(self, key: str) -> Iterator[IO[bytes]]:
        import tempfile

        path = self.path(key)
        with tempfile.NamedTemporaryFile(prefix="driftwatch-") as file:
            yield file
            file.flush()
            self._calling("write", key, lambda: self._fs.put_file(file.name, path))

    def _remove(self, path: str) -> None:
        self._fs.rm_file(path)
