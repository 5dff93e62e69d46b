"""What several accepted states cost and bring, what a smallest effect silences, and what a trailing baseline swallows.

`python -m bench.judgement.baselines` writes docs/benchmarks/judgement/baselines.md and its tables; some minutes of one core. Features
are drawn numbers, eight to an image and correlated, but for the week: it has the demo's drawn photos and the demo's damage. Seeds are
fixed.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from driftwatch.drift import Reference
from driftwatch.drift.cusum import ScoredDay, day_scores, trend
from driftwatch.drift.reference import DRIFTED
from driftwatch.drift.silence import silenced
from driftwatch.drift.states import Outcome, nearest

ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "benchmarks" / "judgement"
FEATURES, REFERENCE, DAY, RATE = 8, 600, 200, 0.01
STATED = 0.05  # of the table of states: high, so that few days tell it
REFERENCES, DAYS = 4, 60
COUNTS = (1, 2, 3, 5)
# A slow change: days without it, days in all, the trailing window, how often a day is tested (each test of a window needs a calibration).
MONDAY, BEFORE, SLOW, WINDOW, EVERY, SLOW_RUNS = date(2026, 1, 5), 40, 130, 14, 10, 2
# By the kind of day: the state that it is like, by how much one more feature moved, and the days for each reference.
KINDS = {
    "like the training data": (0, 0.0, DAYS),
    "like the second state": (1, 0.0, DAYS),
    "like the fifth state": (4, 0.0, DAYS),
    "a third damage, 0.3 sd": (0, 0.3, 10),
    "a third damage, 0.5 sd": (0, 0.5, 10),
}
_MIXING = np.linalg.cholesky(0.5 * np.eye(FEATURES) + 0.5)


def draw(n: int, rng: np.random.Generator, state: int = 0, far: float = 1.5) -> pd.DataFrame:
    """The features of n images of one state: state 0 is the training data, and each other has moved in another feature, by `far`
    standard deviations."""
    values = rng.normal(size=(n, FEATURES)) @ _MIXING.T
    if state:
        values[:, state - 1] += far
    return pd.DataFrame(values, columns=[f"feature_{number}" for number in range(FEATURES)])


def outcome(reference: Reference, day: pd.DataFrame, min_effect: float = 0.0) -> Outcome:
    report = silenced(reference.test(day), min_effect)
    return Outcome(report.verdict, report.p_value, float(report.features["effect"].mean()))


def against(references: Sequence[Reference], day: pd.DataFrame) -> tuple[bool, int]:
    """Whether the day alarms, and the place of the state that it is like or nearest to."""
    outcomes = [outcome(reference, day) for reference in references]
    place = nearest(outcomes)
    return outcomes[place].verdict == DRIFTED, place


def states() -> pd.DataFrame:
    """Alarms of days like one of the states, and of days with a third kind of damage, by the number of accepted states."""
    rows: list[dict[str, object]] = []
    for far in (1.5, 0.3):
        for number in range(REFERENCES):
            rng = np.random.default_rng([number, round(10 * far)])
            known = [Reference.build(draw(REFERENCE, rng, state, far), STATED, number) for state in range(max(COUNTS))]
            for name, (state, damage, days) in KINDS.items():
                for _ in range(days):
                    rows += _alarms(known, state, _damaged(draw(DAY, rng, state, far), damage), name, far)
            print(f"states {far} sd apart: {number + 1} of {REFERENCES} references", flush=True)
    table = pd.DataFrame(rows)
    found = table.pivot_table(index=["far", "day"], columns="states", values="alarm", aggfunc="mean", sort=False)
    return found.assign(days=table.groupby(["far", "day"]).size() // table.groupby(["far", "day"])["states"].nunique())


def _damaged(day: pd.DataFrame, by: float) -> pd.DataFrame:
    return day.assign(**{f"feature_{FEATURES - 1}": day[f"feature_{FEATURES - 1}"] - by})


def _alarms(
    known: Sequence[Reference], state: int, day: pd.DataFrame, name: str, far: float
) -> Iterator[dict[str, object]]:
    """Whether the day alarms with the first `count` states, its own among them. One that its own state takes alarms with none."""
    own = outcome(known[state], day).verdict == DRIFTED
    rejected = [own and (place == state or outcome(each, day).verdict == DRIFTED) for place, each in enumerate(known)]
    for count in COUNTS:
        if count > state:
            yield {"far": far, "day": name, "states": count, "alarm": all(rejected[:count])}


def large_days() -> pd.DataFrame:
    """Alarms on days of 100,000 images by `min_effect`: small changes of every image, and large changes of a few."""
    rng = np.random.default_rng(5)
    reference = Reference.build(draw(5_000, rng), RATE)
    rows = []
    for change, shift, share in (
        ("none", 0.0, 1.0),
        *((f"every image by {shift} sd", shift, 1.0) for shift in (0.03, 0.06, 0.1, 0.15, 0.2, 0.3)),
        *((f"{share:.0%} of the images by 3 sd", 3.0, share) for share in (0.01, 0.02, 0.05, 0.1, 0.2)),
    ):
        reports = []
        for _ in range(10):
            day = draw(100_000, rng)
            day.iloc[: round(share * len(day)), 0] += shift
            reports.append(reference.test(day))
        effect = np.mean([report.features.set_index("feature")["effect"]["feature_0"] for report in reports])
        alarms = {
            str(least): np.mean([silenced(report, least).drifted for report in reports])
            for least in (0.0, 0.02, 0.05, 0.1)
        }
        rows.append({"change": change, "effect": effect, **alarms})
        print(f"100,000 images: {change}", flush=True)
    return pd.DataFrame(rows).set_index("change")


def week() -> pd.DataFrame:
    """The demo's week in features: before acceptance, and after that of the fourth day."""
    from driftwatch_sandbox.photos import write_photos

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        paths = write_photos(root / "photos", {"cat": 720, "dog": 720}, seed=11, processes=1)
        order = np.random.default_rng(11).permutation(len(paths))
        clean = _features([paths[place] for place in order])
        photos = [paths[place] for place in order]
        days = {
            "day 5": _broken(root, photos[740:880], "pixelate", across=8),
            "day 6": _broken(root, photos[880:1020], "pixelate", across=8),
            "day 7": _broken(root, photos[1020:1160], "pixelate", across=8),
            "repaired": clean.iloc[1160:1300],
            "blurred": _broken(root, photos[1160:1300], "blur", sigma=1.5),
            "half of the cameras repaired": pd.concat(
                [_broken(root, photos[1300:1370], "pixelate", across=8), clean.iloc[1370:1440]]
            ),
        }
        fourth = _broken(root, photos[500:740], "pixelate", across=8)
    training, accepted = Reference.build(clean.iloc[:500], RATE / 2), Reference.build(fourth, RATE / 2)
    mixture = Reference.build(pd.concat([clean.iloc[:500], fourth]), RATE / 2)
    rows = []
    for name, day in days.items():
        alarm, place = against([training, accepted], day)
        like = "-" if alarm else ("training", "day 4")[place]
        rows.append(
            {
                "day": name,
                "training alone": training.test(day).drifted,
                "one mixture (before)": mixture.test(day).drifted,
                "day 4 accepted": alarm,
                "like": like,
            }
        )
    return pd.DataFrame(rows).set_index("day")


def _features(paths: Sequence[Path]) -> pd.DataFrame:
    from driftwatch.drift import extract_features

    return extract_features([str(path) for path in paths])


def _broken(root: Path, paths: Sequence[Path], damage: str, **strength: float) -> pd.DataFrame:
    from driftwatch_sandbox.photos import break_file

    broken = [root / f"{damage}-{path.parent.name}-{path.stem}.jpg" for path in paths]
    for path, target in zip(paths, broken, strict=True):
        break_file(path, target, damage, **strength)
    return _features(broken)


def slow_change() -> pd.DataFrame:
    """On which day of a slow change something is told, by the baseline. The change begins after BEFORE days; 0: nothing was told. The last
    column is the newest day of the trailing window at the end: with the guard it stays before the change."""
    rows = []
    for step in (0.0, 0.02, 0.05):
        for seed in range(SLOW_RUNS):
            rng = np.random.default_rng([seed, 100])
            reference = Reference.build(draw(REFERENCE, rng), RATE / 2, seed)
            days = [_damaged(draw(DAY, rng), step * max(0, number - BEFORE)) for number in range(SLOW)]
            for baseline in ("training", "trailing, no guard", "trailing"):
                rows.append({"sd a day": step, "baseline": baseline, **_told(days, reference, baseline)})
            print(f"slow change of {step} sd a day: {seed + 1} of {SLOW_RUNS}", flush=True)
    return pd.DataFrame(rows).groupby(["sd a day", "baseline"], sort=False).median()


def _told(days: Sequence[pd.DataFrame], reference: Reference, baseline: str) -> dict[str, float]:
    """One run of days, judged as the product does: the window of the last usual days, and the trend on the training data's scale."""
    scored: list[ScoredDay] = []
    usual: list[int] = []
    alarm = slow = 0
    for number, day in enumerate(days):
        window = usual[-WINDOW:]
        known = reference
        if baseline != "training" and len(window) == WINDOW and number % EVERY == 0:
            known = Reference.build(
                pd.concat([days[place] for place in window]).sample(REFERENCE, random_state=0), RATE / 2
            )
        verdict = known.test(day).verdict if number % EVERY == 0 else "ok"
        if verdict == DRIFTED:
            alarm = alarm or max(number - BEFORE, 0)
            continue
        scored.append(ScoredDay(MONDAY + timedelta(days=number), DAY, day_scores(day, reference.features, None)))
        found = trend(scored, 0.2)
        usual.append(number)
        if found.verdict == DRIFTED and found.since is not None:
            slow = slow or max(number - BEFORE, 0)
            if baseline == "trailing":
                usual = [place for place in usual if MONDAY + timedelta(days=place) < found.since]
    return {
        "first day's alarm": alarm,
        "first alarm of the trend": slow,
        "window's last day": usual[-1] if usual else 0,
    }


PARTS: dict[str, tuple[str, str, Callable[[], pd.DataFrame]]] = {
    "week": (
        "The demo's week, in features",
        "Drawn photos: 500 of training, 240 pixelated ones of the fourth day, 140 on each other day. True: the day alarms, at image quality's part of the rate, 0.5 %. "
        "*training alone*: nothing is accepted. *one mixture*: as it was before, one reference of the training data and the fourth day together. *day 4 accepted*: two states.",
        week,
    ),
    "states": (
        "Alarms by the number of accepted states",
        f"Share of days that alarm at a stated rate of {STATED:.0%}, with 1, 2, 3 and 5 states; {REFERENCES} sets of references. States that lie 1.5 standard deviations apart, "
        "and states that lie 0.3 apart and so are easily taken for each other. A damage moves one more feature.",
        states,
    ),
    "slow": (
        "A slow change",
        f"The median of {SLOW_RUNS} runs of {SLOW} days; after {BEFORE} days one feature begins to move.\nHow many days later the first day alarms, and the trend; 0 is never, and of two runs it is the middle: 35 without a change is one false alarm on the 70th day, and none in the other run.\n"
        f"Every {EVERY}th day is tested against its baseline. The last column is the newest day of the trailing window at the end: with the guard it stays before the change.",
        slow_change,
    ),
    "large_days": (
        "Days of 100,000 images, by profiling.min_effect",
        "Share of days that alarm at a rate of 1 %. *effect* is the measured Kolmogorov-Smirnov distance. The reference has 5,000 images.",
        large_days,
    ),
}


def write_page() -> None:
    """Puts the tables that there are together as baselines.md."""
    said = [
        "# Baselines: what counts as usual",
        "",
        "Made by `python -m bench.judgement.baselines`. Seeds are fixed.",
        "",
    ]
    for name, (title, about, _) in PARTS.items():
        table = OUT / f"baselines_{name}.csv"
        if table.exists():
            rows = list(csv.reader(table.read_text().splitlines()))
            lines = ["| " + " | ".join(row) + " |" for row in rows]
            said += [f"## {title}", "", about, "", lines[0], "|---" * len(rows[0]) + "|", *lines[1:], ""]
    (OUT / "baselines.md").write_text("\n".join(said))


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PARTS:
        PARTS[name][2]().round(4).to_csv(OUT / f"baselines_{name}.csv")
        write_page()


if __name__ == "__main__":
    main()
