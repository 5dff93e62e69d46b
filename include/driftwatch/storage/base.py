"""What every storage root does, and what each kind of it says for itself.

Keys are strings relative to the root, their parts joined by `/` (`foreign_files` says how odd names are written in them). An object is
replaced whole: a task that is killed leaves the old one or the new one. `driftwatch.storage.errors` sorts the errors of every call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar

from driftwatch.errors import DriftwatchError
from driftwatch.outside import touching
from driftwatch.seams import Extra
from driftwatch.storage.addresses import is_address
from driftwatch.storage.entries import Entry, SigningCredentials, Stored
from driftwatch.storage.errors import calling, if_there, sorting
from driftwatch.storage.foreign_files import from_key, to_key
from driftwatch.storage.formats import Formats
from driftwatch.storage.listing import any_below, iter_list
from driftwatch.storage.read_ahead import Fetched, read_ahead, read_in_place
from driftwatch.storage.reading import Opened, Reading
from driftwatch.storage.spool import StoredObject, name_of

T = TypeVar("T")
_PIECE = 2**24  # bytes of a copy in memory


class Storage(Formats, ABC):
    """Read and write artifacts below one root. Made by `driftwatch.storage.open_storage`.

    A kind of storage gives the abstract methods. Those that begin with `_` get addresses (`path`) in place of keys, and raise what the
    file system or the server says: the public methods sort it, repeat what passes, and tell `driftwatch.outside`.

    `root`: what follows `scheme://` in the address. `login`: what an object store is opened with, such as S3Login; by default
    the credentials are those of the environment. A local folder needs none.
    """

    scheme: ClassVar[str]
    # An address of this kind, for messages.
    example: ClassVar[str]
    # Whether each call is a round trip over a network, so that many at once pay.
    remote: ClassVar[bool] = True
    # Whether it is opened with a login.
    takes_login: ClassVar[bool] = False
    # What has to be installed for it.
    extra: ClassVar[Extra | None] = None
    # The name of a version that no object ever has.
    never: ClassVar[str] = '"00000000000000000000000000000000"'
    # Whether `presigned_url` makes links.
    presigns: ClassVar[bool] = False
    # Whether `_list` goes in the order of names. Otherwise a listing is sorted on the local disk.
    lists_in_order: bool = False

    def __init__(self, root: str, login: Any = None) -> None:
        self.root = root.rstrip("/")
        self.uri = f"{self.scheme}://{self.root}"
        self._given = login

    @classmethod
    def allows(cls, root: str) -> bool:
        """Whether `root` can be one of this kind."""
        return bool(root)

    # Addresses

    def path(self, key: str) -> str:
        """The object's address for the kind's own calls. Refuses a key that leaves the root, and the address of an object elsewhere."""
        parts = key.split("/")
        if is_address(key):
            raise DriftwatchError(
                f"{key} does not lie in {self.uri}: whoever asks has to open the storage that it lies in"
            )
        if not key or key.startswith("/") or ".." in parts:
            raise DriftwatchError(f"storage key {key!r} must be relative, without '..': correct what made the key")
        return f"{self.root}/{from_key(key)}"

    def local_path(self, key: str) -> Path | None:
        """The object's path where the storage is a file system, else None."""
        return None

    def url(self, key: str) -> str:
        """The object's address for people and messages."""
        return key if is_address(key) else f"{self.uri}/{key}"

    def presigned_url(self, key: str, seconds: int) -> str:
        """A GET link that expires after `seconds`, where the storage `presigns`."""
        raise self._no_links()

    def signing_credentials(self) -> SigningCredentials:
        """The credentials that the next presigned link is signed with. Those that renew themselves do it first."""
        raise self._no_links()

    # What is there

    @abstractmethod
    def reach(self) -> None:
        """Raises where the storage cannot be read: nobody answers, no login or no right, no such bucket. An empty one is fine, and a
        folder that is not there yet, too."""

    def clock(self) -> datetime | None:
        """What time the storage's server has (aware, whole seconds); None where there is none, as for a folder."""
        return None

    def exists(self, key: str) -> bool:
        return self._found("look for", key) is not None

    def stamp(self, key: str) -> str | None:
        """A text that changes whenever the object is replaced: its time and size, on S3 its ETag. None where there is no object."""
        found = self._found("look at", key)
        return found.stamp if found else None

    def stamps(self, folder: str, names: Sequence[str]) -> dict[str, str]:
        """The `stamp` of each of `names` that is an object directly in `folder`, from one listing of the folder; empty where there is none.

        On an object store that is one request for each thousand objects of the folder, those of folders in it not counted.
        """
        path = self.path(folder)
        return self._calling("list", folder, lambda: if_there(lambda: self._stamps(path, names)) or {})

    def modified(self, key: str) -> float | None:
        """When a local file was last written to, in seconds since 1970; None where an object is whole from the start, as on S3."""
        return None

    def size(self, key: str) -> int | None:
        """The object's size in bytes. None where there is no object."""
        found = self._found("look at", key)
        if found is None or found.size is not None:
            return found.size if found else None
        return len(self.read_bytes(key))

    def lies_in(self, key: str, folder: str) -> bool:
        """Whether `key` lies in `folder` when all links are followed."""
        return True

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """Every object below `prefix` (a folder), in the order of `iter_list`; empty where there is none. Links are listed, not
        followed."""
        path = self.path(prefix)
        found = self._calling("list", prefix, lambda: [*self._list(path)])
        return sorted((StoredObject(f"{prefix}/{to_key(name)}", size) for name, size in found), key=name_of)

    def iter_list(self, *prefixes: str) -> Generator[StoredObject, None, None]:
        """The same of one or more folders, none of which lies in another, when it may be more than memory should hold: in the order of
        names (`storage.spool`), a few thousand objects at a time. Several folders, and those of a large one, are listed at once, onto the
        local disk. Close the generator where you do not use it up."""
        return iter_list(self, prefixes)

    def any_below(self, prefix: str) -> StoredObject | None:
        """One object below `prefix`, or below the root where it is empty: of the first thousand that the storage lists one that is not
        empty, as the markers of folders are, if there is one. None where there is no object."""
        return any_below(self, prefix)

    def folders(self, prefix: str) -> Sequence[str]:
        """The names of the folders directly below `prefix`, sorted; below the root where it is empty."""
        path = self.path(prefix) if prefix else self.root
        found = self._calling("list", prefix, lambda: if_there(lambda: self._folders(path)))
        return sorted(map(to_key, found or ()))

    # Reading

    def read_bytes(self, key: str) -> bytes:
        """The object's bytes; raises MissingArtifact where there is none."""
        path = self.path(key)
        return self._calling("read", key, lambda: self._read(path))

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """The object's bytes from `start` to before `end`."""
        with self.reading(key) as found:
            return found.range(start, end)

    def reading(self, key: str, size: int | None = None) -> Reading:
        """The object to read several parts of, in a `with` block: all are of the object that was opened. `size`: its bytes, where a listing told
        them."""
        return Reading(self, key, size)

    def read_foreign(self, key: str, folder: str, limit: int) -> bytes:
        """The bytes of a file that somebody else left in `folder` (empty: anywhere in the storage). Raises OddEntry for what is no regular file in it, what has more
        than `limit` bytes, and what changes while it is read; MissingArtifact where there is none."""
        path, below = f"{self.root}/{from_key(key)}", f"{self.root}/{from_key(folder)}".rstrip("/")
        return self._calling("read", key, lambda: self._read_foreign(path, below, limit))

    def iter_bytes(
        self, keys: Sequence[str], at_once: int = 16, read: Callable[[str], bytes] | None = None
    ) -> Generator[Fetched, None, None]:
        """Fetches objects in the order of `keys`, ahead of the consumer: at most `at_once` are in memory beyond the one in use.

        `read`: how to read one (`read_bytes`).
        """
        if self.remote:
            return read_ahead(keys, read or self.read_bytes, at_once, 1)
        return read_in_place(keys, read or self.read_bytes, at_once, max(1, at_once // 4))

    def iter_foreign(
        self, keys: Sequence[str], folder: str, limit: int, at_once: int = 16
    ) -> Generator[Fetched, None, None]:
        """As `iter_bytes`, of files that somebody else left: each as `read_foreign` reads it."""
        return self.iter_bytes(keys, at_once, lambda key: self.read_foreign(key, folder, limit))

    # Writing

    def write_bytes(self, key: str, data: bytes, content_type: str | None = None) -> None:
        """Replaces the object whole. `content_type`: what an object store tells browsers that it is."""
        path = self.path(key)
        with touching(f"storage write {key}"):
            self._calling("write", key, lambda: self._write(path, data, content_type))

    @contextmanager
    def writing(self, key: str) -> Iterator[IO[bytes]]:
        """A file to write an object into piece by piece; it replaces the object whole when the block ends without an error.

        On an object store it lies on the local disk until then.
        """
        self.path(key)
        with touching(f"storage write {key}"), sorting("write", self.url(key)), self._writing(key) as file:
            yield file

    def copy(self, source: str, target: str) -> None:
        """Copies an object within the storage, piece by piece; on an object store the server does it, and no bytes pass here."""
        with self.reading(source) as found:
            size = found.size()  # which tells that there is none before anything is written
            with self.writing(target) as file:
                file.writelines(found.range(start, min(start + _PIECE, size)) for start in range(0, size, _PIECE))

    def delete(self, key: str) -> None:
        """Removes the object. It is no error if there is none."""
        path = self.path(key)

        def remove() -> None:
            with suppress(FileNotFoundError):
                self._remove(path)

        if self.exists(key):
            with touching(f"storage delete {key}"):
                self._calling("delete", key, remove)

    def delete_all(self, keys: Sequence[str]) -> None:
        """Removes these objects, in any order; an object store is asked once for a thousand of them. It is no error if one is gone."""
        for key in keys:
            self.delete(key)

    @abstractmethod
    def read_stored(self, key: str) -> Stored | None:
        """The object as `replace` wants it; None where there is none."""

    @abstractmethod
    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        """Writes the object where it is still `found` (None: where there is none); returns what it is now, None where it is another.

        An object store decides itself. On file:// the caller holds a lock (`driftwatch.storage.lock`), which is never given to two.
        """

    # What each kind of storage says for itself

    @abstractmethod
    def _look(self, path: str) -> Entry:
        """What there is, an object or a folder; raises an error that means GONE where there is nothing."""

    def _stamps(self, path: str, names: Sequence[str]) -> dict[str, str]:
        """As `stamps`. A kind that lists a folder together with its objects' stamps asks once; others look at each name."""
        found = ((name, if_there(lambda name=name: self._look(f"{path}/{name}"))) for name in names)  # type: ignore[misc]
        return {name: entry.stamp for name, entry in found if entry and entry.stamp}

    @abstractmethod
    def _list(self, path: str) -> Iterator[tuple[str, int]]:
        """The name below `path` and the size of every object; nothing where there is no such folder."""

    def _directly(self, path: str) -> Iterator[tuple[str, int | None]]:
        """What lies directly below `path` in any order: an object's name and size; a folder's name with a `/`, and None. A kind that does
        not say it lists a large prefix in one stream."""
        return iter(())

    @abstractmethod
    def _folders(self, path: str) -> Sequence[str]:
        """The names of the folders directly below `path`."""

    @abstractmethod
    def _read(self, path: str) -> bytes: ...

    @abstractmethod
    def _open(self, path: str) -> Opened:
        """The object, of which parts will be read."""

    @abstractmethod
    def _read_foreign(self, path: str, folder: str, limit: int) -> bytes: ...

    @abstractmethod
    def _write(self, path: str, data: bytes, content_type: str | None) -> None: ...

    @abstractmethod
    def _writing(self, key: str) -> AbstractContextManager[IO[bytes]]:
        """As `writing`."""

    @abstractmethod
    def _remove(self, path: str) -> None: ...

    # Errors

    def _no_links(self) -> DriftwatchError:
        return DriftwatchError(
            f"{self.uri}: a {self.scheme}:// storage has no presigned links and needs an image server: set labels.image_links"
        )

    def _calling(self, verb: str, key: str, call: Callable[[], T]) -> T:
        return calling(verb, self.url(key), call)

    def _found(self, verb: str, key: str) -> Entry | None:
        path = self.path(key)
        return self._calling(verb, key, lambda: if_there(lambda: self._look(path)))
