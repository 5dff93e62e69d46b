"""Did any class get worse? All classes are tested together, at one error rate.

Only images that exactly one of the two models has right count. An image is won if only the challenger has it right, and lost if only the
champion has. If no class got worse, each such image was as likely won as lost.

How many such images a class usually has is learnt from all classes together, by a beta-binomial distribution: it allows classes to
differ. So a class that lost four images of five stands out if the others lose one in thirty. It does not stand out if every class
wins and loses many.

The loss of a class is its lost images minus its won ones. Its p-value is the chance of so large a loss. The class counts as worse if the
chance that any class has so small a p-value is below the error rate. A class with few images cannot have a small p-value, so it uses
up nothing of that rate (Tarone, 1990).

The same numbers give the power: how surely one would see that a class lost half of its recall, and how many images that needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import bdtrc, betaln, gammaln, softmax
from scipy.stats import binom

# The power that is asked for. If a class lost half of its recall, the test must see it this surely; else nothing is promoted.
POWER = 0.8
# What is assumed before any image is seen: one model alone has half an image in ten right. Then: how alike classes are, from hardly to fully.
_PRIOR_CHANGED, _PRIOR_IMAGES = 0.5, 10.0
_STRENGTHS = np.array([1.0, 3.0, 10.0, 30.0, 100.0, 1000.0])
_MOST_IMAGES = 5000


@dataclass(frozen=True)
class Changes:
    """How often an image is won or lost if nothing got worse: `share` of the images. `weight` says how likely each of `_STRENGTHS` is."""

    share: float
    weight: np.ndarray
    _kept: dict[int, np.ndarray] = field(default_factory=dict, compare=False)

    def p_value(self, n: int, loss: float) -> float:
        """The chance that a class of `n` images loses at least `loss` more than it wins."""
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
    """For each class: `n` images; `won`, those that only the challenger has right; `lost`, those that only the champion has right; `right`,
    those that the champion has right. `alpha`: the error rate of all classes together."""

    n: Sequence[int]
    won: Sequence[float]
    lost: Sequence[float]
    right: Sequence[int]
    alpha: float

    @cached_property
    def p_values(self) -> list[float]:
        """The p-value of each class alone."""
        losses = np.subtract(self.lost, self.won).tolist()
        return [self._usual.p_value(n, loss) for n, loss in zip(self.n, losses, strict=True)]

    def joint(self, p_value: float) -> float:
        """The chance that any class has so small a p-value if none got worse."""
        if p_value >= 1:
            return 1.0
        sizes, counts = np.unique(self.n, return_counts=True)
        reached = [self._reached(int(size), p_value) for size in sizes]
        return float(-np.expm1(counts @ np.log1p(-np.minimum(reached, 1 - 1e-12))))

    @cached_property
    def worse(self) -> list[bool]:
        return [p_value <= self.alpha and self.joint(p_value) <= self.alpha for p_value in self.p_values]

    def power(self, place: int, drop: float, images: int | None = None) -> float:
        """The chance that the test sees a class that lost `drop` of its images, in addition to the usual wins and losses.

        `images`: reckon as if the class had so many images, and each other class at least as many.
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
        """How many images of each class are needed to see such a loss with POWER. At most `_MOST_IMAGES`."""
        low, high = self.n[place], max(2 * self.n[place], 4)
        while high < _MOST_IMAGES and self.power(place, drop, high) < POWER:
            low, high = high, 2 * high
        # The power grows in steps and falls a little between them. So the last size that is too small is searched for.
        step = max(1, (high - low) // 24)
        enough = [size for size in range(low + 1, high + 1, step) if self.power(place, drop, size) < POWER]
        return min((enough[-1] if enough else low) + step, _MOST_IMAGES)

    def usual_recall(self, place: int) -> float:
        """The champion's recall of a class, moved a little towards the recall of all classes."""
        pooled = (sum(self.right) + 1) / (sum(self.n) + 2)
        return (self.right[place] + 5 * pooled) / (self.n[place] + 5)

    def _with(self, place: int, n: int, won: float, lost: float, at_least: int) -> ClassLosses:
        """The same, with other numbers for one class. The other classes have at least `at_least` images."""
        sizes = np.maximum(self.n, at_least)
        counts = np.stack([self.won, self.lost]).astype(float)
        # Few images say little about how much classes differ. The added images must not suggest more, so they are like those of all classes.
        counts += self._usual.share / 2 * (sizes - self.n)
        sizes[place], counts[:, place] = n, (won, lost)
        return ClassLosses(sizes.tolist(), counts[0].tolist(), counts[1].tolist(), self.right, self.alpha)

    def _least_loss(self, n: int) -> int:
        """The smallest loss that would count as worse in a class of `n` images; n + 1 where no loss would."""
        low, high = 0, n + 1
        while high - low > 1:
            middle = (low + high) // 2
            p_value = self._usual.p_value(n, middle)
            seen = p_value <= self.alpha and self.joint(p_value) <= self.alpha
            low, high = (low, middle) if seen else (middle, high)
        return high

    def _reached(self, n: int, p_value: float) -> float:
        """The largest possible p-value of a class of `n` images that is at most `p_value`; 0 where there is none."""
        low, high = 0, n + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._usual.p_value(n, middle) <= p_value else (middle, high)
        return self._usual.p_value(n, high) if high <= n else 0.0

    @cached_property
    def _usual(self) -> Changes:
        """The usual wins and losses, from all classes. A class that lost much is among them: this makes the test a little more careful, and
        keeps its error rate."""
        n, changed = np.asarray(self.n), np.add(self.won, self.lost)
        share = float((changed.sum() + _PRIOR_CHANGED) / (n.sum() + _PRIOR_IMAGES))
        a, b = share * _STRENGTHS[:, None], (1 - share) * _STRENGTHS[:, None]
        fit = (betaln(a + changed, b + n - changed) - betaln(a, b)).sum(axis=1)
        return Changes(share, softmax(fit))
