"""A year of one monitor with seasons, a new camera and a broken one: how many messages about its images a person gets, and why each.

    python -m bench.judgement.year

Writes docs/benchmarks/judgement/year.csv and year.md. The days are tables of features, not pictures: 10 cameras with 20 images each, whose
brightness follows the sun; each camera differs a little from the others. A new camera comes on 4 May. The camera door-7 is blurred from
7 September and repaired after nine days. A person accepts the last three days of a change of season that is three days old.

To take seconds and no hour, the tests of the day and of the cameras are plain tests of the mean at the product's rates, corrected by
Bonferroni. The trend, the episodes and the words are the product's own. Seeds are fixed.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from bench.judgement.drift_data import OUT
from driftwatch.artifacts.alerts import DayAlert
from driftwatch.artifacts.drift import TRAINING, DayDrift, FeatureDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.segments import SegmentDrift, SegmentFeature
from driftwatch.config.episodes import EpisodesConfig
from driftwatch.drift.cusum import ScoredDay, trend
from driftwatch.episodes.alerts import of_drift
from driftwatch.episodes.fold import after_day
from driftwatch.episodes.signs import of_images
from driftwatch.images.features import COLUMNS
from driftwatch.view.alerts import alert_text

MODEL, FIRST, DAYS, SEEDS = "v0001-0a1b2c3d", date(2026, 1, 1), 365, 5
CAMERAS, IMAGES, TRAINING_IMAGES, USUAL_DAYS = 10, 20, 1_000, 14
RATE = 0.0025  # of the whole day, and of all cameras together: half each of image quality's half of 1 %
TREND_RATE = 0.2  # false alarms of the trend in a year
SEASON = 0.9  # how much brighter June is than December, in standard deviations of the images
NEW, NEW_SINCE = "door-11", date(2026, 5, 4)
BROKEN, BROKEN_SINCE, REPAIRED = "door-7", date(2026, 9, 7), date(2026, 9, 16)
BRIGHT = COLUMNS.index("image.Brightness.mean")
BLURRED = [place for place, name in enumerate(COLUMNS) if "Sharpness" in name]


class Told(NamedTuple):
    """A message of a day. `why`: what of the story it is about."""

    day: date
    event: str
    why: str
    subject: str


@dataclass
class Year:
    """The year as it goes. `states`: mean and number of images of each accepted state; `usual`: the means of each camera's usual days."""

    seed: int
    states: dict[str, tuple[np.ndarray, int]] = field(default_factory=dict)
    accepted: dict[str, tuple[date, ...]] = field(default_factory=dict)
    usual: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    means: dict[date, tuple[np.ndarray, int]] = field(default_factory=dict)
    drifts: list[DayDrift] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    daily: list[date] = field(default_factory=list)


def camera_means(day: date, seed: int) -> dict[str, np.ndarray]:
    """The mean features of each camera's images of a day, in standard deviations of the images."""
    rng = np.random.default_rng([11, seed, day.toordinal()])
    found = {}
    for number in range(1, CAMERAS + 1 + (day >= NEW_SINCE)):
        own = np.random.default_rng([7, seed, number]).normal(0, 0.25, len(COLUMNS))
        values = own + rng.normal(size=(IMAGES, len(COLUMNS))).mean(0)
        values[BRIGHT] += SEASON * (1 - math.cos(2 * math.pi * (day.timetuple().tm_yday + 10) / 365)) / 2
        if f"door-{number}" == BROKEN and BROKEN_SINCE <= day < REPAIRED:
            values[BLURRED] -= 1.5
        found[f"door-{number}"] = values
    return found


def train(seed: int) -> tuple[np.ndarray, int]:
    """The mean of the model's own images: of the five days before the year."""
    days = [camera_means(FIRST - timedelta(days=back), seed) for back in range(1, 6)]
    return np.mean([mean for day in days for mean in day.values()], 0), TRAINING_IMAGES


def p_values(mean: np.ndarray, n: int, usual: np.ndarray, of: int) -> np.ndarray:
    """Of each feature, two-sided, for all features together."""
    return np.minimum(1.0, 2 * stats.norm.sf(np.abs(mean - usual) / math.sqrt(1 / n + 1 / of)) * len(COLUMNS))


def effect(shift: float) -> float:
    """The Kolmogorov-Smirnov distance of two normal distributions that lie so far apart."""
    return float(2 * stats.norm.cdf(abs(shift) / 2) - 1)


def segments(year: Year, day: date, cameras: dict[str, np.ndarray]) -> tuple[SegmentDrift, ...]:
    rows = []
    for name, mean in cameras.items():
        before = year.usual[name]
        known = {"by": "camera", "name": name, "images": IMAGES}
        if len(before) < 3:
            new = name == NEW
            rows.append(
                SegmentDrift(**known, status="new" if new else "not_enough_evidence", since=NEW_SINCE if new else None)
            )
            year.usual[name].append(mean)
            continue
        usual = np.mean(before[-USUAL_DAYS:], 0)
        p = np.minimum(1.0, p_values(mean, IMAGES, usual, IMAGES * len(before[-USUAL_DAYS:])) * len(cameras))
        moved = [place for place in np.argsort(p) if p[place] <= RATE]
        shift = mean - usual
        features = tuple(
            SegmentFeature(
                feature=COLUMNS[place],
                test="shift",
                effect=effect(shift[place]),
                direction="up" if shift[place] > 0 else "down",
                p_value=float(p[place]),
            )
            for place in moved
        )
        largest = effect(float(np.abs(shift).max()))
        rows.append(
            SegmentDrift(
                **known,
                status="drifted" if moved else "usual",
                p_value=float(p.min()),
                effect=largest,
                features=features,
            )
        )
        if not moved:
            year.usual[name].append(mean)
    return tuple(sorted(rows, key=lambda row: row.status != "drifted"))


def judged(year: Year, day: date) -> DayDrift:
    """The day's drift.json."""
    cameras = camera_means(day, year.seed)
    mean, n = np.mean(list(cameras.values()), 0), IMAGES * len(cameras)
    year.means[day] = (mean, n)
    p_of = {name: p_values(mean, n, *state) for name, state in year.states.items()}
    best = max(p_of, key=lambda name: float(p_of[name].min()))
    p, shift = p_of[best], mean - year.states[best][0]
    moved = [int(place) for place in np.argsort(p) if p[place] <= RATE]
    rows = segments(year, day, cameras)
    whole = "drifted" if moved else "ok"
    drift = DayDrift(
        verdict="drifted" if moved or any(row.status == "drifted" for row in rows) else "ok",
        whole=whole,
        state=None if moved else best,
        p_value=float(p.min()),
        false_alarm_rate=RATE,
        n=n,
        score=float(-np.log10(p.min())),
        drifted_features=tuple(COLUMNS[place] for place in moved),
        quantiles=(),
        features=tuple(_feature(place, shift[place], p[place], place in moved) for place in map(int, np.argsort(p))),
        day=day,
        reference_version=MODEL,
        day_false_alarm_rate=0.01,
        examples=(),
        day_scores=None if moved else dict(zip(COLUMNS, map(float, shift), strict=True)),
        segments=rows,
        segments_rate=RATE,
    )
    scored = [
        ScoredDay(other.day, other.n, other.day_scores)
        for other in [*year.drifts, drift]
        if other.day_scores and (other.state or TRAINING) == (drift.state or TRAINING)
    ]
    found = trend(scored, TREND_RATE)
    return drift.model_copy(
        update={"trend": found if drift.day_scores else found.model_copy(update={"crossed": False})}
    )


def _feature(place: int, shift: float, p: float, moved: bool) -> FeatureDrift:
    return FeatureDrift(
        feature=COLUMNS[place], test="shift", statistic=float(-math.log10(max(p, 1e-300))), effect=effect(shift), shift=float(shift),
        direction="up" if shift > 0 else "down", p_value=float(p), verdict="drifted" if moved else "ok", reference_quantiles=(), day_quantiles=(),
    )  # fmt: skip


def why(day: date, drift: DayDrift, episodes: DayEpisodes) -> str:
    """What of the story a message is about that is no end."""
    episode = episodes.of("images")
    named = {sign.name for sign in episode.signs} if episode else set()
    if f"camera={BROKEN}" in named and BROKEN_SINCE <= day < REPAIRED:
        return "broken camera"
    if any(row.name == NEW for row in drift.segments_that("new")) or f"camera={NEW}" in named:
        return "new camera"
    slow = drift.trend.feature if drift.trend and drift.trend.verdict == "drifted" else None
    return "season" if COLUMNS[BRIGHT] in (*drift.drifted_features, slow) else "chance"


def message(drift: DayDrift, episodes: DayEpisodes) -> tuple[str, DayAlert] | None:
    """What is told of the day: of which event, and the alert."""
    alert, episode = of_drift(episodes, drift, None), episodes.of("images")
    if alert is None:
        return None
    return (episode and episode.event) or "new segment", alert


def run(seed: int) -> Year:
    """One year."""
    year = Year(seed, {TRAINING: train(seed)})
    episodes: DayEpisodes | None = None
    reason = ""
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        drift = judged(year, day)
        year.drifts.append(drift)
        year.daily += [day] * (
            drift.verdict == "drifted" or bool(drift.trend and drift.trend.crossed) or drift.came_or_went
        )
        episodes = after_day(day, episodes, [of_images(day, drift, None, year.accepted)], EpisodesConfig())
        if found := message(drift, episodes):
            event, alert = found
            reason = reason if event == "closed" else why(day, drift, episodes)
            year.told.append(Told(day, event, reason, alert_text("year", alert, {})[0].partition("] ")[2]))
        _person(year, day, episodes, reason)
    return year


def _person(year: Year, day: date, episodes: DayEpisodes, reason: str) -> None:
    """Accepts the last three days where a change of season is three days old, once a week at most."""
    episode = episodes.of("images")
    last = max((days[-1] for days in year.accepted.values()), default=FIRST)
    if reason != "season" or episode is None or episode.ended or episode.day_number(day) < 3 or (day - last).days < 7:
        return
    days = tuple(day - timedelta(days=back) for back in (2, 1, 0))
    name = f"{days[0]}_{day}"
    year.accepted[name] = days
    year.states[name] = np.mean([year.means[one][0] for one in days], 0), sum(year.means[one][1] for one in days)


def page(years: list[Year], seconds: float) -> str:
    first = years[0]
    events, reasons = Counter(one.event for one in first.told), Counter(one.why for one in first.told)
    rows = "\n".join(f"| {one.day} | {one.event} | {one.why} | {one.subject} |" for one in first.told)
    days = ", ".join(str(of[-1]) for of in first.accepted.values()) or "none"
    before, now = [len(year.daily) for year in years], [len(year.told) for year in years]
    return f"""# A year of messages about the images

`python -m bench.judgement.year`, {seconds:.0f} s. {CAMERAS} cameras with {IMAGES} images a day. From December to June the images get brighter by {SEASON} standard deviations, and back. A new camera comes on {NEW_SINCE}; {BROKEN} is blurred from {BROKEN_SINCE} and repaired on
{REPAIRED}. A person accepts the last three days of a change of season that is three days old, once a week at most. Day and cameras are tested by their means at the product's rates; trend, episodes and words are the product's own. Days are independent (no weather), and the model's accuracy is not simulated.

| | messages, the year below | mean of {len(years)} years | most |
|---|---|---|---|
| before: one for each day that alarmed | {before[0]} | {np.mean(before):.1f} | {max(before)} |
| with episodes | {now[0]} | {np.mean(now):.1f} | {max(now)} |

Of the {now[0]}: {", ".join(f"{number} {name}" for name, number in events.most_common())}. About: {", ".join(f"{number} {name}" for name, number in reasons.most_common())}. `chance` is a false alarm: the tests allow some at their stated rates. Accepted on: {days}.
A change of one day costs two messages, its opening and its end, and was one before. What lasts is what episodes save.

| day | what | about | subject |
|---|---|---|---|
{rows}
"""


def main() -> None:
    start = time.perf_counter()
    years = []
    for seed in range(SEEDS):
        years.append(run(seed))
        print(f"year {seed}: {len(years[-1].daily)} messages before, {len(years[-1].told)} with episodes", flush=True)
    pd.DataFrame(years[0].told).to_csv(OUT / "year.csv", index=False)
    (OUT / "year.md").write_text(page(years, time.perf_counter() - start), encoding="utf-8")


if __name__ == "__main__":
    main()
