"""Which folder of <class>/<file> is which class's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from driftwatch.config.parts import folded
from driftwatch.errors import NeedsAttention

_NAMED = 8


def class_of_folder(name: str, classes: Sequence[str]) -> str | None:
    """The class that the folder's name means: case and the way of writing accents do not count, as a Mac writes ä in two signs. None for no class."""
    return next((each for each in classes if folded(each) == folded(name)), None)


def class_folders(folder: Path, classes: Sequence[str]) -> dict[str, Path]:
    """The folder of each class in `folder`. Raises NeedsAttention where a class has none, or two that mean it; OSError where it cannot be read."""
    found: dict[str, Path] = {}
    others: list[str] = []
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        name = class_of_folder(path.name, classes)
        if name is None:
            others.append(path.name)
        elif name in found:
            raise NeedsAttention(
                f"{folder} has two folders of the class {name}: {found[name].name!a} and {path.name!a}. Put their images into one"
            )
        else:
            found[name] = path
    missing = [name for name in classes if name not in found]
    if missing:
        there = f"; its other folders, which are no class of the file: {_listing(others)}" if others else ""
        raise NeedsAttention(
            f"{folder} has no folder {_listing(missing)}, which the monitor file names in classes{there}. Allowed is <class>/<file>"
        )
    return {name: found[name] for name in classes}


def _listing(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
