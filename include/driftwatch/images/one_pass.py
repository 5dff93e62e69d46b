"""The one pass over a day's images: each object is fetched, hashed, checked and decoded once. It gives the features, the perceptual
hash and the model's input.

Nothing is lost without a word: every listed object has a row in the manifest. It is accepted, a duplicate (the bytes of an accepted
image once more), quarantined, or ignored (`images.ignore`). Copies of a quarantined file are quarantined too, so that they count as
rejects.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.images.features import COLUMNS
from driftwatch.images.fetch import Ignored, fetch
from driftwatch.images.headers import RejectedImage
from driftwatch.images.outcome import (
    ACCEPTED,
    DUPLICATE,
    IGNORED,
    QUARANTINED,
    About,
    Made,
    Outcome,
    checked,
    outcome_of,
    rejected,
)
from driftwatch.images.picture import DECODING
from driftwatch.images.room import Room
from driftwatch.images.shards import BLOCK
from driftwatch.storage.spool import name_of

if TYPE_CHECKING:
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.config import ImagesConfig
    from driftwatch.images.listing import ImageFolder
    from driftwatch.storage import StoredObject

# A thread decodes a turn of images, one after the other: so many images or bytes. To wake it up for each would cost a tenth of the pass.
_TURN, _TURN_BYTES, _TURNS_PER_CORE = 16, 2**22, 2

# One row for each object, in the order of names. image_id: sha256, null if the bytes were not read. reason: "<kind>: <message>" for a
# quarantined object; another sentence for a duplicate or an ignored one; a note on an accepted file that is odd ("no_end_mark: ...",
# "cut_short: ..."); else empty. width, height: of the upright image. phash: see near_duplicates.
_TEXT = ("key", "image_id", "status", "reason", "format", "phash")
_NUMBERS = {"bytes": "int64", "width": "Int64", "height": "Int64"}
_MANIFEST_COLUMNS = ("key", "image_id", "bytes", "status", "reason", "format", "width", "height", "phash")
_LIKE_PANDAS = pa.Schema.from_pandas(
    pd.DataFrame({name: pd.Series(dtype=_NUMBERS.get(name, object)) for name in _MANIFEST_COLUMNS}),
    preserve_index=False,
)
MANIFEST = pa.schema(
    [pa.field(name, pa.string() if name in _TEXT else pa.int64()) for name in _MANIFEST_COLUMNS],
    metadata=_LIKE_PANDAS.metadata,
)
# One row for each accepted image, in manifest order.
FEATURE_TABLE = pa.schema([("image_id", pa.string()), *((name, pa.float64()) for name in COLUMNS)])


class Block(NamedTuple):
    """What the pass gives for BLOCK objects (fewer in the last): a table like MANIFEST, and of its accepted images the features
    [n, len(COLUMNS)] and the model's inputs, uint8 [n, height, width, 3]."""

    manifest: pa.Table
    features: np.ndarray
    inputs: np.ndarray


class TakenIn(NamedTuple):
    """All that a pass gives, if it fits into memory. `manifest`, `features`: frames like MANIFEST and FEATURE_TABLE; `inputs`: uint8
    [n, height, width, 3] in the order of `features`."""

    manifest: pd.DataFrame
    features: pd.DataFrame
    inputs: np.ndarray


class _InWork(NamedTuple):
    """An object on its way through the pass. `data`: the bytes to decode. `outcome`: None before they are decoded, and for a copy of
    an earlier object."""

    key: str
    size: int
    image_id: str | None
    data: bytes | None = None
    outcome: Outcome | None = None


def take_in(folder: ImageFolder, objects: Iterable[StoredObject], pixels: ModelInput) -> TakenIn:
    """The pass over a set of images that fits into memory, such as the training set; see `take_in_blocks`."""
    blocks = list(take_in_blocks(folder, objects, pixels))
    empty = np.empty((0, pixels.height, pixels.width, 3), np.uint8)
    manifest = pa.concat_tables([MANIFEST.empty_table(), *(block.manifest for block in blocks)])
    features = pa.concat_tables([FEATURE_TABLE.empty_table(), *(features_table(*block[:2]) for block in blocks)])
    inputs = np.concatenate([empty, *(block.inputs for block in blocks)])
    return TakenIn(manifest.to_pandas(), features.to_pandas(), inputs)


def take_in_blocks(
    folder: ImageFolder,
    objects: Iterable[StoredObject],
    pixels: ModelInput,
    given_up: Collection[str] = (),
    workers: int | None = None,
    decoding: int = DECODING,
) -> Generator[Block, None, None]:
    """Fetches, checks and decodes each object once, in the order of the keys, on `workers` threads (all cores by default;
    decoders and kernels let go of Python's lock). At most a few images for each core are in work at a time.

    `decoding`: how the features of large images are made (`OfFeatures`). `given_up`: keys that are not read, since they change all the time.
    What `images.ignore` names, and what storage says is larger than `max_bytes`, is not fetched. For what is raised and what is quarantined
    see `driftwatch.images.fetch`. Close the generator where you do not use it up.
    """
    filling = _Filling(pixels)
    fetched = fetch(folder, sorted(objects, key=name_of), given_up)
    with (
        closing(fetched),
        closing(_in_turn(fetched, folder.settings, Made(pixels, decoding), workers or _cores())) as done,
    ):
        for item in done:
            filling.add(item)
            if filling.rows == BLOCK:
                yield filling.block()
    if filling.rows:
        yield filling.block()


class _Filling:
    """Gathers what became of the objects, until they are a block."""

    def __init__(self, pixels: ModelInput) -> None:
        self._pixels = pixels
        self._firsts: dict[str, tuple[str, str, About]] = {}  # key, status and more by image id, over all blocks
        self._empty()

    def _empty(self) -> None:
        self._rows: list[tuple[object, ...]] = []  # as the columns of MANIFEST
        self._features: list[list[float]] = []
        self._inputs: list[np.ndarray] = []

    @property
    def rows(self) -> int:
        return len(self._rows)

    def add(self, item: _InWork) -> None:
        if item.outcome is None:
            status, about = self._of_copy(str(item.image_id))
        else:
            status, about = item.outcome.status, item.outcome.about
            if item.image_id:
                self._firsts[item.image_id] = (item.key, status, about)
            if item.outcome.features is not None and item.outcome.input is not None:
                self._features.append(item.outcome.features)
                self._inputs.append(item.outcome.input)
        self._rows.append((item.key, item.image_id, item.size, status, *about))

    def _of_copy(self, image_id: str) -> tuple[str, About]:
        """What is said of an object whose bytes were met before."""
        first, status, about = self._firsts[image_id]
        if status == ACCEPTED:
            return DUPLICATE, about._replace(reason=f"same bytes as {first}")
        return QUARANTINED, about

    def block(self) -> Block:
        """What was gathered, which is forgotten here."""
        columns = zip(zip(*self._rows, strict=True), MANIFEST, strict=True)
        found = Block(
            pa.table([pa.array(values, field.type) for values, field in columns], schema=MANIFEST),
            np.array(self._features, float).reshape(-1, len(COLUMNS)),
            np.array(self._inputs, np.uint8).reshape(-1, self._pixels.height, self._pixels.width, 3),
        )
        self._empty()
        return found


def features_table(manifest: pa.Table, features: np.ndarray) -> pa.Table:
    """A table like FEATURE_TABLE from a block's manifest and features."""
    ids = manifest["image_id"].filter(pc.equal(manifest["status"], ACCEPTED))
    return pa.table([ids, *features.T.copy()], schema=FEATURE_TABLE)


def _in_turn(
    fetched: Iterator[tuple[StoredObject, bytes | RejectedImage | Ignored]],
    images: ImagesConfig,
    made: Made,
    workers: int,
) -> Generator[_InWork, None, None]:
    """Each object in order, with what became of it. The workers are a few objects ahead; the caller's own thread is one of them."""
    seen: set[str] = set()
    to_do = (_to_do(item, data, seen) for item, data in fetched)
    process = partial(_process_turn, images=images, made=made, room=Room(images.decode_mb * 1_000_000))
    helpers, waiting = workers - 1, deque[Future[list[_InWork]]]()
    with _one_opencv_thread(), ThreadPoolExecutor(max(1, helpers)) as pool:
        for turn in _turns(to_do):
            if sum(not one.done() for one in waiting) < helpers * _TURNS_PER_CORE:
                waiting.append(pool.submit(process, turn))
            else:  # they have enough to do: one thread more than there are cores would only take turns with them
                waiting.append(Future())
                waiting[-1].set_result(process(turn))
            while waiting and (waiting[0].done() or len(waiting) >= workers * _TURNS_PER_CORE):
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _turns(to_do: Iterable[_InWork]) -> Iterator[list[_InWork]]:
    turn, size = [], 0
    for item in to_do:
        turn.append(item)
        size += len(item.data or b"")
        if len(turn) == _TURN or size >= _TURN_BYTES:
            yield turn
            turn, size = [], 0
    if turn:
        yield turn


def _to_do(item: StoredObject, data: bytes | RejectedImage | Ignored, seen: set[str]) -> _InWork:
    if isinstance(data, Ignored):
        outcome = Outcome(IGNORED, About(f"matches {data.pattern!r} of images.ignore"))
        return _InWork(item.key, item.size, None, outcome=outcome)
    if isinstance(data, RejectedImage):
        return _InWork(item.key, item.size, None, outcome=rejected(data))
    image_id = hashlib.sha256(data).hexdigest()
    new = image_id not in seen
    seen.add(image_id)
    return _InWork(item.key, len(data), image_id, data if new else None)


def _process_turn(turn: list[_InWork], images: ImagesConfig, made: Made, room: Room) -> list[_InWork]:
    """What became of each object of the turn. The objects' bytes are let go of. All files are looked through before the first is decoded: between
    sweeps over pixels that costs more."""
    files = []
    for place, item in enumerate(turn):
        files.append(None if item.data is None else checked(item.data, images))
        turn[place] = item._replace(data=None)
    return [
        item if file is None else item._replace(outcome=outcome_of(file, images, made, room))
        for item, file in zip(turn, files, strict=True)
    ]


def _cores() -> int:
    """How many cores this process may use; in a container these can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Images are decoded in parallel; with threads of its own for each image, OpenCV would only be slower."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
