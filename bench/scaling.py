"""What larger days cost: the product's own steps measured on one core, then days of 1 and 100 million images simulated from that.

    python -m bench.scaling measure [--photos FOLDER]   # a folder for each class; by default drawn photos. Writes COSTS. Needs the
                                                        # server that make bench-object-store installs
    python -m bench.scaling simulate                    # writes the tables of docs/scaling.md

The simulation is a queue: the batches of shards of a wave (ingest, then profiles, then prediction) go in order to workers x cores, one core
for each task; steps that are one task run alone. Every task also pays its start. Of S3's latency only the listing's is in it: 16 objects are fetched
ahead.
"""

from __future__ import annotations

import argparse
import heapq
import json
from pathlib import Path
from typing import Any

from bench.page_parts import SCALING, Part
from bench.scaling_costs import LARGE_DAY, measure
from driftwatch.images.judged import MOST
from driftwatch.images.shards import BLOCK, batches_of, shards_of

DOCS = Path(__file__).resolve().parents[1] / "docs"
COSTS = DOCS / "benchmarks" / "scaling" / "costs.json"
PART = Part(SCALING, "<!-- python -m bench.scaling simulate -->", "<!-- end -->")
# https://aws.amazon.com/s3/pricing/: S3 Standard, us-east-1, dollars for each request.
PUT_OR_LIST, GET = 0.005 / 1000, 0.0004 / 1000
LIST_PAGE = 1000
# Seconds for a page of a listing, and how many folders are listed at once where a day has shards.
LIST_SECONDS, LISTED_AT_ONCE = 0.15, 16
# Seconds of a task beside its own work, its wait in Airflow and its start: assumed.
TASK_START = 4.0


def simulate(costs: dict[str, Any], images: int, shard_size: int, cores: int, task_start: float) -> dict[str, Any]:
    """One day: tasks, wall seconds by step, core-hours, requests and dollars of S3, bytes stored."""
    shards = shards_of(images, shard_size)
    batches = [
        sum(shard.stop - shard.start for shard in shards[batch.first : batch.stop]) for batch in batches_of(shards)
    ]
    taking_in = costs["ingest"]["seconds_an_image"] + costs["s3_get"]["seconds_an_image"]
    ingest = _wave([task_start + n * taking_in for n in batches], cores)
    predict = costs["predict"]
    answers = _wave([task_start + predict["seconds_to_load"] + n * predict["seconds_an_image"] for n in batches], cores)
    judged = min(1.0, images / MOST)
    alone = {
        step: task_start + images * costs[step]["seconds_an_image"] + judged * costs[step]["seconds_of_the_sample"]
        for step in ONE_TASK
    }
    part = costs["profile_shards"]
    parts = _wave([task_start + n * part["seconds_an_image"] for n in batches], cores)
    listing = -(-images // LIST_PAGE) * LIST_SECONDS / (LISTED_AT_ONCE if len(shards) > 1 else 1)
    blocks = -(-images // BLOCK)
    # Ingest: a GET for each image, a PUT for each block, pages of the listing; four objects for each shard, written, read and deleted.
    gets = images + blocks + 6 * len(shards)
    puts = blocks + 5 * len(shards) + -(-images // LIST_PAGE) + 40
    per_core = (
        images * (taking_in + part["seconds_an_image"] + predict["seconds_an_image"])
        + len(batches) * predict["seconds_to_load"]
    )
    return {
        "images": images,
        "shards": len(shards),
        "tasks": 3 * len(batches) + 12,
        "listing": listing,
        "ingest": ingest,
        "merge": alone["merge"],
        # Profiling and prediction begin together, and share the cores.
        "predict": answers + alone["join"],
        "profile": parts + alone["profile"],
        "wall": listing + ingest + alone["merge"] + parts + max(alone["profile"], answers + alone["join"]),
        "core_hours": (per_core + sum(alone.values()) + 3 * len(batches) * task_start) / 3600,
        "requests": {"GET": gets, "PUT, LIST": puts},
        "dollars": gets * GET + puts * PUT_OR_LIST,
        "read": images * costs["photo"]["bytes"],
        "stored": images * sum(costs["stored"].values()),
        "memory": {
            step: costs[step]["peak_of_the_large_day"] + (images - LARGE_DAY) * costs[step]["bytes_of_memory_an_image"]
            for step in ONE_TASK
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
        ("The same from S3 instead of a folder (listing, reading, writing), the client's own work", "+ " + ms(costs["s3_get"]["seconds_an_image"])),
        ("Prediction", f"{ms(predict['seconds_an_image'])}, and {predict['seconds_to_load']:.1f} s for each task to load TensorFlow"),
        *((TITLES[step], _of_step(costs[step])) for step in ONE_TASK),
        ("profile_shards", ms(costs["profile_shards"]["seconds_an_image"])),
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
        "| images | shard_size | cores | tasks | listing | ingest | merge | predict | profile | whole day | core-hours | S3 requests | S3 requests cost | read | stored | most memory of a task |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for images, shard_size, cores in DAYS:
        day = simulate(costs, images, shard_size, cores, TASK_START)
        times = " | ".join(_time(day[step]) for step in ("listing", "ingest", "merge", "predict", "profile", "wall"))
        requests = ", ".join(f"{count:,} {name}" for name, count in day["requests"].items())
        step, memory = max(day["memory"].items(), key=lambda item: item[1])
        lines.append(
            f"| {images:,} | {shard_size:,} | {cores} | {day['tasks']:,} | {times} | {day['core_hours']:.1f} | {requests} | ${day['dollars']:,.2f} | "
            f"{day['read'] / 1e9:,.1f} GB | {day['stored'] / 1e9:,.1f} GB | {memory / 1e9:,.1f} GB ({step}) |"
        )
    return "\n".join([HEAD.format(**photo, side=costs["input_size"]), *lines, ""])


def _of_step(cost: dict[str, float]) -> str:
    each = f"{1000 * cost['seconds_an_image']:.3g} ms, {cost['bytes_of_memory_an_image']:,.0f} bytes of memory"
    sample = cost["seconds_of_the_sample"]
    return f"{each}; {sample:.1f} s for the judged sample" if sample else each


def _time(seconds: float) -> str:
    for unit, size in (("s", 1), ("min", 60), ("h", 3600)):
        if seconds / size < 120:
            return f"{seconds / size:.0f} {unit}" if unit != "h" else f"{seconds / size:.1f} h"
    return f"{seconds / 86_400:,.0f} days"


ONE_TASK = ("merge", "profile", "join")
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
    (3_000_000, 20_000, 2),
    (100_000_000, 20_000, 64),
    (100_000_000, 20_000, 512),
]
HEAD = """
Measured in processor time on one core of a shared x86 VM with 2 cores. Photos of {width} x {height}, {bytes:,.0f} bytes each; model input {side} px; storage in a folder.
S3's client worked against a local server of S3's API:
"""
SIMULATED = """
Simulated from that:

- A task's start and its wait in Airflow take {start:.1f} s. Tasks of ingest, profiles and prediction have one core each; every other step is one task.
- The listing takes 0.15 s for 1,000 objects. For a day in shards 16 folders are listed at once.
- Dollars are those of [S3 Standard in us-east-1](https://aws.amazon.com/s3/pricing/): $0.0004 for 1,000 GETs, $0.005 for 1,000 PUTs or LISTs.
- Left out are machines, the rest of S3's latency and bandwidth, and the people who label.
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
    PART.write(page(json.loads(COSTS.read_text())))


if __name__ == "__main__":
    main()
