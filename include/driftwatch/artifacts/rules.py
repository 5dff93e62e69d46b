"""What each rule of `performance.policy` found, and what a day counts for in them: parts of performance.json."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.parts import Number


class FloorRule(Part):
    """The rule `floor` of `performance.policy`."""

    fires: bool
    """Whether the whole interval is below the floor."""
    floor: Number
    """`performance.floor`."""


class DropRule(Part):
    """The rule `drop` of `performance.policy`."""

    fires: bool
    """Whether the accuracy is lower than on the holdout by more than chance."""
    p_value: Number
    """The p-value of Fisher's exact one-sided test."""
    alpha: Number
    """`performance.alpha`."""
    holdout_accuracy: Number
    """The model's on its holdout."""
    holdout_n: int
    """Images of the holdout."""


class TrendRule(Part):
    """The rule `trend` of `performance.policy`."""

    fires: bool
    """Whether the days together show a decline."""
    evidence: Number
    """The statistic divided by its alarm threshold; at 1 there is an alarm."""
    days: int
    """Days that it rests on."""


class LastingRule(Part):
    """The rule `below_floor` or `worse` of `performance.policy`: what all days of the model together say."""

    fires: bool
    """Whether the evidence is at its limit, or above."""
    evidence: Number
    """The evidence that the accuracy is lower, over its limit; at 1 there is an alarm. It goes no higher than 100."""
    since: datetime.date
    """Since which day it is most likely lower, if it is."""
    days: int
    """Days with labels since then, this one included."""
    accuracy: Number
    """The accuracy on these days."""
    usual: Number
    """What that is compared with: `performance.floor`, or the accuracy on the holdout and on the days before."""


class PolicyRules(Part):
    """What each rule found. A rule that was not used is absent."""

    below_floor: LastingRule | None = None
    """Has production's floor been missed since some day?"""
    worse: LastingRule | None = None
    """Has the model been worse since some day than before it?"""
    floor: FloorRule | None = None
    """Is production's floor missed?"""
    drop: DropRule | None = None
    """Is the model worse than on its holdout?"""
    trend: TrendRule | None = None
    """Has it slowly become so?"""


class CountedDay(Part):
    """What a day says to the rules that look at all days of a model together."""

    agreement: Number
    """The share of the day's own labels that the model agrees with."""
    labels: Number
    """Labels of a plain sample that would tell as much."""
    missed: Number = 0.0
    """The chance that the label of an image that the model has right is wrong."""
    matched: Number = 0.0
    """The chance that a wrong answer of the model has a label as wrong."""
    shared: Number = 0.0
    """The standard deviation of the accuracy by what is not known of the labels' errors; the same for days that are corrected together."""
