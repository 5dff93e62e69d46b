"""What a kind of storage gives: of an object, an object that was opened, and of the credentials that links are signed with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stored:
    """An object's bytes, and the server's name for this version of it: the ETag on S3, empty on file://."""

    data: bytes
    etag: str = ""


@dataclass(frozen=True)
class Entry:
    """What there is at an address. `stamp` changes whenever the object is replaced; a folder of an object store has none. `written`: when it was
    last written to, in seconds since 1970. `size`: an object's bytes, if it says them."""

    stamp: str | None
    written: float | None = None
    size: int | None = None


@dataclass(frozen=True)
class SigningCredentials:
    """`temporary`: they come with a session token, as those of roles do. `end`: when they stop working, if they say so."""

    temporary: bool
    end: datetime | None = None


class Replaced(Exception):
    """What is asked for is no longer the object that was opened."""


class Opened(ABC):
    """An object as a kind of storage opens it. Both calls raise what the file system or the server says, and Replaced."""

    @abstractmethod
    def size(self) -> int:
        """The object's bytes."""

    @abstractmethod
    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, or to the object's end where that is earlier."""

    @abstractmethod
    def close(self) -> None: ...
