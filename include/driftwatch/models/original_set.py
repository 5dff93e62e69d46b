"""The original labelled images. They are taken in from training/images/<class>/<file>, and the set is only replaced as a whole.

The set is three files that fit together row by row, and one that says how the pictures were made. A new set is first written beside the old one. Then a mark says that the new set
counts, and copies bring it to the old one's place. So after a kill there is the old set or the new one, never a mixture.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from driftwatch.artifacts import base
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput, pixel_fields
from driftwatch.artifacts.models import TrainingSetPixels, TrainingSetReady
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.picture import DECODING, any_large
from driftwatch.models.as_trained import refuse_other_pixels
from driftwatch.models.class_folders import class_folders, class_of_folder
from driftwatch.models.splits import decide_splits, known_splits, refuse_missing, splits_lock
from driftwatch.storage import Storage
from driftwatch.storage.arrays import open_array
from driftwatch.storage.foreign_files import to_key

HOLDOUT_SHARE = 0.15


@dataclass(frozen=True)
class SetKeys:
    """The keys of one set. `table`, `inputs` and `features` have one order. `ready` marks that the new set beside the old one counts."""

    table: str
    inputs: str
    features: str
    pixels: str
    ready: str

    @classmethod
    def own(cls, keys: MonitorKeys) -> SetKeys:
        return cls(
            keys.training_set,
            keys.training_inputs,
            keys.training_features,
            keys.training_pixels,
            keys.next_set("ready.json"),
        )

    @classmethod
    def beside(cls, keys: MonitorKeys) -> SetKeys:
        names = ("set.parquet", "inputs.npy", "features.parquet", "pixels.json", "ready.json")
        return cls(*map(keys.next_set, names))


def set_keys(store: MonitorStore) -> SetKeys:
    """The set that counts. If the replacement was killed half-way, the new set is read from where it was first written."""
    own = SetKeys.own(store.keys)
    return SetKeys.beside(store.keys) if store.storage.exists(own.ready) else own


@dataclass(frozen=True)
class TrainingCounts:
    """What became of the files in training/images: listed = accepted + duplicate + quarantined + ignored. `images`: the accepted ones
    by split and class."""

    listed: int
    accepted: int
    duplicate: int
    quarantined: int
    ignored: int
    images: dict[str, dict[str, int]]


@dataclass(frozen=True)
class TrainingSet:
    """The original images, taken in and not yet written. `table`, `inputs` and `features` are in one order; `pixels` says how the inputs
    were made."""

    table: pd.DataFrame
    splits: pd.DataFrame
    inputs: np.ndarray
    features: pd.DataFrame
    pixels: ModelInput
    counts: TrainingCounts

    def write(self, storage: Storage, keys: MonitorKeys) -> None:
        """Replaces the stored set as a whole."""
        own, beside = SetKeys.own(keys), SetKeys.beside(keys)
        names = ("inputs", "features", "pixels", "table")
        pairs = [(getattr(beside, name), getattr(own, name)) for name in names]
        if storage.exists(
            beside.ready
        ):  # an earlier replacement was killed: until the new set is in its place, the files beside the old one are the set
            _settle(storage, pairs, beside.ready)
        storage.write_table(keys.splits, self.splits)  # it only grows, so it fits the old set and the new one
        storage.write_array(beside.inputs, self.inputs)
        storage.write_table(beside.features, self.features)
        about = TrainingSetPixels(**pixel_fields(self.pixels))
        if any_large(self.features["image.ImagePixelWidth"], self.features["image.ImagePixelHeight"]):
            about = about.model_copy(update={"decoding": DECODING})
        base.write(storage, beside.pixels, about)
        storage.write_table(beside.table, self.table)
        base.write(storage, beside.ready, TrainingSetReady(images=len(self.table)))
        _settle(storage, pairs, beside.ready)


def _settle(storage: Storage, pairs: list[tuple[str, str]], ready: str) -> None:
    for new, place in pairs:
        storage.copy(new, place)
    storage.delete(ready)
    for new, _ in pairs:
        storage.delete(new)


def copy_images(store: MonitorStore, folder: Path) -> int:
    """Copies <class>/<file> of a local folder to the storage's training images, and returns how many files were copied.

    A file that is already there with the same bytes is not copied, and nothing is copied from the storage's own folder. Raises
    NeedsAttention if a class has no folder. A folder keeps its own way of writing the class: tables name an image by its path there.
    """
    own = store.storage.local_path(store.keys.training_images)
    if own and folder.resolve() == own.resolve():
        return 0
    there = {item.key: item.size for item in store.storage.list(store.keys.training_images)}
    copied = 0
    for of_class in class_folders(folder, store.config.classes).values():
        for path in sorted(path for path in of_class.iterdir() if path.is_file()):
            key = store.keys.training_image(of_class.name, to_key(path.name))
            data = path.read_bytes()
            if there.get(key) != len(data) or store.storage.read_bytes(key) != data:
                store.storage.write_bytes(key, data)
                copied += 1
    return copied


def take_in_training_set(store: MonitorStore) -> TrainingCounts:
    """Takes in training/images/<class>/<file>: writes training/set.parquet, inputs.npy and features.parquet, in one order.

    Raises the errors of `read_training_images`; then nothing is written.
    """
    with splits_lock(store) as lock:
        found = read_training_images(store)
        lock.check()
        found.write(store.storage, store.keys)
    return found.counts


def read_training_images(store: MonitorStore) -> TrainingSet:
    """The set of the images in training/images/<class>/<file>. Writes nothing.

    About .80 of the images are for training, .05 for validation and .15 for evaluation (the holdout). A few images are left out: those
    that are near-duplicates of earlier images of two splits. Of equal files the first is kept. Raises NeedsAttention if a folder is no
    class, if a class has no image, or if the same file lies in the folders of two classes.
    """
    from driftwatch.images.listing import training_folder
    from driftwatch.images.one_pass import take_in

    folder = training_folder(store)
    root = store.storage.url(folder.path)
    # Files that a file browser leaves there are no images of a class.
    everything = store.storage.list(folder.path)
    listed = list(folder.images(everything))
    folder_of = {item.key: store.keys.class_of(item.key) for item in listed}
    meant = {name: class_of_folder(name, store.config.classes) for name in set(folder_of.values())}
    class_of = {key: meant[name] for key, name in folder_of.items()}
    strangers = sorted(name for name, of in meant.items() if of is None)
    if strangers:
        raise NeedsAttention(
            f"{root}: {strangers} are not in classes {list(store.config.classes)}: allowed is <class>/<file>"
        )
    pixels = ModelInput.of(store.config.model.input).pixels
    taken = take_in(folder, listed, pixels)
    manifest = taken.manifest.assign(label=taken.manifest["key"].map(class_of))
    _refuse_two_classes(manifest, root)
    accepted = manifest[manifest["status"] == "accepted"].reset_index(drop=True)
    splits = decide_splits(known_splits(store), accepted, HOLDOUT_SHARE)
    accepted["split"] = accepted["image_id"].map(splits.set_index("image_id")["split"])
    table = accepted[["image_id", "label", "split", "key", "phash"]]
    refuse_missing(table, store.config.classes, root)
    counts = TrainingCounts(
        listed=len(everything),
        **{status: int((manifest["status"] == status).sum()) for status in ("accepted", "duplicate", "quarantined")},
        ignored=len(everything) - len(listed),
        images=counts_by(table, ["split", "label"]),
    )
    return TrainingSet(table, splits, taken.inputs, taken.features, pixels, counts)


def _refuse_two_classes(manifest: pd.DataFrame, root: str) -> None:
    """Raises NeedsAttention if the same file lies in the folders of two classes."""
    both = manifest["image_id"].notna() & (manifest.groupby("image_id")["label"].transform("nunique") > 1)
    if both.any():
        named = ", ".join(manifest.loc[both, "key"].head(4))
        raise NeedsAttention(f"{root}: the same file is in the folders of two classes: {named}; remove the wrong one")


def counts_by(table: pd.DataFrame, by: list[str]) -> dict[str, dict[str, int]]:
    """Nested counts {first: {second: n}}, sorted."""
    found: dict[str, dict[str, int]] = {}
    for (first, second), n in table.groupby(by, sort=True).size().items():
        found.setdefault(str(first), {})[str(second)] = int(n)
    return found


_AGAIN = "ake the training images in again by `driftwatch champion train` or `driftwatch champion import` with this monitor file"


def refuse_other_set(store: MonitorStore, table: pd.DataFrame) -> None:
    """Raises NeedsAttention if the set that counts, of this `table`, has images of a class that the monitor file does not have, or pictures
    that were made in another way than it says."""
    keys, classes = set_keys(store), store.config.classes
    strangers = sorted(set(table["label"]) - set(classes))
    if strangers:
        raise NeedsAttention(
            f"{store.storage.url(keys.table)} has images of {strangers}, which are not in classes {list(classes)}: t{_AGAIN}"
        )
    refuse_other_pixels(
        _pixels(store, keys), store.config, f"the images of {store.storage.url(keys.inputs)}", f"T{_AGAIN}"
    )


def decoding_of_set(store: MonitorStore) -> int:
    """How the features of the set that counts were made, where its images are large; see `OfFeatures`."""
    found = store.find(set_keys(store).pixels, TrainingSetPixels)
    return found.decoding if found else 1


def _pixels(store: MonitorStore, keys: SetKeys) -> ModelInput:
    found = store.find(keys.pixels, TrainingSetPixels)
    if found is not None:
        return found.pixels
    with open_array(store.storage, keys.inputs) as inputs:
        _, height, width, _ = inputs.shape
    return ModelInput(height=height, width=width)


def digest_of(table: pd.DataFrame) -> str:
    """A digest of the set: its images, their labels and splits. Two different sets have two different digests."""
    rows = table[["image_id", "label", "split"]].sort_values("image_id")
    return hashlib.sha256("\n".join(map("|".join, rows.itertuples(index=False))).encode()).hexdigest()[:16]
