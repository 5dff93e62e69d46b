"""How long the search for near-duplicates takes, by the number of images: one core, peak memory, and what 100 million would take.

    python -m bench.near_duplicates            # about two minutes of one core, 1 GB
    python -m bench.near_duplicates 10000000   # other numbers of images

The hashes are drawn, each day in a process of its own. "different": pictures that have nothing to do with each other, one in ten of them
saved again with up to three bits changed. "fixed cameras": a hundred scenes, and each image is one of them with up to five bits changed.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from bench.steps import alone, peak_memory

SIZES = (100_000, 1_000_000, 3_000_000)
DAY = 100_000_000


def search(n: int, scenes: int, most_flips: int) -> dict[str, float]:
    """Seconds of the search among `n` hashes, and the peak memory of the process in bytes, hashes as text included."""
    from driftwatch.images.near_duplicates import near_duplicate_clusters

    rng = np.random.default_rng(n)
    known = rng.integers(0, 2**64, scenes, np.uint64)
    drawn = known[rng.integers(0, scenes, n)] if scenes < n else known.copy()
    again = slice(None) if scenes < n else slice(0, n // 10)
    if scenes >= n:
        drawn[again] = rng.permutation(drawn)[again]
    for _ in range(most_flips):
        flips = np.left_shift(np.uint64(1), rng.integers(0, 64, n, np.uint64))
        drawn[again] ^= np.where(rng.random(n) < 0.5, flips, np.uint64(0))[again]
    hashes = [f"{value:016x}" for value in drawn.tolist()]
    near_duplicate_clusters(hashes[:1000])
    started = time.process_time()
    found = near_duplicate_clusters(hashes)
    seconds = time.process_time() - started
    return {"seconds": seconds, "clusters": int(found.max()) + 1, "peak": peak_memory()}


def of_a_hundred_million(seconds: float, n: int) -> float:
    """Seconds for DAY hashes, from a measured day of different pictures: sorting and comparing grow as `cost` says they do."""
    from driftwatch.images.near_duplicates import MAX_DISTANCE, cost

    def all_of_them(n: int) -> float:
        return n * min(cost(n, MAX_DISTANCE, agreeing) for agreeing in range(1, 5))

    return seconds * all_of_them(DAY) / all_of_them(n)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("images", nargs="*", type=int, default=SIZES)
    sizes = parser.parse_args().images
    print("| images | hashes | clusters | one core | peak memory |\n|---|---|---|---|---|")
    last = 0.0
    for n in sizes:
        for name, scenes, flips in (("different", n, 3), ("fixed cameras", 100, 5)):
            found = alone(search, n, scenes, flips)
            last = found["seconds"] if name == "different" else last
            print(
                f"| {n:,} | {name} | {found['clusters']:,} | {found['seconds']:.1f} s | {found['peak'] / 1e6:,.0f} MB |",
                flush=True,
            )
    print(
        f"\n{DAY:,} different pictures, from the last row: {of_a_hundred_million(last, sizes[-1]) / 60:.0f} minutes of one core"
    )


if __name__ == "__main__":
    main()
