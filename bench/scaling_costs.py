"""What the product's own steps cost on one core, measured: seconds and bytes for each image, memory over whole days."""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from driftwatch.artifacts.ingest import ShardPlan
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images.shards import BLOCK, shards_of

WIDTH, HEIGHT = 500, 375
# Both are judged by a sample: what the steps take beyond it is what an image more takes.
SMALL_DAY, LARGE_DAY = 200_000, 500_000
# Photos of this size have as many bytes as cameras' own, which OpenCV's default doubles.
QUALITY = 75


def measure(photos: Path | None, images: int = 10 * BLOCK) -> dict[str, Any]:
    """Costs by step: seconds and bytes for each image, seconds for each task, peak memory of the steps over whole days."""
    home = Path(tempfile.mkdtemp(prefix="driftwatch-scaling-"))
    try:
        costs = _alone(_measure_images, home, photos, images)
        costs["predict"]["seconds_to_load"] = _alone(_measure_load)
        costs["s3_get"] = {"seconds_an_image": _alone(_measure_s3, photos)}
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
    `_measure_images` has left."""
    found = {}
    for step in (_merge, _profile_shards, _profile, _answer, _join):
        found[step.__name__[1:]] = _alone(step, home, n)
    del found["answer"]  # what prediction leaves, made up
    return found


def _alone(step: Callable[..., Any], *arguments: Any) -> Any:
    """The step's answer from a process of its own, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(step, arguments)


def _world(home: Path) -> tuple[Any, Any, Any]:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import open_storage

    config = MonitorConfig.model_validate(
        {
            "name": "scaling", "description": "A benchmark.", "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"}, "storage": {"uri": f"file://{home}/storage"},
            "annotation": {"project_name": "-", "question": "-", "instructions": "-"},
            "publish": {"sinks": ["local"]},
        }
    )  # fmt: skip
    return open_storage(config.storage.uri), MonitorKeys(config.name), config


def _day(layout: Any) -> Any:
    from datetime import date

    return layout.day(date(2026, 1, 5))


def _measure_images(home: Path, photos: Path | None, images: int) -> dict[str, Any]:
    import cv2

    from driftwatch.drift.handover import build_reference_of
    from driftwatch.images.ingest import DayModel, cut_into_shards, ingest_shard, merge_shards
    from driftwatch.images.listing import list_day
    from driftwatch.models import registry
    from driftwatch.models.champion import train_champion
    from driftwatch.models.dataset import take_in_training_set
    from driftwatch.models.predict import merge_predictions, predict_shard
    from driftwatch_sandbox.photos import write_photos

    storage, layout, config = _world(home)
    day = _day(layout)
    in_two = config.images.model_copy(update={"shard_size": images // 2})
    of_day = MonitorStore(storage, config.model_copy(update={"images": in_two})).day(day.day)
    folder = photos or home / "photos"
    if photos is None:
        write_photos(folder, dict.fromkeys(config.classes, 150), seed=5, processes=1)
    paths = sorted(path for path in folder.rglob("*.jp*g"))
    for number, path in enumerate(paths[:: max(1, len(paths) // 300)]):
        storage.write_bytes(f"{layout.training_images}/{path.parent.name}/{number}.jpg", path.read_bytes())
    for number in range(images):
        photo = cv2.resize(cv2.imread(str(paths[number % len(paths)])), (WIDTH, HEIGHT))
        photo[:8, :8] = number // len(paths) % 256
        written = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        storage.write_bytes(f"{day.incoming}/{number:06d}.jpg", written)
    take_in_training_set(MonitorStore(storage, config))
    version = train_champion(MonitorStore(storage, config), epochs=1)
    registry.promote(MonitorStore(storage, config), version, "a benchmark", expected=None)
    build_reference_of(MonitorStore(storage, config), version)

    shards = cut_into_shards(of_day, DayModel(version, ModelInput.of(config.model.input)), list_day(of_day))
    took = [_seconds(ingest_shard, of_day, shard) for shard in shards]
    merge_shards(of_day)
    _seconds(predict_shard, MonitorStore(storage, config).day(day.day), version, shards[0])
    whole = shards_of(images, images)[0]
    answered = _seconds(predict_shard, MonitorStore(storage, config).day(day.day), version, whole)
    again = _seconds(predict_shard, MonitorStore(storage, config).day(day.day), version, shards[0])
    predict_shard(MonitorStore(storage, config).day(day.day), version, shards[1])
    merge_predictions(MonitorStore(storage, config).day(day.day), version, len(shards))
    each = (answered - again) / (images - images // 2)

    def size(key: str) -> float:
        return sum(item.size for item in storage.list(key)) / images

    return {
        "photo": {"width": WIDTH, "height": HEIGHT, "bytes": size(day.incoming)},
        "input_size": config.model.input.height,
        "ingest": {"seconds_an_image": min(took) / (images / 2)},
        "predict": {"seconds_an_image": each},
        "stored": {
            "inputs": size(day.inputs),
            "tables": sum(
                len(storage.read_bytes(key)) for key in (day.manifest, day.features, day.predictions, day.embeddings)
            )
            / images,
        },
    }


def _seconds(step: Callable[..., Any], *arguments: Any) -> float:
    """Processor time, which other programs on the machine do not lengthen."""
    start = time.process_time()
    step(*arguments)
    return time.process_time() - start


def _timed(step: Callable[[], Any]) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = _seconds(step)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "peak": peak * 1024, "before": before * 1024}


def _measure_load() -> float:
    """Seconds that a task takes to import TensorFlow."""
    from driftwatch.models.runtime import prepare

    def load() -> None:
        import keras
        import tensorflow as tf

        prepare()
        tf.constant(0), keras.Input((8, 8, 3))

    return _seconds(load)


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

    storage, layout, config = _world(home)
    day, rng = _day(layout), np.random.default_rng(n)
    seed = home / "seed.parquet"
    if not seed.exists():
        table = storage.read_table(day.manifest)
        features = storage.read_table(day.features).drop(columns="image_id")
        pa.parquet.write_table(pa.Table.from_pandas(table.join(features), preserve_index=False), seed)
    rows = pa.parquet.read_table(seed).to_pandas()
    columns = list(ingest.COLUMNS)
    shards = shards_of(n, config.images.shard_size)
    for shard in shards:
        size = shard.stop - shard.start
        part = rows.sample(size, replace=True, random_state=shard.number).reset_index(drop=True)
        part["key"] = [f"{day.incoming}/{number:09d}.jpg" for number in range(shard.start, shard.stop)]
        part["image_id"] = [rng.bytes(32).hex() for _ in range(size)]
        part["phash"] = [rng.bytes(8).hex() for _ in range(size)]
        part[columns] *= rng.normal(1, 0.01, (size, len(columns)))
        with writing_table(storage, day.shard(shard.number, "images.parquet"), ingest._IMAGES) as table:
            for start in range(0, size, BLOCK):
                table.add(pa.Table.from_pandas(part[start : start + BLOCK], ingest._IMAGES, preserve_index=False))
    version = storage.read_json(layout.champion)["version"]
    of_day = MonitorStore(storage, config).day(day.day)
    of_day.write(ShardPlan(shards=len(shards), listed=n, input_size=config.model.input.height, model_version=version))
    return _timed(lambda: ingest.merge_shards(of_day))


def _profile_shards(home: Path, n: int) -> dict[str, float]:
    """The parts of all shards, one after the other."""
    from driftwatch.drift.day_profile import profile_shard

    storage, layout, config = _world(home)
    day = MonitorStore(storage, config).day(_day(layout).day)
    return _timed(lambda: [profile_shard(day, shard) for shard in shards_of(n, config.images.shard_size)])


def _profile(home: Path, n: int) -> dict[str, float]:
    from driftwatch.drift.image_quality import profile_day

    storage, layout, config = _world(home)
    version = storage.read_json(layout.champion)["version"]
    return _timed(lambda: profile_day(MonitorStore(storage, config).day(_day(layout).day), version))


def _answer(home: Path, n: int) -> dict[str, float]:
    """What predict_shards leaves: the measured embeddings with a little noise."""
    import pandas as pd

    from driftwatch.storage.tables import pieces

    storage, layout, config = _world(home)
    day, rng = _day(layout), np.random.default_rng(n)
    version = storage.read_json(layout.champion)["version"]
    kept = home / "embeddings.npy"
    if not kept.exists():
        np.save(kept, storage.read_array(day.embeddings))
    known = np.load(kept).astype("float32")
    shards = shards_of(n, config.images.shard_size)
    for shard in shards:
        size = shard.stop - shard.start
        score = rng.beta(0.6, 0.6, size).round(6)
        parts = pieces(storage, day.features, ["image_id"], shard.start, shard.stop)
        ids = [image_id for part in parts for image_id in part["image_id"].to_pylist()]
        table = pd.DataFrame({"image_id": ids})
        table["prediction"] = np.where(score >= 0.5, *config.classes)
        table["score.cat"], table["score.dog"], table["model_version"] = score, (1 - score).round(6), version
        storage.write_table(day.shard(shard.number, "predictions.parquet"), table)
        chosen = known[rng.integers(0, len(known), size)]
        noisy = chosen + rng.normal(0, known.std() / 20, chosen.shape)
        storage.write_array(day.shard(shard.number, "embeddings.npy"), noisy.astype("float16"))
    return {}


def _join(home: Path, n: int) -> dict[str, float]:
    """What predict_labels does with the shards' answers."""
    from driftwatch.accuracy.without_labels import estimate_day
    from driftwatch.drift.content_and_predictions import judge_content_and_predictions
    from driftwatch.models.predict import merge_predictions

    storage, layout, config = _world(home)
    day, version = _day(layout), storage.read_json(layout.champion)["version"]
    shards = shards_of(n, config.images.shard_size)

    def join() -> None:
        merge_predictions(MonitorStore(storage, config).day(day.day), version, len(shards))
        estimate_day(MonitorStore(storage, config).day(day.day))
        judge_content_and_predictions(MonitorStore(storage, config).day(day.day), version)

    return _timed(join)
