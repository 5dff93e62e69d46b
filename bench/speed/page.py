"""The speed benchmark's rows, and the page that they make: docs/benchmarks/speed/README.md."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

REPEATS = 5
BUSY = 2.0  # the caches and the core's second thread are others' too
BETWEEN_SHORT_RUNS = 0.15  # how far medians of short runs on a busy machine lay apart: 0.35 to 0.40, 11.8 to 13.9
DECODERS = ("opencv", "simplejpeg", "pillow", "pillow_draft", "pyvips")


class Row(NamedTuple):
    """`ratio`: how many times as fast as `than` we are; `aim`: at least that, or None; `judged`: false where the machine was too
    busy to say. `load`: of the machine, of which this benchmark is 1, when the row was measured."""

    images: str
    what: str
    than: str
    aim: float | None
    ratios: list[float]
    judged: bool = True
    load: float = 0.0

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        return ", ".join(filter(None, [self._verdict, f"load {self.load:.0f}" if self.load > BUSY else ""]))

    @property
    def _verdict(self) -> str:
        if self.aim is None:
            return ""
        if not self.judged:
            return "not judged: the machine was busy"
        low, high = min(self.ratios), max(self.ratios)
        if len(self.ratios) < REPEATS:
            low, high = low * (1 - BETWEEN_SHORT_RUNS), high * (1 + BETWEEN_SHORT_RUNS)
        if low >= self.aim:
            return "met"
        if high < self.aim:
            return f"missed by {1 - self.ratio / self.aim:.0%}"
        return f"undecided: {low:.2f} to {high:.2f}"


def table(rows: Sequence[Row]) -> str:
    lines = ["| images | what | times as fast as | ratio | aim | |", "|---|---|---|---|---|---|"]
    for row in rows:
        aim = "" if row.aim is None else f"≥ {row.aim:g}"
        lines.append(f"| {row.images} | {row.what} | {row.than} | {row.ratio:.2f} | {aim} | {row.verdict} |")
    return "\n".join(lines)


Profiles = Mapping[str, Mapping[str, float]]  # by the size of the images, and by the stage
STAGES = {
    "check_file": "checks",
    "pixels": "decoding (simplejpeg)",
    "window_sharpness": "sharpness features",
    "colour": "colour features",
    "halve": "half of the picture",
    "weigh": "the model's input and the hash's square, from that half",
    "signs_of_frequencies": "perceptual hash",
}


def profile_table(profiles: Profiles) -> str:
    lines = ["| µs an image, and the share | " + " | ".join(profiles) + " |", "|---|" + "---|" * len(profiles)]
    for name, text in {
        **STAGES,
        "rest": "reading, SHA-256, handing to threads, tables, Python in between",
        "all": "the whole pass",
    }.items():
        cells = []
        for profile in profiles.values():
            rest = profile["all"] - sum(profile[stage] for stage in STAGES)
            took = rest if name == "rest" else profile[name]
            cells.append(f"{took:,.0f} ({took / profile['all']:.0%})")
        lines.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join(lines)


def decoder_table(decoders: Sequence[Sequence[Any]], sizes: Sequence[str]) -> str:
    lines = ["| decoder | " + " | ".join(sizes) + " |", "|---|" + "---|" * len(sizes)]
    for name in DECODERS:
        cells = [f"{ratio}" for size in sizes for at, decoder, _, ratio in decoders if (at, decoder) == (size, name)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def limit(profiles: Profiles) -> str:
    """What the pass's time is made of, from the stages measured at the first size."""
    profile = next(iter(profiles.values()))
    decoding = profile["check_file"] + profile["pixels"]
    rest = {text: profile[name] for name, text in STAGES.items() if name not in ("check_file", "pixels")}
    largest = max(rest, key=lambda text: rest[text])
    return (
        f"Decoding and its checks are {decoding / profile['all']:.0%} of the pass. Of what follows, {largest} costs most, "
        f"{rest[largest] / profile['all']:.0%}; it is sweeps over pixels by compiled code ([decision 26](../../decisions/0026-compiled-kernels.md)). "
        "At a megapixel and more a JPEG is not decoded whole ([decision 92](../../decisions/0092-large-jpegs-are-not-decoded-whole.md))."
    )


def floor_of_cores(rows: Sequence[Row]) -> str:
    """What two cores gave the decoder alone, beside what they gave the pass."""
    found = {row.what: row.ratio for row in rows if row.what.endswith((", 2 threads", ", 2 processes"))}
    if not found:
        return "This process had one core only, so nothing was measured."
    lines = [
        f"- Two {name} decode {found[f'decoding alone, 2 {name}']:.2f} times as fast as one. They take images in "
        f"{found[f'one pass, 2 {name}']:.2f} times as fast."
        for name in ("threads", "processes")
    ]
    return "\n".join(
        [
            "",
            *lines,
            "",
            "If decoding itself stays below 1.8, the cores share something: they are two threads of one core, or other machines",
            "work on them. If only the pass stays below 1.8, its Python code is the limit: one thread runs it at a time.",
        ]
    )


README = """# Speed

`make bench` writes this page. Each row is a ratio within one run: the sides take turns on one core. The table has the median of the
rounds' ratios; [speed.csv](speed.csv) has the lowest and highest too.

- **This run**: {run}; {machine}.
- **Images**: {photos}, and the same made smaller and larger. Noise is that of a sensor, of 4 grey levels, the same in red, green and blue.
- **The pass** is the product's own: reading, checks, decoding, all features, perceptual hash, the model's input of 96 x 96.

{table}

Rows on one core compare processor time. What else the machine does then counts little, but not nothing: rows that were measured at a load above 2 say so. Rows on two cores go by the clock, and are not
judged on a busy machine. A row whose rounds lie on both sides of its aim is undecided. For a short run
(`python -m bench.speed.run --short`, two rounds) 15 % are added on both sides: such runs lie that far apart.

whylogs is called by `log_image` for each image (its own API, pandas installed; merging its profiles is not counted), cleanvision with all its
checks. Decoding alone is OpenCV's `imdecode` of each file. On two cores it shows what the machine itself gives for a second core.
{cores}

## Where the pass's time goes

One thread, processor time by a clock around each stage, the median of the rounds:

{profile}

{limit}

Decoding in grey, without colours, still takes four fifths of the time: most of it goes into reading the codes, which each decoder has to do. What the kernels spend their time on, and why usual
images go a way of their own, is in [decision 26](../../decisions/0026-compiled-kernels.md).

## Decoders

Times as fast as OpenCV, to an RGB array in memory, one core ([decoders.csv](decoders.csv) has images/s):

{decoders}

`pillow_draft` decodes at a half, a quarter or an eighth of the size where that still covers the model's input, and so gives other pixels.
Why the pass does not use it, and why it uses simplejpeg, is in [decision {number}](../../decisions/{decision}).
"""


def page(
    run: str,
    machine: str,
    photos: str,
    rows: Sequence[Row],
    profiles: Profiles,
    decoders: Sequence[Sequence[Any]],
    sizes: Sequence[str],
    decision: str,
) -> str:
    """The page. `decision`: the file name of the decision on the decoder."""
    return README.format(
        run=run,
        machine=machine,
        photos=photos,
        table=table(rows),
        cores=floor_of_cores(rows),
        profile=profile_table(profiles),
        limit=limit(profiles),
        decoders=decoder_table(decoders, sizes),
        number=int(decision[:4]),
        decision=decision,
    )
