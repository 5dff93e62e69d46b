"""A person's folder of labelled images. They are divided among training and days; nothing in the folder is changed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from driftwatch.errors import NeedsAttention
from driftwatch.models.class_folders import class_folders
from driftwatch_sandbox.demo.homes import VAR, DemoFailed

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
# With fewer, a class has no held-out image, or a day has no verdict.
TRAINING_EACH, DAY = 30, 40
# More images would only take more time.
_MOST_TRAINING, _MOST_EACH, _MOST_DAY = 1500, 60, 120
_NAMED = 8

Labelled = tuple[Path, str]


@dataclass(frozen=True)
class Shares:
    """Which images go to training, and which to each day. `left`: how many are not used."""

    training: Sequence[Labelled]
    days: Sequence[Sequence[Labelled]]
    left: int


def find(folder: Path, classes: Sequence[str]) -> dict[str, list[Path]]:
    """The images of each class, sorted. Raises DemoFailed if the folder, or that of a class, is missing."""
    if not folder.is_dir():
        raise DemoFailed(
            f"IMAGES={folder}: no such folder; it must hold a folder of images for each of {_listing(classes)}"
        )
    try:
        return {
            name: sorted(
                path.resolve()
                for path in of_class.iterdir()
                if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
            )
            for name, of_class in class_folders(folder, classes).items()
        }
    except NeedsAttention as error:
        raise DemoFailed(f"IMAGES={error}") from None
    except OSError as error:
        raise DemoFailed(f"IMAGES={folder} cannot be read: {error}") from error


def share_out(folder: Path, classes: Sequence[str], images: Mapping[str, Sequence[Path]], days: int) -> Shares:
    """Divides the images. The same images are always divided alike. Raises DemoFailed if there are too few, and says how many are missing."""
    counts = {name: len(images[name]) for name in classes}
    few = [f"{name} has {n}, {TRAINING_EACH - n} too few" for name, n in counts.items() if n < TRAINING_EACH]
    total, needed = sum(counts.values()), TRAINING_EACH * len(classes) + DAY * days
    if few or total < needed:
        raise DemoFailed(
            f"IMAGES={folder} has too few images ({', '.join(sorted(SUFFIXES))}): {TRAINING_EACH} of each of the {len(classes)} classes are "
            f"needed, and {DAY * days} more of any for {days} days, {needed} together. It has {total}"
            + (f", {needed - total} too few" if total < needed else "")
            + (f"; {_listing(few, '; ')}" if few else "")
        )
    chance = random.Random(11)  # noqa: S311 - a reproducible try, not a secret
    training: list[Labelled] = []
    rest: list[Labelled] = []
    more = max(_MOST_EACH, _MOST_TRAINING // len(classes)) - TRAINING_EACH
    for name in classes:
        shuffled = [(path, name) for path in images[name]]
        chance.shuffle(shuffled)
        training += shuffled[:TRAINING_EACH]
        rest += shuffled[TRAINING_EACH:]
    chance.shuffle(rest)
    size = max(DAY, min(_MOST_DAY, len(rest) // (2 * days)))
    parts = [rest[number * size : (number + 1) * size] for number in range(days)]
    room = dict.fromkeys(classes, more)
    unused = 0
    for image in rest[days * size :]:
        if room[image[1]]:
            room[image[1]] -= 1
            training.append(image)
        else:
            unused += 1
    found = Shares(training, parts, unused)
    _refuse_full_disk(found)
    return found


def _refuse_full_disk(shares: Shares) -> None:
    used = [*shares.training, *(image for day in shares.days for image in day)]
    needed, free = sum(path.stat().st_size for path, _ in used), shutil.disk_usage(VAR.parent).free
    if needed > free:
        raise DemoFailed(
            f"the images take {needed / 1e9:.1f} GB, and {VAR.parent} has {free / 1e9:.1f} GB free: give fewer or smaller ones"
        )


def _listing(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - _NAMED
    return between.join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
