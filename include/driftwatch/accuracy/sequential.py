"""Evidence that may be looked at every day: whether, and since which day, the accuracy is lower than it was.

An e-detector (Shin, Ramdas and Rinaldo, 2024): a sum over all days on which the accuracy may have fallen. For each of them, and each of
DROPS, it multiplies the days' likelihood ratios of that fall against none, which is an e-process (Ramdas, Grünwald, Vovk and Shafer, 2023).
While nothing has changed the expected sum grows by 1 a day. So it reaches a limit within n days with a chance of n / limit at most,
however often somebody looks; and a fall after two hundred usual days is found as fast as one after five.

What a day is compared with is the holdout and the days before it together, by their numbers of images and labels.

- The holdout's own sampling error is the same on all days. No number of days makes it smaller; only days add to what is known.
- A day's ratio is that of the two-sample test which is exact for counts: of all mistakes so far, how many are the day's? What the usual
  accuracy is does not matter for it, and it holds with few labels and few mistakes, too. Given their sums, days are independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# The losses of accuracy that are looked for at the same time.
DROPS = np.array([0.02, 0.04, 0.08, 0.16, 0.32])
# The day from which on production was worse than the holdout, if it always was, has the weight of so many days.
FIRST_DAY = 30
# First days of a fall that are kept in mind; the least likely are forgotten, which can only lower the evidence.
_MOST = 60
# Evidence counts for no more than so many limits, so that an alert ends when the accuracy is back.
_CAP = 100.0
# The log of what a day counts for at most: thousands of labels could tell more than a number holds, and less evidence errs on the safe side.
_MOST_OF_A_DAY = 500.0


class Looks(NamedTuple):
    """What days say, each [series, days]. Several series are several monitors.

    `agreement`: the share of labels that the model agrees with; `labels`: of a plain sample that would tell as much. `missed`: the chance
    that the label of an image that the model has right is wrong; `matched`: that a wrong answer has a label as wrong.
    """

    agreement: np.ndarray
    labels: np.ndarray
    missed: np.ndarray
    matched: np.ndarray


class Found(NamedTuple):
    """After each day, [series, days]: the evidence over its limit, the place of the day since which the accuracy is most likely
    lower, and the accuracy that it is lower than."""

    evidence: np.ndarray
    since: np.ndarray
    usual: np.ndarray


def look(looks: Looks, share: np.ndarray, images: np.ndarray, limit: float) -> Found:
    """The evidence after each day that the accuracy is lower than on the holdout and on the days before.

    `share`, `images` [series]: the accuracy on the holdout, and its images; a fixed level has very many. Days on which the evidence is
    at its limit or above do not count as usual ones.
    """
    watch = _Watch(share, images)
    columns = [
        watch.next(Looks(*(field[:, day] for field in looks)), day, limit) for day in range(looks.agreement.shape[1])
    ]
    return Found(*(np.stack(column, axis=1) for column in zip(*columns, strict=True)))


class _Watch:
    """The usual accuracy, `share` of `images` with those of the days, and the evidence.

    `ratios` [series, first days, DROPS]: for each first day of a fall; `before` [series, first days]: of how many images the usual
    accuracy was known then. The share of those in all that is known now is how much of a fall is still a surprise.
    """

    def __init__(self, share: np.ndarray, images: np.ndarray) -> None:
        self.share, self.images, self.holdout = share.astype(float), images.astype(float), images
        self.ratios = np.zeros((len(share), _MOST, len(DROPS)))
        self.before = np.ones((len(share), _MOST))
        self.first = np.zeros((len(share), _MOST), dtype=int)

    def next(self, day: Looks, place: int, limit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Takes in a day, and returns its column of `Found`."""
        self._begin(place)
        # So many images do not show that a model is never wrong.
        usual = np.clip(self.share, 0.02, 1 - 0.5 / (self.holdout + 1))
        agreeing = usual * (1 - day.missed) + (1 - usual) * day.matched
        slope = 1 / (1 - day.missed - day.matched)
        # A label that may be wrong tells less of the accuracy than an image does.
        worth = usual * (1 - usual) / (slope**2 * agreeing * (1 - agreeing))
        surprise = self.before / self.images[:, None]
        falls = np.minimum(DROPS, 0.98 * usual[:, None]) / (slope * (1 - agreeing))[:, None]
        worse = 1 + surprise[:, :, None] * falls[:, None, :]
        self.ratios *= _likelier(worse, day.agreement, day.labels, agreeing, self.images / worth)
        evidence, since = self._evidence(limit)
        weight = np.where(evidence < 1, day.labels * worth, 0)
        accuracy = (day.agreement - day.matched) * slope
        self.images = self.images + weight
        self.share = self.share + (accuracy - self.share) * weight / self.images
        return evidence, since, usual

    def _begin(self, place: int) -> None:
        """The day may be the first of a fall; where too many are kept in mind it takes the place of the least likely."""
        rows = np.arange(len(self.share))
        slot = self.ratios.sum(axis=2).argmin(axis=1)
        self.ratios[rows, slot] = (FIRST_DAY if place == 0 else 1) / len(DROPS)
        self.before[rows, slot] = self.images
        self.first[rows, slot] = place

    def _evidence(self, limit: float) -> tuple[np.ndarray, np.ndarray]:
        """The sum over its limit, and the most likely first day. What is above the cap is taken off."""
        by_first = self.ratios.sum(axis=2)
        level = by_first.sum(axis=1) / limit
        since = self.first[np.arange(len(level)), by_first.argmax(axis=1)]
        self.ratios *= (_CAP / np.maximum(level, _CAP))[:, None, None]
        return np.minimum(level, _CAP), since


def _likelier(
    worse: np.ndarray, agreement: np.ndarray, labels: np.ndarray, usual: np.ndarray, images: np.ndarray
) -> np.ndarray:
    """How much likelier the day's part of all mistakes is if mistakes are `worse` times as frequent among its `labels` as among the
    `images` before it, than if they are as frequent; `usual`: the agreement among those. The mean is 1 where nothing changed."""
    mistakes = (1 - agreement) * labels
    together, part = mistakes + (1 - usual) * images, labels / (labels + images)
    # Counted as Poisson counts whose variance is that of binomial ones.
    scale = 1 / np.maximum(1 - together / (labels + images), 0.02)
    mistakes, together = ((scale * count)[:, None, None] for count in (mistakes, together))
    ratio = mistakes * np.log(worse) - together * np.log1p(part[:, None, None] * (worse - 1))
    found: np.ndarray = np.exp(np.minimum(ratio, _MOST_OF_A_DAY))
    return found
