"""Finds images that are to be forgotten: their files, the models that were trained on them, and what looks nearly the same."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.forgetting import FORGOTTEN, WantedImage
from driftwatch.artifacts.keys import SET, MonitorKeys, own_key
from driftwatch.artifacts.models import CardRecipe
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.near_duplicates import MAX_DISTANCE, distances
from driftwatch.models.original_set import set_keys
from driftwatch.models.registry import card, versions
from driftwatch.models.splits import TRAIN, VALIDATION
from driftwatch.storage.tables import pieces, shape_of

_ID, _KEY, _HASH = "image_id", "key", "phash"
_ROWS = pa.schema([(name, pa.string()) for name in (_ID, _KEY, _HASH)])


@dataclass(frozen=True)
class Nearly:
    """An image that looks nearly the same as a forgotten one and stays. `key`: its file; `differs`: in how many of 64 bits their hashes differ."""

    image_id: str
    key: str
    differs: int


@dataclass(frozen=True)
class ForgetPlan:
    """What forgetting would do. `models`: versions that were trained on any of `images`; `near`: what looks nearly the same and stays;
    `deletes_originals`: whether the files in the monitor's own folders go too; `elsewhere`: how many lie where only `images.layout` leads, and are
    never deleted."""

    images: tuple[WantedImage, ...]
    models: tuple[str, ...]
    near: tuple[Nearly, ...]
    deletes_originals: bool
    elsewhere: int = 0


def forget_plan(store: MonitorStore, asked: Sequence[str]) -> ForgetPlan:
    """Of the images that somebody names, as in `wanted_images`. Changes nothing."""
    listed = ListedImages(store)
    images = wanted_images(listed, asked, store.keys.monitor)
    near = tuple(nearly_the_same(listed, images))
    elsewhere = sum(not is_own(store.keys, key) for image in images for key in image.keys)
    return ForgetPlan(images, trained_on(store, images), near, store.config.storage.forget_originals, elsewhere)


def is_own(keys: MonitorKeys, key: str) -> bool:
    """Whether a file lies in the monitor's own folders: where `images.layout` leads nothing is ever deleted."""
    return key.startswith((f"{keys.incoming}/", f"{keys.training_images}/"))


def folders_of(store: MonitorStore) -> list[str]:
    """Those of the monitor but where its images are delivered."""
    return [f"{store.keys.monitor}/{name}" for name in store.storage.folders(store.keys.monitor) if name != "incoming"]


class ListedImages:
    """Every image that the days and the training set list, with a row for each of its files: image_id, key, phash. The tables are read piece by
    piece, each time."""

    def __init__(self, store: MonitorStore) -> None:
        self._storage = store.storage
        self._keys = [store.keys.day(day).manifest for day in store.days()] + [
            *{store.keys.training_set, set_keys(store).table}
        ]

    def named(self, asked: Collection[str], monitor: str) -> dict[str, str]:
        """The ids of the images that are `asked` for, by the name that was asked: a sha256, or the key of a file, with the monitor's folder or
        without."""
        ids, by_key = set[str](), dict[str, str]()
        wanted = pa.array([*asked], pa.string())
        ends = "|".join(re.escape(file_name(name)) for name in asked)
        for piece in self._pieces():
            ids.update(piece[_ID].filter(pc.is_in(piece[_ID], value_set=wanted)).to_pylist())
            near = piece.filter(pc.fill_null(pc.match_substring_regex(piece[_KEY], f"(?:{ends})$"), False))
            for image_id, key in zip(near[_ID].to_pylist(), near[_KEY].to_pylist(), strict=True):
                by_key[own_key(monitor, key)] = image_id
        found = {name: name if name in ids else by_key.get(name) or by_key.get(f"{monitor}/{name}") for name in asked}
        return {name: image_id for name, image_id in found.items() if image_id}

    def of(self, ids: Collection[str]) -> pd.DataFrame:
        """The rows of these images."""
        wanted = pa.array([*ids], pa.string())
        parts = [piece.filter(pc.is_in(piece[_ID], value_set=wanted)) for piece in self._pieces()]
        return pa.concat_tables([_ROWS.empty_table(), *parts]).to_pandas().drop_duplicates([_ID, _KEY])

    def near(self, hashes: Sequence[str], without: Collection[str]) -> pd.DataFrame:
        """The rows of images `without` which none of these perceptual hashes differs in more than MAX_DISTANCE bits, with `differs`."""
        parts = [pd.DataFrame(columns=[_ID, _KEY, "differs"])]
        left_out = pa.array([*without], pa.string())
        for piece in self._pieces() if hashes else ():
            others = piece.filter(
                pc.and_(pc.is_valid(piece[_HASH]), pc.invert(pc.is_in(piece[_ID], value_set=left_out)))
            )
            if not len(others):
                continue
            nearest = distances(hashes, others[_HASH].to_pylist()).min(axis=0)
            here = nearest <= MAX_DISTANCE
            parts += [others.filter(pa.array(here)).to_pandas().assign(differs=nearest[here])] if here.any() else []
        return pd.concat(parts, ignore_index=True).drop_duplicates(_ID)

    def _pieces(self) -> Iterator[pa.Table]:
        for key in self._keys:
            if not self._storage.exists(key):
                continue
            there = [name for name in _ROWS.names if name in shape_of(self._storage, key)[1]]
            for piece in pieces(self._storage, key, there):
                columns = [
                    piece[name].cast(pa.string()) if name in there else pa.nulls(len(piece), pa.string())
                    for name in _ROWS.names
                ]
                found = pa.table(columns, schema=_ROWS)
                yield found.filter(found[_ID].is_valid())


def wanted_images(listed: ListedImages, asked: Sequence[str], monitor: str) -> tuple[WantedImage, ...]:
    """The images that somebody names: each by its sha256, or by the key of its file, with the monitor's folder or without.

    Raises NeedsAttention for what is none of them.
    """
    names = [*dict.fromkeys(asked)]
    found = listed.named(names, monitor)
    strangers = [name for name in names if name not in found]
    if strangers:
        raise NeedsAttention(
            f"{', '.join(strangers[:5])}: no image of {monitor} has this sha256 or this key. Name the sha256 of the file (sha256sum FILE), or its key "
            f"below {monitor}/, such as incoming/2026-01-08/0001.jpg, or as the manifest has it. What was forgotten already is not found again"
        )
    ids = [*dict.fromkeys(found[name] for name in names)]
    rows = listed.of(ids)
    return tuple(_wanted(rows, image_id, monitor) for image_id in ids)


def _wanted(rows: pd.DataFrame, image_id: str, monitor: str) -> WantedImage:
    stored = rows.loc[rows[_ID] == image_id, _KEY].dropna()
    keys = sorted({*stored, *(own_key(monitor, key) for key in stored)})
    return WantedImage(image_id=image_id, token=token(), keys=tuple(keys))


def token() -> str:
    """A random name of the form that image ids have, which begins with FORGOTTEN."""
    return f"{FORGOTTEN}{secrets.token_hex(24)}"


def replacements(images: Sequence[WantedImage]) -> Mapping[str, str]:
    """What is written in place of each id and each key, the longest first."""
    found = {image.image_id: image.token for image in images}
    for image in images:
        for key in image.keys:
            found[key] = f"{key.rpartition('/')[0]}/forgotten-{image.token[-16:]}"
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def nearly_the_same(listed: ListedImages, images: Sequence[WantedImage]) -> list[Nearly]:
    """The images that look nearly the same as any of `images`, the nearest first, each once."""
    ids = [image.image_id for image in images]
    rows = listed.near(listed.of(ids)[_HASH].dropna().tolist(), ids)
    near = zip(rows[_ID], rows[_KEY], rows["differs"].tolist(), strict=True)
    return sorted((Nearly(*row) for row in near), key=lambda row: (row.differs, row.key))


def trained_on(store: MonitorStore, images: Sequence[WantedImage]) -> tuple[str, ...]:
    """The model versions whose weights were fitted to any of the images, or started from such weights, oldest first."""
    ids, found = {image.image_id for image in images}, list[str]()
    for version in versions(store):
        about = card(store, version)
        fine_tuned = isinstance(about.recipe, CardRecipe) and about.recipe.name == "fine-tune"
        if (fine_tuned and about.parent in found) or ids & set(_fitted(store, about.data.run_key)):
            found.append(version)
    return tuple(found)


def _fitted(store: MonitorStore, run_key: str | None) -> Iterator[str]:
    key = store.keys.retraining(run_key, SET) if run_key else set_keys(store).table
    if store.storage.exists(key):
        table = store.storage.read_table(key)
        yield from table.loc[table["split"].isin([TRAIN, VALIDATION]), "image_id"]
