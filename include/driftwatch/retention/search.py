"""Finds images that are to be forgotten: their files, the models that were trained on them, and what looks nearly the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from driftwatch.artifacts.forgetting import FORGOTTEN, WantedImage
from driftwatch.artifacts.keys import SET, own_key
from driftwatch.artifacts.models import CardRecipe
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.near_duplicates import MAX_DISTANCE, distances
from driftwatch.models.registry import card, versions
from driftwatch.models.splits import TRAIN, VALIDATION


@dataclass(frozen=True)
class Nearly:
    """An image that looks nearly the same as a forgotten one and stays. `key`: its file; `differs`: in how many of 64 bits their hashes differ."""

    image_id: str
    key: str
    differs: int


@dataclass(frozen=True)
class ForgetPlan:
    """What forgetting would do. `models`: versions that were trained on any of `images`; `near`: what looks nearly the same and stays;
    `deletes_originals`: whether the images' own files go too."""

    images: tuple[WantedImage, ...]
    models: tuple[str, ...]
    near: tuple[Nearly, ...]
    deletes_originals: bool


def forget_plan(store: MonitorStore, asked: Sequence[str]) -> ForgetPlan:
    """Of the images that somebody names, as in `wanted_images`. Changes nothing."""
    listed = listed_images(store)
    images = wanted_images(listed, asked, store.keys.monitor)
    near = tuple(nearly_the_same(listed, images))
    return ForgetPlan(images, trained_on(store, images), near, store.config.storage.forget_originals)


def listed_images(store: MonitorStore) -> pd.DataFrame:
    """Every image that the days and the training set list: image_id, key, phash, a row for each file of it."""
    storage, keys = store.storage, store.keys
    tables = [keys.day(day).manifest for day in store.days()] + [keys.training_set]
    found = [storage.read_table(key) for key in tables if storage.exists(key)]
    columns = ["image_id", "key", "phash"]
    parts = [table.reindex(columns=columns).dropna(subset=["image_id"]) for table in found]
    return pd.concat([pd.DataFrame(columns=columns), *parts], ignore_index=True).drop_duplicates(["image_id", "key"])


def wanted_images(listed: pd.DataFrame, asked: Sequence[str], monitor: str) -> tuple[WantedImage, ...]:
    """The images that somebody names: each by its sha256, or by the key of its file, with the monitor's folder or without.

    `listed`: see `listed_images`. Raises NeedsAttention for what is none of them.
    """
    by_key = {own_key(monitor, key): image_id for image_id, key in zip(listed["image_id"], listed["key"], strict=True)}
    known, ids, strangers = set(listed["image_id"]), [], []
    for name in dict.fromkeys(asked):
        found = name if name in known else by_key.get(name) or by_key.get(f"{monitor}/{name}")
        ids += [found] if found else []
        strangers += [] if found else [name]
    if strangers:
        raise NeedsAttention(
            f"{', '.join(strangers[:5])}: no image of {monitor} has this sha256 or this key. Name the sha256 of the file (sha256sum FILE), or its key "
            f"below {monitor}/, such as incoming/2026-01-08/0001.jpg, or as the manifest has it. What was forgotten already is not found again"
        )
    return tuple(_wanted(listed, image_id, monitor) for image_id in dict.fromkeys(ids))


def _wanted(listed: pd.DataFrame, image_id: str, monitor: str) -> WantedImage:
    stored = listed.loc[listed["image_id"] == image_id, "key"].dropna()
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


def nearly_the_same(listed: pd.DataFrame, images: Sequence[WantedImage]) -> list[Nearly]:
    """The images that look nearly the same as any of `images`, the nearest first, each once."""
    known = listed.dropna(subset=["phash"])
    ours = known[known["image_id"].isin([image.image_id for image in images])]
    others = known[~known["image_id"].isin(ours["image_id"])].drop_duplicates("image_id")
    if ours.empty or others.empty:
        return []
    nearest = distances(ours["phash"].tolist(), others["phash"].tolist()).min(axis=0)
    rows = zip(others["image_id"], others["key"], nearest.tolist(), strict=True)
    return sorted((Nearly(*row) for row in rows if row[2] <= MAX_DISTANCE), key=lambda row: (row.differs, row.key))


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
    key = store.keys.retraining(run_key, SET) if run_key else store.keys.training_set
    if store.storage.exists(key):
        table = store.storage.read_table(key)
        yield from table.loc[table["split"].isin([TRAIN, VALIDATION]), "image_id"]
