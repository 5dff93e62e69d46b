"""Files that somebody else left, cameras or services: their names, and reading them without trusting them.

A name can hold any byte but `/` and NUL. A key writes bytes that are no UTF-8 and control characters as `\\xNN`, and a backslash as
`\\\\`. So every name has one key, every key has one name, and all keys can be printed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

from driftwatch.errors import OddEntry

_ODD = re.compile(r"[\\\x00-\x1f\x7f-\x9f\udc80-\udcff]")
_ESCAPED = re.compile(r"\\\\|(?:\\x[0-9a-f]{2})+")
_KINDS = (
    (stat.S_ISLNK, "a link that leads to itself"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder that cannot be opened"),
)


def to_key(name: str) -> str:
    """The part of a key that stands for a name (`os.fsdecode`d) of a file system, or a key of S3."""

    def escape(found: re.Match[str]) -> str:
        if found[0] == "\\":
            return "\\\\"
        return "".join(f"\\x{byte:02x}" for byte in found[0].encode("utf-8", "surrogateescape"))

    return _ODD.sub(escape, name)


def from_key(key: str) -> str:
    """The name that the key stands for."""

    def unescape(found: re.Match[str]) -> str:
        if found[0] == "\\\\":
            return "\\"
        return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "surrogateescape")

    return _ESCAPED.sub(unescape, key) if "\\" in key else key


def list_files(folder: str) -> Iterator[tuple[str, int]]:
    """The path below `folder` and the size of every entry that is no folder, in the order of whole paths; nothing where there is no such
    folder. The names of one folder are held at a time, and of those above it.

    Links are listed and not followed. They have size 0, and so have pipes, devices and folders that may not be opened.
    """
    waiting = [iter([""])]
    while waiting:
        name = next(waiting[-1], None)
        if name is None:
            waiting.pop()
        elif name.endswith("/") or not name:
            try:
                waiting.append(iter(_names(folder, name)))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except PermissionError:
                if not name:
                    raise
                yield name.rstrip("/"), 0
        else:
            try:
                found = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue  # removed just now
            yield name, found.st_size if stat.S_ISREG(found.st_mode) else 0


def _names(folder: str, below: str) -> list[str]:
    """The paths of what lies directly in the folder `below`, in order; those of folders end with `/`, which counts in the order."""
    with os.scandir(os.path.join(folder, below)) as entries:
        return sorted(f"{below}{entry.name}{'/' if entry.is_dir(follow_symlinks=False) else ''}" for entry in entries)


def lies_in(path: str, folder: str) -> bool:
    """Whether `path` lies in `folder` when all links are followed."""
    return _is_below(os.path.realpath(path), folder)


def _is_below(real: str, folder: str) -> bool:
    return real.startswith(os.path.realpath(folder).rstrip("/") + "/")


def _by_way_of_links(path: str, folder: str) -> bool:
    """Whether a folder on the way from `folder` to `path` is a link, or the way goes up. This is far cheaper than following all links."""
    parts = path.removeprefix(f"{folder}/").split("/")
    between = (f"{folder}/{'/'.join(parts[:count])}" for count in range(1, len(parts)))
    return not path.startswith(f"{folder}/") or ".." in parts or any(map(os.path.islink, between))


def read_regular(path: str, folder: str, limit: int) -> bytes:
    """The bytes of a regular file in `folder`, or of one there that `path` is a link to.

    Raises OddEntry for anything else, for more than `limit` bytes, and where the file changed while it was read.
    """
    real, found = path, None if _by_way_of_links(path, folder) else os.lstat(path)
    if found is None or stat.S_ISLNK(found.st_mode):
        real = os.path.realpath(path)
        if not _is_below(real, folder):
            raise OddEntry("not_a_file", "is a link that leads out of its folder; only files in it are taken")
        try:
            found = os.lstat(real)
        except FileNotFoundError as error:
            if os.path.islink(path):
                raise OddEntry("not_a_file", "is a link to nothing") from error
            raise
    _refuse_irregular(found)
    # Without blocking, and never a link at the end: the file may have been replaced since it was looked at.
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor)
        _refuse_irregular(before)
        if before.st_size > limit:
            raise too_many_bytes(before.st_size, limit)
        # As much as is there: asking for `limit` would take that much memory each time.
        data = _read(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (len(data), before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OddEntry("still_growing", "changed while it was read")
    return data


def _read(descriptor: int, size: int) -> bytes:
    """Up to `size` bytes; one call may give fewer than there are."""
    data = os.read(descriptor, size)
    while 0 < len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def too_many_bytes(size: int, limit: int) -> OddEntry:
    return OddEntry("too_many_bytes", f"has {size} bytes; images.max_bytes is {limit}")


def _refuse_irregular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = next((name for test, name in _KINDS if test(found.st_mode)), "a device")
        raise OddEntry("not_a_file", f"is {what}; only files are taken")
