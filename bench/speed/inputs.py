"""What the ways of `model.input` cost the one pass: each is run beside the squash by areas, in turn. Part of `make bench`.

    python -m bench.speed.inputs [--short] [photos]     # a folder of class folders; by default ../shared/photos

Processor time of one core is compared. A ratio is taken within a round; the table has the median, the lowest and the highest. Writes
docs/benchmarks/speed/inputs.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path

from bench.speed.page import REPEATS
from bench.speed.run import IMAGES, OURS, OUT, ROOT, SHORT_IMAGES, WORK, Side, against, images_of, in_turn

NAMES = {
    "squash": "squash by areas (the default)",
    "squash_bilinear": "squash, bilinear with antialias (Pillow, torchvision)",
    "squash_bicubic": "squash, bicubic with antialias (Pillow, torchvision)",
    "squash_opencv": "squash, bilinear without antialias (OpenCV)",
    "crop_bilinear": "crop to 0.875, bilinear with antialias",
    "crop_areas": "crop to 0.875, by areas",
    "pad_bilinear": "pad, bilinear with antialias",
}
PAGE = """# What the ways of `model.input` cost

`python -m bench.speed.inputs`, a part of `make bench`, writes this page. The one pass makes inputs of 224 x 224 in each way, in turn with the squash by
areas, on one core. A number is the pass's processor time divided by that of the squash in the same round: the median of {repeats} rounds, with the
lowest and the highest. This run: {run}. The pass is whole: reading, checks, decoding, features, perceptual hash and the input.

{table}

By areas, a squash starts from the halves that the perceptual hash needs anyway; every other way looks at the whole picture. Bilinear with antialias is
weighed by the same compiled kernel, and so is bicubic, after the picture was laid on its side ([decision 43](../../decisions/0043-what-goes-into-the-model.md)).
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", nargs="?", type=Path, default=ROOT.parent / "shared" / "photos")
    parser.add_argument("--short", action="store_true", help="on fewer images")
    given = parser.parse_args()
    images = SHORT_IMAGES if given.short else IMAGES
    WORK.mkdir(parents=True, exist_ok=True)
    images_of(given.photos, images)
    ours = Side(OURS)
    sizes = [size for size in images if size in ("500 x 375", "1920 x 1080")]
    try:
        found = {
            size: in_turn("inputs", size, [(ours, name, 1) for name in NAMES], images[size], REPEATS) for size in sizes
        }
    finally:
        ours.stop()
    run = ", ".join(f"{images[size]} photos of {size}" for size in sizes)
    lines = ["| photos of | " + " | ".join(sizes) + " |", "|---|" + "---|" * len(sizes)]
    for name, text in NAMES.items():
        ratios = [against(found[size], "squash", name) for size in sizes]
        cells = [f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})" for each in ratios]
        lines.append(f"| {text} | " + " | ".join(cells if name != "squash" else ["1"] * len(sizes)) + " |")
    (OUT / "inputs.md").write_text(PAGE.format(repeats=REPEATS, run=run, table="\n".join(lines)))
    print("\n".join(lines), f"load {os.getloadavg()[0]:.1f}", sep="\n")


if __name__ == "__main__":
    main()
