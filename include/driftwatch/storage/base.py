"""What every storage root does, by what its kind says for itself (`driftwatch.storage.kind`).

Keys are strings relative to the root, their parts joined by `/` (`foreign_files` says how odd names are written in them). An object is
replaced whole: a task that is killed leaves the old one or the new one. `driftwatch.storage.errors` sorts the errors of every call.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from driftwatch.outside import touching
from driftwatch.storage.errors import if_there, sorting
from driftwatch.storage.foreign_files import from_key, to_key
from driftwatch.storage.formats import Formats
from driftwatch.storage.kind import Kind
from driftwatch.storage.listing import any_below, iter_list
from driftwatch.storage.read_ahead import Fetched, read_ahead, read_in_place
from driftwatch.storage.reading import Reading
from driftwatch.storage.spool import StoredObject, name_of

_PIECE = 2**24  # bytes of a copy in memory


class Storage(Kind, Formats):
    """Read and write artifacts below one root. Made by `driftwatch.storage.open_storage`.

    A kind of storage is a subclass that gives the abstract methods of `Kind`. The methods here sort its errors, repeat what passes, and tell
    `driftwatch.outside`.

    `root`: what follows `scheme://` in the address. `login`: what an object store is opened with, such as S3Login; by default
    the credentials are those of the environment. A local folder needs none.
    """

    # What is there

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

    def size(self, key: str) -> int | None:
        """The object's size in bytes. None where there is no object."""
        found = self._found("look at", key)
        if found is None or found.size is not None:
            return found.size if found else None
        return len(self.read_bytes(key))

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """Every object below `prefix` (a folder), in the order of `iter_list`; empty where there is none. Links are listed, not
        followed."""
        path = self.path(prefix)
        found = self._calling("list", prefix, lambda: [*self._list(path)])
        return sorted((StoredObject(f"{prefix}/{to_key(name)}", size) for name, size in found), key=name_of)

    def unfinished(self, prefix: str) -> Sequence[StoredObject]:
        """The files below `prefix` that writes go to before they are renamed: of writes under way, and of killed ones. `list` has none of them.
        Empty where the kind of storage has no such files, as on object stores."""
        return ()

    def iter_list(self, *prefixes: str) -> Generator[StoredObject, None, None]:
        """As `list`, of one or more folders, none of which lies in another, and never held whole: a few thousand objects at a time, in the order
        of names (`storage.spool`). Several folders, and the folders of a large one, are listed at once, onto the local disk. Close the
        generator where you do not use it up."""
        return iter_list(self, prefixes)

    def any_below(self, prefix: str) -> StoredObject | None:
        """One object below `prefix` (empty: below the root); None where there is none. It is one of the first thousand that the storage lists, and
        not empty if one of these is not: markers of folders are empty."""
        return any_below(self, prefix)

    def folders(self, prefix: str) -> Sequence[str]:
        """The names of the folders directly below `prefix`, sorted; below the root where it is empty."""
        path = self.path(prefix) if prefix else self.root
        found = self._calling("list", prefix, lambda: if_there(lambda: self._folders(path)))
        return sorted(map(to_key, found or ()))

    def linked_folders(self, prefix: str) -> Sequence[str]:
        """The names of the links directly below `prefix` that lead to a folder elsewhere; `folders` has none of them. A file system alone has any."""
        return ()

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
        """The object to read several parts of, in a `with` block. All parts are of the object that was opened. `size`: its bytes, if a listing
        told them."""
        return Reading(self, key, size)

    def read_foreign(self, key: str, folder: str, limit: int) -> bytes:
        """The bytes of a file that somebody else left in `folder` (empty: anywhere in the storage).

        Raises OddEntry for what is no regular file there, has more than `limit` bytes, or changes while it is read; MissingArtifact where there
        is none.
        """
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
