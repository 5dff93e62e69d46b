"""Forgets images: finds them everywhere below the monitor's folder, takes them out, and writes a receipt.

Each image gets a random name, which stands in its place afterwards. So no row goes and every count, verdict and sum stays true. The names
are kept in a work file until all is done: a run that was killed goes on from there, and each of its steps may be repeated.
"""

from __future__ import annotations

import hashlib
import html
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.days import stored_retrainings
from driftwatch.artifacts.forgetting import ForgetReceipt, ForgetWork, WantedImage
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.nested_keys import file_name, lock_of
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.errors import MissingArtifact, NeedsAttention, StorageRefused
from driftwatch.models.splits import splits_lock
from driftwatch.retention.blank_arrays import blank_embeddings, blank_inputs, blank_references
from driftwatch.retention.blank_tables import blank_json, blank_parquet
from driftwatch.retention.large_tables import MOST_HELD, blank_large
from driftwatch.retention.search import (
    ListedImages,
    folders_of,
    is_own,
    nearly_the_same,
    replacements,
    trained_on,
    wanted_images,
)
from driftwatch.storage import StoredObject
from driftwatch.storage.elsewhere import storage_of
from driftwatch.storage.lock import exclusive
from driftwatch.storage.tables import pieces

log = logging.getLogger(__name__)

WORK, RECEIPT = "work.json", "receipt.json"
# Takes images out of the tasks of a plan's pool, see LabelBackend.blank; None where nobody can be asked.
BlankTasks = Callable[[AnnotationPlan, Mapping[str, str]], int | None]


@dataclass(frozen=True)
class Asked:
    """Who asks for it, and when (aware)."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Outside:
    """What forgetting asks of others. `blank_tasks`: of the label services. `write_report`: writes a day's report anew."""

    blank_tasks: BlankTasks
    write_report: Callable[[DayStore], None]


def forget(store: MonitorStore, wanted: Sequence[str], asked: Asked, outside: Outside) -> ForgetReceipt:
    """Forgets the images that `wanted` names (`search.wanted_images`), and returns the receipt, which is stored too.

    Where an earlier run was killed, that one is finished first. Raises NeedsAttention for a name that is no image of the monitor, and for an
    image of a day that is just being taken in; then nothing is changed.
    """
    with ExitStack() as held:
        for lock in (lock_of(store.keys.forgotten), store.keys.annotation_lock):
            held.enter_context(exclusive(store.storage, lock))
        held.enter_context(splits_lock(store))
        for receipt in unfinished(store):
            finished = _carry_out(store, receipt, outside)
            wanted = [name for name in wanted if not _is_done(store, name)]
            if not wanted:
                return finished
        return _carry_out(store, _begin(store, wanted, asked), outside)


def unfinished(store: MonitorStore) -> list[str]:
    """The receipts whose work was begun and not ended."""
    names = store.storage.folders(store.keys.forgotten)
    return [name for name in names if store.storage.exists(store.keys.forgetting(name, WORK))]


def _is_done(store: MonitorStore, name: str) -> bool:
    try:
        return not wanted_images(ListedImages(store), [name], store.keys.monitor)
    except NeedsAttention:
        return True


def _begin(store: MonitorStore, wanted: Sequence[str], asked: Asked) -> str:
    """Writes the work down, before anything is changed."""
    if not wanted:
        raise NeedsAttention(
            "no image is named, and nothing that was begun is left: name the sha256 or the key of each"
        )
    listed = ListedImages(store)
    images = wanted_images(listed, wanted, store.keys.monitor)
    ids = {image.image_id for image in images}
    days = [day for day in store.days() if _has_any(store.day(day), ids)]
    busy = [str(day) for day in days if store.storage.list(store.day(day).keys.shards)]
    if busy:
        raise NeedsAttention(
            f"{', '.join(busy)}: the day is just being taken in, or a run of it has ended in between, and its parts have the image too: let it end, or "
            "run it again, then forget"
        )
    of_training = bool(listed.of(ids)["key"].str.contains("/training/images/", na=False).any())
    work = ForgetWork(
        at=asked.at,
        by=asked.by,
        images=images,
        models=trained_on(store, images),
        near_duplicates=len(nearly_the_same(listed, images)),
        # A report shows some training images without their names.
        reports=tuple(day for day in store.days() if _is_told(store.day(day), images, of_training, days)),
    )
    receipt = f"{asked.at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    store.write(store.keys.forgetting(receipt, WORK), work)
    return receipt


def _has_any(day: DayStore, ids: set[str]) -> bool:
    """Whether the day lists any of these images, or a shard of a day that is being taken in."""
    keys = [day.keys.manifest] if day.storage.exists(day.keys.manifest) else []
    keys += [item.key for item in day.storage.list(day.keys.shards) if item.key.endswith("images.parquet")]
    wanted = pa.array([*ids], pa.string())
    return any(
        pc.any(pc.is_in(piece["image_id"], value_set=wanted)).as_py()
        for key in keys
        for piece in pieces(day.storage, key, ["image_id"])
    )


def _is_told(day: DayStore, images: Sequence[WantedImage], of_training: bool, days: Sequence[date]) -> bool:
    """Whether the day has a report that may show any of the images. It shows images of the day, some of earlier days with their names, and
    some of the training set without."""
    if not day.storage.exists(day.keys.report):
        return False
    if of_training or day.date in days:
        return True
    page = day.storage.read_bytes(day.keys.report).decode(errors="replace")
    names = {name for image in images for name in (image.image_id, *map(file_name, image.keys))}
    return any(html.escape(name) in page for name in names)


def _carry_out(store: MonitorStore, receipt: str, outside: Outside) -> ForgetReceipt:
    """Each step finds the images by their ids or by the names that stand in their place, so that it may be repeated."""
    work = store.read(store.keys.forgetting(receipt, WORK), ForgetWork)
    names, images = replacements(work.images), work.images
    done, left = _blank_services(store, work, outside.blank_tasks)
    work = work.model_copy(update={"services": done, "services_left": left})
    store.write(store.keys.forgetting(receipt, WORK), work)
    # References and arrays have no ids: they are found by tables that still have them.
    steps: dict[str, Callable[[], int]] = {
        "references": lambda: blank_references(store, images),
        "inputs": lambda: blank_inputs(store, images),
        "embeddings": lambda: blank_embeddings(store, images),
        "shown copies": lambda: _delete_shown(store, work),
        "originals": lambda: _delete_originals(store, work),
        "unfinished writes": lambda: _delete_unfinished(store),
        "tables and records": lambda: _blank_files(store, receipt, names),
        "reports": lambda: _renew_reports(store, work, outside.write_report),
    }
    for what, step in steps.items():
        changed = {**work.changed, what: work.changed.get(what, 0) + step()}
        work = work.model_copy(update={"changed": changed})
        store.write(store.keys.forgetting(receipt, WORK), work)
        log.info("%s: %s: %s changed", receipt, what, changed[what])
    return _end(store, receipt, work)


def _end(store: MonitorStore, receipt: str, work: ForgetWork) -> ForgetReceipt:
    found = ForgetReceipt(
        receipt=receipt,
        at=work.at,
        by=work.by,
        images=len(work.images),
        changed={what: number for what, number in work.changed.items() if number},
        originals_left=len(originals_left(store, work)),
        services=work.services,
        services_left=work.services_left,
        models=work.models,
        near_duplicates=work.near_duplicates,
    )
    store.write(store.keys.forgetting(receipt, RECEIPT), found)
    store.storage.delete(store.keys.forgetting(receipt, WORK))
    return found


def originals_left(store: MonitorStore, work: ForgetWork) -> list[str]:
    """The keys of the images' files that are still where the camera or the team left them."""
    keys = {own_key(store.keys.monitor, key): image.image_id for image in work.images for key in image.keys}
    return sorted(key for key, image_id in keys.items() if _is_there(store, key, image_id))


def _is_there(store: MonitorStore, key: str, image_id: str) -> bool:
    storage, inside = storage_of(key, store.storage, store.elsewhere)
    try:
        return hashlib.sha256(storage.read_bytes(inside)).hexdigest() == image_id
    except MissingArtifact:
        return False
    except StorageRefused:  # the team's own place by now: told as one that is left
        return storage is not store.storage


def _blank_services(store: MonitorStore, work: ForgetWork, blank: BlankTasks) -> tuple[dict[str, int], dict[str, int]]:
    """How many tasks were blanked at each service, and how many may be left."""
    tokens = {image.image_id: image.token for image in work.images}
    back = {image.token: image.image_id for image in work.images}
    done, left = dict(work.services), dict[str, int]()
    for day in store.days():
        plan = store.day(day).find(AnnotationPlan)
        for part in plan.parts if plan and plan.asked else ():
            asked = {image.image_id for image in (*part.to_label, *part.control)}
            asked |= {image.image_id for image in part.exam.tasks} if part.exam else set()
            ours = {image_id: tokens[image_id] for name in asked if (image_id := back.get(name, name)) in tokens}
            if not ours:
                continue
            changed = blank(part, ours)
            if changed is None:
                left[part.backend] = left.get(part.backend, 0) + len(ours)
            else:
                done[part.backend] = done.get(part.backend, 0) + changed
    return done, left


def _delete_shown(store: MonitorStore, work: ForgetWork) -> int:
    """Copies for annotators, and for the form of an approval."""
    ids, keys = {image.image_id for image in work.images}, store.keys
    folders = [store.day(day).keys.shown for day in store.days()]
    folders += [keys.of_retraining(name).shown for name in stored_retrainings(store.storage, keys)]
    found = [
        item.key
        for folder in folders
        for item in store.storage.list(folder)
        if file_name(item.key).partition(".")[0] in ids
    ]
    for key in found:
        store.storage.delete(key)
    return len(found)


def _delete_unfinished(store: MonitorStore) -> int:
    """What killed writes have left, since it may be about the images. It is nobody's: no run reads it."""
    left = [item.key for folder in folders_of(store) for item in store.storage.unfinished(folder)]
    store.storage.delete_all(left)
    return len(left)


def _delete_originals(store: MonitorStore, work: ForgetWork) -> int:
    """Those that lie in the monitor's own folder: where `images.layout` leads nothing is deleted."""
    if not store.config.storage.forget_originals:
        return 0
    found = [key for key in originals_left(store, work) if is_own(store.keys, key)]
    for key in found:
        store.storage.delete(key)
    return len(found)


def _blank_files(store: MonitorStore, receipt: str, names: Mapping[str, str]) -> int:
    """Every table and every JSON object of the monitor, whatever it is: what has an id or a key of the images gets the other names."""
    work = store.keys.forgetting(receipt, WORK)
    changed = 0
    for item in _files_of(store):
        key, is_table = item.key, item.key.endswith(".parquet")
        if key == work:
            continue
        if is_table and item.size > MOST_HELD:
            changed += blank_large(store.storage, key, names)
            continue
        before = store.storage.read_bytes(key)
        after = blank_parquet(before, names) if is_table else blank_json(before, names)
        if after != before:
            store.storage.write_bytes(key, after)
            changed += 1
    _correct_handovers(store)
    return changed


def _files_of(store: MonitorStore) -> Iterator[StoredObject]:
    for folder in folders_of(store):
        for item in store.storage.list(folder):
            # What production answered for training images is a model's file, whose sha256 its card has.
            of_people = item.key.startswith(f"{store.keys.training_images}/") or file_name(item.key) == "model.parquet"
            if item.key.endswith((".parquet", ".json")) and not of_people:
                yield item


def _correct_handovers(store: MonitorStore) -> None:
    """The manifest of a set that was handed over says the sha256 of its tables, which are others now."""
    for run in store.storage.folders(store.keys.retrainings):
        keys = store.keys.of_retraining(run).handover
        manifest = store.find(keys.manifest, Handover)
        if manifest is None:
            continue
        fresh: dict[str, object] = {}
        for name in ("set", "never_train"):
            file = getattr(manifest, name)
            digest = hashlib.sha256(store.storage.read_bytes(keys.file(file.name))).hexdigest()
            if digest != file.sha256:
                fresh[name] = file.model_copy(update={"sha256": digest})
        if fresh:
            store.write(keys.manifest, manifest.model_copy(update=fresh))


def _renew_reports(store: MonitorStore, work: ForgetWork, write_report: Callable[[DayStore], None]) -> int:
    """Deletes each report first: one that cannot be written anew must not stay as it was."""
    for day in work.reports:
        store.storage.delete(store.day(day).keys.report)
        write_report(store.day(day))
    return len(work.reports)
