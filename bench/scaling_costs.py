"""What the product's own steps cost on one core, measured: seconds and bytes for each image, memory over whole days."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.steps import DAY, alone, monitor_at, processor_time, timed
from driftwatch.artifacts.ingest import ShardPlan
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images.shards import BLOCK, shards_of

WIDTH, HEIGHT = 500, 375
# Both are judged by a sample: what the steps take beyond it is what an image more takes. They lie far apart: two runs of one day differ by 20 MB.
SMALL_DAY, LARGE_DAY = 200_000, 3_000_000
# Photos of this size have as many bytes as cameras' own, which OpenCV's default doubles.
QUALITY = 75


def measure(photos: Path | None, images: int = 10 * BLOCK) -> dict[str, Any]:
    """Costs by step: seconds and bytes for each image, seconds for each task, peak memory of the steps over whole days."""
    from bench.s3_day import need_server

    need_server()  # which is used after minutes
    home = Path(tempfile.mkdtemp(prefix="driftwatch-scaling-"))
    try:
        costs = alone(measure_images, home, photos, images)
        costs["predict"]["seconds_to_load"] = alone(_measure_load)
        costs["s3_get"] = {"seconds_an_image": alone(_measure_s3, photos)}
        days = {n: measure_day(home, n) for n in (SMALL_DAY, LARGE_DAY)}
    finally:
        shutil.rmtree(home)
    for step, small in days[SMALL_DAY].items():
        large = days[LARGE_DAY][step]
        grown = LARGE_DAY - SMALL_DAY
        each = max(0.0, large["seconds"] - small["seconds"]) / grown
        costs[step] = {
            "seconds_an_image": each,
            "seconds_of_the_sample": max(0.0, large["seconds"] - LARGE_DAY * each),
            "bytes_of_memory_an_image": max(0.0, large["peak"] - small["peak"]) / grown,
            "seconds_of_the_large_day": large["seconds"],
            "peak_of_the_large_day": large["peak"],
        }
    return costs


def measure_day(home: Path, n: int) -> dict[str, dict[str, float]]:
    """Seconds and peak memory of each step of a day of `n` images behind its shards, each in a process of its own. `home`: the world that
    `measure_images` has left."""
    found = {}
    for step in (_merge, _profile_shards, _profile, _answer, _join):
        found[step.__name__[1:]] = alone(step, home, n)
    del found["answer"]  # what prediction leaves, made up
    return found


def measure_images(home: Path, photos: Path | None, images: int) -> dict[str, Any]:
    import cv2

    from driftwatch.drift.handover import build_reference_of
    from driftwatch.images.ingest import DayModel, cut_into_shards, ingest_shard, merge_shards
    from driftwatch.images.listing import list_day
    from driftwatch.models import registry
    from driftwatch.models.champion import train_champion
    from driftwatch.models.dataset import take_in_training_set
    from driftwatch.models.predict import merge_predictions, predict_shard
    from driftwatch_sandbox.photos import write_photos

    store = monitor_at(home)
    day, storage = store.day(DAY), store.storage
    in_two = store.config.images.model_copy(update={"shard_size": images // 2})
    of_day = store.with_config(store.config.model_copy(update={"images": in_two})).day(DAY)
    folder = photos or home / "photos"
    if photos is None:
        write_photos(folder, dict.fromkeys(store.config.classes, 150), seed=5, processes=1)
    paths = sorted(path for path in folder.rglob("*.jp*g"))
    for number, path in enumerate(paths[:: max(1, len(paths) // 300)]):
        storage.write_bytes(f"{store.keys.training_images}/{path.parent.name}/{number}.jpg", path.read_bytes())
    for number in range(images):
        photo = cv2.resize(cv2.imread(str(paths[number % len(paths)])), (WIDTH, HEIGHT))
        photo[:8, :8] = number // len(paths) % 256
        written = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        storage.write_bytes(f"{day.keys.incoming}/{number:06d}.jpg", written)
    take_in_training_set(store)
    version = train_champion(store, epochs=1)
    registry.promote(store, version, "a benchmark", expected=None)
    build_reference_of(store, version)

    shards = cut_into_shards(of_day, DayModel(version, ModelInput.of(store.config.model.input)), list_day(of_day))
    took = [processor_time(ingest_shard, of_day, shard) for shard in shards]
    merge_shards(of_day)
    predict_shard(day, version, shards[0])
    whole = shards_of(images, images)[0]
    answered = processor_time(predict_shard, day, version, whole)
    again = processor_time(predict_shard, day, version, shards[0])
    predict_shard(day, version, shards[1])
    merge_predictions(day, version, len(shards))
    each = (answered - again) / (images - images // 2)

    def size(key: str) -> float:
        return sum(item.size for item in storage.list(key)) / images

    tables = (day.keys.manifest, day.keys.features, day.keys.predictions, day.keys.embeddings)
    return {
        "photo": {"width": WIDTH, "height": HEIGHT, "bytes": size(day.keys.incoming)},
        "input_size": store.config.model.input.height,
        "ingest": {"seconds_an_image": min(took) / (images / 2)},
        "predict": {"seconds_an_image": each},
        "stored": {
            "inputs": size(day.keys.inputs),
            "tables": sum(len(storage.read_bytes(key)) for key in tables) / images,
        },
    }


def _measure_load() -> float:
    """Seconds that a task takes to import TensorFlow."""
    from driftwatch.models.runtime import prepare

    def load() -> None:
        import keras
        import tensorflow as tf

        prepare()
        tf.constant(0), keras.Input((8, 8, 3))

    return processor_time(load)


def _measure_s3(photos: Path | None) -> float:
    """Seconds that an image costs more from S3 than from a folder: the client's own work; not the server's."""
    from bench.s3_day import measure, photos_of

    with photos_of(photos) as some:
        return max(0.0, measure(some).seconds_an_image)


def _merge(home: Path, n: int) -> dict[str, float]:
    """merge_shards of a day of `n` images: the measured day's rows with other ids and a little noise."""
    import pyarrow as pa

    from driftwatch.images import ingest
    from driftwatch.storage.tables import writing_table

    store = monitor_at(home)
    day, rng = store.day(DAY), np.random.default_rng(n)
    seed = home / "seed.parquet"
    if not seed.exists():
        table = store.storage.read_table(day.keys.manifest)
        features = store.storage.read_table(day.keys.features).drop(columns="image_id")
        pa.parquet.write_table(pa.Table.from_pandas(table.join(features), preserve_index=False), seed)
    rows = pa.parquet.read_table(seed).to_pandas()
    columns = list(ingest.COLUMNS)
    shards = shards_of(n, store.config.images.shard_size)
    for shard in shards:
        size = shard.stop - shard.start
        part = rows.sample(size, replace=True, random_state=shard.number).reset_index(drop=True)
        part["key"] = [f"{day.keys.incoming}/{number:09d}.jpg" for number in range(shard.start, shard.stop)]
        part["image_id"] = [rng.bytes(32).hex() for _ in range(size)]
        part["phash"] = [rng.bytes(8).hex() for _ in range(size)]
        part[columns] *= rng.normal(1, 0.01, (size, len(columns)))
        with writing_table(store.storage, day.keys.shard(shard.number, "images.parquet"), ingest._IMAGES) as table:
            for start in range(0, size, BLOCK):
                table.add(pa.Table.from_pandas(part[start : start + BLOCK], ingest._IMAGES, preserve_index=False))
    size = store.config.model.input.height
    day.write(ShardPlan(shards=len(shards), listed=n, input_size=size, model_version=_champion(store)))
    return timed(lambda: ingest.merge_shards(day))


def _champion(store: MonitorStore) -> str:
    return str(store.storage.read_json(store.keys.champion)["version"])


def _profile_shards(home: Path, n: int) -> dict[str, float]:
    """The parts of all shards, one after the other."""
    from driftwatch.drift.day_profile import profile_shard

    store = monitor_at(home)
    return timed(
        lambda: [profile_shard(store.day(DAY), shard) for shard in shards_of(n, store.config.images.shard_size)]
    )


def _profile(home: Path, n: int) -> dict[str, float]:
    from driftwatch.drift.image_quality import profile_day

    store = monitor_at(home)
    version = _champion(store)
    return timed(lambda: profile_day(store.day(DAY), version))


def _answer(home: Path, n: int) -> dict[str, float]:
    """What predict_shards leaves: the measured embeddings with a little noise."""
    import pandas as pd

    from driftwatch.storage.tables import pieces

    store = monitor_at(home)
    keys, storage, version, rng = store.day(DAY).keys, store.storage, _champion(store), np.random.default_rng(n)
    kept = home / "embeddings.npy"
    if not kept.exists():
        np.save(kept, storage.read_array(keys.embeddings))
    known = np.load(kept).astype("float32")
    for shard in shards_of(n, store.config.images.shard_size):
        size = shard.stop - shard.start
        score = rng.beta(0.6, 0.6, size).round(6)
        parts = pieces(storage, keys.features, ["image_id"], shard.start, shard.stop)
        ids = [image_id for part in parts for image_id in part["image_id"].to_pylist()]
        table = pd.DataFrame({"image_id": ids})
        table["prediction"] = np.where(score >= 0.5, *store.config.classes)
        table["score.cat"], table["score.dog"], table["model_version"] = score, (1 - score).round(6), version
        storage.write_table(keys.shard(shard.number, "predictions.parquet"), table)
        chosen = known[rng.integers(0, len(known), size)]
        noisy = chosen + rng.normal(0, known.std() / 20, chosen.shape)
        storage.write_array(keys.shard(shard.number, "embeddings.npy"), noisy.astype("float16"))
    return {}


def _join(home: Path, n: int) -> dict[str, float]:
    """What predict_labels does with the shards' answers."""
    from driftwatch.accuracy.without_labels import estimate_day
    from driftwatch.drift.content_and_predictions import judge_content_and_predictions
    from driftwatch.models.predict import merge_predictions

    store = monitor_at(home)
    day, version, shards = store.day(DAY), _champion(store), shards_of(n, store.config.images.shard_size)

    def join() -> None:
        merge_predictions(day, version, len(shards))
        estimate_day(day)
        judge_content_and_predictions(day, version)

    return timed(join)
