"""Whether a large day that is judged by a sample gets the verdict that all its images would get.

`python -m bench.judgement.large_days` writes docs/benchmarks/judgement/large_days.md; about half an hour of one core. Features are drawn
numbers, two to an image and correlated. Each day has 200,000 images and is judged twice: by all, and by the 100,000 with the smallest ids, as
the product does (driftwatch.images.judged). Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bench.judgement.baselines import OUT, draw
from driftwatch.drift import Reference
from driftwatch.drift.reference import MAX_REFERENCE
from driftwatch.images.judged import MOST

IMAGES, RATE, REFERENCES, DAYS = 2 * MOST, 0.05, 60, 5
FEATURES = ["feature_0", "feature_1"]
# By how many standard deviations one feature has moved on all images, and on how large a part of them it has by one.
KINDS = {
    "none": (0.0, 0.0),
    "one feature by 0.03 sd": (0.03, 0.0),
    "one feature of 2 % of the images by 1 sd": (0.0, 0.02),
}


def a_day(rng: np.random.Generator, images: int, moved: float, part: float) -> tuple[pd.DataFrame, np.ndarray]:
    """The features of a day's images, and which of them are judged: those with the smaller half of the ids."""
    table = draw(images, rng)[FEATURES]
    table["feature_0"] += moved
    table.loc[rng.random(images) < part, "feature_0"] += 1.0
    ids = rng.permutation(images)
    return table, ids < images // 2


def verdicts(images: int, reference: int, references: int, days: int) -> Iterator[tuple[str, bool, bool]]:
    """The kind of each day, and whether it drifted: by all its images, and by the sample."""
    for number in range(references):
        rng = np.random.default_rng([number, 95])
        usual = Reference.build(draw(reference, rng)[FEATURES], RATE)
        for name, kind in KINDS.items():
            print(f"reference {number + 1} of {references}: {name}", flush=True)
            for _ in range(days):
                table, judged = a_day(rng, images, *kind)
                whole, sample = usual.test(table), usual.test(table[judged].reset_index(drop=True))
                yield name, whole.drifted, sample.drifted


def row(name: str, found: np.ndarray) -> str:
    """`found` bool [references, days, 2]: as `verdicts`."""
    whole, sample = found.mean(axis=(0, 1))
    alike = (found[..., 0] == found[..., 1]).mean()
    # Days of one reference are alike, so each reference counts once.
    differences = np.diff(found.mean(axis=1), axis=1)[:, 0]
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return f"| {name} | {whole:.1%} | {sample:.1%} | {100 * (sample - whole):+.1f} | {100 * error:.1f} | {alike:.1%} |"


PAGE = """# Large days judged by a sample

`python -m bench.judgement.large_days` writes this page. Each day has {images:,} images, and is judged against a reference of {reference:,} images: by all of its images, and by the {most:,} with the
smallest ids. Each line has {days} days, {references} references and a false-alarm rate of {rate:.0%}. The difference and its standard error are in points. Days of one reference are not
independent, so the error is that of the {references} references' differences.

| drift | drifted, by all images | drifted, by the sample | difference | standard error | same verdict |
|---|---|---|---|---|---|
{rows}

The reference has far fewer images than the day, so most of what is seen is the reference's own chance. A difference of less than twice its standard error may be
chance.
"""


def main() -> None:
    found = pd.DataFrame(verdicts(IMAGES, MAX_REFERENCE, REFERENCES, DAYS), columns=["kind", "whole", "sample"])
    shape = (REFERENCES, DAYS, 2)
    rows = [
        row(name, found.loc[found["kind"] == name, ["whole", "sample"]].to_numpy().reshape(shape)) for name in KINDS
    ]
    about = {
        "images": IMAGES,
        "reference": MAX_REFERENCE,
        "most": MOST,
        "days": DAYS * REFERENCES,
        "references": REFERENCES,
        "rate": RATE,
    }
    (OUT / "large_days.md").write_text(PAGE.format(rows="\n".join(rows), **about))


if __name__ == "__main__":
    main()
