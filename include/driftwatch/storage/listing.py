"""Lists what lies below a prefix in order, however much it is: a few thousand objects are in memory at a time.

A server lists 1,000 objects a request, one request after the other. So where the prefix has several folders, many of them are listed at
once, each into a spool.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import chain, dropwhile, islice, takewhile
from typing import NamedTuple

from driftwatch.errors import NeedsAttention
from driftwatch.storage.foreign_files import from_key, to_key
from driftwatch.storage.kind import Kind
from driftwatch.storage.spool import Spool, StoredObject, name_of

AT_ONCE = 16  # folders
_AHEAD = 64  # folders that are listed, or about to be, before they are wanted
_PIECE = 5_000
# What one request of a listing gives.
PAGE = 1_000
# Folders of few objects cost more requests one by one than together.
_MOST_FOLDERS, _FOLDERS_OF_A_PAGE = PAGE, 10


class _Folder(NamedTuple):
    path: str
    prefix: str


def iter_list(storage: Kind, prefixes: Sequence[str]) -> Generator[StoredObject, None, None]:
    """As `Storage.iter_list`."""
    folders = [
        _Folder(storage.path(prefix), prefix) for prefix in sorted(prefixes, key=lambda one: f"{from_key(one)}/")
    ]
    if not storage.lists_in_order:
        yield from _sorted_here(storage, folders)
    elif len(folders) == 1:
        yield from _level(storage, *folders[0])
    elif storage.remote:
        yield from _at_once(storage, folders)
    else:
        for folder in folders:
            yield from _stream(storage, *folder)


def any_below(storage: Kind, prefix: str) -> StoredObject | None:
    """As `Storage.any_below`."""
    path = storage.path(prefix) if prefix else storage.root

    def look() -> tuple[str, int] | None:
        some = list(islice(storage._list(path), PAGE))
        return next((found for found in some if found[1]), some[0] if some else None)

    found = storage._calling("list", prefix, look)
    return None if found is None else StoredObject(f"{prefix}/{to_key(found[0])}".lstrip("/"), found[1])


def _sorted_here(storage: Kind, folders: Sequence[_Folder]) -> Iterator[StoredObject]:
    with closing(Spool()) as spool:

        def fill() -> None:
            spool.fill(item for path, prefix in folders for item in _objects(prefix, storage._list(path)))

        if folders:
            storage._calling("list", folders[0].prefix, fill)
        yield from spool


def _objects(prefix: str, found: Iterable[tuple[str, int]]) -> Iterator[StoredObject]:
    return (StoredObject(f"{prefix}/{to_key(name)}", size) for name, size in found)


def _level(storage: Kind, path: str, prefix: str) -> Iterator[StoredObject]:
    """In one stream, or folder by folder where that is faster."""
    found = _stream(storage, path, prefix)
    first = list(islice(found, PAGE)) if storage.remote else []
    entries = _entries(storage, path, prefix) if len(first) == PAGE and _in_few_folders(first, prefix) else []
    if not entries:
        yield from chain(first, found)
    elif len(entries) == 1:
        name = entries[0][0].rstrip("/")
        yield from _level(storage, f"{path}/{name}", f"{prefix}/{to_key(name)}")
    else:
        yield from _at_once(storage, [_part(path, prefix, *entry) for entry in entries])


def _part(path: str, prefix: str, name: str, size: int | None) -> StoredObject | _Folder:
    if size is not None:
        return StoredObject(f"{prefix}/{to_key(name)}", size)
    return _Folder(f"{path}/{name[:-1]}", f"{prefix}/{to_key(name[:-1])}")


def _in_few_folders(first: Iterable[StoredObject], prefix: str) -> bool:
    names = {name_of(item).removeprefix(f"{prefix}/").partition("/")[:2] for item in first}
    return len(names) <= _FOLDERS_OF_A_PAGE and all(slash for _, slash in names)


def _entries(storage: Kind, path: str, prefix: str) -> list[tuple[str, int | None]]:
    """What lies directly below, in order; a folder's name with its `/`. Empty if there are too many folders to list one by one, or if the kind
    does not say."""

    def look() -> list[tuple[str, int | None]]:
        return list(islice(storage._directly(path), _MOST_FOLDERS + 1))

    found = storage._calling("list", prefix, look)
    return sorted(found) if len(found) <= _MOST_FOLDERS else []


def _stream(storage: Kind, path: str, prefix: str) -> Iterator[StoredObject]:
    """One request after the other. An error that passes costs no more than that part again."""
    last, names = "", None

    def some() -> list[tuple[str, int]]:
        nonlocal names
        if names is None:
            names = dropwhile(lambda found: last != "" and found[0] <= last, storage._list(path))
        try:
            return list(islice(names, PAGE))
        except Exception:
            names = None
            raise

    while found := storage._calling("list", prefix, some):
        for name, _ in found:
            if name < last:
                raise NeedsAttention(
                    f"{storage.url(prefix)} lists {name!r} after {last!r}: this server does not list in the order of names, which a listing "
                    "needs. Use one that does, as AWS S3, MinIO, Ceph and Google Cloud Storage do"
                )
            last = name
        yield from _objects(prefix, found)


def _at_once(storage: Kind, parts: Sequence[StoredObject | _Folder]) -> Iterator[StoredObject]:
    """What lies in the folders, and the objects between them, in the order of `parts`."""
    stop = threading.Event()

    def spooled(folder: _Folder) -> Spool:
        spool = Spool(_PIECE)
        spool.fill(takewhile(lambda _: not stop.is_set(), _stream(storage, *folder)))
        return spool

    folders = iter([part for part in parts if isinstance(part, _Folder)])
    waiting: deque[Future[Spool]] = deque()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="listing")
    try:
        waiting.extend(pool.submit(spooled, folder) for folder in islice(folders, _AHEAD))
        for part in parts:
            if isinstance(part, StoredObject):
                yield part
                continue
            with closing(waiting.popleft().result()) as spool:
                waiting.extend(pool.submit(spooled, folder) for folder in islice(folders, 1))
                yield from spool
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
        for future in waiting:
            if not future.cancelled() and future.exception() is None:
                future.result().close()
