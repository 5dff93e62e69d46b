"""Did any class get worse? All classes tested together, at one error rate, from images that only one of two models has right.

Where no class got worse, an image that only one model has right was won as likely as lost. How many such images a class has follows from
all classes together (a beta-binomial: classes may differ), so that four lost of five are told from chance where the others lose one in
thirty, and are not where every class sees much coming and going. The p-value of a class is the chance of so large a loss, won
images taken off; it counts as worse where the chance that any class has so small a p-value is below the error rate. Classes with few
images cannot have one, and take nothing of that rate (Tarone, 1990).

The same numbers say how surely a class that lost half of its recall would be seen, and with how many images it would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import bdtrc, betaln, gammaln, softmax
from scipy.stats import binom

# A class that lost half of its recall must be seen this surely, or nothing is promoted.
POWER = 0.8
# Of images that one model alone has right, before any is seen: half an image in ten; and how alike classes are, hardly to fully.
_PRIOR_CHANGED, _PRIOR_IMAGES = 0.5, 10.0
_STRENGTHS = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 1000.0])
_MOST_IMAGES = 5000


@dataclass(frozen=True)
class Changes:
    """How often an image is won or lost where nothing got worse: `share` of the images, with strength `_STRENGTHS` as likely as `weight`."""

    share: float
    weight: np.ndarray
    _kept: dict[int, np.ndarray] = field(default_factory=dict, compare=False)

    def p_value(self, n: int, loss: float) -> float:
        """The chance that a class of `n` images loses `loss` more than it wins."""
        if loss <= 0:
            return 1.0
        changed = np.arange(int(np.ceil(loss)), n + 1)  # fewer cannot lose so many
        lost = np.ceil((changed + loss) / 2)
        return float(min(self._numbers(n)[changed] @ bdtrc(lost - 1, changed, 0.5), 1.0))

    def _numbers(self, n: int) -> np.ndarray:
        """The chances that 0 … n of `n` images are won or lost."""
        if n not in self._kept:
            changed = np.arange(n + 1)
            a, b = self.share * _STRENGTHS[:, None], (1 - self.share) * _STRENGTHS[:, None]
            choose = gammaln(n + 1) - gammaln(changed + 1) - gammaln(n - changed + 1)
            self._kept[n] = self.weight @ np.exp(choose + betaln(a + changed, b + n - changed) - betaln(a, b))
        return self._kept[n]


@dataclass(frozen=True)
class ClassLosses:
    """`n`, `won`, `lost`, `right` [classes]: images, those that only the challenger and only the champion has right, and those that the
    champion has right. `alpha`: the error rate of all classes together."""

    n: Sequence[int]
    won: Sequence[float]
    lost: Sequence[float]
    right: Sequence[int]
    alpha: float

    @cached_property
    def p_values(self) -> list[float]:
        """Of each class alone."""
        losses = np.subtract(self.lost, self.won).tolist()
        return [self._usual.p_value(n, loss) for n, loss in zip(self.n, losses, strict=True)]

    def joint(self, p_value: float) -> float:
        """The chance that any class has a p-value as small where none got worse."""
        if p_value >= 1:
            return 1.0
        sizes, counts = np.unique(self.n, return_counts=True)
        reached = [self._reached(int(size), p_value) for size in sizes]
        return float(-np.expm1(counts @ np.log1p(-np.minimum(reached, 1 - 1e-12))))

    @cached_property
    def worse(self) -> list[bool]:
        return [p_value <= self.alpha and self.joint(p_value) <= self.alpha for p_value in self.p_values]

    def power(self, place: int, drop: float, images: int | None = None) -> float:
        """The chance of seeing a class that lost `drop` of its images, beside the usual coming and going.

        `images`: were there so many of it, and at least as many of each other class.
        """
        n = self.n[place] if images is None else images
        usual = self._usual.share / 2
        lost_share = min(max(drop, usual), 1 - usual)
        then = self._with(place, n, usual * n, lost_share * n, at_least=0 if images is None else images)
        least = then._least_loss(n)
        if least > n:
            return 0.0
        won = np.arange(n + 1)
        return float(binom.pmf(won, n, usual) @ binom.sf(won + least - 1, n - won, lost_share / (1 - usual)))

    def images_needed(self, place: int, drop: float) -> int:
        """With how many images of each class such a loss would be seen with POWER; `_MOST_IMAGES` where not with fewer."""
        low, high = self.n[place], max(2 * self.n[place], 4)
        while high < _MOST_IMAGES and self.power(place, drop, high) < POWER:
            low, high = high, 2 * high
        # The power climbs in steps and falls a little between: the last size that is too small.
        step = max(1, (high - low) // 24)
        enough = [size for size in range(low + 1, high + 1, step) if self.power(place, drop, size) < POWER]
        return min((enough[-1] if enough else low) + step, _MOST_IMAGES)

    def usual_recall(self, place: int) -> float:
        """The champion's recall of a class, drawn towards that of all."""
        pooled = (sum(self.right) + 1) / (sum(self.n) + 2)
        return (self.right[place] + 5 * pooled) / (self.n[place] + 5)

    def _with(self, place: int, n: int, won: float, lost: float, at_least: int) -> ClassLosses:
        """The same with other numbers of one class, and the others grown to `at_least` images."""
        sizes = np.maximum(self.n, at_least)
        counts = np.stack([self.won, self.lost]).astype(float)
        # Few images say little about how much classes differ, and as many more would be no sign of it: the new ones are as all are.
        counts += self._usual.share / 2 * (sizes - self.n)
        sizes[place], counts[:, place] = n, (won, lost)
        return ClassLosses(sizes.tolist(), counts[0].tolist(), counts[1].tolist(), self.right, self.alpha)

    def _least_loss(self, n: int) -> int:
        """The smallest loss of a class of `n` images that would count as worse; n + 1 where none would."""
        low, high = 0, n + 1
        while high - low > 1:
            middle = (low + high) // 2
            p_value = self._usual.p_value(n, middle)
            seen = p_value <= self.alpha and self.joint(p_value) <= self.alpha
            low, high = (low, middle) if seen else (middle, high)
        return high

    def _reached(self, n: int, p_value: float) -> float:
        """The largest p-value of a class of `n` images that is at most `p_value`, 0 where it has none."""
        low, high = 0, n + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._usual.p_value(n, middle) <= p_value else (middle, high)
        return self._usual.p_value(n, high) if high <= n else 0.0

    @cached_property
    def _usual(self) -> Changes:
        """Of all classes, one that lost much among them: it makes the test a little more careful, and keeps its rate."""
        n, changed = np.asarray(self.n), np.add(self.won, self.lost)
        share = float((changed.sum() + _PRIOR_CHANGED) / (n.sum() + _PRIOR_IMAGES))
        a, b = share * _STRENGTHS[:, None], (1 - share) * _STRENGTHS[:, None]
        fit = (betaln(a + changed, b + n - changed) - betaln(a, b)).sum(axis=1)
        return Changes(share, softmax(fit))
