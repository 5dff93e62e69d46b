"""What each kind of storage says for itself. `driftwatch.storage.base.Storage` makes of it what a storage root does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar

from driftwatch.errors import DriftwatchError
from driftwatch.seams import Extra
from driftwatch.storage.addresses import is_address
from driftwatch.storage.entries import Entry, Opened, SigningCredentials, Stored
from driftwatch.storage.errors import calling, if_there
from driftwatch.storage.foreign_files import from_key

T = TypeVar("T")


class Kind(ABC):
    """One kind of storage: its abstract methods, and what it says otherwise than here.

    Methods that begin with `_` get addresses (`path`) in place of keys. They raise what the file system or the server says: `_calling` sorts
    it, and repeats what passes.
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

    # Addresses and links

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

    # The server, and what only some kinds know

    @abstractmethod
    def reach(self) -> None:
        """Raises where the storage cannot be read: nobody answers, no login or no right, no such bucket. An empty storage is fine, and so is a
        folder that is not there yet."""

    def clock(self) -> datetime | None:
        """What time the storage's server has (aware, whole seconds); None where there is none, as for a folder."""
        return None

    def modified(self, key: str) -> float | None:
        """When a local file was last written to, in seconds since 1970; None where an object is whole from the start, as on S3."""
        return None

    def written(self, key: str) -> float | None:
        """When the object was last written, in seconds since 1970, by the storage's own clock; None where there is none."""
        found = self._found("look at", key)
        return found.written if found else None

    def lies_in(self, key: str, folder: str) -> bool:
        """Whether `key` lies in `folder` when all links are followed."""
        return True

    # Objects that are written only where they are still what was read

    @abstractmethod
    def read_stored(self, key: str) -> Stored | None:
        """The object as `replace` wants it; None where there is none."""

    @abstractmethod
    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        """Writes the object where it is still `found` (None: where there is none); returns what it is now, None where it is another.

        An object store decides itself. On file:// the caller holds a lock (`driftwatch.storage.lock`), which is never given to two.
        """

    # By address

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
        """What lies directly below `path`, in any order: an object's name and size; a folder's name with a `/`, and None. Without this method
        a large prefix is listed in one stream."""
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

    # How it is called

    def _no_links(self) -> DriftwatchError:
        return DriftwatchError(
            f"{self.uri}: a {self.scheme}:// storage has no presigned links and needs an image server: set labels.image_links"
        )

    def _calling(self, verb: str, key: str, call: Callable[[], T]) -> T:
        return calling(verb, self.url(key), call)

    def _found(self, verb: str, key: str) -> Entry | None:
        path = self.path(key)
        return self._calling(verb, key, lambda: if_there(lambda: self._look(path)))
