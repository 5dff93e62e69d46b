"""Evidence that may be looked at every day: whether, and since which day, the accuracy is lower than it was.

An e-detector (Shin, Ramdas and Rinaldo, 2024): a sum over all days on which the accuracy may have fallen. For each of them, and each of
DROPS, it multiplies the days' likelihood ratios of that fall against none, which is an e-process (Ramdas, Grünwald, Vovk and Shafer, 2023).
While nothing has changed the expected sum grows by 1 a day. So it reaches a limit within n days with a chance of n / limit at most,
however often somebody looks; and a fall after two hundred usual days is found as fast as one after five.

What a day is compared with is the holdout and the days before it together, by their numbers of images and labels.

- The holdout's own sampling error is the same on all days. It is a part of the variance that no number of days makes smaller.
- What is not known of people's errors is shared by the days whose votes tell of it together. All days share as much again against
  the holdout, whose labels are not people's.
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


class Looks(NamedTuple):
    """What days say, each [series, days]. Several series are several monitors.

    `agreement`: the share of labels that the model agrees with; `labels`: of a plain sample that would tell as much. `missed`: the chance
    that the label of an image that the model has right is wrong; `matched`: that a wrong answer has a label as wrong; `shared`: the
    standard deviation of the accuracy by what is not known of these two. `gap`: days since the one before.
    """

    agreement: np.ndarray
    labels: np.ndarray
    missed: np.ndarray
    matched: np.ndarray
    shared: np.ndarray
    gap: np.ndarray


class Found(NamedTuple):
    """After each day, [series, days]: the evidence over its limit, the place of the day since which the accuracy is most likely
    lower, and the accuracy that it is lower than."""

    evidence: np.ndarray
    since: np.ndarray
    usual: np.ndarray


def look(looks: Looks, share: np.ndarray, images: np.ndarray, limit: float, shared_days: int) -> Found:
    """The evidence after each day that the accuracy is lower than on the holdout and on the days before.

    `share`, `images` [series]: the accuracy on the holdout, and its images; a fixed level has many. `shared_days`: how many days' votes
    tell together how often labels are wrong. Days on which the evidence is above its limit do not count as usual ones.
    """
    watch = _Watch(share, images, looks.shared[:, 0])
    kept = (shared_days - 1) / (shared_days + 1)
    columns = []
    for day in range(looks.agreement.shape[1]):
        columns.append(watch.next(Looks(*(field[:, day] for field in looks)), day, kept, limit))
    return Found(*(np.stack(column, axis=1) for column in zip(*columns, strict=True)))


class _Watch:
    """The usual accuracy by a Kalman filter, and the evidence for each first day of a fall, [series, first days, DROPS].

    The filter's state: by how much the accuracy differs from the holdout's, and the error that days share. Its variances are in units of
    p (1 - p), which they are multiples of as sampling errors. `taken`: how much of a fall by 1 since a day the state has by now, [2,
    series, first days]: only the rest is a surprise.
    """

    def __init__(self, share: np.ndarray, images: np.ndarray, shared: np.ndarray) -> None:
        series, near = len(share), (share * images + 1) / (images + 2)
        self.share, self.images = share, images
        self.state = np.zeros((2, series))
        noise = shared**2 / (near * (1 - near))
        self.variance = np.array([[1 / images + noise, np.zeros(series)], [np.zeros(series), noise]])
        self.taken = np.zeros((2, series, _MOST))
        self.ratios = np.zeros((series, _MOST, len(DROPS)))
        self.first = np.zeros((series, _MOST), dtype=int)

    def next(self, day: Looks, place: int, kept: float, limit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Takes in a day, and returns its column of `Found`."""
        usual = self._possible(self.share + self.state[0])
        spread = usual * (1 - usual)
        self._fade(kept**day.gap, day.shared**2 / spread)
        self._begin(place)
        likely = self._possible(usual + self.state[1])
        agreeing = likely * (1 - day.missed) + (1 - likely) * day.matched
        slope = 1 / (1 - day.missed - day.matched)
        own = slope**2 * agreeing * (1 - agreeing) / spread
        gain = self.variance.sum(axis=0)
        known = gain.sum(axis=0)
        fresh = 1 - self.taken.sum(axis=0)
        falls = np.minimum(DROPS, 0.98 * usual[:, None]) / (slope * (1 - agreeing))[:, None]
        worse = 1 + np.maximum(fresh, 0)[:, :, None] * falls[:, None, :]
        self.ratios *= _likelier(worse, day.agreement, day.labels, agreeing, own / known)
        evidence, since = self._evidence(limit)
        factor = np.where(evidence < 1, gain / (known + own / day.labels), 0)
        error = (day.agreement - day.matched) * slope - self.share - self.state.sum(axis=0)
        self.state = self.state + factor * error
        self.variance = self.variance - factor[:, None] * gain[None, :]
        self.taken = self.taken + factor[:, :, None] * fresh
        return evidence, since, usual

    def _possible(self, share: np.ndarray) -> np.ndarray:
        """The share, where it is possible: so many images do not show that a model is never wrong."""
        return np.clip(share, 0.02, 1 - 0.5 / self.images)

    def _fade(self, kept: np.ndarray, noise: np.ndarray) -> None:
        """Some days on the shared error is another one; `kept` is the correlation of the two."""
        factor = np.stack([np.ones_like(kept), kept])
        self.state = self.state * factor
        self.taken = self.taken * factor[:, :, None]
        self.variance = self.variance * factor[:, None] * factor[None, :]
        self.variance[1, 1] += (1 - kept**2) * noise

    def _begin(self, place: int) -> None:
        """The day may be the first of a fall; where too many are kept in mind it takes the place of the least likely."""
        rows = np.arange(len(self.share))
        slot = self.ratios.sum(axis=2).argmin(axis=1)
        self.ratios[rows, slot] = (FIRST_DAY if place == 0 else 1) / len(DROPS)
        self.taken[:, rows, slot] = 0
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
    found: np.ndarray = np.exp(mistakes * np.log(worse) - together * np.log1p(part[:, None, None] * (worse - 1)))
    return found
