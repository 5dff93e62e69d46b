"""A year of one monitor with seasons, a new camera, a broken one, and a model that gets worse: how many messages a person gets, and why each.

    python -m bench.judgement.year [--years 3]  (a year takes some minutes of one core)

Writes docs/benchmarks/judgement/year.csv and year.md. The days are tables of features and counts of labels, not pictures: 10 cameras with 20
images each, whose brightness follows the sun; each camera differs a little from the others. A new camera comes on 4 May. The camera door-7 is
blurred from 7 September and repaired after nine days. A person accepts the last three days of a change of season that is three days old.
Of 60 labels a day 95 % are right, from 2 November 85 %; the model that is retrained by then takes over on 12 November.

Tests, rules, episodes and words are the product's own: the day's test and the cameras' by their features, the trend, the sequential rules on
the labels. Only the far tail of the cameras' test is calibrated once for each size of sample, and not anew on each day. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.judgement.drift_data import OUT
from bench.judgement.year_tests import Images, Labels, by_camera, days_before
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import Alert, ModelGotWorse
from driftwatch.artifacts.drift import TRAINING, DayDrift
from driftwatch.artifacts.ended_alerts import ModelHoldsAgain
from driftwatch.artifacts.episodes import DayEpisodes, EpisodeLine
from driftwatch.config.episodes import EpisodesConfig
from driftwatch.episodes.alerts import of_drift
from driftwatch.episodes.fold import after_day
from driftwatch.episodes.signs import of_images, of_model
from driftwatch.images.features import COLUMNS
from driftwatch.view.alerts import alert_text

FIRST, DAYS = date(2026, 1, 1), 365
CAMERAS, IMAGES, LABELS = 10, 20, 60
SEASON = 0.9  # how much brighter June is than December, in standard deviations of the images
NEW, NEW_SINCE = "door-11", date(2026, 5, 4)
BROKEN, BROKEN_SINCE, REPAIRED = "door-7", date(2026, 9, 7), date(2026, 9, 16)
GOOD, BAD, BAD_SINCE, RETRAINED = 0.95, 0.85, date(2026, 11, 2), date(2026, 11, 12)
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
    """The year as it goes. `daily`: the days and lines that would have had a message of their own without episodes."""

    seed: int
    images: Images = field(default_factory=Images)
    labels: Labels = field(default_factory=Labels)
    told: list[Told] = field(default_factory=list)
    daily: list[tuple[date, EpisodeLine]] = field(default_factory=list)


def cameras(day: date, seed: int) -> pd.DataFrame:
    """The features of each camera's images of a day, in standard deviations of the images."""
    rng, found = np.random.default_rng([11, seed, day.toordinal()]), {}
    for number in range(1, CAMERAS + 1 + (day >= NEW_SINCE)):
        own = np.random.default_rng([7, seed, number]).normal(0, 0.25, len(COLUMNS))
        values = own + rng.normal(size=(IMAGES, len(COLUMNS)))
        values[:, BRIGHT] += SEASON * (1 - math.cos(2 * math.pi * (day.timetuple().tm_yday + 10) / 365)) / 2
        if f"door-{number}" == BROKEN and BROKEN_SINCE <= day < REPAIRED:
            values[:, BLURRED] -= 1.5
        found[f"door-{number}"] = values
    return by_camera(found, day)


def version_of(day: date) -> str:
    return "v0002-4d3c2b1a" if day >= RETRAINED else "v0001-0a1b2c3d"


def right_of(day: date, seed: int) -> int:
    """How many of the day's labels agree with the model."""
    accuracy = BAD if BAD_SINCE <= day < RETRAINED else GOOD
    return int(np.random.default_rng([13, seed, day.toordinal()]).binomial(LABELS, accuracy))


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


def of_performance(day: date, found: Performance, episodes: DayEpisodes) -> Alert | None:
    """The alert about the model, as `driftwatch.episodes.alerts.about_model` chooses it from stored files."""
    episode = episodes.of("performance")
    if episode and episode.ended:
        return ModelHoldsAgain(day, episode)
    if found.verdict != "alert" or episode is None or episode.event is None:
        return None
    return ModelGotWorse(day, found, (), episode)


def run(seed: int) -> Year:
    """One year."""
    year, reasons = Year(seed), {"images": "", "performance": ""}
    before = days_before(FIRST, 5)
    year.images.tables.update({day: cameras(day, seed) for day in before})
    year.images.accept(TRAINING, before)
    episodes: DayEpisodes | None = None
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        # The version of the images' reference stays: the story of the model is told apart from theirs.
        drift = year.images.judged(day, cameras(day, seed), version_of(FIRST))
        found = year.labels.judged(day, right_of(day, seed), LABELS, version_of(day))
        signs = [of_images(day, drift, None, year.images.accepted), of_model(day, found, None)]
        episodes = after_day(day, episodes, signs, EpisodesConfig())
        alarmed = drift.verdict == "drifted" or bool(drift.trend and drift.trend.crossed) or drift.came_or_went
        year.daily += [(day, "images")] * alarmed + [(day, "performance")] * (found.verdict == "alert")
        about: dict[EpisodeLine, Alert | None] = {
            "images": of_drift(episodes, drift, None),
            "performance": of_performance(day, found, episodes),
        }
        for line, alert in about.items():
            if alert is None:
                continue
            episode = episodes.of(line)
            event = (episode and episode.event) or "new segment"
            if event != "closed":
                reasons[line] = why(day, drift, episodes) if line == "images" else why_model(day)
            subject = alert_text("year", alert, {})[0].partition("] ")[2]
            year.told.append(Told(day, event, reasons[line], subject))
        _person(year, day, episodes, reasons["images"])
    return year


def why_model(day: date) -> str:
    return "worse model" if BAD_SINCE <= day < RETRAINED else "chance"


def _person(year: Year, day: date, episodes: DayEpisodes, reason: str) -> None:
    """Accepts the last three days where a change of season is three days old, once a week at most."""
    episode, accepted = episodes.of("images"), year.images.accepted
    last = max((days[-1] for days in accepted.values()), default=FIRST)
    if reason != "season" or episode is None or episode.ended or episode.day_number(day) < 3 or (day - last).days < 7:
        return
    days = (day - timedelta(days=2), day - timedelta(days=1), day)
    year.images.accept(f"{days[0]}_{day}", days)


def page(years: list[Year], seconds: float) -> str:
    first = years[0]
    events, reasons = Counter(one.event for one in first.told), Counter(one.why for one in first.told)
    rows = "\n".join(f"| {one.day} | {one.event} | {one.why} | {one.subject} |" for one in first.told)
    days = ", ".join(str(of[-1]) for of in first.images.accepted.values()) or "none"
    before, now = [len(year.daily) for year in years], [len(year.told) for year in years]
    chance = [sum(one.why == "chance" for one in year.told) for year in years]
    return f"""# A year of messages

`python -m bench.judgement.year`, {seconds:.0f} s. {CAMERAS} cameras with {IMAGES} images a day. From December to June the images get brighter by {SEASON} standard deviations, and back. A new camera comes on {NEW_SINCE}; {BROKEN} is blurred from {BROKEN_SINCE} and repaired on
{REPAIRED}. A person accepts the last three days of a change of season that is three days old, once a week at most. Of {LABELS} labels a day {GOOD:.0%} are right, from {BAD_SINCE} {BAD:.0%}; the retrained model takes over on {RETRAINED}. The tests of the day and of the cameras, the trend, the rules on the
labels, episodes and words are the product's own, on generated features and labels. Days are independent (no weather), and labels are right.

| | messages, the year below | mean of {len(years)} {"year" if len(years) == 1 else "years"} | most |
|---|---|---|---|
| before: one for each day and line (images, model) that alarmed | {before[0]} | {np.mean(before):.1f} | {max(before)} |
| with episodes | {now[0]} | {np.mean(now):.1f} | {max(now)} |
| of these by chance | {chance[0]} | {np.mean(chance):.1f} | {max(chance)} |

Of the {now[0]}: {", ".join(f"{number} {name}" for name, number in events.most_common())}. About: {", ".join(f"{number} {name}" for name, number in reasons.most_common())}. `chance` is a false alarm: the tests allow some at their stated rates. Accepted on: {days}.
A change of one day costs two messages, its opening and its end, and was one before. What lasts is what episodes save.

| day | what | about | subject |
|---|---|---|---|
{rows}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=1)
    start, years = time.perf_counter(), []
    for seed in range(parser.parse_args().years):
        years.append(run(seed))
        print(f"year {seed}: {len(years[-1].daily)} messages before, {len(years[-1].told)} with episodes", flush=True)
    pd.DataFrame(years[0].told).to_csv(OUT / "year.csv", index=False)
    (OUT / "year.md").write_text(page(years, time.perf_counter() - start), encoding="utf-8")


if __name__ == "__main__":
    main()
