"""Days whose strata are written down as numbers."""

from __future__ import annotations

import numpy as np

from driftwatch.accuracy.scores import Scores
from driftwatch.accuracy.strata import StratumEvidence, with_masses


def stratum(name: str, images: int, cells: list[tuple[int, int, int]], scores: Scores | None = None) -> StratumEvidence:
    return StratumEvidence(name, images, np.array(cells, dtype="int64").reshape(-1, 3), scores or Scores())


def uneven(images: int = 1000) -> tuple[StratumEvidence, ...]:
    """A tenth of the images is hard, and half of the labels are there."""
    return with_masses(
        [
            stratum("sure", images * 9 // 10, [(0, 0, 48), (1, 0, 2)]),
            stratum("unsure", images // 10, [(0, 0, 20), (0, 1, 10), (1, 1, 20)]),
        ]
    )
