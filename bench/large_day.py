"""A day of millions of images through the product's own steps on this machine: time and peak memory of each task.

    python -m bench.large_day 3000000 [--home FOLDER] [--processes 2] [--write]   # about an hour of 2 cores, 14 GB of disk and 3 million files

Each task runs in a process of its own. The images are drawn, small (64 x 64) and of two kinds. All are different but for one in a hundred that has
the bytes of another, and one in a hundred that is another saved again. One in a thousand is broken. The model is the example's, with inputs of
32 px. Labels are not asked for: only the sample of images that people would get is drawn. Ends with 1 where the counts are not those of the files.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.page_parts import SCALING, Part
from bench.scaling import DOCS
from bench.steps import DAY, monitor_at, peak_memory

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

SIDE, INPUT = 64, 32
FOLDERS = 24  # one for each hour, as cameras leave them
PART = Part(SCALING, "<!-- python -m bench.large_day 3000000 --write -->", "<!-- end of large_day -->")
RESULT = DOCS / "benchmarks" / "scaling" / "large_day.json"
COPY, AGAIN, BROKEN = 100, 100, 1000  # one in so many


def _store(home: Path) -> MonitorStore:
    return monitor_at(home, name="large", model={"input": {"size": INPUT}}, images={"settle_seconds": 0})


def _picture(number: int) -> np.ndarray:
    """Picture `number`, uint8 [SIDE, SIDE, 3] BGR: of an even number bluish, of an odd one reddish."""
    import cv2

    rng = np.random.default_rng(number)
    rough = rng.integers(0, 256, (9, 9, 3)).astype(np.float32)
    rough[..., 0 if number % 2 else 2] *= 0.5
    fine = cv2.resize(rough, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(-6, 7, (SIDE, SIDE, 1))
    return np.clip(fine + noise, 0, 255).astype(np.uint8)


def _file(number: int) -> bytes:
    """The bytes of the day's file `number`."""
    import cv2

    if number % BROKEN == 7:
        return b"no picture %d" % number
    if number % COPY == 8:
        number -= 2  # the same bytes
    quality = 90
    if number % AGAIN == 16:
        number, quality = number - 2, 80
    return cv2.imencode(".jpg", _picture(number), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _fill(home: Path, start: int, stop: int, n: int) -> None:
    store = _store(home)
    incoming = store.storage.local_path(store.day(DAY).keys.incoming)
    each = -(-n // FOLDERS)
    for number in range(start, stop):
        folder = incoming / f"hour={number // each:02d}"
        if number == start or number % each == 0:
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:09d}.jpg").write_bytes(_file(number))


def _train(home: Path) -> str:
    """Registers a champion and its references, from pictures that are like the day's."""
    import cv2

    from driftwatch.drift.handover import build_reference_of
    from driftwatch.models import registry
    from driftwatch.models.champion import train_champion
    from driftwatch.models.dataset import take_in_training_set

    store = _store(home)
    for number in range(2_000):
        name = store.config.classes[number % 2]
        data = cv2.imencode(".jpg", _picture(10**9 + number), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        store.storage.write_bytes(f"{store.keys.training_images}/{name}/{number}.jpg", data)
    take_in_training_set(store)
    version = train_champion(store, epochs=2)
    registry.promote(store, version, "a benchmark", expected=None)
    build_reference_of(store, version)
    return version


def _begin(home: Path, version: str) -> list[Any]:
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.images.ingest import DayModel, begin_day
    from driftwatch.images.shards import batches_of

    store = _store(home)
    found = begin_day(store.day(DAY), DayModel(version, ModelInput.of(store.config.model.input)))
    assert isinstance(found, list), "the day is not cut: give more images"
    return batches_of(found)


def _ingest(home: Path, batch: Any) -> None:
    from driftwatch.images.ingest import ingest_shard

    for shard in batch.shards:
        ingest_shard(_store(home).day(DAY), shard)


def _merge(home: Path) -> dict[str, Any]:
    from driftwatch.images.ingest import merge_shards

    return merge_shards(_store(home).day(DAY)).model_dump(mode="json")


def _profile_shard(home: Path, batch: Any) -> None:
    from driftwatch.drift.day_profile import profile_shard

    for shard in batch.shards:
        profile_shard(_store(home).day(DAY), shard)


def _profile(home: Path, version: str) -> dict[str, Any]:
    from driftwatch.drift.image_quality import profile_day

    drift = profile_day(_store(home).day(DAY), version)
    return {"verdict": drift.verdict, "p_value": drift.p_value, "n": drift.n}


def _predict_shard(home: Path, version: str, batch: Any) -> None:
    from driftwatch.models.predict import predict_shard

    for shard in batch.shards:
        predict_shard(_store(home).day(DAY), version, shard)


def _join(home: Path, version: str, shards: int) -> dict[str, Any]:
    from driftwatch.accuracy.without_labels import estimate_day
    from driftwatch.drift.content_and_predictions import judge_content_and_predictions
    from driftwatch.models.predict import merge_predictions

    day = _store(home).day(DAY)
    counts = merge_predictions(day, version, shards)
    estimate = estimate_day(day)
    drift = judge_content_and_predictions(day, version)
    return {
        **counts,
        "estimate": estimate.accuracy.model_dump(mode="json", exclude_unset=True),
        "content": [drift.content.verdict, drift.content.p_value],
        "predicted": [drift.predictions.verdict, drift.predictions.p_value],
    }


def _task(step: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """One task in its own process: what it returned, its seconds on the clock and on the processor (imports too), and its peak memory."""
    started = time.perf_counter()
    found = step(*arguments)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "found": found,
        "wall": time.perf_counter() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": peak_memory(),
    }


class Run:
    """The tasks of a day, so many at once, and what they took."""

    def __init__(self, home: Path, processes: int) -> None:
        self._home, self._processes = home, processes
        self.steps: dict[str, dict[str, Any]] = {}

    def map(self, name: str, step: Callable[..., Any], each: Sequence[tuple[Any, ...]]) -> list[Any]:
        started = time.perf_counter()
        context = get_context("spawn")
        with ProcessPoolExecutor(min(self._processes, len(each)), context, max_tasks_per_child=1) as pool:
            done = list(pool.map(_task, [step] * len(each), [self._home] * len(each), *zip(*each, strict=True)))
        peaks, cpu = [task["peak"] for task in done], sum(task["cpu"] for task in done)
        self.steps[name] = {
            "tasks": len(done),
            "wall": time.perf_counter() - started,
            "cpu": cpu,
            "longest": max(task["wall"] for task in done),
            "peak": max(peaks),
        }
        print(f"{name}: {len(done)} tasks, {self.steps[name]['wall']:.0f} s, {max(peaks) / 1e6:.0f} MB", flush=True)
        return [task["found"] for task in done]

    def one(self, name: str, step: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            task = pool.submit(_task, step, self._home, *arguments).result()
        wall = time.perf_counter() - started
        self.steps[name] = {"tasks": 1, "wall": wall, "cpu": task["cpu"], "longest": task["wall"], "peak": task["peak"]}
        print(f"{name}: {wall:.0f} s, {task['peak'] / 1e6:.0f} MB", flush=True)
        return task["found"]


def run(home: Path, n: int, processes: int) -> dict[str, Any]:
    """The whole day."""
    run = Run(home, processes)
    if not (home / "filled").exists():
        cuts = np.linspace(0, n, 40).astype(int).tolist()
        run.map("draw the files (no step of the product)", _fill, [(a, b, n) for a, b in pairwise(cuts)])
        (home / "filled").touch()
    version = run.one("train and build the references (once)", _train)
    batches = run.one("ingest_images", _begin, version)
    run.map("ingest_shards", _ingest, [(batch,) for batch in batches])
    counts = run.one("merge_shards", _merge)
    shards = batches[-1].stop
    run.map("profile_shards", _profile_shard, [(batch,) for batch in batches])
    quality = run.one("profile_features", _profile, version)
    run.map("predict_shards", _predict_shard, [(version, batch) for batch in batches])
    answers = run.one("predict_labels", _join, version, shards)
    return {"images": n, "processes": processes, "cores": os.cpu_count(), "steps": run.steps, "counts": counts, "quality": quality, "answers": answers}  # fmt: skip


def expected(n: int) -> dict[str, int]:
    """How many of the files are what."""
    broken = sum(number % BROKEN == 7 for number in range(n))
    copies = sum(number % COPY == 8 for number in range(n))
    return {"listed": n, "accepted": n - broken - copies, "duplicate": copies, "quarantined": broken}


def table(found: dict[str, Any]) -> str:
    """What a run gave, in Markdown."""
    counts, quality, answers = (found[name] for name in ("counts", "quality", "answers"))
    lines = [
        f"{found['images']:,} files: {counts['accepted']:,} accepted, {counts['duplicate']:,} duplicates, {counts['quarantined']:,} quarantined, as they were "
        f"drawn. {found['processes']} tasks at once on {found['cores']} cores.",
        "",
        "| step | tasks | on the clock | processor time | longest task | most memory of a task |",
        "|---|---|---|---|---|---|",
    ]
    for name, step in found["steps"].items():
        times = " | ".join(_time(step[key]) for key in ("wall", "cpu", "longest"))
        lines.append(f"| {name} | {step['tasks']} | {times} | {step['peak'] / 1e6:,.0f} MB |")
    images = f"{quality['n']:,} images of {answers['images']:,} were judged"
    verdicts = (
        f"image quality {quality['verdict']}, content {answers['content'][0]}, predictions {answers['predicted'][0]}"
    )
    return "\n".join([*lines, "", f"{images}: {verdicts}.", ""])


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("images", type=int)
    parser.add_argument("--home", type=Path, help="keeps the files for another run")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--write", action="store_true", help="writes the table into docs/scaling.md, and large_day.json"
    )
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="driftwatch-large-day-"))
    home.mkdir(parents=True, exist_ok=True)
    try:
        found = run(home, options.images, options.processes)
    finally:
        if options.home is None:
            shutil.rmtree(home)
    print(table(found))
    if options.write:
        RESULT.write_text(json.dumps(found, indent=2) + "\n")
        PART.write(table(found))
    wanted = expected(options.images)
    wrong = {name: (found["counts"][name], count) for name, count in wanted.items() if found["counts"][name] != count}
    print("The counts are those of the files." if not wrong else f"Counts that are wrong (found, files): {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
