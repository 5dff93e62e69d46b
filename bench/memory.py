"""Peak memory of a day's steps without the model, 50,000 images against 5,000: a Markdown table.

    python -m bench.memory       # about five minutes of one core, 3 GB of disk

Each step runs in a process of its own, as a task does, on drawn photos of 500 x 375; every image has bytes of its own. "One task" is the
whole day taken in at once, which only a `shard_size` of its own would do; a shard is `images.shard_size` of the default.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.scaling_costs import HEIGHT, WIDTH, _alone, _day, _timed, _world
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore

SIZES = (5_000, 50_000)
VERSION = "v0001-00000000"


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="driftwatch-memory-"))
    peaks: dict[str, list[float]] = {}
    try:
        for n in SIZES:
            _alone(_fill, home, n)
            for step in (_nothing, _one_task, _largest_shard, _merge, _profile):
                peaks.setdefault(step.__name__[1:].replace("_", " "), []).append(_alone(step, home, n)["peak"] / 1e6)
    finally:
        shutil.rmtree(home)
    print(f"| step | {SIZES[0]:,} images | {SIZES[1]:,} images | ratio |\n|---|---|---|---|")
    for name, (small, large) in peaks.items():
        print(f"| {name} | {small:.0f} MB | {large:.0f} MB | {large / small:.2f} |")


def _fill(home: Path, n: int) -> None:
    """`n` images in the day's folder: drawn photos, each with its number in a JPEG comment; and a reference of the first."""
    import cv2

    from driftwatch.drift.image_quality import build_image_reference
    from driftwatch.images.listing import folder_of_day
    from driftwatch.images.one_pass import take_in
    from driftwatch_sandbox.photos import write_photos

    storage, layout, config = _world(home)
    day = _day(layout)
    if not (home / "photos").exists():
        write_photos(home / "photos", dict.fromkeys(config.classes, 150), seed=5, processes=1)
    paths = sorted((home / "photos").rglob("*.jpg"))
    photos = [cv2.imencode(".jpg", cv2.resize(cv2.imread(str(path)), (WIDTH, HEIGHT)))[1].tobytes() for path in paths]
    folder = storage.local_path(day.incoming)
    assert folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(list(folder.iterdir())), n):
        photo, comment = photos[number % len(photos)], f"{number:08d}".encode()
        marked = photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]
        (folder / f"{number:06d}.jpg").write_bytes(marked)
    if not storage.exists(layout.reference_profile(VERSION)):
        delivered = folder_of_day(MonitorStore(storage, config).day(day.day))
        known = take_in(delivered, storage.list(delivered.path)[: len(photos)], ModelInput.of(config.model.input))
        build_image_reference(MonitorStore(storage, config), VERSION, known.features)


def _nothing(home: Path, n: int) -> dict[str, float]:
    """The libraries alone."""
    import cv2
    import pandas
    import whylogs

    assert all((cv2, pandas, whylogs))
    return _timed(lambda: None)


def _one_task(home: Path, n: int) -> dict[str, float]:
    from driftwatch.images.ingest import DayModel, ingest_day

    storage, layout, config = _world(home)
    model = DayModel(VERSION, ModelInput.of(config.model.input))
    return _timed(lambda: ingest_day(MonitorStore(storage, config).day(_day(layout).day), model))


def _largest_shard(home: Path, n: int) -> dict[str, float]:
    from driftwatch.images.ingest import DayModel, cut_into_shards, ingest_shard
    from driftwatch.images.listing import list_day

    storage, layout, config = _world(home)
    images = config.images.model_copy(update={"shard_size": min(config.images.shard_size, n // 2)})
    day = MonitorStore(storage, config.model_copy(update={"images": images})).day(_day(layout).day)

    def take_in() -> None:
        for shard in cut_into_shards(day, DayModel(VERSION, ModelInput.of(config.model.input)), list_day(day)):
            ingest_shard(day, shard)

    return _timed(take_in)


def _merge(home: Path, n: int) -> dict[str, float]:
    from driftwatch.images.ingest import merge_shards

    storage, layout, config = _world(home)
    return _timed(lambda: merge_shards(MonitorStore(storage, config).day(_day(layout).day)))


def _profile(home: Path, n: int) -> dict[str, float]:
    from driftwatch.drift.image_quality import profile_day

    storage, layout, config = _world(home)
    return _timed(lambda: profile_day(MonitorStore(storage, config).day(_day(layout).day), VERSION))


if __name__ == "__main__":
    main()
