"""What larger days cost: the product's own steps measured on one core, then days of 1 and 100 million images simulated from that.

    python -m bench.scaling measure [--photos FOLDER]   # a folder for each class; by default drawn photos. Writes COSTS
    python -m bench.scaling simulate                    # writes the tables of docs/scaling.md

The simulation is a queue: the shards of a wave (ingest, then prediction) go in order to workers x cores, one core for each task;
steps that are one task run alone. Every task also pays its start. S3's latency is not in it: 16 objects are fetched ahead.
"""

from __future__ import annotations

import argparse
import heapq
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from driftwatch.images.shards import BLOCK, shards_of

DOCS = Path(__file__).resolve().parents[1] / "docs"
COSTS, PAGE = DOCS / "benchmarks" / "scaling" / "costs.json", DOCS / "scaling.md"
BEGIN, END = "<!-- python -m bench.scaling simulate -->\n", "<!-- end -->\n"
# https://aws.amazon.com/s3/pricing/: S3 Standard, us-east-1, dollars for each request.
PUT_OR_LIST, GET = 0.005 / 1000, 0.0004 / 1000
LIST_PAGE = 1000
# Seconds of a task beside its own work, its wait in Airflow and its start: assumed.
TASK_START = 4.0
WIDTH, HEIGHT, SMALL_DAY, LARGE_DAY = 500, 375, 20_000, 100_000


def measure(photos: Path | None, images: int = 10 * BLOCK) -> dict[str, Any]:
    """Costs by step: seconds and bytes for each image, seconds for each task, peak memory of the steps over whole days."""
    home = Path(tempfile.mkdtemp(prefix="driftwatch-scaling-"))
    try:
        costs = _alone(_measure_images, home, photos, images)
        costs["predict"]["seconds_to_load"] = _alone(_measure_load)
        costs["pairs"] = {"seconds_a_pair": _alone(_measure_pairs)}
        costs["s3_get"] = {"seconds_an_image": _alone(_measure_s3, int(costs["photo"]["bytes"]))}
        days = {
            n: {step.__name__[1:]: _alone(step, home, n) for step in (_merge, _profile, _join)}
            for n in (SMALL_DAY, LARGE_DAY)
        }
    finally:
        shutil.rmtree(home)
    for step, small in days[SMALL_DAY].items():
        large = days[LARGE_DAY][step]
        grown = LARGE_DAY - SMALL_DAY
        pairs = PAIRS[step] * (LARGE_DAY**2 - SMALL_DAY**2) * costs["pairs"]["seconds_a_pair"]
        costs[step] = {
            "seconds_an_image": max(0.0, large["seconds"] - small["seconds"] - pairs) / grown,
            "bytes_of_memory_an_image": (large["peak"] - small["peak"]) / grown,
            "seconds_of_the_large_day": large["seconds"],
            "peak_of_the_large_day": large["peak"],
        }
    return costs


def _alone(step: Callable[..., Any], *arguments: Any) -> Any:
    """The step's answer from a process of its own, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(step, arguments)


def _world(home: Path) -> tuple[Any, Any, Any]:
    from driftwatch.config import MonitorConfig
    from driftwatch.layout import MonitorLayout
    from driftwatch.storage import Storage

    config = MonitorConfig.model_validate(
        {
            "name": "scaling", "description": "A benchmark.", "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"}, "storage": {"uri": f"file://{home}/storage"},
            "annotation": {"project_name": "-", "question": "-", "instructions": "-"},
            "publish": {"sinks": ["local"]},
        }
    )  # fmt: skip
    return Storage(config.storage.uri), MonitorLayout(config.name), config


def _day(layout: Any) -> Any:
    from datetime import date

    return layout.day(date(2026, 1, 5))


def _measure_images(home: Path, photos: Path | None, images: int) -> dict[str, Any]:
    import cv2

    from driftwatch.images.ingest import ingest_shard, list_day, merge_shards, plan_day
    from driftwatch.model import registry
    from driftwatch.model.champion import train_champion
    from driftwatch.model.dataset import take_in_training_set
    from driftwatch.model.handover import build_reference_of
    from driftwatch.model.predict import merge_predictions, predict_shard
    from driftwatch_sandbox.photos import write_photos

    storage, layout, config = _world(home)
    day, images_of_day = _day(layout), config.images.model_copy(update={"shard_size": images // 2})
    folder = photos or home / "photos"
    if photos is None:
        write_photos(folder, dict.fromkeys(config.classes, 150), seed=5, processes=1)
    paths = sorted(path for path in folder.rglob("*.jp*g"))
    for number, path in enumerate(paths[:: max(1, len(paths) // 300)]):
        storage.write_bytes(f"{layout.training_images}/{path.parent.name}/{number}.jpg", path.read_bytes())
    for number in range(images):
        photo = cv2.resize(cv2.imread(str(paths[number % len(paths)])), (WIDTH, HEIGHT))
        photo[:8, :8] = number // len(paths) % 256
        storage.write_bytes(f"{day.incoming}/{number:06d}.jpg", cv2.imencode(".jpg", photo)[1].tobytes())
    take_in_training_set(storage, layout, config)
    version = train_champion(storage, layout, config, epochs=1)
    registry.promote(storage, layout, version, "a benchmark", expected=None)
    build_reference_of(storage, layout, config, version)

    listed = list_day(storage, day)
    shards = plan_day(storage, day, images_of_day, config.model.input_size, version, listed)
    took = [_seconds(ingest_shard, storage, day, images_of_day, shard) for shard in shards]
    merge_shards(storage, day, images_of_day)
    _seconds(predict_shard, storage, day, layout, config, version, shards[0])
    whole = shards_of(images, images)[0]
    answered = _seconds(predict_shard, storage, day, layout, config, version, whole)
    again = _seconds(predict_shard, storage, day, layout, config, version, shards[0])
    predict_shard(storage, day, layout, config, version, shards[1])
    merge_predictions(storage, day, config, version, len(shards))
    each = (answered - again) / (images - images // 2)

    def size(key: str) -> float:
        return sum(item.size for item in storage.list(key)) / images

    return {
        "photo": {"width": WIDTH, "height": HEIGHT, "bytes": size(day.incoming)},
        "input_size": config.model.input_size,
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
    from driftwatch.model.runtime import prepare

    def load() -> None:
        import keras
        import tensorflow as tf

        prepare()
        tf.constant(0), keras.Input((8, 8, 3))

    return _seconds(load)


def _measure_pairs(n: int = 300_000) -> float:
    """Seconds that the search for bursts takes, for each pair of images; most pairs it need not compare."""
    from driftwatch.images.near_duplicates import near_duplicate_clusters

    rng = np.random.default_rng(1)
    return _seconds(near_duplicate_clusters, [rng.bytes(8).hex() for _ in range(n)]) / n**2


def _measure_s3(size: int, objects: int = 1000) -> float:
    """Seconds of this process's own work for each object read from an S3 API: signing, HTTP, copying; not the server's."""
    import os
    import sys

    from driftwatch.storage import Storage
    from driftwatch_sandbox.demo.processes import Processes, free_port

    port = free_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    folder = Path(tempfile.mkdtemp(prefix="driftwatch-scaling-s3-"))
    processes = Processes(folder)
    try:
        command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
        processes.start("s3", command, os.environ)
        processes.wait_for_http("s3", f"http://127.0.0.1:{port}/moto-api/data.json", lambda answer: answer.is_success)
        storage = Storage("s3://bucket/driftwatch")
        storage._fs.mkdir("bucket")
        keys = [f"{number:04d}.jpg" for number in range(objects)]
        for key in keys:
            storage.write_bytes(key, bytes(size))
        start = time.process_time()
        assert all(isinstance(data, bytes) for _, data in storage.iter_bytes(keys))
        return (time.process_time() - start) / objects
    finally:
        processes.stop()
        shutil.rmtree(folder)


def _merge(home: Path, n: int) -> dict[str, float]:
    """merge_shards of a day of `n` images: the measured day's rows with other ids and a little noise."""
    import pyarrow as pa

    from driftwatch.images import ingest
    from driftwatch.tables import writing_table

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
    plan = {"shards": len(shards), "listed": n, "input_size": config.model.input_size, "model_version": version}
    storage.write_json(day.shard_plan, plan)
    return _timed(lambda: ingest.merge_shards(storage, day, config.images))


def _profile(home: Path, n: int) -> dict[str, float]:
    from driftwatch.profiling.drift import profile_day

    storage, layout, config = _world(home)
    version = storage.read_json(layout.champion)["version"]
    return _timed(lambda: profile_day(storage, _day(layout), layout, config, version))


def _join(home: Path, n: int) -> dict[str, float]:
    """What predict_labels does with the shards' answers."""
    import pandas as pd

    from driftwatch.model.predict import merge_predictions
    from driftwatch.performance.without_labels import estimate_day
    from driftwatch.profiling.content_drift import judge_answers

    storage, layout, config = _world(home)
    day, rng = _day(layout), np.random.default_rng(n)
    version = storage.read_json(layout.champion)["version"]
    kept = home / "embeddings.npy"
    if not kept.exists():
        np.save(kept, storage.read_array(day.embeddings))
    known = np.load(kept).astype("float32")
    ids = storage.read_arrow(day.features, ["image_id"])["image_id"].to_pandas()
    shards = shards_of(n, config.images.shard_size)
    for shard in shards:
        size = shard.stop - shard.start
        score = rng.beta(0.6, 0.6, size).round(6)
        table = pd.DataFrame({"image_id": ids[shard.start : shard.stop].to_numpy()})
        table["prediction"] = np.where(score >= 0.5, *config.classes)
        table["score.cat"], table["score.dog"], table["model_version"] = score, (1 - score).round(6), version
        storage.write_table(day.shard(shard.number, "predictions.parquet"), table)
        chosen = known[rng.integers(0, len(known), size)]
        noisy = chosen + rng.normal(0, known.std() / 20, chosen.shape)
        storage.write_array(day.shard(shard.number, "embeddings.npy"), noisy.astype("float16"))

    def join() -> None:
        merge_predictions(storage, day, config, version, len(shards))
        estimate_day(storage, day, layout, config)
        judge_answers(storage, day, layout, config, version)

    return _timed(join)


def simulate(costs: dict[str, Any], images: int, shard_size: int, cores: int, task_start: float) -> dict[str, Any]:
    """One day: tasks, wall seconds by step, core-hours, requests and dollars of S3, bytes stored."""
    shards = [shard.stop - shard.start for shard in shards_of(images, shard_size)]
    taking_in = costs["ingest"]["seconds_an_image"] + costs["s3_get"]["seconds_an_image"]
    ingest = _wave([task_start + n * taking_in for n in shards], cores)
    predict = costs["predict"]
    answers = _wave([task_start + predict["seconds_to_load"] + n * predict["seconds_an_image"] for n in shards], cores)
    pairs = images**2 * costs["pairs"]["seconds_a_pair"]
    alone = {step: task_start + images * costs[step]["seconds_an_image"] + PAIRS[step] * pairs for step in PAIRS}
    blocks = -(-images // BLOCK)
    # Ingest: a GET for each image, a PUT for each block, pages of the listing; four objects for each shard, written, read and deleted.
    gets = images + blocks + 6 * len(shards)
    puts = blocks + 5 * len(shards) + -(-images // LIST_PAGE) + 40
    per_core = images * (taking_in + predict["seconds_an_image"]) + len(shards) * predict["seconds_to_load"]
    return {
        "images": images,
        "shards": len(shards),
        "tasks": 2 * len(shards) + 12,
        "listing": -(-images // LIST_PAGE) * 0.15,
        "ingest": ingest,
        "merge": alone["merge"],
        # Profiling and prediction begin together.
        "predict": answers + alone["join"],
        "profile": alone["profile"],
        "wall": ingest + alone["merge"] + max(alone["profile"], answers + alone["join"]),
        "core_hours": (per_core + sum(alone.values()) + 2 * len(shards) * task_start) / 3600,
        "requests": {"GET": gets, "PUT, LIST": puts},
        "dollars": gets * GET + puts * PUT_OR_LIST,
        "read": images * costs["photo"]["bytes"],
        "stored": images * sum(costs["stored"].values()),
        "memory": {
            step: costs[step]["peak_of_the_large_day"] + (images - LARGE_DAY) * costs[step]["bytes_of_memory_an_image"]
            for step in PAIRS
        },
    }


def _wave(seconds: list[float], cores: int) -> float:
    """When the last of these tasks ends, if each goes to the core that is free first."""
    free = [0.0] * cores
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)


def page(costs: dict[str, Any]) -> str:
    """The benchmark's page, in Markdown."""

    def ms(seconds: float) -> str:
        return f"{1000 * seconds:.3g} ms"

    photo, kept, predict = costs["photo"], costs["stored"], costs["predict"]
    measured = [
        ("Ingest: fetch, hash, check, decode, features, model input", ms(costs["ingest"]["seconds_an_image"])),
        ("Reading it from S3 instead of a folder, the client's own work", "+ " + ms(costs["s3_get"]["seconds_an_image"])),
        ("Prediction", f"{ms(predict['seconds_an_image'])}, and {predict['seconds_to_load']:.1f} s for each task to load TensorFlow"),
        *((f"{TITLES[step]}", f"{ms(costs[step]['seconds_an_image'])}, {costs[step]['bytes_of_memory_an_image']:,.0f} bytes of memory") for step in TITLES),
        ("profile_features and predict_labels, each: search for bursts", f"{costs['pairs']['seconds_a_pair'] * 1e9:.2g} ns for each pair of images"),
        ("Read", f"{photo['bytes']:,.0f} bytes"),
        ("Stored", f"{kept['inputs']:,.0f} bytes of inputs, {kept['tables']:,.0f} of tables"),
    ]  # fmt: skip
    lines = [
        "| step | for each image, on one core |",
        "|---|---|",
        *(f"| {name} | {cost} |" for name, cost in measured),
        "",
    ]
    lines += [
        SIMULATED.format(start=TASK_START),
        "| images | shard_size | cores | tasks | ingest | merge | predict | profile | whole day | core-hours | S3 requests | S3 requests cost | read | stored | most memory of a task |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for images, shard_size, cores in DAYS:
        day = simulate(costs, images, shard_size, cores, TASK_START)
        times = " | ".join(_time(day[step]) for step in ("ingest", "merge", "predict", "profile", "wall"))
        requests = ", ".join(f"{count:,} {name}" for name, count in day["requests"].items())
        step, memory = max(day["memory"].items(), key=lambda item: item[1])
        lines.append(
            f"| {images:,} | {shard_size:,} | {cores} | {day['tasks']:,} | {times} | {day['core_hours']:.1f} | {requests} | ${day['dollars']:,.2f} | "
            f"{day['read'] / 1e9:,.1f} GB | {day['stored'] / 1e9:,.1f} GB | {memory / 1e9:,.1f} GB ({step}) |"
        )
    return "\n".join([HEAD.format(**photo, side=costs["input_size"]), *lines, ""])


def _time(seconds: float) -> str:
    for unit, size in (("s", 1), ("min", 60), ("h", 3600)):
        if seconds / size < 120:
            return f"{seconds / size:.0f} {unit}" if unit != "h" else f"{seconds / size:.1f} h"
    return f"{seconds / 86_400:,.0f} days"


# How often a step searches the day's images for bursts, which takes time by the square of their number.
PAIRS = {"merge": 0, "profile": 1, "join": 1}
TITLES = {
    "merge": "merge_shards",
    "profile": "profile_features",
    "join": "predict_labels of a day in shards (join, estimate, drift)",
}
DAYS = [
    (10_000, 20_000, 2),
    (1_000_000, 20_000, 2),
    (1_000_000, 20_000, 16),
    (1_000_000, 20_000, 64),
    (100_000_000, 100_096, 64),
    (100_000_000, 100_096, 512),
]
HEAD = """
Measured (processor time on one core of a shared x86 VM with 2 cores; photos of {width} x {height}, {bytes:,.0f} bytes each; model input {side} px; storage in a
folder, and S3's client against a local server of S3's API):
"""
SIMULATED = """
Simulated from that, with {start:.1f} s for each task's start and Airflow's waiting: ingest and prediction share the cores, one for each task; all else is one
task. Dollars: [S3 Standard in us-east-1](https://aws.amazon.com/s3/pricing/), $0.0004 for 1,000 GETs and $0.005 for 1,000 PUTs and LISTs. Not in it: machines,
S3's latency and bandwidth, the people who label.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--photos", type=Path, help="a folder of photos for each of cat and dog")
    commands.add_parser("simulate")
    options = parser.parse_args()
    if options.command == "measure":
        COSTS.parent.mkdir(parents=True, exist_ok=True)
        costs = measure(options.photos)
        COSTS.write_text(json.dumps(costs, indent=2) + "\n")
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    assert begin, f"{PAGE} lacks {BEGIN}"
    PAGE.write_text(before + BEGIN + page(json.loads(COSTS.read_text())) + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
