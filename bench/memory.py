"""Peak memory of a day's steps without the model, from 5,000 to 500,000 images: a Markdown table.

    python -m bench.memory       # about fifteen minutes of one core, 6 GB of disk

Each step runs in a process of its own, as a task does. Ingest takes in drawn photos of 500 x 375, every one with bytes of its own. "One task" is
the whole day taken in at once, whatever its size. A shard has the default `images.shard_size`. The steps behind ingest work on what shards of
such photos leave, with other ids and a little noise.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.scaling_costs import HEIGHT, WIDTH, measure_day, measure_images
from bench.steps import DAY, alone, monitor_at, timed
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.images.shards import BLOCK

SIZES = (5_000, 50_000, 100_000, 200_000, 500_000)
WITH_PHOTOS = SIZES[:2]
STEPS = {
    "merge": "merge_shards",
    "profile_shards": "profile_shards, all of them in one process",
    "profile": "profile_features",
    "join": "predict_labels of a day in shards (join, estimate, drift)",
}
VERSION = "v0001-00000000"


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="driftwatch-memory-"))
    peaks: dict[str, list[float]] = {}
    try:
        for n in WITH_PHOTOS:
            alone(_fill, home, n)
            for step in (_nothing, _one_task, _largest_shard):
                peaks.setdefault(step.__name__[1:].replace("_", " "), []).append(alone(step, home, n)["peak"] / 1e6)
        shutil.rmtree(home)
        alone(measure_images, home, None, 10 * BLOCK)
        for n in SIZES:
            for name, cost in measure_day(home, n).items():
                peaks.setdefault(STEPS[name], []).append(cost["peak"] / 1e6)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(f"| step | {' | '.join(f'{n:,} images' for n in SIZES)} |\n|---|{'---|' * len(SIZES)}")
    for name, found in peaks.items():
        cells = [f"{peak:.0f} MB" for peak in found] + ["–"] * (len(SIZES) - len(found))
        print(f"| {name} | {' | '.join(cells)} |")


def _fill(home: Path, n: int) -> None:
    """`n` images in the day's folder: drawn photos, each with its number in a JPEG comment; and a reference of the first."""
    import cv2

    from driftwatch.drift.image_quality import build_image_reference
    from driftwatch.images.listing import folder_of_day
    from driftwatch.images.one_pass import take_in
    from driftwatch_sandbox.photos import write_photos

    store = monitor_at(home)
    if not (home / "photos").exists():
        write_photos(home / "photos", dict.fromkeys(store.config.classes, 150), seed=5, processes=1)
    paths = sorted((home / "photos").rglob("*.jpg"))
    photos = [cv2.imencode(".jpg", cv2.resize(cv2.imread(str(path)), (WIDTH, HEIGHT)))[1].tobytes() for path in paths]
    folder = store.storage.local_path(store.day(DAY).keys.incoming)
    assert folder is not None
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(list(folder.iterdir())), n):
        photo, comment = photos[number % len(photos)], f"{number:08d}".encode()
        marked = photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]
        (folder / f"{number:06d}.jpg").write_bytes(marked)
    if not store.storage.exists(store.keys.reference_profile(VERSION)):
        delivered, pixels = folder_of_day(store.day(DAY)), ModelInput.of(store.config.model.input)
        known = take_in(delivered, store.storage.list(delivered.path)[: len(photos)], pixels)
        build_image_reference(store, VERSION, known.features)


def _nothing(home: Path, n: int) -> dict[str, float]:
    """The libraries alone."""
    import cv2
    import pandas
    import whylogs

    assert all((cv2, pandas, whylogs))
    return timed(lambda: None)


def _one_task(home: Path, n: int) -> dict[str, float]:
    from driftwatch.images.ingest import DayModel, ingest_day

    store = monitor_at(home)
    model = DayModel(VERSION, ModelInput.of(store.config.model.input))
    return timed(lambda: ingest_day(store.day(DAY), model))


def _largest_shard(home: Path, n: int) -> dict[str, float]:
    from driftwatch.images.ingest import DayModel, cut_into_shards, ingest_shard
    from driftwatch.images.listing import list_day

    store = monitor_at(home)
    images, model = store.config.images, DayModel(VERSION, ModelInput.of(store.config.model.input))
    images = images.model_copy(update={"shard_size": min(images.shard_size, n // 2)})
    day = store.with_config(store.config.model_copy(update={"images": images})).day(DAY)

    def take_in() -> None:
        for shard in cut_into_shards(day, model, list_day(day)):
            ingest_shard(day, shard)

    return timed(take_in)


if __name__ == "__main__":
    main()
