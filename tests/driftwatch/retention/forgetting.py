"""A small day and a retraining of which images are forgotten, and where their traces are looked for."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from datetime import date, datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from tests.driftwatch.artifacts import samples
from tests.driftwatch.models.conftest import CLASSES, World, open_world
from tests.stores import monitor_store

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.embeddings import fit_projection, project
from driftwatch.images.inputs import DayInputs
from driftwatch.labels.shown import ShownImages
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.original_set import take_in_training_set
from driftwatch.retention.forget import Asked, Outside
from driftwatch.storage import Storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.thumbnails import thumbnail_of

DAY, RUN = date(2026, 1, 4), "perf_alert__2026-01-04"
CHAMPION, CHALLENGER = "v0001-0a1b2c3d", "v0002-0a1b2c3d"
CARD = {**samples.CARD, "classes": list(CLASSES), "input_size": 32}
ASKED = Asked("ann", datetime(2026, 2, 1, 9, tzinfo=timezone.utc))


def live(root: Path) -> None:
    world, rng = open_world(root), np.random.default_rng(3)
    world = world.with_config(min_new_labels=5)
    for label in CLASSES:
        for number in range(24):
            world.put_training(label, f"{number:02d}", world.striped(rng, label))
    store = store_of(world)
    take_in_training_set(store)
    with_champion(world, rng)
    labels, day = world.add_day(DAY, 30, verdict="alert"), store.day(DAY)
    answered(world, labels, rng)
    manifest = world.storage.read_table(day.keys.manifest)
    shown = ShownImages(world.storage, day.keys.shown)
    rows = [{"image_id": row.image_id, "key": row.key} for row in manifest.itertuples()]
    for row in rows:
        shown.key(row["image_id"], row["key"])
        world.storage.copy(
            row["key"], f"{day.keys.shown}/covered/{row['image_id']}.jpg"
        )  # of a monitor with labels.blur
        ShownImages(world.storage, store.keys.of_retraining(RUN).shown).key(row["image_id"], row["key"])
    plan = {**samples.PLAN, "day": DAY.isoformat(), "sample": rows, "control": [], "exam": None, "backend": "desk"}
    world.storage.write_json(day.keys.annotation, plan)
    collect_training_set(store, RUN, DAY, DAY)
    data = {**CARD["data"], "run_key": RUN}
    recipe = {**CARD["recipe"], "name": "scratch"}
    card = {**CARD, "version": CHALLENGER, "parent": CHAMPION, "data": data, "recipe": recipe}
    world.storage.write_json(store.keys.model_card(CHALLENGER), card)
    picture = base64.b64encode(thumbnail_of(Artifacts(store), day, labels["image_id"][0]) or b"").decode()
    world.storage.write_bytes(day.keys.report, f"<img src='data:image/jpeg;base64,{picture}'>".encode())


def with_champion(world: World, rng: np.random.Generator) -> None:
    """A champion that was trained on none of the images that are forgotten, and its references."""
    store, storage = store_of(world), world.storage
    storage.write_json(store.keys.champion, {"version": CHAMPION, "previous": None})
    card = {**CARD, "version": CHAMPION, "parent": None, "data": {**CARD["data"], "run_key": None}}
    storage.write_json(store.keys.model_card(CHAMPION), card)
    features, table = storage.read_table(store.keys.training_features), storage.read_table(store.keys.training_set)
    storage.write_table(store.keys.reference_features(CHAMPION), features.drop(columns="image_id"))
    embeddings = rng.normal(size=(len(table), 8))
    matrix = fit_projection(embeddings)
    storage.write_array(store.keys.reference_projection(CHAMPION), matrix)
    points = project(embeddings, matrix)[(table["split"] == "evaluation").to_numpy()]
    ids = table.loc[table["split"] == "evaluation", "image_id"].tolist()
    storage.write_table(store.keys.reference_features(CHAMPION, "content"), points.assign(prediction="across"))
    storage.write_table(store.keys.reference_points(CHAMPION), points.assign(image_id=ids))


def answered(world: World, labels: pd.DataFrame, rng: np.random.Generator) -> None:
    """The day's predictions, embeddings and votes, and the reference of a state that it was accepted as."""
    store, storage = store_of(world), world.storage
    keys = store.keys.day(DAY)
    ids = storage.read_table(keys.features)["image_id"]
    scores = {"prediction": "across", "score.across": 0.9, "score.upright": 0.1, "model_version": CHAMPION}
    storage.write_table(keys.predictions, pd.DataFrame({"image_id": ids}).assign(**scores))
    embeddings = rng.normal(size=(len(ids), 8)).astype(np.float16)
    storage.write_array(keys.embeddings, embeddings)
    components = project(embeddings, storage.read_array(store.keys.reference_projection(CHAMPION)))
    storage.write_table(store.keys.reference_features(store.keys.state_place("s", CHAMPION), "content"), components)
    votes = [(image_id, person) for image_id in labels["image_id"] for person in "abc"]
    answers = pd.DataFrame(votes, columns=["image_id", "annotator_id"]).assign(answer="across", control=False)
    storage.write_table(keys.assignments, answers)


def store_of(world: World, **storage: object) -> MonitorStore:
    config = world.config.model_copy(update={"storage": world.config.storage.model_copy(update=storage)})
    return monitor_store(world.storage, world.layout, config)


class Told:
    """Whoever is asked outside: what was said to them."""

    def __init__(self, blanked: int | None = None) -> None:
        self.blanked, self.tokens, self.reports = blanked, dict[str, str](), list[date]()

    def blank(self, plan: AnnotationPlan, tokens: Mapping[str, str]) -> int | None:
        self.tokens |= tokens
        return self.blanked

    @property
    def outside(self) -> Outside:
        def write(day) -> None:
            self.reports.append(day.date)
            day.storage.write_bytes(day.keys.report, b"anew")

        return Outside(self.blank, write)


def trained_image(world: World) -> tuple[str, str]:
    """An image of the day that the challenger was trained on, and its key."""
    table = world.storage.read_table(world.layout.retraining(RUN, "set.parquet"))
    manifest = world.storage.read_table(world.layout.day(DAY).manifest).set_index("image_id")
    found = table.loc[(table["day"] != "") & (table["split"] == "train"), "image_id"].iloc[0]
    return found, manifest.loc[found, "key"]


def held_out_image(world: World) -> tuple[str, str]:
    table = world.storage.read_table(world.layout.training_set)
    row = table[table["split"] == "evaluation"].iloc[0]
    return row["image_id"], row["key"]


def where(storage: Storage, *needles: bytes) -> list[str]:
    """The objects that hold any of the needles, in their bytes or in a table's cells."""
    found = []
    for item in storage.list("stripes"):
        data = storage.read_bytes(item.key)
        if item.key.endswith(".parquet"):
            data += str(pq.read_table(io.BytesIO(data)).to_pydict()).encode()
        if any(needle in data or needle in item.key.encode() for needle in needles):
            found.append(item.key)
    return found


def needles_of(world: World, image_id: str, key: str) -> list[bytes]:
    """Id, name, bytes, thumbnail and the model's input of an image."""
    store = store_of(world)
    found = [image_id.encode(), key.encode(), world.storage.read_bytes(key)]
    ids = world.storage.read_table(store.keys.day(DAY).features)["image_id"].tolist()
    if image_id in ids:
        found.append(DayInputs(store.day(DAY)).take([ids.index(image_id)]).tobytes())
        found.append(thumbnail_of(Artifacts(store), store.day(DAY), image_id) or b"")
    else:
        ids = world.storage.read_table(store.keys.training_set)["image_id"].tolist()
        found.append(world.storage.read_array(store.keys.training_inputs)[ids.index(image_id)].tobytes())
    return found
