"""How sure each look must be, if the same challenger may be looked at several times.

If each look were at 95 %, chance would promote a challenger that is not better more often than one time in twenty. So the looks share the
error rate (Lan and DeMets, 1983): the first one has FIRST_SHARE of it, the others share the rest evenly. Looks see many of the same
labels. So they are wrong together, and each may be less strict than its share alone would ask. How many labels each look has says how
much less: what chance does between looks is a random walk whose steps are the new labels.

Two tests share the rate so: that the challenger is better on the recent days, and that it is not worse on clean images. The rule for each
class has the whole confidence each time: it stops a promotion, and more looks let it stop more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

FIRST_SHARE = 0.7
_WALKS, _SEED = 400_000, 17
# With fewer walks than this beyond the bound, it is too rough. Then the look's share alone says how strict it is, which is stricter.
_FEWEST_BEYOND = 50


def confidence_of_look(labels: Sequence[int], most: int, confidence: float) -> float:
    """The one-sided confidence of the newest look. `labels`: how many labels each look had, the newest one last. `most`: how many looks there
    can be. `confidence`: of all looks together.

    With one look at most it is `confidence`.
    """
    if most <= 1:
        return confidence
    rate = 1 - confidence
    shares = [FIRST_SHARE, *[(1 - FIRST_SHARE) / (most - 1)] * (most - 1)]
    rng = np.random.default_rng(_SEED)
    walk, going, bound, before = np.zeros(_WALKS), np.ones(_WALKS, bool), 0.0, 0
    for number, (n, share) in enumerate(zip(labels, shares, strict=False)):
        n = max(n, before, 1)
        walk += rng.standard_normal(_WALKS) * np.sqrt(n - before)
        standard, before = walk / np.sqrt(n), n
        beyond = round(rate * share * _WALKS)
        if number == 0 or beyond < _FEWEST_BEYOND:
            bound = float(norm.ppf(1 - rate * share))
        else:
            bound = float(np.sort(standard[going])[-beyond])
        going &= standard < bound
    return float(norm.cdf(bound))
