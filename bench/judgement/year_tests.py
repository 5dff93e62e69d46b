"""What the product says of a day of bench.judgement.year: its tests of the images and of the cameras, and its rules on the labels."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from tests.driftwatch.artifacts.samples import PERFORMANCE

from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.evidence import Evidence, Votes
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.scores import Scores
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import TRAINING, DayDrift
from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.config import MonitorConfig
from driftwatch.drift import segment_tests
from driftwatch.drift.cusum import ScoredDay as TrendDay
from driftwatch.drift.cusum import day_scores, trend
from driftwatch.drift.image_quality import _line, _of_the_states, with_segments
from driftwatch.drift.reference import OK, Reference
from driftwatch.drift.segment_days import DAY, LOOK_BACK, EarlierDay, Segment, days_of_samples
from driftwatch.drift.segment_features import judge_features
from driftwatch.drift.segments import Silence, judge, rates
from driftwatch.drift.states import Compared, nearest
from driftwatch.images.features import COLUMNS
from driftwatch.models.metrics import wilson

CONFIG = MonitorConfig.model_validate(
    {
        "name": "year",
        "classes": ["cat", "dog"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": "file:///nowhere"},
        "annotation": {"project_name": "Pets", "question": "Which?", "instructions": "Look."},
        "segments": {"camera": {"key": "^([^/]+)/"}},
        "performance": {"estimator": "labels"},
    }
)
_KIND = "image_quality"
_RATE = CONFIG.profiling.false_alarm_rate * CONFIG.profiling.false_alarm_shares.image_quality
WHOLE_RATE, SEGMENTS_RATE = rates(CONFIG, _RATE, "image_quality")
HOLDOUT, HELD_RIGHT = 600, 0.95
_SAMPLE = Performance.model_validate_json(json.dumps(PERFORMANCE))
_calibrated, _known = segment_tests._calibrated, {}


def calibrated_once(samples: Any, seed: int) -> dict[Any, float]:
    """As `segment_tests` calibrates, once for each size: days of one size differ by chance alone, and a year has 365 of them."""
    new = [sample for sample in samples if sample.size not in _known]
    _known.update(_calibrated(new, seed) if new else {})
    return _known


segment_tests._calibrated = calibrated_once


@dataclass
class Images:
    """The images so far. `states`: a reference of each accepted state; `tables`: each day's images, with the camera of each; `parts`: those of one camera."""

    states: dict[str, Reference] = field(default_factory=dict)
    accepted: dict[str, tuple[date, ...]] = field(default_factory=dict)
    tables: dict[date, pd.DataFrame] = field(default_factory=dict)
    parts: dict[tuple[date, str], pd.DataFrame] = field(default_factory=dict)
    drifts: list[DayDrift] = field(default_factory=list)

    def accept(self, name: str, days: tuple[date, ...]) -> None:
        self.states[name] = reference_of(pd.concat([self.tables[day] for day in days]))
        if name != TRAINING:
            self.accepted[name] = days

    def judged(self, day: date, table: pd.DataFrame, version: str) -> DayDrift:
        """The day's drift.json. `table`: COLUMNS, image_id and camera."""
        self.tables[day] = table
        for name, rows in table.groupby("camera"):
            self.parts[day, str(name)] = rows.assign(**{DAY: day.toordinal()})
        found = [Compared(name, state, state.test(table)) for name, state in self.states.items()]
        best = found[nearest([one.outcome for one in found])]
        scores = day_scores(table, best.reference.features, None) if best.report.verdict == OK else None
        drift = DayDrift(
            **_of_the_states(found), day=day, reference_version=version, day_false_alarm_rate=CONFIG.profiling.false_alarm_rate, examples=(), day_scores=scores
        )  # fmt: skip
        alike = [one for one in [*self.drifts, drift] if _line(one) == _line(drift) and one.day_scores]
        slow = trend(
            [TrendDay(one.day, one.n, one.day_scores or {}) for one in alike],
            CONFIG.profiling.trend_false_alarms_per_year,
        )
        slow = slow if scores else slow.model_copy(update={"crossed": False})
        rows = self._segments(day, table)
        drift = with_segments(
            drift.model_copy(update={"trend": slow}), {"segments": rows, "segments_rate": SEGMENTS_RATE}
        )
        self.drifts.append(drift)
        return drift

    def _segments(self, day: date, table: pd.DataFrame) -> tuple[SegmentDrift, ...]:
        earlier = [_earlier(drift) for drift in self.drifts[::-1][:LOOK_BACK]]
        rows = {Segment("camera", str(name)): of for name, of in table.groupby("camera").indices.items()}
        lists = days_of_samples(rows, earlier, CONFIG.profiling.segments.usual_days, list(self.accepted.values()))
        usual = {
            segment: [part for days in of if (part := self._usual(segment, days)) is not None]
            for segment, of in lists.items()
        }
        found = judge_features(table, rows, usual, COLUMNS, CONFIG)
        return judge(_KIND, found, earlier, CONFIG, day, Silence())

    def _usual(self, segment: Segment, days: list[date]) -> pd.DataFrame | None:
        parts = [self.parts[day, segment.name] for day in days if (day, segment.name) in self.parts]
        return pd.concat(parts) if parts else None


def reference_of(table: pd.DataFrame) -> Reference:
    return Reference.build(table[list(COLUMNS)], WHOLE_RATE, CONFIG.profiling.seed, CONFIG.profiling.min_images)


def _earlier(drift: DayDrift) -> EarlierDay:
    rows = {Segment(row.by, row.name): row for row in drift.segments}
    return EarlierDay(drift.day, rows, drift.whole == "drifted")


@dataclass
class Labels:
    """The days' labels so far, and what the product says of each."""

    before: list[PastDay] = field(default_factory=list)

    def judged(self, day: date, right: int, labels: int, version: str) -> Performance:
        """The day's performance.json, as far as its episodes and its alert look at it."""
        low, high = wilson(HELD_RIGHT, HOLDOUT, 0.95)
        today = ScoredDay(day, version, tuple(CONFIG.classes), _evidence(right, labels))
        found = judge_day(today, self.before[-400:], CONFIG, Share(value=HELD_RIGHT, low=low, high=high, n=HOLDOUT))
        persisting = found.verdict.persistence is not None
        self.before.append(PastDay(**vars(today), fired=persisting, usual=found.usual, counted=found.counted))
        low, high = wilson(right / labels, labels, 0.95)
        said = {
            "day": day, "model_version": version, "labels": labels, "consensus": labels, "sampled": labels, "ties": 0, "unclear": 0, "unanswered": 0,
            "accuracy": _SAMPLE.accuracy.model_copy(update={"value": right / labels, "low": low, "high": high, "n": labels}),
            "verdict": found.verdict.verdict, "severity": found.verdict.severity, "policy": found.verdict.rules, "fired": persisting,
            "floor": CONFIG.performance.floor, "judged": found.verdict.accuracy, "corrected": None, "label_error": None, "segments": (),
        }  # fmt: skip
        return _SAMPLE.model_copy(update=said)


def _evidence(right: int, labels: int) -> Evidence:
    votes = Votes(np.zeros(2), np.zeros(2), 0, 0, 0, 0, 0, 0, 0, 0, {})
    half, wrong = right // 2, labels - right
    confusion = np.array([[half, wrong], [0, right - half]])
    return Evidence(confusion, Scores(labels, right, 0, 0, 0, 0, 0, 0), votes)


def days_before(first: date, count: int) -> tuple[date, ...]:
    return tuple(first - timedelta(days=back) for back in range(count, 0, -1))


def by_camera(values: dict[str, np.ndarray], day: date) -> pd.DataFrame:
    """One table of all cameras' images: each camera's [images, features]."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for name, of in values.items():
        rows["camera"] += [name] * len(of)
        rows["image_id"] += [f"{day}-{name}-{number:03d}" for number in range(len(of))]
    return pd.DataFrame(np.concatenate(list(values.values())), columns=list(COLUMNS)).assign(**rows)
