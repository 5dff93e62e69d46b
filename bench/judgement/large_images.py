"""Features of large JPEGs, of all their pixels and as the pass makes them (docs/decisions/0092): do the drift test's false alarms and its power
stay as they are?

    python -m bench.judgement.large_images [photos]     # a folder of class folders; by default ../shared/photos; about 15 minutes

Photos are made 1600 x 1200 with a sensor's noise, damaged, and saved as JPEG. Writes docs/benchmarks/judgement/large_images.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

from bench.judgement.drift_data import OUT
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.drift.reference import Reference
from driftwatch.images.decode import check_file, decode_file, picture_of
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.images.near_duplicates import HASHED_SIDE, distances, perceptual_hash
from driftwatch.images.picture import Picture
from driftwatch.images.resize import Halvings, model_input

REFERENCE, POOL, DAY, DAYS = 300, 300, 100, 300
WIDTH, HEIGHT, NOISE, RATE = 1600, 1200, 4.0, 0.01
Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]
DAMAGES: dict[str, Damage] = {
    "none": lambda rgb, rng: rgb,
    "blur, sigma 0.7": lambda rgb, rng: cv2.GaussianBlur(rgb, (0, 0), 0.7),
    "noise, 3 more grey levels": lambda rgb, rng: rgb + rng.normal(0, 3, rgb.shape),
    "darker, x 0.93": lambda rgb, rng: rgb * 0.93,
    "less colour, x 0.9": lambda rgb, rng: rgb * 0.9 + 0.1 * rgb.mean(axis=2, keepdims=True),
    "a bluish lens, + 4": lambda rgb, rng: rgb + np.array([0.0, 0.0, 4.0]),
}
PAGE = """# Large JPEGs: features of all pixels, and as the pass makes them

`python -m bench.judgement.large_images` writes this page ({seconds:.0f} s). {images} photos of cats and dogs were made {width} x {height}, got noise of {noise:g} grey levels, were damaged, and were saved as JPEG of quality 90.
Each file's features were made both ways ([decision 92](../../decisions/0092-large-jpegs-are-not-decoded-whole.md)): of all its pixels, and by one read of its blocks.

## The same images

Differences are in standard deviations over the photos. KS is the largest distance between the two distributions; two samples of {images} from one distribution lie about {usual:.3f} apart. Features that are not listed are the same numbers.

{features}

Hashes differ in {bits:.2f} of 64 bits in the mean, {most_bits} at most. Stored inputs of 96 x 96 differ by {levels:.3f} grey levels in the mean, by {most_levels:.3f} in the worst image.

## The drift test

{days} days of {day} images, drawn from {pool} photos, against a reference of {reference} others, at a false-alarm rate of {rate:g}. Share of days that drift:

{power}
"""


def main() -> None:
    photos = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2].parent / "shared" / "photos"
    begun = time.perf_counter()
    paths = sorted(photos.glob("*/*.jpg"))
    chosen = [paths[at] for at in np.random.default_rng(0).permutation(len(paths))[: REFERENCE + POOL]]
    reference, others = chosen[:REFERENCE], chosen[REFERENCE:]
    usual, hashes, levels = features_of(reference, "none")
    both = {name: features_of(others, name)[0] for name in DAMAGES}
    references = [Reference.build(table, RATE) for table in usual]
    rows = {name: [share(of, table) for of, table in zip(references, both[name], strict=True)] for name in DAMAGES}
    text = PAGE.format(
        seconds=time.perf_counter() - begun, images=REFERENCE, width=WIDTH, height=HEIGHT, noise=NOISE, day=DAY, days=DAYS, pool=POOL,
        reference=REFERENCE, rate=RATE, features=differences(*usual), bits=np.mean(hashes), most_bits=max(hashes),
        levels=np.mean(levels), most_levels=max(levels), usual=0.87 * np.sqrt(2 / REFERENCE),
        power="| damage | all pixels | one read |\n|---|---|---|\n" + "\n".join(f"| {name} | {old:.1%} | {new:.1%} |" for name, (old, new) in rows.items()),
    )  # fmt: skip
    (OUT / "large_images.md").write_text(text)
    print(text)


def features_of(paths: list[Path], damage: str) -> tuple[tuple[pd.DataFrame, pd.DataFrame], list[int], list[float]]:
    """The features of all pixels and by one read; how many bits of the hashes differ, and by how many grey levels the inputs."""
    tables: tuple[list[list[float]], list[list[float]]] = ([], [])
    bits, levels, about, limits = [], [], ModelInput.square(96), ImagesConfig()
    for number, path in enumerate(paths):
        file = check_file(large(path, damage, number), limits)
        whole = Picture.whole(decode_file(file, limits).rgb)
        read, _ = picture_of(file, limits, (HASHED_SIDE, HASHED_SIDE))
        assert read.rgb.shape != whole.rgb.shape, f"{path} was decoded whole"
        for table, picture in zip(tables, (whole, read), strict=True):
            table.append(image_features(picture))
        ours, theirs = (Halvings(picture.rgb, (picture.height, picture.width)) for picture in (read, whole))
        bits.append(int(distances([perceptual_hash(ours)], [perceptual_hash(theirs)])[0, 0]))
        levels.append(float(np.abs(model_input(ours, about).astype(int) - model_input(theirs, about)).mean()))
    old, new = (pd.DataFrame(table, columns=list(COLUMNS)) for table in tables)
    return (old, new), bits, levels


def large(path: Path, damage: str, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    rgb = cv2.resize(
        cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )
    noisy = DAMAGES[damage](rgb + rng.normal(0, NOISE, (HEIGHT, WIDTH, 1)), rng)
    stored = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", stored[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def differences(old: pd.DataFrame, new: pd.DataFrame) -> str:
    lines = ["| feature | mean difference | largest difference | KS |", "|---|---|---|---|"]
    for name in old.columns:
        apart = (new[name] - old[name]) / max(float(old[name].std()), 1e-9)
        if apart.abs().max() > 0:
            ks = ks_2samp(old[name], new[name]).statistic
            lines.append(f"| {name} | {apart.mean():+.4f} | {apart.abs().max():.3f} | {ks:.3f} |")
    return "\n".join(lines)


def share(reference: Reference, pool: pd.DataFrame) -> float:
    """The share of days drawn from the pool that drift."""
    rng = np.random.default_rng(1)
    return float(np.mean([reference.test(pool.iloc[rng.permutation(len(pool))[:DAY]]).drifted for _ in range(DAYS)]))


if __name__ == "__main__":
    main()
