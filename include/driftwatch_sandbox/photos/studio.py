"""Draws one photo, or a folder of them, from a seed."""

from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.photos.animals import draw_body, draw_head
from driftwatch_sandbox.photos.brush import Fur, View
from driftwatch_sandbox.photos.coats import choose, draw_coat
from driftwatch_sandbox.photos.scenes import draw_place, expose, ground_shadow, put_in_front

Label = Literal["cat", "dog"]
LABELS: tuple[Label, ...] = ("cat", "dog")

# Ears are the strongest sign of a class, and can still be seen when a photo is damaged. So each class sometimes has the ears of the other:
# then only the muzzle, the eyes and the whiskers decide. With these odds a small CNN is right on about .9 of clean photos.
EAR_ODDS = {"cat": {"pricked": 93, "folded": 3, "hanging": 4}, "dog": {"pricked": 17, "folded": 13, "hanging": 70}}
HAIR_ODDS = {"cat": {"short": 6, "long": 4, "curly": 0}, "dog": {"short": 5, "long": 3, "curly": 2}}
TEXTURE = {"cat": 0.14, "dog": 0.07}  # cats' fur has more contrast: evidence that a broken camera takes away
OCCLUDED = 0.2  # share of photos with something in front of the animal


def draw(label: Label, seed: int) -> Image.Image:
    """A picture of one animal like a photo, RGB, 200 to 500 px a side. The same seed gives the same picture."""
    if label not in LABELS:
        raise DriftwatchError(f"unknown class {label!r}: the sandbox draws {' and '.join(LABELS)}")
    return Image.fromarray(_draw(label, _random(label, seed)))


def _random(label: str, seed: int, *more: int) -> np.random.Generator:
    return np.random.default_rng([seed, LABELS.index(label), *more])


def _draw(label: str, random: np.random.Generator) -> np.ndarray:
    long, aspect = 220 + 280 * random.random() ** 2, np.exp(random.normal(0, 0.22))
    width, height = (int(np.clip(side, 200, 500)) for side in (long * min(1, aspect), long / max(1, aspect)))
    pose = choose(random, {"portrait": 62, "sit": 14, "stand": 12, "lie": 12})
    side = min(width, height)
    size = side * {"portrait": random.uniform(0.24, 0.36), "sit": random.uniform(0.15, 0.19)}.get(
        pose, random.uniform(0.15, 0.21)
    )
    x = width * 0.5 + random.normal(0, 0.06) * width
    y = height * {"portrait": 0.45, "sit": 0.3}.get(pose, 0.38) + random.normal(0, 0.04) * height
    floor = float(np.clip((y + random.uniform(0.8, 2.6) * size) / height, 0.3, 0.9))
    image = draw_place(label, width, height, floor, random)
    light = random.uniform(-0.6, 0.6), random.uniform(-0.65, -0.15)
    texture = TEXTURE[label] + random.uniform(0, 0.12) + 0.14 * min(1, size / 90)
    fuzz, ambient = 1 + size * random.uniform(0.02, 0.06), random.uniform(0.35, 0.6)
    fur = Fur(image, (x, y), light, choose(random, HAIR_ODDS[label]), texture, fuzz, ambient)
    coat = draw_coat(label, random)
    body = View(x, y, size, roll=random.normal(0, 0.05))
    feet = y + {"stand": 3.0, "lie": 1.85}.get(pose, 3.5) * size
    ground_shadow(image, x, feet, 2.6 * size, 0.4 * size, random.uniform(0.2, 0.6))
    draw_body(fur, body, label, coat, "sit" if pose == "portrait" else pose, random)
    head = View(x, y, size, random.uniform(-0.55, 0.55), random.normal(0.05, 0.13), random.normal(0, 0.13))
    draw_head(fur, head, label, coat, choose(random, EAR_ODDS[label]), random)
    image = fur.image
    if random.random() < OCCLUDED:
        image = put_in_front(image, random)
    return expose(image, random)


def _jpeg(label: str, seed: int, number: int) -> bytes:
    """The file of one photo: the picture of its seed, at a quality of 60 to 95."""
    random = _random(label, seed, number)
    picture, buffer = _draw(label, random), BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=int(random.integers(60, 96)))
    return buffer.getvalue()


def _write_some(folder: Path, label: str, seed: int, numbers: list[int]) -> list[Path]:
    cv2.setNumThreads(1)  # the processes already use all cores
    paths = []
    for number in numbers:
        path = folder / label / f"{label}.{number}.jpg"
        path.write_bytes(_jpeg(label, seed, number))
        paths.append(path)
    return paths


def write_photos(folder: Path, count_by_class: dict[str, int], seed: int, processes: int = 1) -> list[Path]:
    """Draws `folder/<class>/<class>.<i>.jpg`, i from 0. Returns the paths, sorted by class and i.

    The same seed writes the same files with any number of processes.
    """
    chunks = []
    for label, count in count_by_class.items():
        if label not in LABELS:
            raise DriftwatchError(f"unknown class {label!r}: the sandbox draws {' and '.join(LABELS)}")
        (folder / label).mkdir(parents=True, exist_ok=True)
        chunks += [(folder, label, seed, list(range(i, min(i + 50, count)))) for i in range(0, count, 50)]
    if processes <= 1:
        return [path for chunk in chunks for path in _write_some(*chunk)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [path for paths in pool.map(_write_some, *zip(*chunks, strict=True)) for path in paths]
