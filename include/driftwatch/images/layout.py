"""Where the images of a day lie: in the monitor's own `incoming/<day>`, or where `images.layout` says. That place is only read.

The stored key of an image is relative to the storage's root, or the image's whole address if it lies elsewhere. The root of a day's images is
the folder that holds them all, as far as that has one name. Tables and patterns name an image by its path below the root. `ingest.json` keeps the
root, for days that were taken in before the monitor file changed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from driftwatch.artifacts.ingest import Ingest
from driftwatch.config.layout import part_fits
from driftwatch.errors import NeedsAttention
from driftwatch.storage import StoredObject
from driftwatch.storage.addresses import split_address
from driftwatch.storage.elsewhere import storage_of
from driftwatch.storage.foreign_files import from_key, to_key

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore, MonitorStore
    from driftwatch.storage import Storage


@dataclass(frozen=True)
class Place:
    """Where a day's images lie. `storage`: the one that has them; `at`: its address, empty where it is the monitor's own. `root`: a stored key.
    `patterns`: the folders' keys in `storage`, with `*`."""

    storage: Storage
    at: str
    root: str
    patterns: tuple[str, ...]

    @property
    def said(self) -> str:
        """The folders for people."""
        return ", ".join(self.storage.url(pattern) for pattern in self.patterns)

    def key(self, stored: str) -> str:
        """The key in `storage` of a stored key."""
        return stored[len(self.at) + 1 :] if self.at else stored

    def stored(self, key: str) -> str:
        return f"{self.at}/{key}" if self.at else key

    def objects(self, ignored: Callable[[str], object]) -> Generator[StoredObject, None, None]:
        """Everything in the folders, by stored keys in the order of names. `ignored`: whether the object of a stored key is to be no image."""
        folders = self._folders()
        with closing(self.storage.iter_list(*folders)) as listed:
            for number, item in enumerate(listed):
                if not number:  # a link to nothing but ignored objects loses no image
                    self._refuse_links([folder for folder in folders if not ignored(self.stored(f"{folder}/-"))])
                yield StoredObject(self.stored(item.key), item.size)

    def any_object(self, tries: int) -> StoredObject | None:
        """An object in the folders, by its key in `storage`: the first that is not empty, else an empty one. None if `tries` listings find none."""
        waiting = [("", pattern.split("/")) for pattern in reversed(self.patterns)]
        empty: StoredObject | None = None
        while waiting and tries:
            tries -= 1
            folder, parts = waiting.pop()
            fixed = [*takewhile(lambda part: "*" not in part, parts)]
            folder = "/".join([*([folder] if folder else []), *fixed])
            if len(fixed) < len(parts):
                part, *more = parts[len(fixed) :]
                names = _names(self.storage, folder, part)
                waiting += [(f"{folder}/{name}" if folder else name, more) for name in reversed(names)]
            elif (found := self.storage.any_below(folder)) and found.size:
                self._refuse_links([folder])
                return found
            else:
                empty = empty or found
        return empty

    def _refuse_links(self, folders: Sequence[str]) -> None:
        """Raises NeedsAttention for a folder with files that a link leads to. Above the folder that holds all of them links are allowed."""
        root = self.key(self.root)
        for folder in folders:
            held_by = folder.rpartition("/")[0] if folder == root else root
            if self.storage.lies_in(folder, held_by) or self.storage.any_below(folder) is None:
                continue
            do = "put the images there, or make the folder above it the link"
            if folder != root:
                do = "mount there what the link leads to, in its place (mount --bind)"
            raise NeedsAttention(
                f"{self.storage.url(folder)} leads by a link out of {self.storage.url(held_by)}, and no file behind it is taken: {do}"
            )

    def _folders(self) -> list[str]:
        """Those that there are of the patterns with `*`, and the others; none lies in another."""
        found = sorted(
            {folder for pattern in self.patterns for folder in _expanded(self.storage, pattern)}, key=_as_folder
        )
        kept: list[str] = []
        for folder in found:
            if not kept or not _as_folder(folder).startswith(_as_folder(kept[-1])):
                kept.append(folder)
        return self._each_once(kept)

    def _each_once(self, folders: list[str]) -> list[str]:
        """Without links to others of the folders: an image counts by the name of the folder that it lies in."""
        paths = {folder: path for folder in folders if (path := self.storage.local_path(folder))}
        real = {folder: path.resolve() for folder, path in paths.items()}
        if len({*real.values()}) == len(real):
            return folders
        key = self.key(self.root)
        top = (self.storage.local_path(key) if key else None) or Path(self.storage.root)
        own = [folder for folder in folders if real[folder] == top.resolve() / paths[folder].relative_to(top)]
        first: dict[Path, str] = {}
        for folder in (*own, *folders):
            first.setdefault(real[folder], folder)
        return [folder for folder in folders if first[real[folder]] == folder]


def place_of_day(day: DayStore) -> Place:
    layout = day.config.images.layout
    if layout is None:
        return Place(day.storage, "", day.keys.incoming, (day.keys.incoming,))
    paths = tuple(map(to_key, layout.paths_of(day.date)))
    storage, _ = storage_of(paths[0], day.storage, day.monitor.elsewhere)
    at = split_address(paths[0])[0]
    return Place(storage, at, _common(paths), tuple(split_address(path)[1] for path in paths))


def images_root(day: DayStore) -> str:
    """The root of a day's images: of one that was taken in, as it was then."""
    found = day.find(Ingest)
    if found is None:
        return _root(day.monitor, day.date)
    return day.keys.incoming if found.images_root is None else found.images_root


def taken_in_from(day: DayStore, place: Place) -> str:
    """The root of the day's images when it was taken in, where `images.layout` leads elsewhere by now; else empty."""
    root = images_root(day)
    return "" if root == place.root else root


def dated_root(store: MonitorStore, key: str) -> tuple[date, str] | None:
    """The day of an image by its stored key, and the root of that day's images. None for what lies in no day's folder."""
    own = f"{store.keys.incoming}/"
    if key.startswith(own):
        day = date.fromisoformat(key.removeprefix(own).partition("/")[0])
        return day, store.keys.day(day).incoming
    layout = store.config.images.layout
    found = layout.day_of(from_key(key)) if layout else None
    return (found, _root(store, found)) if found else None


def below(root: str, key: str) -> str:
    """The path of an image below the root."""
    return key.removeprefix(f"{root}/") if root else key


def _root(store: MonitorStore, day: date) -> str:
    layout = store.config.images.layout
    return store.keys.day(day).incoming if layout is None else _common(tuple(map(to_key, layout.paths_of(day))))


def _common(paths: Sequence[str]) -> str:
    """The folder that holds all of them, as far as it has one name."""
    together = zip(*(path.split("/") for path in paths), strict=False)
    return "/".join(part for part, *_ in takewhile(lambda parts: len({*parts}) == 1 and "*" not in parts[0], together))


def _as_folder(key: str) -> str:
    return f"{from_key(key)}/"


def _expanded(storage: Storage, pattern: str) -> list[str]:
    found = [""]
    for part in pattern.split("/"):
        names = [(folder, name) for folder in found for name in _names(storage, folder, part)]
        found = [f"{folder}/{name}" if folder else name for folder, name in names]
    return found


def _names(storage: Storage, folder: str, part: str) -> list[str]:
    """Those that a part of a pattern stands for. Links are among them: what lies behind one is refused, and not left out."""
    if "*" not in part:
        return [part]
    return [name for name in (*storage.folders(folder), *storage.linked_folders(folder)) if part_fits(part, name)]
