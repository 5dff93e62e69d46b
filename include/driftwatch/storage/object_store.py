"""What object stores have in common, through obstore (Rust's object_store).

An object is written by one PUT, or by one multipart upload. An upload that is not completed leaves no object.
"""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar

from driftwatch.errors import NeedsAttention, OddEntry
from driftwatch.outside import touching
from driftwatch.storage.base import Storage
from driftwatch.storage.entries import Entry, Opened, SigningCredentials, Stored
from driftwatch.storage.errors import Meaning, answer_of, meaning_of, refused_setup
from driftwatch.storage.foreign_files import too_many_bytes
from driftwatch.storage.open_object import OpenObject, head, stamp_of
from driftwatch.storage.read_ahead import Fetched

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IMPLEMENTED = 501
# Another write of the same object is under way, which may fail: AWS asks to try again.
_CONFLICT, _TRIES = 409, 3
_DELETED_AT_ONCE = 1000  # by one request of S3
# A large object is written in parts. S3 and Google take 10,000 of them (Azure 50,000); S3 takes parts of 5 MiB to 5 GiB. So many bytes of parts
# are in memory at once.
_MOST_PARTS, _LEAST_PART, _IN_MEMORY = 10_000, 5 * 2**20, 60 * 2**20
_used_in: int | None = None


def _refuse_fork() -> None:
    """Raises in a fork of a process that has used obstore. Its threads are not in the fork, so every call would wait for ever."""
    global _used_in
    _used_in = _used_in or os.getpid()
    if _used_in != os.getpid():
        raise NeedsAttention(
            f"process {os.getpid()} is a fork of {_used_in}, which has used an object store: a fork cannot. Open the storage in the fork "
            "alone, or start the process anew (multiprocessing's 'spawn')"
        )


class ObjectStore(Storage):
    """A prefix of a bucket. `_opened` is each store's own."""

    takes_login = True
    presigns = True
    # What the server calls a version of an object, by which it replaces that one alone: `e_tag`, or `version`.
    version: ClassVar[str] = "e_tag"

    @classmethod
    def allows(cls, root: str) -> bool:
        return bool(root.partition("/")[0])

    @property
    def _store(self) -> Any:
        _refuse_fork()
        return self._opened_once

    @cached_property
    def _opened_once(self) -> Any:
        from obstore.exceptions import GenericError

        try:
            return self._opened()
        except GenericError as error:  # no server was asked yet
            raise refused_setup(self.uri, error) from error

    @abstractmethod
    def _opened(self) -> Any:
        """obstore's store of the whole bucket. `_given` is the login; without one it is the environment's."""

    @property
    def _bucket(self) -> str:
        return self.root.partition("/")[0]

    def _key(self, path: str) -> str:
        """The object's key in its bucket. Raises OddEntry for one that obstore refuses."""
        key = path.removeprefix(self._bucket).removeprefix("/")
        if _CONTROL.search(key):
            raise OddEntry("unsafe_name", "has a control character in its key; store it under another")
        return key

    def reach(self) -> None:
        self._calling("list", "", lambda: next(iter(self._store.list(self._key(self.root), chunk_size=1)), None))

    def signing_credentials(self) -> SigningCredentials:
        return SigningCredentials(temporary=False)

    def presigned_url(self, key: str, seconds: int) -> str:
        """A GET link that expires after `seconds` (seven days at most)."""
        import obstore

        path = self.path(key)
        until = timedelta(seconds=seconds)
        return self._calling(
            "sign a link to", key, lambda: str(obstore.sign(self._store, "GET", self._key(path), until))
        )

    def iter_bytes(self, keys: Sequence[str], at_once: int = 16, read: Any = None) -> Generator[Fetched, None, None]:
        _ = self._store  # made once, before threads share it
        return super().iter_bytes(keys, at_once, read)

    def copy(self, source: str, target: str) -> None:
        paths = self._key(self.path(source)), self._key(self.path(target))
        with touching(f"storage copy {target}"):
            self._calling("copy", source, lambda: self._copy(*paths))

    def _copy(self, source: str, target: str) -> None:
        self._store.copy(source, target)

    def delete_all(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            some = keys[start : start + _DELETED_AT_ONCE]
            paths = [self._key(self.path(key)) for key in some]
            with touching(f"storage delete {some[0]} and {len(some) - 1} more"):
                self._calling("delete", some[0], lambda paths=paths: self._remove_all(paths))  # type: ignore[misc]

    def _remove_all(self, paths: Sequence[str]) -> None:
        try:
            self._store.delete(paths)
            return
        except Exception as error:
            if meaning_of(error) is not Meaning.GONE:  # also of a bucket that is not there
                raise
        # Google and Azure say so of one object, and may have left those after it.
        for path in paths:
            with suppress(FileNotFoundError):
                self._store.delete(path)

    def read_stored(self, key: str) -> Stored | None:
        path = self.path(key)
        return self._calling("read", key, lambda: self._stored(path))

    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        path = self.path(key)
        with touching(f"storage replace {key}"):
            return self._calling("write", key, lambda: self._replace(path, data, found))

    def _stored(self, path: str) -> Stored | None:
        try:
            answer = self._store.get(self._key(path))
        except FileNotFoundError as error:
            if meaning_of(error) is not Meaning.GONE:  # not even the bucket is there
                raise
            return None
        return Stored(answer.bytes().to_bytes(), answer.meta[self.version])

    def _replace(self, path: str, data: bytes, found: Stored | None) -> Stored | None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode = "create" if found is None else {self.version: found.etag}
        for _ in range(_TRIES):
            try:
                return Stored(data, self._store.put(self._key(path), data, mode=mode)[self.version])
            except (AlreadyExistsError, PreconditionError) as error:
                status = answer_of(error).status
            except Exception as error:
                if answer_of(error).status != _NOT_IMPLEMENTED:
                    raise
                raise NeedsAttention(
                    f"{self.scheme}://{path}: the server knows no conditional writes ({answer_of(error).code}), without which two runs at "
                    "once would pay twice: use one that has them, as AWS S3, MinIO and Ceph do"
                ) from error
            # A repeat of a write whose first answer was lost gets this answer too.
            now = self._stored(path)
            if now and now.data == data:
                return now
            if status != _CONFLICT or now != found:
                return None
        return None

    def _look(self, path: str) -> Entry:
        found = head(self._store, self._key(path))
        return Entry(stamp_of(found), found["last_modified"].timestamp(), found["size"])

    def _stamps(self, path: str, names: Sequence[str]) -> dict[str, str]:
        listed = self._store.list_with_delimiter(self._key(path))["objects"]
        found = {item["path"].rpartition("/")[2]: stamp_of(item) for item in listed}
        return {name: stamp for name in names if (stamp := found.get(name))}

    def _list(self, path: str) -> Iterator[tuple[str, int]]:
        prefix = self._prefix(path)
        for batch in self._store.list(prefix or None):
            for found in batch:
                name, size = found["path"][len(prefix) :], found["size"]
                # obstore drops a last `/`, which the markers of folders have.
                yield f"{name}/" if name and not size and not self._is_there(found["path"]) else name, size

    def _directly(self, path: str) -> Iterator[tuple[str, int | None]]:
        prefix = self._prefix(path)
        found = self._store.list_with_delimiter(prefix or None)
        yield from ((f"{folder.rpartition('/')[2]}/", None) for folder in found["common_prefixes"])
        yield from ((item["path"][len(prefix) :], item["size"]) for item in found["objects"])

    def _prefix(self, path: str) -> str:
        """What the keys of everything below a folder begin with; empty for the whole bucket."""
        key = self._key(path)
        return f"{key}/" if key else ""

    def _is_there(self, key: str) -> bool:
        try:
            self._store.head(key)
        except FileNotFoundError:
            return False
        return True

    def _folders(self, path: str) -> Sequence[str]:
        return [name.rstrip("/") for name, size in self._directly(path) if size is None]

    def _read(self, path: str) -> bytes:
        return self._store.get(self._key(path)).bytes().to_bytes()

    def _open(self, path: str) -> Opened:
        return OpenObject(self._store, self._key(path))

    def _read_foreign(self, path: str, folder: str, limit: int) -> bytes:
        answer = self._store.get(self._foreign_key(path, folder))
        if answer.meta["size"] > limit:  # the body is not read
            raise too_many_bytes(answer.meta["size"], limit)
        return answer.bytes().to_bytes()

    def _foreign_key(self, path: str, folder: str) -> str:
        """As `_key`, of an object that somebody else left. Raises OddEntry for a key that a proxy on the way would change into another's."""
        if {"", ".", ".."} & set(path.removeprefix(f"{folder}/").split("/")):
            raise OddEntry("unsafe_name", "has an empty part, '.' or '..' in its key; store it under another")
        return self._key(path)

    def _write(self, path: str, data: bytes, content_type: str | None) -> None:
        self._store.put(self._key(path), data, attributes={"Content-Type": content_type} if content_type else None)

    @contextmanager
    def _writing(self, key: str) -> Iterator[IO[bytes]]:
        import tempfile

        path = self.path(key)
        with tempfile.NamedTemporaryFile(prefix="driftwatch-") as file:
            yield file
            file.flush()
            part, at_once = _parts(file.seek(0, os.SEEK_END))
            put = partial(self._store.put, chunk_size=part, max_concurrency=at_once)
            self._calling("write", key, lambda: put(self._key(path), Path(file.name)))

    def _remove(self, path: str) -> None:
        self._store.delete(self._key(path))

    def _calling(self, verb: str, key: str, call: Callable[[], T]) -> T:
        def told() -> T:
            try:
                return call()
            except Exception as error:
                if not key or answer_of(error).code not in ("400", "403"):
                    raise
            # The answer to a HEAD has no body.
            self._ask_why(key)
            return call()  # nothing is wrong any more

        return super()._calling(verb, key, told)

    def _ask_why(self, key: str) -> None:
        """Asks why the object cannot be read, and raises that; returns if it can."""
        try:
            self._open(self.path(key)).read(0, 1)
        except Exception as error:
            if meaning_of(error) is not Meaning.GONE:
                raise


def _parts(size: int) -> tuple[int, int]:
    """The bytes of a part of an object of `size` bytes, whole MiB, and how many parts are sent at once."""
    part = max(_LEAST_PART, -(-size // (_MOST_PARTS * 2**20)) * 2**20)
    return part, max(1, _IN_MEMORY // part)
