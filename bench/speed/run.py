"""`make bench`: the one pass against what a user would run instead. One table, each row a ratio in one run.

    python -m bench.speed.run [--short] [photos]     # a folder of class folders; by default ../shared/photos, else drawn ones

The sides take turns for some rounds, one run each. Processor time is compared, or the clock for the rows on cores. A ratio is taken within a round;
the table has the median, and the CSV the lowest and highest too. Writes docs/benchmarks/speed/README.md, speed.csv and decoders.csv.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench.speed.page import DECODERS, REPEATS, Row, page, profile_table, table

ROOT = Path(__file__).parents[2]
OUT, WORK = ROOT / "docs" / "benchmarks" / "speed", ROOT / "var" / "bench" / "speed-images"
OURS, OTHERS = ROOT / ".venv" / "bin" / "python", ROOT / "var" / "bench" / "speed" / "bin" / "python"
SHORT_REPEATS = 2
# "with noise": as a camera's sensor leaves it, so that the file has nearly three times as many bytes.
IMAGES = {"500 x 375": 128, "256 x 256": 128, "1920 x 1080": 32, "4000 x 3000": 6, "4000 x 3000 with noise": 6}
PROFILED = ("500 x 375", "256 x 256")
SHORT_IMAGES = {"500 x 375": 48, "256 x 256": 32, "1920 x 1080": 8, "4000 x 3000": 2, "4000 x 3000 with noise": 2}
# How many times as fast as decoding alone the pass shall be, by size; and as cleanvision.
AIMS = {"500 x 375": 0.7, "256 x 256": 0.65, "1920 x 1080": 1.25, "4000 x 3000": 2.0, "4000 x 3000 with noise": None}
CLEANVISION = 15
NOISE = 4.0
AS_THEY_ARE = {(500, 374), (500, 375), (499, 375)}


class Side:
    """A process of one Python that runs tasks one after the other; see bench/speed/work.py."""

    def __init__(self, python: Path) -> None:
        if not python.exists():
            raise SystemExit(f"{python} is missing: `make bench` creates it")
        self.process = subprocess.Popen(  # noqa: S603
            [str(python), str(ROOT / "bench" / "speed" / "work.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(WORK / f"{python.parts[-3]}.log").open("w"),
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def run(self, task: str, size: str, images: int, cores: int = 1) -> dict[str, Any]:
        order = {"task": task, "folder": str(WORK / size), "images": images, "cores": cores}
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{task} at {size} failed: see the logs in {WORK}")
        return json.loads(answer)

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)


def images_of(photos: Path, sizes: dict[str, int]) -> None:
    """Fills var/bench/speed-images: photos of about 500 x 375 as they are, and those made smaller and larger."""
    chosen = [path for path in sorted(photos.glob("*/*.jpg")) if Image.open(path).size in AS_THEY_ARE]
    if len(chosen) < sizes["500 x 375"]:  # drawn photos have another size
        chosen = sorted(photos.glob("*/*.jpg"))[: sizes["500 x 375"]]
    for size, count in sizes.items():
        folder = WORK / size
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        width, height = (int(side) for side in size.removesuffix(" with noise").split(" x "))
        noise = np.random.default_rng(0)
        for number, path in enumerate(chosen[:count]):
            target = folder / f"{number:04}.jpg"
            image = Image.open(path)
            if size == "500 x 375" and image.size in AS_THEY_ARE:
                target.write_bytes(path.read_bytes())
            else:
                pixels = cv2.resize(np.asarray(image.convert("RGB")), (width, height), interpolation=cv2.INTER_CUBIC)
                if size.endswith("noise"):
                    pixels = np.clip(pixels + noise.normal(0, NOISE, (height, width, 1)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(target, quality=90)


def in_turn(
    name: str, size: str, tasks: Sequence[tuple[Side, str, int]], images: int, repeats: int, by_the_clock: bool = False
) -> dict[str, list[float]]:
    """Seconds of each (side, task, cores) in each round, of the processor's time or by the clock; a first round, which imports and
    warms up, does not count."""
    seconds: dict[str, list[float]] = {task: [] for _, task, _ in tasks}
    for number in range(repeats + 1):
        print(f"\r{name}, {size}: round {number} of {repeats}   ", end="", file=sys.stderr, flush=True)
        for side, task, cores in tasks:
            took = side.run(task, size, images, cores)
            if number:
                seconds[task].append(took["wall" if by_the_clock else "cpu"])
    print(file=sys.stderr)
    return seconds


def against(seconds: dict[str, list[float]], ours: str, theirs: str) -> list[float]:
    return [their / our for our, their in zip(seconds[ours], seconds[theirs], strict=True)]


def measure(
    ours: Side, others: Side, sizes: dict[str, int], repeats: int
) -> tuple[list[Row], list[list[Any]], dict[str, dict[str, float]]]:
    rows: list[Row] = []
    decoders: list[list[Any]] = []
    main = "500 x 375"
    for size, images in sizes.items():
        sides = [(ours, "opencv", 1), (ours, "one_pass", 1), (others, "image_metric", 1), (others, "cleanvision", 1)]
        found = in_turn("the pass and others", size, sides, images, repeats)
        rates = ", ".join(f"{name} {images / statistics.median(took):,.0f}" for name, took in found.items())
        print(f"  images/s: {rates}", file=sys.stderr)
        for than, task, aim in (
            ("decoding alone", "opencv", AIMS[size]),
            ("whylogs ImageMetric", "image_metric", 12 if size == main else None),
            ("cleanvision", "cleanvision", CLEANVISION),
        ):
            rows.append(Row(size, "one pass", than, aim, against(found, "one_pass", task), load=os.getloadavg()[0]))
        sides = [(ours if name == "opencv" else others, name, 1) for name in DECODERS]
        found = in_turn("decoders", size, sides, images, repeats)
        for name in DECODERS:
            ratio = statistics.median(against(found, name, "opencv"))
            decoders.append([size, name, round(images / statistics.median(found[name])), f"{ratio:.2f}"])
    if len(os.sched_getaffinity(0)) > 1:
        busy = os.getloadavg()[0] > 1.5  # this benchmark is 1 of it
        one, two = (
            ("one_pass", "opencv"),
            ("two_threads", "two_processes", "decode_two_threads", "decode_two_processes"),
        )
        sides = [*((ours, task, 1) for task in one), *((ours, task, 2) for task in two)]
        found = in_turn("cores", main, sides, sizes[main], repeats, by_the_clock=True)
        for what, task, alone, aim in (
            ("one pass", "two", "one_pass", 1.8),
            ("decoding alone", "decode_two", "opencv", None),
        ):
            for name, than in (("threads", "1 thread"), ("processes", "1 process")):
                ratios = against(found, f"{task}_{name}", alone)
                rows.append(Row(main, f"{what}, 2 {name}", than, aim, ratios, not busy))
    else:
        print("cores: left out, this process may use one core only", file=sys.stderr)
    found = in_turn("answers", main, [(ours, "answers", 1), (ours, "answers_one_by_one", 1)], 64, repeats)
    ratios = against(found, "answers", "answers_one_by_one")
    rows.append(Row(main, "answers from stored inputs", "model.predict on each decoded file", None, ratios))
    found = in_turn("kinds", main, [(ours, "answers_onnx", 1), (ours, "answers", 1)], sizes[main], repeats)
    ratios = against(found, "answers_onnx", "answers")
    rows.append(Row(main, "answers by an ONNX file", "by the same Keras file", None, ratios))
    profiles: dict[str, dict[str, list[float]]] = {size: {} for size in PROFILED}
    for number in range(repeats):
        print(f"\rprofile: round {number + 1} of {repeats}", end="", file=sys.stderr, flush=True)
        for size, profile in profiles.items():
            for name, took in ours.run("stages", size, sizes[size])["more"].items():
                profile.setdefault(name, []).append(took / sizes[size] * 1e6)
    print(file=sys.stderr)
    of_each = {
        size: {name: statistics.median(took) for name, took in profile.items()} for size, profile in profiles.items()
    }
    return rows, decoders, of_each


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", nargs="?", type=Path, default=ROOT.parent / "shared" / "photos")
    parser.add_argument("--short", action="store_true", help="a minute on fewer images, in fewer rounds")
    given = parser.parse_args()
    sizes, repeats = (SHORT_IMAGES, SHORT_REPEATS) if given.short else (IMAGES, REPEATS)
    photos, busy = given.photos, os.getloadavg()[0]
    named = "real photos of cats and dogs, as they are"
    if not photos.is_dir():
        from driftwatch_sandbox.photos import write_photos

        photos, named = ROOT / "var" / "bench" / "drawn", "the demo's drawn photos"
        print("No real photos here: drawing some", file=sys.stderr)
        write_photos(photos, {"cat": 64, "dog": 64}, seed=0)
    images_of(photos, sizes)
    ours, others = Side(OURS), Side(OTHERS)
    try:
        rows, decoders, profile = measure(ours, others, sizes, repeats)
    finally:
        ours.stop()
        others.stop()
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "speed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["images", "what", "times as fast as", "median", "lowest", "highest", "aim", "verdict"])
        for row in rows:
            spread = [f"{value:.3f}" for value in (row.ratio, min(row.ratios), max(row.ratios))]
            writer.writerow([row.images, row.what, row.than, *spread, row.aim or "", row.verdict])
    with (OUT / "decoders.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["images", "decoder", "images/s", "times as fast as opencv"], *decoders])
    machine = f"{os.cpu_count()} cores of a {platform.machine()} machine, Python {platform.python_version()}, load {busy:.1f} before it"
    run = f"{repeats} rounds of {', '.join(f'{count} images of {size}' for size, count in sizes.items())}"
    decision = next((ROOT / "docs" / "decisions").glob("*-the-decoder.md"))
    text = page(run, machine, named, rows, profile, decoders, list(IMAGES), decision.name)
    (OUT / "README.md").write_text(text)
    print(f"\n{table(rows)}\n\n{profile_table(profile)}\n\nWritten to {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
