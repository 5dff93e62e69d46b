"""Takes a day's images in: each object is fetched once, hashed, checked and decoded once; features and the model's input
come out of that one pass.

Nothing is lost without a word: every listed object has a row in the manifest, as accepted, duplicate (the bytes of an
accepted image once more) or quarantined. Copies of a quarantined file are quarantined too, so that they count as rejects.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from driftwatch.errors import EmptyDay, MissingArtifact, TooManyRejects
from driftwatch.images.decode import decode_image, model_input
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.images.headers import RejectedImage
from driftwatch.images.near_duplicates import perceptual_hash
from driftwatch.storage import StoredObject

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig
    from driftwatch.layout import DayLayout
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

ACCEPTED, DUPLICATE, QUARANTINED = "accepted", "duplicate", "quarantined"
_DECODED_AT_ONCE_PER_CORE = 4


class TakenIn(NamedTuple):
    """What one pass over the images gives.

    `manifest`: one row for each object, sorted by key: key, image_id (sha256; null where the bytes were not read), bytes,
    status, reason ("<kind>: <message>" when quarantined), format, width, height (upright), phash (see near_duplicates). `features`: one row for each
    accepted image in manifest order: image_id and the columns of FEATURES. `inputs`: uint8 [n, size, size, 3], same order.
    """

    manifest: pd.DataFrame
    features: pd.DataFrame
    inputs: np.ndarray


class _Outcome(NamedTuple):
    """What became of one distinct content."""

    rejected: RejectedImage | None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    phash: str | None = None
    features: list[float] | None = None
    input: np.ndarray | None = None


class _Row(NamedTuple):
    """One object: `first` is the position of the first object with the same bytes, its own where there is none."""

    key: str
    image_id: str | None
    size: int
    first: int


def take_in(
    storage: Storage,
    keys: Iterable[str | StoredObject],
    images: ImagesConfig,
    input_size: int,
    workers: int | None = None,
) -> TakenIn:
    """Fetches, checks and decodes each object once, on `workers` threads (all cores by default; decoders and OpenCV let go
    of Python's lock). At most a few images for each core are decoded at a time, whatever the number of keys.

    An object that storage says is larger than `max_bytes` is quarantined without being fetched. One that can't be read is
    tried once more, then quarantined as `unreadable`; errors that are not about the one object (credentials) are raised.
    """
    objects = sorted((StoredObject(item, -1) if isinstance(item, str) else item for item in keys), key=lambda o: o.key)
    workers = workers or _cores()
    outcomes: dict[int, _Outcome] = {}
    inputs = np.empty((len(objects), input_size, input_size, 3), np.uint8)
    rows: list[_Row] = []
    seen: dict[str, int] = {}
    waiting: deque[tuple[int, Future[_Outcome]]] = deque()
    accepted = 0

    def collect_oldest() -> None:
        nonlocal accepted
        position, future = waiting.popleft()
        outcome = future.result()
        if outcome.input is not None:
            inputs[accepted] = outcome.input
            accepted += 1
        outcomes[position] = outcome._replace(input=None)

    with _one_opencv_thread(), ThreadPoolExecutor(workers) as pool:
        for position, (item, data) in enumerate(_fetch(storage, objects, images.max_bytes)):
            if isinstance(data, RejectedImage):
                rows.append(_Row(item.key, None, max(item.size, 0), position))
                outcomes[position] = _Outcome(data)
                continue
            image_id = hashlib.sha256(data).hexdigest()
            first = seen.setdefault(image_id, position)
            rows.append(_Row(item.key, image_id, len(data), first))
            if first == position:
                waiting.append((position, pool.submit(_process, data, images, input_size)))
            if len(waiting) >= workers * _DECODED_AT_ONCE_PER_CORE:
                collect_oldest()
        while waiting:
            collect_oldest()
    return TakenIn(_manifest(rows, outcomes), _features(rows, outcomes), inputs[:accepted])


def ingest_day(
    storage: Storage, layout: DayLayout, images: ImagesConfig, input_size: int, model_version: str
) -> dict[str, Any]:
    """Takes in what lies in the day's incoming folder, writes manifest, features, inputs and, last, ingest.json.

    Returns the content of ingest.json. The same objects give the same bytes. Raises EmptyDay where nothing is listed (and
    writes nothing), and TooManyRejects, after everything is written, where more than `max_reject_share` is quarantined or
    no image at all is accepted.
    """
    listed = storage.list(layout.incoming)
    if not listed:
        raise EmptyDay(
            f"{storage.url(layout.incoming)} holds no images for {layout.day.isoformat()}: check the camera's or service's "
            "delivery; the setting images.on_empty_day (fail, skip) decides what such a day does"
        )
    taken = take_in(storage, listed, images, input_size)
    status = taken.manifest["status"].value_counts()
    rejected = taken.manifest.loc[taken.manifest["status"] == QUARANTINED, "reason"]
    reasons = Counter(reason.partition(":")[0] for reason in rejected)
    counts = {name: int(status.get(name, 0)) for name in (ACCEPTED, DUPLICATE, QUARANTINED)}
    ingest: dict[str, Any] = {
        "day": layout.day.isoformat(),
        "listed": len(listed),
        **counts,
        "reasons": dict(sorted(reasons.items())),
        "model_version": model_version,
        "input_size": input_size,
    }
    assert ingest["listed"] == sum(counts.values())
    assert len(taken.features) == len(taken.inputs) == counts[ACCEPTED]
    storage.write_table(layout.manifest, taken.manifest)
    storage.write_table(layout.features, taken.features)
    storage.write_array(layout.inputs, taken.inputs)
    storage.write_json(layout.ingest, ingest)
    logger.info("Took in %s: %s", storage.url(layout.incoming), ingest)
    if counts[QUARANTINED] > images.max_reject_share * len(listed) or not counts[ACCEPTED]:
        raise TooManyRejects(
            f"{counts[QUARANTINED]} of {len(listed)} files in {storage.url(layout.incoming)} were quarantined "
            f"({', '.join(f'{kind} {count}' for kind, count in reasons.most_common())}); images.max_reject_share allows "
            f"{images.max_reject_share:.0%}. {storage.url(layout.manifest)} has the reason for each"
        )
    return ingest


def _fetch(
    storage: Storage, objects: Sequence[StoredObject], max_bytes: int
) -> Iterator[tuple[StoredObject, bytes | RejectedImage]]:
    """Each object, in order, with its bytes or why it was not read."""
    fetched = storage.iter_bytes([item.key for item in objects if item.size <= max_bytes])
    for item in objects:
        if item.size > max_bytes:
            message = f"has {item.size} bytes; images.max_bytes is {max_bytes}"
            yield item, RejectedImage("too_many_bytes", message)
            continue
        data = next(fetched)[1]
        if isinstance(data, Exception):
            data = _read_again(storage, item.key, data)
        yield item, data


def _read_again(storage: Storage, key: str, error: Exception) -> bytes | RejectedImage:
    if not isinstance(error, (OSError, MissingArtifact)):
        raise error
    logger.warning("Reading %s failed (%s); trying once more", storage.url(key), error)
    try:
        return storage.read_bytes(key)
    except (OSError, MissingArtifact) as again:
        return RejectedImage("unreadable", f"storage did not give its bytes: {again}")


def _process(data: bytes, images: ImagesConfig, input_size: int) -> _Outcome:
    try:
        rgb, name = decode_image(data, images)
    except RejectedImage as error:
        return _Outcome(error, *(error.header[:3] if error.header else ()))
    height, width = rgb.shape[:2]
    return _Outcome(None, name, width, height, perceptual_hash(rgb), image_features(rgb), model_input(rgb, input_size))


def _manifest(rows: list[_Row], outcomes: dict[int, _Outcome]) -> pd.DataFrame:
    records = []
    for position, row in enumerate(rows):
        outcome = outcomes[row.first]
        if outcome.rejected is not None:
            status, reason = QUARANTINED, f"{outcome.rejected.kind}: {outcome.rejected}"
        elif row.first != position:
            status, reason = DUPLICATE, f"same bytes as {rows[row.first].key}"
        else:
            status, reason = ACCEPTED, ""
        found = (outcome.format, outcome.width, outcome.height, outcome.phash)
        records.append((row.key, row.image_id, row.size, status, reason, *found))
    columns = ["key", "image_id", "bytes", "status", "reason", "format", "width", "height", "phash"]
    types = {"bytes": "int64", "width": "Int64", "height": "Int64"}
    return pd.DataFrame(records, columns=columns).astype(types)


def _features(rows: list[_Row], outcomes: dict[int, _Outcome]) -> pd.DataFrame:
    accepted = [position for position in sorted(outcomes) if outcomes[position].rejected is None]
    values = np.array([outcomes[position].features for position in accepted], float).reshape(-1, len(COLUMNS))
    table = pd.DataFrame(values, columns=list(COLUMNS))
    table.insert(0, "image_id", pd.Series([rows[position].image_id for position in accepted], dtype=object))
    return table


def _cores() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """The images run in parallel; OpenCV's own threads for each would only get in each other's way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
